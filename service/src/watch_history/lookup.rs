//! The search for a single entry.

use super::entry::EntryRow;
use crate::Error;
use crate::retention::retention_cutoff;
use crate::storage::RowReader;
use chrono::{DateTime, Utc};
use sea_orm::DbErr;

/// The result of a lookup by viewer and video: the entry, or the facts that explain why there is
/// none. Each key of a batch has one.
pub(super) struct Lookup {
    /// The position of the key in the batch, from 1 on.
    pub(super) n: i64,
    is_active: bool,
    is_visible: bool,
    retention_days: Option<i32>,
    row: Option<EntryRow>,
}

impl Lookup {
    pub(super) fn read(row: &mut RowReader<'_>) -> Result<Self, DbErr> {
        let (n, is_active, is_visible, retention_days) = (row.read()?, row.read()?, row.read()?, row.read()?);
        Ok(Self { n, is_active, is_visible, retention_days, row: row.read_joined(EntryRow::read)? })
    }

    /// The entry, or the reason why the caller gets none. `max_days` is the setting
    /// `HISTORY_MAX_DAYS`.
    pub(super) fn into_row(self, max_days: Option<i32>, now: DateTime<Utc>) -> Result<EntryRow, Error> {
        let cutoff = retention_cutoff(self.retention_days, max_days, now);
        match self {
            Self { is_active: false, .. } => Err(Error::Unauthenticated),
            Self { is_visible: false, .. } => Err(Error::VideoNotFound),
            Self { row, .. } => {
                let kept = row.filter(|row| cutoff.is_none_or(|cutoff| row.last_watched_at >= cutoff));
                kept.ok_or(Error::HistoryNotFound)
            }
        }
    }
}
