//! Reads what an edit changes, and locks it until the transaction ends.
//!
//! The locks are those of PostgreSQL. On SQLite the transaction holds the write lock anyway.

use super::Edit;
use crate::Error;
use crate::caller::Caller;
use crate::retention::retention_cutoff;
use crate::storage::Transaction;
use crate::video::visible_to;
use chrono::{DateTime, Utc};
use entity::{user, video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{QueryOrder, QuerySelect};
use std::collections::BTreeMap;

/// The caller's account, as far as an edit needs it.
pub(crate) struct Account {
    pub(crate) caller: Caller,
    /// Entries and plays that were last watched before it have expired.
    cutoff: Option<DateTime<Utc>>,
}

impl Account {
    /// Whether an entry or a play of this time has expired, so that it is shown nowhere.
    pub(crate) fn is_expired(&self, last_watched_at: DateTime<Utc>) -> bool {
        self.cutoff.is_some_and(|cutoff| last_watched_at < cutoff)
    }
}

/// Reads the caller's account and locks it. Until the transaction ends, the account cannot be
/// deleted, and other edits of its history wait.
///
/// # Errors
/// [`Error::Unauthenticated`] when it is gone or deactivated.
pub(crate) async fn lock_account(tx: &Transaction, edit: &Edit) -> Result<Account, Error> {
    let account = user::Entity::find_by_id(edit.user_id)
        .select_only()
        .columns([user::Column::Role, user::Column::RetentionDays])
        .filter(user::Column::IsActive.eq(true))
        .lock(LockType::NoKeyUpdate);
    let account: Option<(user::Role, Option<i32>)> = account.into_tuple().one(tx).await?;
    let (role, retention_days) = account.ok_or(Error::Unauthenticated)?;
    let cutoff = retention_cutoff(retention_days, edit.history_max_days, edit.now);
    Ok(Account { caller: Caller { id: edit.user_id, role: role.into(), history_since: cutoff }, cutoff })
}

/// Locks an account, also a deactivated one. Other edits of its history wait.
///
/// # Errors
/// Database errors.
pub(super) async fn lock_any_account(tx: &Transaction, user_id: i64) -> Result<(), Error> {
    let account = user::Entity::find_by_id(user_id).select_only().column(user::Column::Id);
    let _: Option<i64> = account.lock(LockType::NoKeyUpdate).into_tuple().one(tx).await?;
    Ok(())
}

/// Reads the duration of a video that the caller may see. The video cannot be deleted before the
/// transaction ends.
///
/// # Errors
/// [`Error::VideoNotFound`].
pub(crate) async fn lock_video(tx: &Transaction, account: &Account, video_id: i64) -> Result<Option<i32>, Error> {
    lock_videos(tx, account, &[video_id]).await?.remove(&video_id).ok_or(Error::VideoNotFound)
}

/// As [`lock_video`], for those of many videos that the caller may see.
pub(super) async fn lock_videos(
    tx: &Transaction,
    account: &Account,
    video_ids: &[i64],
) -> Result<BTreeMap<i64, Option<i32>>, Error> {
    let videos = video::Entity::find()
        .select_only()
        .columns([video::Column::Id, video::Column::Duration])
        .filter(video::Column::Id.is_in(video_ids.iter().copied()))
        .filter(visible_to(Some(account.caller)))
        .order_by_asc(video::Column::Id)
        .lock(LockType::KeyShare);
    let videos: Vec<(i64, Option<i32>)> = videos.into_tuple().all(tx).await?;
    Ok(videos.into_iter().collect())
}

/// Reads and locks the caller's entry for a video.
///
/// # Errors
/// [`Error::HistoryNotFound`], also when it has expired.
pub(crate) async fn lock_entry(
    tx: &Transaction,
    account: &Account,
    video_id: i64,
) -> Result<watch_history::Model, Error> {
    let entry = lock_entries(tx, account, &[video_id]).await?.pop();
    entry.filter(|entry| !account.is_expired(entry.last_watched_at)).ok_or(Error::HistoryNotFound)
}

/// Reads and locks the caller's entries for these videos, expired ones too, in the order in which
/// saves lock them.
pub(super) async fn lock_entries(
    tx: &Transaction,
    account: &Account,
    video_ids: &[i64],
) -> Result<Vec<watch_history::Model>, Error> {
    let entries = watch_history::Entity::find()
        .filter(watch_history::Column::UserId.eq(account.caller.id))
        .filter(watch_history::Column::VideoId.is_in(video_ids.iter().copied()))
        .order_by_asc(watch_history::Column::VideoId)
        .lock_exclusive();
    Ok(entries.all(tx).await?)
}
