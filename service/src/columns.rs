//! Reading a row column by column.

use sea_orm::{DbErr, QueryResult, TryGetable};

/// The columns of a row that are still to be read, in their order. To look a column up by its name costs the driver more than
/// to read it, which matters where a group of requests gets hundreds of rows.
pub(crate) struct Columns<'a> {
    row: &'a QueryResult,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(row: &'a QueryResult) -> Self {
        Self { row, next: 0 }
    }

    /// The next one.
    ///
    /// # Errors
    /// There is none, or it holds something else.
    pub(crate) fn read<T: TryGetable>(&mut self) -> Result<T, DbErr> {
        let value = self.row.try_get_by_index(self.next);
        self.next += 1;
        value
    }
}
