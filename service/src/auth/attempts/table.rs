//! The counts of failed sign-ins in the database, shared by all processes.

use super::{Buckets, KeyHash};
use crate::Error;
use crate::storage::Transaction;
use chrono::{DateTime, Utc};
use entity::sign_in_limit::{ActiveModel, Column, Entity};
use sea_orm::prelude::*;
use sea_orm::sea_query::{LockBehavior, LockType, OnConflict};
use sea_orm::{ActiveValue::Set, QuerySelect, QueryTrait};
use std::time::Duration;

/// The new times at which the buckets are empty, or the time to wait when the attempt is refused.
pub(super) type BucketsResult = Result<Buckets<DateTime<Utc>>, Duration>;

/// Changes the three buckets together. Returns the values before and after. A refused change writes
/// nothing: it rolls the transaction back, which must have no other work.
pub(super) async fn update(
    tx: &Transaction,
    keys: Buckets<KeyHash>,
    now: DateTime<Utc>,
    change: impl FnOnce(Buckets<DateTime<Utc>>) -> BucketsResult,
) -> Result<(Buckets<DateTime<Utc>>, BucketsResult), Error> {
    // This locks the rows until the commit, whether or not they existed before.
    let unchanged = OnConflict::column(Column::KeyHash).update_column(Column::KeyHash).to_owned();
    let empty = Buckets { account: now, address: now, pair: now };
    let rows = Entity::insert_many(rows(keys, empty)).on_conflict(unchanged).exec_with_returning(tx).await?;
    let empty_at = |key: KeyHash| {
        let key = key.to_string();
        rows.iter().find(|row| row.key_hash == key).map_or(now, |row| row.empty_at)
    };
    let before =
        Buckets { account: empty_at(keys.account), address: empty_at(keys.address), pair: empty_at(keys.pair) };
    let after = change(before);
    if let Ok(after) = after {
        let replace = OnConflict::column(Column::KeyHash).update_column(Column::EmptyAt).to_owned();
        Entity::insert_many(self::rows(keys, after)).on_conflict(replace).exec_without_returning(tx).await?;
    } else {
        tx.set_rollback();
    }
    Ok((before, after))
}

/// Deletes the empty buckets. It skips rows that a sign-in has locked, so that no sign-in waits.
pub(super) async fn sweep(tx: &Transaction, now: DateTime<Utc>) -> Result<(), Error> {
    let empty = Entity::find()
        .select_only()
        .column(Column::KeyHash)
        .filter(Column::EmptyAt.lte(now))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    Entity::delete_many().filter(Column::KeyHash.in_subquery(empty)).exec(tx).await?;
    Ok(())
}

/// The rows, always in this order, so that two transactions cannot deadlock.
fn rows(keys: Buckets<KeyHash>, empty_at: Buckets<DateTime<Utc>>) -> [ActiveModel; 3] {
    let row = |key: KeyHash, empty_at| ActiveModel { key_hash: Set(key.to_string()), empty_at: Set(empty_at) };
    [row(keys.account, empty_at.account), row(keys.address, empty_at.address), row(keys.pair, empty_at.pair)]
}
