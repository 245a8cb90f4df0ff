//! The search for a single entry.

use super::entry::EntryRow;
use crate::Error;
use crate::storage::RowReader;
use sea_orm::DbErr;

/// The result of a lookup by viewer and video: the entry, or the facts that explain why there is
/// none. Each key of a batch has one.
pub(super) struct Lookup {
    /// The position of the key in the batch, from 1 on.
    pub(super) n: i64,
    is_active: bool,
    is_visible: bool,
    row: Option<EntryRow>,
}

impl Lookup {
    pub(super) fn read(row: &mut RowReader<'_>) -> Result<Self, DbErr> {
        let (n, is_active, is_visible) = (row.read()?, row.read()?, row.read()?);
        Ok(Self { n, is_active, is_visible, row: row.read_joined(EntryRow::read)? })
    }

    /// The entry, or the reason why the caller gets none.
    pub(super) fn into_row(self) -> Result<EntryRow, Error> {
        match self {
            Self { is_active: false, .. } => Err(Error::Unauthenticated),
            Self { is_visible: false, .. } => Err(Error::VideoNotFound),
            Self { row, .. } => row.ok_or(Error::HistoryNotFound),
        }
    }
}
