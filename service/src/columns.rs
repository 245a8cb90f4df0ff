//! Reading a row column by column, whichever driver brings it.

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use sea_orm::DbErr;
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::{Decode, Postgres, Row as _, Type};

/// The columns of a row that are still to be read, in their order. To look a column up by its name costs the driver more than
/// to read it, which matters where a group of requests gets hundreds of rows.
pub(crate) struct Columns<'a> {
    row: Row<'a>,
    next: usize,
}

enum Row<'a> {
    Postgres(&'a PgRow),
    Sqlite(&'a rusqlite::Row<'a>),
}

impl<'a> Columns<'a> {
    pub(crate) fn of_postgres(row: &'a PgRow) -> Self {
        Self { row: Row::Postgres(row), next: 0 }
    }

    pub(crate) fn of_sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self { row: Row::Sqlite(row), next: 0 }
    }

    /// The next one.
    ///
    /// # Errors
    /// There is none, or it holds something else.
    pub(crate) fn read<T: FromSql + Type<Postgres> + for<'r> Decode<'r, Postgres>>(&mut self) -> Result<T, DbErr> {
        let at = self.pass();
        match self.row {
            Row::Postgres(row) => row.try_get(at).map_err(unread),
            Row::Sqlite(row) => row.get(at).map_err(unread),
        }
    }

    /// The next one, a moment.
    ///
    /// # Errors
    /// As [`Columns::read`].
    pub(crate) fn moment(&mut self) -> Result<DateTime<Utc>, DbErr> {
        self.moment_if_any()?.ok_or_else(|| unread("there is no moment"))
    }

    /// The next one, a moment or NULL.
    ///
    /// # Errors
    /// As [`Columns::read`].
    pub(crate) fn moment_if_any(&mut self) -> Result<Option<DateTime<Utc>>, DbErr> {
        let at = self.pass();
        match self.row {
            Row::Postgres(row) => row.try_get(at).map_err(unread),
            Row::Sqlite(row) => Ok(row.get::<_, Option<Moment>>(at).map_err(unread)?.map(|Moment(moment)| moment)),
        }
    }

    /// Returns where the next one is.
    fn pass(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

fn unread(error: impl ToString) -> DbErr {
    DbErr::Type(error.to_string())
}

/// A moment as SQLite has it.
struct Moment(DateTime<Utc>);

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        // The form that is stored, by a reader made for it; the driver's own tries formats one after the other.
        match value.as_str().ok().and_then(|text| DateTime::parse_from_rfc3339(text).ok()) {
            Some(moment) => Ok(Self(moment.to_utc())),
            None => FromSql::column_result(value).map(Self),
        }
    }
}
