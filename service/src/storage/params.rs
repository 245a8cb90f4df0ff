//! Parameters of the statements of the watch history, as the rows of a table named `input`: those
//! of a whole batch on PostgreSQL, a single one on SQLite.
//!
//! The text of a statement is the same for any number of rows, so that the database prepares it
//! once.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::sqlx::Arguments;
use sea_orm::sqlx::postgres::PgArguments;
use sea_orm::{
    ColumnTrait, ColumnType, DatabaseBackend, DatabaseBackend::Postgres, DbErr, EntityTrait, ModelTrait, Value,
};

/// The type of a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ParamType {
    Number,
    Text,
    Time,
    Flag,
}

impl ParamType {
    /// The type of the values of a column.
    pub(crate) fn of_column(column: &impl ColumnTrait) -> Self {
        match column.def().get_column_type() {
            ColumnType::Boolean => Self::Flag,
            ColumnType::TimestampWithTimeZone => Self::Time,
            ColumnType::String(_) | ColumnType::Text => Self::Text,
            _ => Self::Number,
        }
    }

    /// The type's name in PostgreSQL.
    fn name(self) -> &'static str {
        match self {
            Self::Flag => "boolean",
            Self::Number => "bigint",
            Self::Text => "text",
            Self::Time => "timestamptz",
        }
    }
}

/// The value of a parameter, `None` for NULL.
#[derive(Clone, Debug)]
pub(crate) enum Param {
    Number(Option<i64>),
    Text(Option<String>),
    Time(Option<DateTime<Utc>>),
    Flag(Option<bool>),
}

impl TryFrom<Value> for Param {
    type Error = DbErr;

    fn try_from(value: Value) -> Result<Self, DbErr> {
        Ok(match value {
            Value::Bool(flag) => Self::Flag(flag),
            Value::Int(number) => Self::Number(number.map(Into::into)),
            Value::BigInt(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            Value::ChronoDateTimeUtc(time) => Self::Time(time),
            other => return Err(DbErr::Type(format!("{other:?} is no parameter"))),
        })
    }
}

/// A value that can be bound as a parameter.
pub(crate) trait IntoParam {
    const TYPE: ParamType;

    fn into_param(self) -> Param;
}

impl ParamType {
    /// NULL of this type.
    pub(crate) fn null(self) -> Param {
        match self {
            Self::Number => Param::Number(None),
            Self::Text => Param::Text(None),
            Self::Time => Param::Time(None),
            Self::Flag => Param::Flag(None),
        }
    }
}

impl IntoParam for i64 {
    const TYPE: ParamType = ParamType::Number;

    fn into_param(self) -> Param {
        Param::Number(Some(self))
    }
}

impl IntoParam for i32 {
    const TYPE: ParamType = ParamType::Number;

    fn into_param(self) -> Param {
        Param::Number(Some(self.into()))
    }
}

impl IntoParam for Option<i32> {
    const TYPE: ParamType = ParamType::Number;

    fn into_param(self) -> Param {
        Param::Number(self.map(Into::into))
    }
}

impl IntoParam for Option<String> {
    const TYPE: ParamType = ParamType::Text;

    fn into_param(self) -> Param {
        Param::Text(self)
    }
}

impl IntoParam for DateTime<Utc> {
    const TYPE: ParamType = ParamType::Time;

    fn into_param(self) -> Param {
        Param::Time(Some(self))
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
    select_columns(backend, &R::COLUMNS)
}

/// As [`select_input`], with these columns.
pub(crate) fn select_columns(backend: DatabaseBackend, columns: &[(impl AsRef<str>, ParamType)]) -> SelectStatement {
    let mut select = Query::select();
    if backend != Postgres {
        for (number, (name, _)) in (1..).zip(columns) {
            select.expr_as(Expr::cust(format!("?{number}")), name.as_ref().to_owned());
        }
        return select.expr_as(Expr::val(1), "n").take();
    }
    let arrays = (1..).zip(columns).map(|(number, (_, of))| format!("${number}::{}[]", of.name()));
    let names = columns.iter().map(|(name, _)| format!("\"{}\"", name.as_ref()));
    let (arrays, names) = (Vec::from_iter(arrays).join(", "), Vec::from_iter(names).join(", "));
    // sea-query knows neither WITH ORDINALITY nor the names of a function's columns.
    select.expr(Expr::cust(format!("* FROM unnest({arrays}) WITH ORDINALITY AS input ({names}, n)"))).take()
}

/// The values of these columns of a row, as parameters.
///
/// # Errors
/// A column has a type that is no parameter.
pub(crate) fn params_of<M: ModelTrait>(
    row: &M,
    columns: &[<M::Entity as EntityTrait>::Column],
) -> Result<Vec<Param>, DbErr> {
    columns.iter().map(|column| row.get(*column).try_into()).collect()
}

/// The columns of `input` for the values of these columns of a table.
pub(crate) fn columns_of<C: ColumnTrait>(columns: &[C]) -> Vec<(&'static str, ParamType)> {
    columns.iter().map(|column| (column.as_str(), ParamType::of_column(column))).collect()
}

/// Binds rows to a statement over [`select_input`] on PostgreSQL, one array for each column.
///
/// # Errors
/// A value cannot be encoded.
pub(crate) fn bind_arrays<const N: usize, R: InputRow<N>>(rows: impl Iterator<Item = R>) -> Result<PgArguments, DbErr> {
    bind_columns(&R::COLUMNS, rows.map(InputRow::into_params))
}

/// As [`bind_arrays`], for [`select_columns`].
///
/// # Errors
/// A value cannot be encoded, or is not of the type of its column.
pub(crate) fn bind_columns(
    columns: &[(impl AsRef<str>, ParamType)],
    rows: impl Iterator<Item: IntoIterator<Item = Param>>,
) -> Result<PgArguments, DbErr> {
    let array = |of: &ParamType| match of {
        ParamType::Number => ParamArray::Numbers(Vec::with_capacity(rows.size_hint().0)),
        ParamType::Text => ParamArray::Texts(Vec::with_capacity(rows.size_hint().0)),
        ParamType::Time => ParamArray::Times(Vec::with_capacity(rows.size_hint().0)),
        ParamType::Flag => ParamArray::Flags(Vec::with_capacity(rows.size_hint().0)),
    };
    let mut arrays = Vec::from_iter(columns.iter().map(|(_, of)| array(of)));
    for row in rows {
        for (array, param) in arrays.iter_mut().zip(row) {
            match (array, param) {
                (ParamArray::Numbers(numbers), Param::Number(number)) => numbers.push(number),
                (ParamArray::Texts(texts), Param::Text(text)) => texts.push(text),
                (ParamArray::Times(times), Param::Time(time)) => times.push(time),
                (ParamArray::Flags(flags), Param::Flag(flag)) => flags.push(flag),
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
            ParamArray::Flags(flags) => arguments.add(flags),
        };
        added.map_err(|error| DbErr::Type(error.to_string()))?;
    }
    Ok(arguments)
}

/// The values of one column in all rows of a batch.
#[derive(Debug)]
enum ParamArray {
    Numbers(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
    Times(Vec<Option<DateTime<Utc>>>),
    Flags(Vec<Option<bool>>),
}
