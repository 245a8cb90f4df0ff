//! Reading a row column by column, whichever driver brings it.

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use sea_orm::DbErr;
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{Decode, Postgres, Row as _, Type};

/// The columns of a row that are still to be read, in their order. To look a column up by its name costs the driver more than
/// to read it, which matters where a group of requests gets hundreds of rows.
pub(crate) struct RowReader<'a> {
    row: Row<'a>,
    next: usize,
}

enum Row<'a> {
    Postgres(&'a PgRow),
    Sqlite(&'a rusqlite::Row<'a>),
}

impl<'a> RowReader<'a> {
    pub(crate) fn from_postgres(row: &'a PgRow) -> Self {
        Self { row: Row::Postgres(row), next: 0 }
    }

    pub(crate) fn from_sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self { row: Row::Sqlite(row), next: 0 }
    }

    /// The next one.
    ///
    /// # Errors
    /// There is none, or it holds something else.
    pub(crate) fn read<T: FromSql + Type<Postgres> + for<'r> Decode<'r, Postgres>>(&mut self) -> Result<T, DbErr> {
        let at = self.next_index();
        match self.row {
            Row::Postgres(row) => row.try_get(at).map_err(decode_error),
            Row::Sqlite(row) => row.get(at).map_err(decode_error),
        }
    }

    /// The next one, a moment.
    ///
    /// # Errors
    /// As [`RowReader::read`].
    pub(crate) fn timestamp(&mut self) -> Result<DateTime<Utc>, DbErr> {
        self.optional_timestamp()?.ok_or_else(|| decode_error("there is no moment"))
    }

    /// The next one, a moment or NULL.
    ///
    /// # Errors
    /// As [`RowReader::read`].
    pub(crate) fn optional_timestamp(&mut self) -> Result<Option<DateTime<Utc>>, DbErr> {
        let at = self.next_index();
        match self.row {
            Row::Postgres(row) => row.try_get(at).map_err(decode_error),
            Row::Sqlite(row) => Ok(row
                .get::<_, Option<SqliteTimestamp>>(at)
                .map_err(decode_error)?
                .map(|SqliteTimestamp(moment)| moment)),
        }
    }

    /// Returns where the next one is.
    fn next_index(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

fn decode_error(error: impl ToString) -> DbErr {
    DbErr::Type(error.to_string())
}

/// A moment as SQLite has it.
struct SqliteTimestamp(DateTime<Utc>);

impl FromSql for SqliteTimestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        // The form that is stored, by a reader made for it; the driver's own tries formats one after the other.
        match value.as_str().ok().and_then(|text| DateTime::parse_from_rfc3339(text).ok()) {
            Some(moment) => Ok(Self(moment.to_utc())),
            None => FromSql::column_result(value).map(Self),
        }
    }
}
