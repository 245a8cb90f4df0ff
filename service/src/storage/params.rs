//! Parameters of the statements of the watch history, as the rows of a table named `input`: those
//! of a whole batch on PostgreSQL, a single one on SQLite.
//!
//! The text of a statement is the same for any number of rows, so that the database prepares it
//! once.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::sqlx::Arguments;
use sea_orm::sqlx::postgres::PgArguments;
use sea_orm::{DatabaseBackend, DatabaseBackend::Postgres, DbErr};

/// The type of a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ParamType {
    Number,
    Text,
    Time,
}

impl ParamType {
    /// The type's name in PostgreSQL.
    fn name(self) -> &'static str {
        match self {
            Self::Number => "bigint",
            Self::Text => "text",
            Self::Time => "timestamptz",
        }
    }
}

/// The value of a parameter. There is no NULL: 0 and the empty text stand for it.
#[derive(Clone, Debug)]
pub(crate) enum Param {
    Number(i64),
    Text(String),
    Time(DateTime<Utc>),
}

/// A value that can be bound as a parameter.
pub(crate) trait IntoParam {
    const TYPE: ParamType;

    fn into_param(self) -> Param;
}

impl IntoParam for i64 {
    const TYPE: ParamType = ParamType::Number;

    fn into_param(self) -> Param {
        Param::Number(self)
    }
}

impl IntoParam for i32 {
    const TYPE: ParamType = ParamType::Number;

    fn into_param(self) -> Param {
        Param::Number(self.into())
    }
}

impl IntoParam for Option<i32> {
    const TYPE: ParamType = ParamType::Number;

    fn into_param(self) -> Param {
        self.unwrap_or_default().into_param()
    }
}

impl IntoParam for Option<String> {
    const TYPE: ParamType = ParamType::Text;

    fn into_param(self) -> Param {
        Param::Text(self.unwrap_or_default())
    }
}

impl IntoParam for DateTime<Utc> {
    const TYPE: ParamType = ParamType::Time;

    fn into_param(self) -> Param {
        Param::Time(self)
    }
}

/// A struct whose fields are the columns of a row of `input`. [`input_row!`] declares it.
pub(crate) trait InputRow<const N: usize> {
    const COLUMNS: [(&'static str, ParamType); N];

    fn into_params(self) -> [Param; N];
}

/// Declares a struct and its [`InputRow`], so that the fields, the columns of `input` and the bound
/// parameters are one list.
macro_rules! input_row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$doc])* $vis $field: $type,)+ }

        impl $crate::storage::InputRow<{ [$(stringify!($field)),+].len() }> for $name {
            const COLUMNS: [(&'static str, $crate::storage::ParamType); [$(stringify!($field)),+].len()] =
                [$((stringify!($field), <$type as $crate::storage::IntoParam>::TYPE)),+];

            fn into_params(self) -> [$crate::storage::Param; [$(stringify!($field)),+].len()] {
                let Self { $($field),+ } = self;
                [$($crate::storage::IntoParam::into_param($field)),+]
            }
        }
    };
}
pub(crate) use input_row;

/// A time as SeaORM's driver stores it on SQLite, so that the texts compare as the times do.
pub(crate) fn time_as_text(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// The SELECT that yields the rows of `input`: the columns of `R`, and `n`, the number of the row
/// from 1 on.
pub(crate) fn select_input<const N: usize, R: InputRow<N>>(backend: DatabaseBackend) -> SelectStatement {
    let mut select = Query::select();
    if backend != Postgres {
        for (number, (name, _)) in (1..).zip(R::COLUMNS) {
            select.expr_as(Expr::cust(format!("?{number}")), name);
        }
        return select.expr_as(Expr::val(1), "n").take();
    }
    let arrays = (1..).zip(R::COLUMNS).map(|(number, (_, of))| format!("${number}::{}[]", of.name()));
    let names = R::COLUMNS.map(|(name, _)| format!("\"{name}\""));
    let (arrays, names) = (Vec::from_iter(arrays).join(", "), names.join(", "));
    // sea-query knows neither WITH ORDINALITY nor the names of a function's columns.
    select.expr(Expr::cust(format!("* FROM unnest({arrays}) WITH ORDINALITY AS input ({names}, n)"))).take()
}

/// Binds rows to a statement over [`select_input`] on PostgreSQL, one array for each column.
///
/// # Errors
/// A value cannot be encoded.
pub(crate) fn bind_arrays<const N: usize, R: InputRow<N>>(rows: impl Iterator<Item = R>) -> Result<PgArguments, DbErr> {
    let mut arrays = R::COLUMNS.map(|(_, of)| match of {
        ParamType::Number => ParamArray::Numbers(Vec::with_capacity(rows.size_hint().0)),
        ParamType::Text => ParamArray::Texts(Vec::with_capacity(rows.size_hint().0)),
        ParamType::Time => ParamArray::Times(Vec::with_capacity(rows.size_hint().0)),
    });
    for row in rows {
        for (array, param) in arrays.iter_mut().zip(row.into_params()) {
            match (array, param) {
                (ParamArray::Numbers(numbers), Param::Number(number)) => numbers.push(number),
                (ParamArray::Texts(texts), Param::Text(text)) => texts.push(text),
                (ParamArray::Times(times), Param::Time(time)) => times.push(time),
                (array, param) => return Err(DbErr::Type(format!("{param:?} does not belong into {array:?}"))),
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

/// The values of one column in all rows of a batch.
#[derive(Debug)]
enum ParamArray {
    Numbers(Vec<i64>),
    Texts(Vec<String>),
    Times(Vec<DateTime<Utc>>),
}
