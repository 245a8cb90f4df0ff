//! The counts in the database, where all processes find them.

use super::{Buckets, KeyHash};
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::sign_in_limit::{ActiveModel, Column, Entity};
use sea_orm::prelude::*;
use sea_orm::sea_query::{LockBehavior, LockType, OnConflict};
use sea_orm::{ActiveValue::Set, QuerySelect, QueryTrait};
use std::time::Duration;

/// What a change makes of the moments at which the buckets are empty, or why it makes nothing of them.
type Changed = Result<Buckets<DateTime<Utc>>, Duration>;

/// Changes the three buckets as one, and gives back what they were and what they are. A change that refuses leaves them
/// as they are.
pub(super) async fn change(
    db: &Database,
    keys: Buckets<KeyHash>,
    now: DateTime<Utc>,
    change: impl FnOnce(Buckets<DateTime<Utc>>) -> Changed,
) -> Result<(Buckets<DateTime<Utc>>, Changed), Error> {
    let (_turn, transaction) = db.begin().await?;
    // A row that is written belongs to this transaction until its end, whether or not it was there before.
    let unchanged = OnConflict::column(Column::KeyHash).update_column(Column::KeyHash).to_owned();
    let empty = Buckets { account: now, address: now, pair: now };
    let rows = Entity::insert_many(rows(keys, empty)).on_conflict(unchanged).exec_with_returning(&transaction).await?;
    let empty_at = |key: KeyHash| {
        let key = key.to_string();
        rows.iter().find(|row| row.key_hash == key).map_or(now, |row| row.empty_at)
    };
    let before =
        Buckets { account: empty_at(keys.account), address: empty_at(keys.address), pair: empty_at(keys.pair) };
    let after = change(before);
    if let Ok(after) = after {
        let replace = OnConflict::column(Column::KeyHash).update_column(Column::EmptyAt).to_owned();
        Entity::insert_many(self::rows(keys, after)).on_conflict(replace).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok((before, after))
}

/// Deletes the counts that have drained. Rows that a sign-in is at wait for the next time, and no sign-in waits.
pub(super) async fn sweep(db: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    let drained = Entity::find()
        .select_only()
        .column(Column::KeyHash)
        .filter(Column::EmptyAt.lte(now))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    let (_turn, transaction) = db.begin().await?;
    Entity::delete_many().filter(Column::KeyHash.in_subquery(drained)).exec(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Always in this order, so that no two transactions wait for each other.
fn rows(keys: Buckets<KeyHash>, empty_at: Buckets<DateTime<Utc>>) -> [ActiveModel; 3] {
    let row = |key: KeyHash, empty_at| ActiveModel { key_hash: Set(key.to_string()), empty_at: Set(empty_at) };
    [row(keys.account, empty_at.account), row(keys.address, empty_at.address), row(keys.pair, empty_at.pair)]
}
