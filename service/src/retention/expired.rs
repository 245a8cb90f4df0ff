//! The expired entries and plays of some viewers: whether there are any, and their deletion.

use super::retention_cutoff;
use crate::changes::reset_histories;
use crate::storage::{Event, Transaction};
use crate::watch_history::rules::hour_of;
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::{play, user, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{Condition, QueryOrder, QuerySelect, QueryTrait};

/// Entries of one transaction, which takes some milliseconds.
const ENTRIES_PER_TRANSACTION: u64 = 200;
/// Plays of one transaction.
const PLAYS_PER_TRANSACTION: u64 = 1_000;

/// What some viewers watched before their common cutoff.
#[derive(Debug)]
pub(super) struct ExpiryScope {
    pub(super) viewers: Vec<i64>,
    pub(super) cutoff: DateTime<Utc>,
    /// The setting `HISTORY_MAX_DAYS`.
    pub(super) max_days: Option<i32>,
    /// When the sweep began.
    pub(super) now: DateTime<Utc>,
}

impl ExpiryScope {
    /// Some of the viewers that have expired entries; `None` if no one has.
    pub(super) async fn find_owners_of_entries(&self, db: &Database) -> Result<Option<Vec<i64>>, Error> {
        let column = watch_history::Column::UserId;
        find_owners(db, watch_history::Entity::find().filter(self.entries(&self.viewers)), column).await
    }

    /// Some of the viewers that have expired plays; `None` if no one has.
    pub(super) async fn find_owners_of_plays(&self, db: &Database) -> Result<Option<Vec<i64>>, Error> {
        find_owners(db, play::Entity::find().filter(self.plays(&self.viewers)), play::Column::UserId).await
    }

    /// Deletes some entries of these viewers with their plays, and returns how many. It skips
    /// entries that a save has locked, and so waits for no save.
    pub(super) async fn delete_entries(&self, tx: &Transaction, owners: Vec<i64>) -> Result<u64, Error> {
        use watch_history::{Column, Entity};
        let viewers = self.lock_viewers(tx, owners).await?;
        let some = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(self.entries(&viewers))
            .limit(ENTRIES_PER_TRANSACTION)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let deleted = Entity::delete_many().filter(Column::Id.in_subquery(some)).exec_with_returning(tx).await?;
        for entry in &deleted {
            tx.record(Event::EntryForgotten { user_id: entry.user_id, video_id: entry.video_id });
        }
        reset_histories(tx, deleted.iter().map(|entry| entry.user_id)).await?;
        Ok(deleted.len() as u64)
    }

    /// Deletes some plays of these viewers, and returns how many. `play_count` of their entries
    /// stays.
    pub(super) async fn delete_plays(&self, tx: &Transaction, owners: Vec<i64>) -> Result<u64, Error> {
        use play::{Column, Entity};
        let viewers = self.lock_viewers(tx, owners).await?;
        let key = [Column::EntryId, Column::Number];
        let some = Entity::find()
            .select_only()
            .columns(key)
            .filter(self.plays(&viewers))
            .limit(PLAYS_PER_TRANSACTION)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let is_one = Expr::tuple(key.map(|column| column.into_expr())).in_subquery(some);
        Ok(Entity::delete_many().filter(is_one).exec(tx).await?.rows_affected)
    }

    /// Those of the viewers whose history still expires at the cutoff. They cannot change their
    /// preference before the transaction ends.
    async fn lock_viewers(&self, tx: &Transaction, owners: Vec<i64>) -> Result<Vec<i64>, Error> {
        let rows = user::Entity::find()
            .select_only()
            .columns([user::Column::Id, user::Column::RetentionDays])
            .filter(user::Column::Id.is_in(owners))
            .order_by_asc(user::Column::Id)
            .lock(LockType::Share);
        let rows: Vec<(i64, Option<i32>)> = rows.into_tuple().all(tx).await?;
        let still_expires = |days| retention_cutoff(days, self.max_days, self.now) >= Some(self.cutoff);
        Ok(rows.into_iter().filter(|(_, days)| still_expires(*days)).map(|(id, _)| id).collect())
    }

    /// The expired entries of these viewers. The first conditions are those of an index.
    fn entries(&self, viewers: &[i64]) -> Condition {
        use watch_history::Column;
        Condition::all()
            .add(Column::UserId.is_in(viewers.iter().copied()))
            .add(Column::Completed.is_in([false, true]))
            .add(Column::WatchedHour.lte(hour_of(self.cutoff)))
            .add(Column::LastWatchedAt.lt(self.cutoff))
    }

    /// The expired plays of these viewers. The condition on the start is that of an index.
    fn plays(&self, viewers: &[i64]) -> Condition {
        use play::Column;
        Condition::all()
            .add(Column::UserId.is_in(viewers.iter().copied()))
            .add(Column::StartedAt.lt(self.cutoff))
            .add(Column::EndedAt.lt(self.cutoff))
    }
}

/// The owners of the first rows that are found.
async fn find_owners<E: EntityTrait>(
    db: &Database,
    rows: Select<E>,
    owner: E::Column,
) -> Result<Option<Vec<i64>>, Error> {
    let owners = rows.select_only().column(owner).limit(ENTRIES_PER_TRANSACTION).into_tuple();
    let mut owners: Vec<i64> = owners.all(db.reader()).await?;
    owners.sort_unstable();
    owners.dedup();
    Ok(Some(owners).filter(|owners| !owners.is_empty()))
}
