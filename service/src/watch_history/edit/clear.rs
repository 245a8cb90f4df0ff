//! Clears the history before a time.

use super::lock::{lock_account, lock_any_account};
use super::{Deletion, Edit};
use crate::changes::reset_histories;
use crate::storage::{Event, Transaction};
use crate::{Database, Error, time};
use chrono::{DateTime, TimeDelta, Utc};
use entity::watch_history::{Column, Entity};
use entity::{play, user};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query, SelectStatement};
use sea_orm::{Condition, QueryOrder, QuerySelect};
use serde::Deserialize;
use std::cmp::max;
use utoipa::IntoParams;
use validator::Validate;

/// Entries of one transaction. On SQLite it holds the write lock for about ten milliseconds, in
/// which saves of others wait; a fsync may take as long, so that smaller ones gain little.
const ENTRIES_PER_TRANSACTION: u64 = 500;
/// Plays of one transaction.
const PLAYS_PER_TRANSACTION: u64 = 3_000;

/// What to clear.
#[derive(Clone, Copy, Debug, Default, Deserialize, Validate, IntoParams)]
// A misspelt `before` would clear everything.
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Clearing {
    /// Entries and plays that were last watched before this time, now at the latest; all of them by
    /// default.
    #[serde(default, deserialize_with = "time::time_or_null")]
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub before: Option<DateTime<Utc>>,
}

/// Which entries and plays of a viewer a clearing deletes.
#[derive(Clone, Copy)]
struct ClearScope {
    user_id: i64,
    before: DateTime<Utc>,
    /// Only those of entries that were created before this time.
    created_before: Option<DateTime<Utc>>,
}

/// Deletes the caller's entries that were last watched before a time, and the plays that ended
/// before it. Saves of positions from before it are not taken any more.
///
/// It takes the database, because it needs several transactions: one for a history of many years
/// would keep the saves of all viewers waiting. If it is interrupted, saves from before are refused
/// already; the next call, or [`finish_clearings`], deletes the rest.
///
/// # Errors
/// [`Error::Invalid`] when `before` is in the future; [`Error::Unauthenticated`] when the account
/// is gone or deactivated.
pub async fn clear(database: &Database, edit: &Edit, clearing: Clearing) -> Result<Deletion, Error> {
    if clearing.before.is_some() {
        edit.past_or_now("before", clearing.before)?;
    }
    let before = database.transaction(async |tx| refuse_saves_before(tx, edit, clearing.before).await).await?;
    delete_all(database, ClearScope { user_id: edit.user_id, before, created_before: None }).await
}

/// Deletes what an interrupted [`clear`] has left. It keeps an entry that was made after the
/// clearing, even if it was watched before: a viewer may mark a video as watched long ago.
///
/// # Errors
/// Database errors.
pub async fn finish_clearings(database: &Database) -> Result<Deletion, Error> {
    let before = || user::Column::HistoryClearedBefore.into_expr();
    let left = Query::select()
        .expr(Expr::val(1))
        .from(Entity)
        .and_where(Column::UserId.into_expr().eq(user::Column::Id.into_expr()))
        .and_where(Column::LastWatchedAt.into_expr().lt(before()))
        .and_where(Column::CreatedAt.into_expr().lt(before()))
        .take();
    let users = user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::HistoryClearedBefore])
        .filter(user::Column::HistoryClearedBefore.is_not_null())
        .filter(Expr::exists(left));
    let users: Vec<(i64, DateTime<Utc>)> = users.into_tuple().all(database.reader()).await?;
    let mut deleted = 0;
    for (user_id, before) in users {
        let left = ClearScope { user_id, before, created_before: Some(before) };
        deleted += delete_all(database, left).await?.deleted;
    }
    Ok(Deletion { deleted })
}

