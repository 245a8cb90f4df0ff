//! Reads a row of either driver, column by column.

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use sea_orm::DbErr;
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{Row as _, ValueRef as _};

/// Reads the columns of a row in their order. To look a column up by its name costs more than to
/// read it, which matters where a batch gets hundreds of rows.
pub(crate) struct RowReader<'a> {
    row: DriverRow<'a>,
    next: usize,
}

/// A row of one of the two drivers.
pub(crate) enum DriverRow<'a> {
    Postgres(&'a PgRow),
    Sqlite(&'a rusqlite::Row<'a>),
}

impl<'a> RowReader<'a> {
    pub(crate) fn from_postgres(row: &'a PgRow) -> Self {
        Self { row: DriverRow::Postgres(row), next: 0 }
    }

    pub(crate) fn from_sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self { row: DriverRow::Sqlite(row), next: 0 }
    }

    /// Reads the next column.
    ///
    /// # Errors
    /// There is no such column, or it has another type.
    pub(crate) fn read<T: ColumnValue>(&mut self) -> Result<T, DbErr> {
        let at = self.next_index();
        T::read_at(&self.row, at)
    }

    /// Steps over the next columns.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// Reads the next columns with `read`; `None`, without a step forward, when the first of them
    /// is NULL, as where a LEFT JOIN found no row.
    ///
    /// # Errors
    /// As [`RowReader::read`].
    pub(crate) fn read_joined<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DbErr>,
    ) -> Result<Option<T>, DbErr> {
        let is_null = match self.row {
            DriverRow::Postgres(row) => row.try_get_raw(self.next).map_err(decode_error)?.is_null(),
            DriverRow::Sqlite(row) => matches!(row.get_ref(self.next).map_err(decode_error)?, ValueRef::Null),
        };
        if is_null { Ok(None) } else { read(self).map(Some) }
    }

    /// Returns the index of the next column, and steps over it.
    fn next_index(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

fn decode_error(error: impl ToString) -> DbErr {
    DbErr::Type(error.to_string())
}

/// A type that a column can be read as.
pub(crate) trait ColumnValue: Sized {
    fn read_at(row: &DriverRow<'_>, at: usize) -> Result<Self, DbErr>;
}

macro_rules! column_values {
    ($($type:ty),+) => {$(
        impl ColumnValue for $type {
            fn read_at(row: &DriverRow<'_>, at: usize) -> Result<Self, DbErr> {
                match row {
                    DriverRow::Postgres(row) => row.try_get(at).map_err(decode_error),
                    DriverRow::Sqlite(row) => row.get(at).map_err(decode_error),
                }
            }
        }
    )+};
}
column_values!(bool, i32, i64, String, Option<i32>, Option<i64>, Option<String>);

impl ColumnValue for DateTime<Utc> {
    fn read_at(row: &DriverRow<'_>, at: usize) -> Result<Self, DbErr> {
        Option::read_at(row, at)?.ok_or_else(|| decode_error("there is no timestamp"))
    }
}

impl ColumnValue for Option<DateTime<Utc>> {
    fn read_at(row: &DriverRow<'_>, at: usize) -> Result<Self, DbErr> {
        match row {
            DriverRow::Postgres(row) => row.try_get(at).map_err(decode_error),
            DriverRow::Sqlite(row) => {
                let time = row.get::<_, Option<SqliteTimestamp>>(at).map_err(decode_error)?;
                Ok(time.map(|SqliteTimestamp(time)| time))
            }
        }
    }
}

/// Declares a struct that is read from the rows of a statement. Each field names the expression
/// that the statement selects for it, so that the SELECT list and the reading of a row are one
/// list. The parameters in parentheses are those of `selected`.
macro_rules! selected_row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident($($arg:ident: $argtype:ty),*) {
        $($(#[$doc:meta])* $field:ident: $type:ty = $expr:expr,)+
    }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$doc])* $vis $field: $type,)+ }

        impl $name {
            /// The expressions to select, in the order of the fields.
            $vis fn selected($($arg: $argtype),*) -> [sea_orm::sea_query::Expr; [$(stringify!($field)),+].len()] {
                [$($expr),+]
            }

            /// Reads the next columns into the fields.
            $vis fn read(row: &mut $crate::storage::RowReader<'_>) -> Result<Self, sea_orm::DbErr> {
                Ok(Self { $($field: row.read()?,)+ })
            }
        }
    };
}
pub(crate) use selected_row;

/// A timestamp as SQLite stores it.
struct SqliteTimestamp(DateTime<Utc>);

impl FromSql for SqliteTimestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        // Parse the stored format directly, because the driver's parser tries several formats.
        match value.as_str().ok().and_then(|text| DateTime::parse_from_rfc3339(text).ok()) {
            Some(time) => Ok(Self(time.to_utc())),
            None => FromSql::column_result(value).map(Self),
        }
    }
}
