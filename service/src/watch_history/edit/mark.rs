//! Marks: which videos the viewer says were watched, or were not.

use super::lock::{Account, lock_account, lock_entries, lock_entry, lock_video, lock_videos};
use super::store::{ChangedEntry, insert_missing, remove, store_many};
use super::{Edit, MAX_VIDEOS, check_ids, move_by_mark};
use crate::storage::Transaction;
use crate::time;
use crate::watch_history::Entry;
use crate::watch_history::rules::{hour_of, watch_at};
use crate::{Error, number};
use chrono::{DateTime, Utc};
use entity::play;
use entity::watch_history::{ActiveModel, Column, Entity, Model};
use sea_orm::prelude::*;
use sea_orm::{ActiveValue::Set, PaginatorTrait};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use utoipa::ToSchema;
use validator::Validate;

/// When a video was watched.
#[derive(Clone, Copy, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WatchedMark, example = json!({"watched_at": "2025-01-01T20:15:00.000Z"}))]
pub struct Mark {
    /// When the video was watched, now at the latest; now by default.
    #[serde(default, deserialize_with = "time::time_or_null")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-01-01T20:15:00.000Z")]
    pub watched_at: Option<DateTime<Utc>>,
}

/// A mark of many videos.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WatchedMarks, example = json!({"video_ids": [1, 2], "watched": true}))]
pub struct Marks {
    /// 1 to 500 ids. One that is listed twice counts once.
    #[serde(deserialize_with = "number::whole_list")]
    #[validate(length(min = 1, max = MAX_VIDEOS, message = "must be 1 to 500 ids"), custom(function = check_ids))]
    #[schema(min_items = 1, max_items = 500, example = json!([1, 2]))]
    pub video_ids: Vec<i64>,
    /// Whether they were watched.
    #[schema(example = true)]
    pub watched: bool,
}

/// What a mark of many videos did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WatchedMarkResult)]
pub struct MarkResult {
    /// How many entries changed or were created.
    #[schema(minimum = 0, example = 2)]
    pub changed: u64,
    /// The videos that do not exist or that the caller may not see.
    #[schema(example = json!([]))]
    pub skipped: Vec<i64>,
}

/// Marks a video as watched to the end. Without an entry, one is made. No play is made up.
///
/// # Errors
/// [`Error::Invalid`] when `watched_at` is in the future; [`Error::VideoNotFound`];
/// [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn mark(tx: &Transaction, edit: &Edit, video_id: i64, mark: Mark) -> Result<Entry, Error> {
    let time = edit.past_or_now("watched_at", mark.watched_at)?;
    let account = lock_account(tx, edit).await?;
    let duration = lock_video(tx, &account, video_id).await?;
    mark_visible(tx, edit, &account, BTreeMap::from([(video_id, duration)]), time).await?;
    let entry = lock_entries(tx, &account, &[video_id]).await?.pop().ok_or(Error::HistoryNotFound)?;
    Ok(edit.into_entry(entry, duration))
}

/// Unmarks a video, which then counts as not watched. A completed one goes back to the start.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::HistoryNotFound`]; [`Error::Unauthenticated`] when the
/// account is gone or deactivated.
pub async fn unmark(tx: &Transaction, edit: &Edit, video_id: i64) -> Result<Entry, Error> {
    let account = lock_account(tx, edit).await?;
    let duration = lock_video(tx, &account, video_id).await?;
    let entry = lock_entry(tx, &account, video_id).await?;
    unmark_entries(tx, edit, vec![entry]).await?;
    Ok(edit.into_entry(lock_entry(tx, &account, video_id).await?, duration))
}

/// Marks many videos as watched now, or unmarks them. A video without an entry needs no unmarking.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn mark_many(tx: &Transaction, edit: &Edit, marks: &Marks) -> Result<MarkResult, Error> {
    let account = lock_account(tx, edit).await?;
    let visible = lock_videos(tx, &account, &marks.video_ids).await?;
    let mut listed = HashSet::new();
    let is_skipped = |id: &i64| !visible.contains_key(id) && listed.insert(*id);
    let skipped = marks.video_ids.iter().copied().filter(is_skipped).collect();
    let changed = if marks.watched {
        mark_visible(tx, edit, &account, visible, edit.now).await?
    } else {
        let mut entries = lock_entries(tx, &account, &Vec::from_iter(visible.into_keys())).await?;
        entries.retain(|entry| !account.is_expired(entry.last_watched_at));
        unmark_entries(tx, edit, entries).await?
    };
    Ok(MarkResult { changed: changed.try_into().unwrap_or(u64::MAX), skipped })
}

