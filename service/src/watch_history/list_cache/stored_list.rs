//! A list as it is stored in Redis: its entries, without the videos, which each process remembers.

use crate::watch_history::list::{ListEntry, ListRows};
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A list, and for which generation it was stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredList<'a> {
    pub(super) generation: i64,
    revision: i64,
    limit: i64,
    is_admin: bool,
    retention_days: Option<i32>,
    #[serde(borrow)]
    entries: Vec<StoredEntry<'a>>,
}

/// The fields of [`ListEntry`], with times in microseconds.
#[derive(Debug, Serialize, Deserialize)]
struct StoredEntry<'a>(
    i64,
    i64,
    i32,
    #[serde(borrow)] Option<Cow<'a, str>>,
    i32,
    i64,
    Option<i32>,
    #[serde(borrow)] Option<Cow<'a, str>>,
    Option<i64>,
);

impl<'a> StoredList<'a> {
    pub(super) fn new(generation: i64, rows: &'a ListRows) -> Self {
        Self {
            generation,
            revision: rows.revision,
            limit: rows.limit,
            is_admin: rows.is_admin,
            retention_days: rows.retention_days,
            entries: rows.entries.iter().map(|(entry, _)| StoredEntry::new(entry)).collect(),
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// `None` if there is no list, or one of another version of the program.
    pub(super) fn decode(stored: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(stored).ok()
    }

    pub(super) fn into_rows(self) -> ListRows {
        let entries = self.entries.into_iter().filter_map(StoredEntry::into_entry).map(|entry| (entry, None)).collect();
        ListRows {
            is_active: true,
            is_admin: self.is_admin,
            retention_days: self.retention_days,
            revision: self.revision,
            limit: self.limit,
            entries,
        }
    }
}

impl<'a> StoredEntry<'a> {
    fn new(entry: &'a ListEntry) -> Self {
        Self(
            entry.entry_id,
            entry.video_id,
            entry.watch_position,
            entry.device.as_deref().map(Cow::Borrowed),
            entry.play_count,
            entry.last_watched_at.timestamp_micros(),
            entry.previous_position,
            entry.previous_device.as_deref().map(Cow::Borrowed),
            entry.previous_at.map(|at| at.timestamp_micros()),
        )
    }

    fn into_entry(self) -> Option<ListEntry> {
        Some(ListEntry {
            entry_id: self.0,
            video_id: self.1,
            watch_position: self.2,
            device: self.3.map(Cow::into_owned),
            play_count: self.4,
            last_watched_at: DateTime::from_timestamp_micros(self.5)?,
            previous_position: self.6,
            previous_device: self.7.map(Cow::into_owned),
            previous_at: self.8.and_then(DateTime::from_timestamp_micros),
        })
    }
}
