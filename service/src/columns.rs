//! Reading a row column by column, whichever driver brings it.

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use sea_orm::{DbErr, QueryResult, TryGetError, TryGetable};

/// The columns of a row that are still to be read, in their order. To look a column up by its name costs the driver more than
/// to read it, which matters where a group of requests gets hundreds of rows.
pub(crate) struct Columns<'a> {
    row: Row<'a>,
    next: usize,
}

enum Row<'a> {
    SeaOrm(&'a QueryResult),
    Engine(&'a rusqlite::Row<'a>),
}

impl<'a> Columns<'a> {
    pub(crate) fn of(row: &'a QueryResult) -> Self {
        Self { row: Row::SeaOrm(row), next: 0 }
    }

    pub(crate) fn of_engine(row: &'a rusqlite::Row<'a>) -> Self {
        Self { row: Row::Engine(row), next: 0 }
    }

    /// The next one.
    ///
    /// # Errors
    /// There is none, or it holds something else.
    pub(crate) fn read<T: TryGetable + FromSql>(&mut self) -> Result<T, DbErr> {
        let at = self.next;
        self.next += 1;
        match self.row {
            Row::SeaOrm(row) => row.try_get_by_index(at),
            Row::Engine(row) => row.get(at).map_err(|error| DbErr::Type(error.to_string())),
        }
    }

    /// The next one, a moment.
    ///
    /// # Errors
    /// As [`Columns::read`].
    pub(crate) fn moment(&mut self) -> Result<DateTime<Utc>, DbErr> {
        self.read().map(|Moment(moment)| moment)
    }

    /// The next one, a moment or NULL.
    ///
    /// # Errors
    /// As [`Columns::read`].
    pub(crate) fn moment_if_any(&mut self) -> Result<Option<DateTime<Utc>>, DbErr> {
        Ok(self.read::<Option<Moment>>()?.map(|Moment(moment)| moment))
    }
}

/// A moment in whatever form a database has it.
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

impl TryGetable for Moment {
    fn try_get_by<I: sea_orm::ColIdx>(row: &QueryResult, column: I) -> Result<Self, TryGetError> {
        TryGetable::try_get_by(row, column).map(Self)
    }
}
