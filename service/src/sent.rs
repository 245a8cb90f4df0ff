//! The rows that a group of requests brings, as a table of one statement: arrays on PostgreSQL, JSON on SQLite.
//!
//! The text of a statement is the same for any number of rows, so that the database prepares it once.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::sea_query::{ArrayType, Value};
use sea_orm::{DatabaseBackend, DatabaseBackend::Postgres};
use serde::{Serialize, Serializer};

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Number,
    Text,
    Time,
}

/// One value of a row. There is no NULL: 0 and the empty text stand for it.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Number(i64),
    Text(String),
    Time(DateTime<Utc>),
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.unwrap_or_default())
    }
}

impl From<DateTime<Utc>> for Cell {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            // As the driver stores it, so that the database can compare the two.
            Self::Time(time) => serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, false)),
        }
    }
}

impl From<Cell> for Value {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Number(number) => number.into(),
            Cell::Text(text) => text.into(),
            Cell::Time(time) => time.into(),
        }
    }
}

/// The table's name in a FROM clause: `sent`, with these columns and `n`, the number of the row.
pub(crate) fn table<const N: usize>(backend: DatabaseBackend, columns: &[(&str, Kind); N]) -> String {
    let names = columns.iter().map(|(name, _)| *name);
    if backend == Postgres {
        let arrays = columns.iter().enumerate().map(|(at, (_, kind))| {
            let kind = match kind {
                Kind::Number => "bigint",
                Kind::Text => "text",
                Kind::Time => "timestamptz",
            };
            format!("${}::{kind}[]", at + 1)
        });
        let (arrays, names) = (arrays.collect::<Vec<_>>().join(", "), names.collect::<Vec<_>>().join(", "));
        format!("unnest({arrays}) WITH ORDINALITY AS sent ({names}, n)")
    } else {
        let values = names.enumerate().map(|(at, name)| format!("each.value ->> {at} AS {name}"));
        let values = values.collect::<Vec<_>>().join(", ");
        format!("(SELECT {values}, each.key + 1 AS n FROM json_each(?1) AS each) AS sent")
    }
}

/// What is bound to a statement over [`table`] with the same columns.
pub(crate) fn values<const N: usize>(
    backend: DatabaseBackend,
    columns: &[(&str, Kind); N],
    rows: Vec<[Cell; N]>,
) -> Vec<Value> {
    if backend != Postgres {
        // Numbers and texts always make JSON.
        return vec![
            serde_json::to_string(&Vec::from_iter(rows.iter().map(<[Cell; N]>::as_slice))).unwrap_or_default().into(),
        ];
    }
    let mut arrays: [Vec<Value>; N] = std::array::from_fn(|_| Vec::with_capacity(rows.len()));
    for row in rows {
        for (array, cell) in arrays.iter_mut().zip(row) {
            array.push(cell.into());
        }
    }
    let kinds = columns.iter().map(|(_, kind)| match kind {
        Kind::Number => ArrayType::BigInt,
        Kind::Text => ArrayType::String,
        Kind::Time => ArrayType::ChronoDateTimeUtc,
    });
    kinds.zip(arrays).map(|(kind, array)| Value::Array(kind, Some(Box::new(array)))).collect()
}
