//! What has changed in a viewer's history since a device asked last.
//!
//! A token holds a place in the order of commits. Neither a time nor a sequence is that order: what
//! began early may be committed late, and a device that has read past it would never be told. On
//! PostgreSQL every row carries the number of the transaction that wrote it, and a snapshot tells
//! the oldest transaction that may still be running: everything below it is told, and the next
//! request begins there. On SQLite, which has one writer at a time, a counter is exact
//! ([`crate::storage`]). A change may be told twice, and is never skipped.

mod record;
mod statement;
mod sweep;
mod token;

use crate::progress::ProgressRules;
use crate::retention::retention_cutoff;
use crate::watch_history::Entry;
use crate::{Database, Error};
use chrono::{DateTime, TimeDelta, Utc};
pub(crate) use record::{record_changed_videos, reset_histories};
use sea_orm::FromQueryResult;
use serde::Serialize;
use sha2::{Digest, Sha256};
use statement::ChangeRow;
pub(crate) use sweep::sweep_changed_videos;
use token::{ChangeSnapshot, ChangeToken, CommitPoint};
use utoipa::ToSchema;

/// How long a token is valid: one hour less than the 30 days for which tombstones are kept, because
/// a deletion may be committed some time after the time that it has.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(30 * 24 - 1);

/// A change of the caller's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WatchHistoryChange)]
pub struct EntryChange {
    /// The video's id.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// The entry as it is now; null when there is none: it was deleted or has expired, or its video
    /// was deleted.
    #[schema(required = true, schema_with = Entry::nullable_schema)]
    pub entry: Option<Entry>,
}

/// Some changes of the caller's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WatchHistoryChanges)]
pub struct ChangePage {
    /// The changes, each video once, in the order of their ids. A change may be repeated.
    pub changes: Vec<EntryChange>,
    /// The value of `since` for the next request.
    #[schema(max_length = 100, example = "AX0lKvO2bGQAAAAAAAAAAAAAAAAAADA5AAABmwAA")]
    pub token: String,
    /// Whether there is more to tell now.
    pub more: bool,
}

/// A request for what has changed.
#[derive(Clone, Debug)]
pub struct ChangeRequest {
    /// The id of the caller.
    pub user_id: i64,
    /// The token of the last answer; `None` for the whole history.
    pub since: Option<String>,
    /// The most changes to return.
    pub limit: u64,
    /// When a video counts as completed, and where it resumes.
    pub rules: ProgressRules,
    /// Days after which every viewer's entries expire; `None` for never.
    pub history_max_days: Option<i32>,
    /// The time of the request.
    pub now: DateTime<Utc>,
}

/// What has changed in the caller's history since a token was given out. It never skips a change
/// that was committed, by whichever process and however late; it may tell one again.
///
/// # Errors
/// [`Error::ChangesExpired`] when the token is too old, is not one of this database and viewer, or
/// when so much has changed since that the whole history must be read anew;
/// [`Error::Unauthenticated`] when the account is gone.
pub async fn list_changes(db: &Database, request: &ChangeRequest) -> Result<ChangePage, Error> {
    let token = request.since.as_deref().map(|text| decode(text, request.now)).transpose()?;
    let (rows, snapshot) = read(db, request, token).await?;
    if token.is_some_and(|token| !token.is_valid_at(&snapshot)) {
        return Err(Error::ChangesExpired);
    }
    let retention_days = rows.first().and_then(|row| row.retention_days);
    let cutoff = retention_cutoff(retention_days, request.history_max_days, request.now);
    let mut changes = Vec::from_iter(rows.into_iter().filter_map(|row| into_change(row, cutoff, request)));
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = changes.len() > limit;
    changes.truncate(limit);
    let last = changes.last().filter(|_| more).map(|change| change.video_id);
    Ok(ChangePage { changes, token: ChangeToken::after_page(token, &snapshot, last).encode(), more })
}

/// A token for a device that has the whole history of this moment already, by other lists. `since`
/// and `limit` of the request do not matter.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone.
pub async fn current_token(db: &Database, request: &ChangeRequest) -> Result<String, Error> {
    let request = ChangeRequest { limit: 0, ..request.clone() };
    let (_, snapshot) = read(db, &request, None).await?;
    Ok(ChangeToken::after_page(None, &snapshot, None).encode())
}

/// The rows of a page, and the moment at which they were read.
async fn read(
    db: &Database,
    request: &ChangeRequest,
    token: Option<ChangeToken>,
) -> Result<(Vec<ChangeRow>, ChangeSnapshot), Error> {
    let (since, after) = token.map_or((None, 0), |token| (token.since, token.after));
    let select = statement::select(db.backend(), request, since, after);
    let rows = ChangeRow::find_by_statement(db.backend().build(&select)).all(db.reader()).await?;
    let snapshot = read_snapshot(rows.first().ok_or(Error::Unauthenticated)?, request);
    Ok((rows, snapshot))
}

/// A token that is not too old.
fn decode(text: &str, now: DateTime<Utc>) -> Result<ChangeToken, Error> {
    let token = ChangeToken::decode(text).ok_or(Error::ChangesExpired)?;
    let is_too_old = token.time().is_none_or(|time| now - time > TOKEN_LIFETIME);
    if is_too_old { Err(Error::ChangesExpired) } else { Ok(token) }
}

fn read_snapshot(row: &ChangeRow, request: &ChangeRequest) -> ChangeSnapshot {
    let ChangeRequest { user_id, rules, history_max_days, .. } = request;
    let scope = format!("{} {user_id} {rules:?} {history_max_days:?}", row.identity);
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(Sha256::digest(scope)).for_each(|(to, from)| *to = from);
    ChangeSnapshot {
        scope: i64::from_be_bytes(bytes),
        reset: row.reset.unwrap_or(0),
        point: CommitPoint { number: row.next_number, time: request.now },
    }
}

/// The change of a row, if it has one.
fn into_change(row: ChangeRow, cutoff: Option<DateTime<Utc>>, request: &ChangeRequest) -> Option<EntryChange> {
    let kept = row.entry.filter(|entry| cutoff.is_none_or(|cutoff| entry.last_watched_at >= cutoff));
    let entry = kept.map(|entry| Entry::of_model(entry, row.duration, &request.rules, request.now));
    Some(EntryChange { video_id: row.video_id?, entry })
}