/// From now on refuses saves of positions from before `before`, and returns this time. Without one,
/// it is just after everything that the viewer watched.
async fn refuse_saves_before(
    tx: &Transaction,
    edit: &Edit,
    before: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, Error> {
    lock_account(tx, edit).await?;
    let before = match before {
        Some(before) => before,
        None => {
            let newest = Entity::find().select_only().column_as(Column::LastWatchedAt.max(), "newest");
            let newest = newest.filter(Column::UserId.eq(edit.user_id)).into_tuple().one(tx).await?;
            let newest: Option<DateTime<Utc>> = newest.flatten();
            newest.map_or(edit.now, |newest| max(newest, edit.now)) + TimeDelta::milliseconds(1)
        }
    };
    let stored = user::Column::HistoryClearedBefore;
    user::Entity::update_many()
        .col_expr(stored, Expr::value(before))
        .filter(user::Column::Id.eq(edit.user_id))
        .filter(Condition::any().add(stored.is_null()).add(stored.lt(before)))
        .exec(tx)
        .await?;
    Ok(before)
}

async fn delete_all(database: &Database, cleared: ClearScope) -> Result<Deletion, Error> {
    let (mut deleted, mut next) = (0, Some(0));
    while let Some(after) = next {
        let batch = database.transaction(async |tx| {
            let batch = delete_batch(tx, cleared, after).await?;
            if batch.next.is_none() {
                tx.record(Event::HistoryCleared { user_id: cleared.user_id, before: cleared.before });
            }
            Ok(batch)
        });
        let batch = batch.await?;
        (deleted, next) = (deleted + batch.deleted, batch.next);
    }
    Ok(Deletion { deleted })
}

/// What one transaction deleted.
struct DeletedBatch {
    /// How many entries.
    deleted: u64,
    /// The video after which the next transaction goes on; `None` at the end.
    next: Option<i64>,
}

/// Deletes the next plays and entries, in the order of the videos. If an entry has many plays, they
/// go first, so that the transaction is short.
async fn delete_batch(tx: &Transaction, cleared: ClearScope, after: i64) -> Result<DeletedBatch, Error> {
    lock_any_account(tx, cleared.user_id).await?;
    let entries = lock_next_entries(tx, cleared, after).await?;
    let ids = Vec::from_iter(entries.iter().map(|(id, ..)| *id));
    let plays = delete_plays(tx, &ids, cleared.before).await?;
    if plays >= PLAYS_PER_TRANSACTION {
        return Ok(DeletedBatch { deleted: 0, next: Some(after) });
    }
    let old = entries.iter().filter(|(.., last_watched_at)| *last_watched_at < cleared.before).map(|(id, ..)| *id);
    let deleted = Entity::delete_many().filter(Column::Id.is_in(old)).exec(tx).await?.rows_affected;
    if deleted > 0 {
        reset_histories(tx, [cleared.user_id]).await?;
    }
    let is_full = entries.len() as u64 >= ENTRIES_PER_TRANSACTION;
    let last = entries.last().map(|(_, video_id, _)| *video_id);
    Ok(DeletedBatch { deleted, next: last.filter(|_| is_full) })
}

/// Locks the next entries that are cleared or have cleared plays. Returns the id, the video and the
/// time of each.
async fn lock_next_entries(
    tx: &Transaction,
    cleared: ClearScope,
    after: i64,
) -> Result<Vec<(i64, i64, DateTime<Utc>)>, Error> {
    let ClearScope { user_id, before, created_before } = cleared;
    let is_of_entry = play::Column::EntryId.into_expr().eq(Column::Id.into_expr());
    let has_old_plays = Expr::exists(select_plays(before).expr(Expr::val(1)).and_where(is_of_entry).take());
    let entries = Entity::find()
        .select_only()
        .columns([Column::Id, Column::VideoId, Column::LastWatchedAt])
        .filter(Column::UserId.eq(user_id))
        .filter(Column::VideoId.gt(after))
        .filter(Condition::any().add(Column::LastWatchedAt.lt(before)).add(has_old_plays))
        .filter(Condition::all().add_option(created_before.map(|time| Column::CreatedAt.lt(time))))
        .order_by_asc(Column::VideoId)
        .limit(ENTRIES_PER_TRANSACTION)
        .lock(LockType::Update);
    Ok(entries.into_tuple().all(tx).await?)
}

/// Deletes plays of these entries that ended before a time. Returns how many.
async fn delete_plays(tx: &Transaction, entries: &[i64], before: DateTime<Utc>) -> Result<u64, Error> {
    let key = [play::Column::EntryId, play::Column::Number];
    let old = select_plays(before)
        .columns(key)
        .and_where(play::Column::EntryId.is_in(entries.iter().copied()))
        .limit(PLAYS_PER_TRANSACTION)
        .take();
    let is_old = Expr::tuple(key.map(|column| column.into_expr())).in_subquery(old);
    Ok(play::Entity::delete_many().filter(is_old).exec(tx).await?.rows_affected)
}

/// Plays that ended before a time.
fn select_plays(before: DateTime<Utc>) -> SelectStatement {
    Query::select().from(play::Entity).and_where(play::Column::EndedAt.lt(before)).take()
}
