//! The history of a viewer: the entries with their videos, by state and by time, and what a search
//! finds among them.

mod statement;

use super::Entry;
use crate::caller::Caller;
use crate::page::{Cursor, Page};
use crate::progress::ProgressRules;
use crate::retention::find_cutoff;
use crate::search;
use crate::video::{Video, VideoRow};
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use statement::HistoryRow;
use std::cmp::Reverse;
use utoipa::ToSchema;

/// An entry with its video.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryItem {
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
    /// Its video.
    pub video: Video,
}

/// Which entries to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryState {
    /// All, the last watched first.
    #[default]
    All,
    /// Those that are begun and not completed, the last watched first.
    InProgress,
    /// Those whose video was completed at least once, the last completed first.
    Completed,
}

/// Which page of the history to read.
#[derive(Clone, Debug, Default)]
pub struct HistoryQuery {
    /// Which entries to list.
    pub state: HistoryState,
    /// A text that the title or the description of the video contains.
    pub search: Option<String>,
    /// Only entries that were watched, or completed, at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only entries that were watched, or completed, before this time.
    pub until: Option<DateTime<Utc>>,
    /// The most entries to return.
    pub limit: u64,
    /// The place to continue from.
    pub cursor: Option<Cursor>,
}

/// Lists the caller's entries with their videos, hidden ones too. `max_days` is the setting
/// `HISTORY_MAX_DAYS`.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone; [`Error::Busy`] when too many searches run
/// at once.
pub async fn list_history(
    db: &Database,
    caller: Caller,
    query: HistoryQuery,
    rules: &ProgressRules,
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Page<HistoryItem>, Error> {
    let cutoff = find_cutoff(db.reader(), caller.id, max_days, now).await?;
    let found = match &query.search {
        Some(text) => Some(search::match_videos(db, text).await?),
        None => None,
    };
    let statement = statement::select(db.backend(), caller, &query, found.as_ref(), cutoff);
    let mut rows = HistoryRow::find_by_statement(db.backend().build(&statement)).all(db.reader()).await?;
    let cursor = |row: &HistoryRow| cursor_of(row, query.state);
    // The open entries come before the completed ones, each of the two in order.
    rows.sort_by_key(|row| Reverse((cursor(row).time, row.entry.id)));
    Ok(Page::new(rows, query.limit, cursor).map(|row| into_item(row, rules, now)))
}

fn cursor_of(row: &HistoryRow, state: HistoryState) -> Cursor {
    let time = match state {
        HistoryState::All | HistoryState::InProgress => row.entry.last_watched_at,
        HistoryState::Completed => row.entry.completed_at.unwrap_or(row.entry.last_watched_at),
    };
    Cursor { time, id: row.entry.id }
}

fn into_item(row: HistoryRow, rules: &ProgressRules, now: DateTime<Utc>) -> HistoryItem {
    let HistoryRow { entry, video, uploader_username, uploader_role } = row;
    let (duration, watch_position) = (video.duration, Some(entry.watch_position));
    let video = VideoRow { video, uploader_username, uploader_role, watch_position };
    HistoryItem {
        entry: Entry::of_model(entry, duration, rules, now),
        video: Video::from(video).with_short_description(),
    }
}