/// Marks these videos, which have these durations. Returns how many entries changed.
async fn mark_visible(
    tx: &Transaction,
    edit: &Edit,
    account: &Account,
    mut videos: BTreeMap<i64, Option<i32>>,
    time: DateTime<Utc>,
) -> Result<usize, Error> {
    let new = |(video_id, duration): (&i64, &Option<i32>)| new_entry(edit, *video_id, *duration, time);
    let mut changes = 0;
    if count_entries(tx, account, &videos).await? < videos.len() {
        // The insert also locks the entries that exist, those of simultaneous saves too, in one
        // order.
        for created in insert_missing(tx, videos.iter().map(new).collect()).await? {
            changes += usize::from(videos.remove(&created).is_some());
        }
    }
    let entries = lock_entries(tx, account, &Vec::from_iter(videos.keys().copied())).await?;
    let (expired, entries): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| account.is_expired(entry.last_watched_at));
    if !expired.is_empty() {
        remove(tx, &expired).await?;
        let again = expired.iter().filter_map(|entry| videos.get_key_value(&entry.video_id)).map(new);
        changes += insert_missing(tx, again.collect()).await?.len();
    }
    let mut ended = Vec::new();
    let changed = changed_entries(entries, |entry| {
        let duration = videos.get(&entry.video_id).copied().flatten();
        ended.extend(mark_entry(entry, duration, time));
    });
    changes += changed.len();
    store_many(tx, edit, changed, ended).await?;
    Ok(changes)
}

/// Changes entries, and returns those that are different then.
fn changed_entries(entries: Vec<Model>, mut change: impl FnMut(&mut Model)) -> Vec<ChangedEntry> {
    let entries = entries.into_iter().map(|before| {
        let mut after = before.clone();
        change(&mut after);
        ChangedEntry { before, after }
    });
    entries.filter(|entry| entry.before != entry.after).collect()
}

/// How many of these videos have an entry.
async fn count_entries(
    tx: &Transaction,
    account: &Account,
    videos: &BTreeMap<i64, Option<i32>>,
) -> Result<usize, Error> {
    let entries = Entity::find()
        .filter(Column::UserId.eq(account.caller.id))
        .filter(Column::VideoId.is_in(videos.keys().copied()));
    Ok(usize::try_from(entries.count(tx).await?).unwrap_or(usize::MAX))
}

/// The entry of a video that was marked and never played.
fn new_entry(edit: &Edit, video_id: i64, duration: Option<i32>, time: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        user_id: Set(edit.user_id),
        video_id: Set(video_id),
        watch_position: Set(known(duration).unwrap_or(0)),
        completed: Set(true),
        play_count: Set(1),
        completed_at: Set(Some(time)),
        last_watched_at: Set(time),
        watched_hour: Set(hour_of(time)),
        created_at: Set(edit.now),
        updated_at: Set(edit.now),
        ..Default::default()
    }
}

/// Marks an entry, and returns the play that ended. Nothing changes if the entry is at the end
/// already.
fn mark_entry(entry: &mut Model, duration: Option<i32>, time: DateTime<Utc>) -> Option<play::Model> {
    let end = known(duration).unwrap_or(entry.watch_position);
    if entry.completed && entry.play_count > 0 && entry.watch_position == end {
        return None;
    }
    let ended = move_by_mark(entry, end);
    entry.completed = true;
    if entry.play_count == 0 {
        (entry.play_count, entry.completed_at) = (1, Some(time));
    }
    watch_at(entry, time);
    ended
}

/// Unmarks these entries, which are locked. Returns how many changed.
async fn unmark_entries(tx: &Transaction, edit: &Edit, entries: Vec<Model>) -> Result<usize, Error> {
    let mut ended = Vec::new();
    let changed = changed_entries(entries, |entry| ended.extend(unmark_entry(entry)));
    let changes = changed.len();
    play::Entity::update_many()
        .col_expr(play::Column::Completed, Expr::value(false))
        .filter(play::Column::EntryId.is_in(changed.iter().map(|entry| entry.before.id)))
        .filter(play::Column::Completed.eq(true))
        .exec(tx)
        .await?;
    store_many(tx, edit, changed, ended).await?;
    Ok(changes)
}

/// Unmarks an entry, and returns the play that ended.
fn unmark_entry(entry: &mut Model) -> Option<play::Model> {
    entry.play_completed = false;
    let ended = if entry.completed { move_by_mark(entry, 0) } else { None };
    entry.completed = false;
    (entry.play_count, entry.completed_at, entry.counted_sessions) = (0, None, None);
    ended
}

/// The duration, if the video has one.
fn known(duration: Option<i32>) -> Option<i32> {
    duration.filter(|duration| *duration > 0)
}
