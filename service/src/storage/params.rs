//! What requests bring to the statements of the watch history, as a table: the rows of a whole group on PostgreSQL, a single one on SQLite.
//!
//! The text of a statement is the same for any number of rows, so that the database prepares it once.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::sqlx::Arguments;
use sea_orm::sqlx::postgres::PgArguments;
use sea_orm::{DatabaseBackend, DatabaseBackend::Postgres, DbErr};

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ParamType {
    Number,
    Text,
    Time,
}

/// One value of a row. There is no NULL: 0 and the empty text stand for it.
#[derive(Clone, Debug)]
pub(crate) enum Param {
    Number(i64),
    Text(String),
    Time(DateTime<Utc>),
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<String>> for Param {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.unwrap_or_default())
    }
}

impl From<DateTime<Utc>> for Param {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}

/// A moment as the driver stores it on SQLite, so that the database can compare the two.
pub(crate) fn time_as_text(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// The table's name in a FROM clause: `sent`, with these columns and `n`, the number of the row.
pub(crate) fn input_rows<const N: usize>(backend: DatabaseBackend, columns: &[(&str, ParamType); N]) -> String {
    let each = |name: fn(usize, &(&str, ParamType)) -> String| {
        columns.iter().enumerate().map(|(at, column)| name(at + 1, column)).collect::<Vec<_>>().join(", ")
    };
    if backend != Postgres {
        return format!("(SELECT {}, 1 AS n) AS sent", each(|at, (name, _)| format!("?{at} AS {name}")));
    }
    let arrays = each(|at, (_, kind)| {
        let kind = match kind {
            ParamType::Number => "bigint",
            ParamType::Text => "text",
            ParamType::Time => "timestamptz",
        };
        format!("${at}::{kind}[]")
    });
    format!("unnest({arrays}) WITH ORDINALITY AS sent ({}, n)", each(|_, (name, _)| (*name).to_owned()))
}

/// What is bound to a statement over [`input_rows`] with the same columns on PostgreSQL.
///
/// # Errors
/// A cell is not of its column's kind.
pub(crate) fn bind_arrays<const N: usize>(
    columns: &[(&str, ParamType); N],
    rows: impl Iterator<Item = [Param; N]>,
) -> Result<PgArguments, DbErr> {
    let mut arrays = columns.map(|(_, kind)| match kind {
        ParamType::Number => ParamArray::Numbers(Vec::with_capacity(rows.size_hint().0)),
        ParamType::Text => ParamArray::Texts(Vec::with_capacity(rows.size_hint().0)),
        ParamType::Time => ParamArray::Times(Vec::with_capacity(rows.size_hint().0)),
    });
    for row in rows {
        for (array, cell) in arrays.iter_mut().zip(row) {
            match (array, cell) {
                (ParamArray::Numbers(numbers), Param::Number(number)) => numbers.push(number),
                (ParamArray::Texts(texts), Param::Text(text)) => texts.push(text),
                (ParamArray::Times(times), Param::Time(time)) => times.push(time),
                (array, cell) => return Err(DbErr::Type(format!("{cell:?} among {array:?}"))),
            }
        }
    }
    let mut arguments = PgArguments::default();
    for array in arrays {
        let added = match array {
            ParamArray::Numbers(numbers) => arguments.add(numbers),
            ParamArray::Texts(texts) => arguments.add(texts),
            ParamArray::Times(times) => arguments.add(times),
        };
        added.map_err(|error| DbErr::Type(error.to_string()))?;
    }
    Ok(arguments)
}

/// A column of a group.
#[derive(Debug)]
enum ParamArray {
    Numbers(Vec<i64>),
    Texts(Vec<String>),
    Times(Vec<DateTime<Utc>>),
}
