//! The sweep: deletes what has expired, and the memory of deletions once no save can be so old.
//!
//! It reads first and writes only where something has expired. Each transaction deletes few rows,
//! and a pause follows it, so that saves go on. Whatever ends the sweep, the next one goes on.

use super::expired::ExpiryScope;
use super::retention_cutoff;
use crate::changes::sweep_changed_videos;
use crate::storage::Transaction;
use crate::watch_history::edit::finish_clearings;
use crate::{Database, Error};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{forgotten_entry, user};
use sea_orm::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder, QuerySelect};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often expired rows are deleted: it must be within the hour.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(600);
/// A save can be so old; the memory of a deletion is kept as long.
const OLDEST_SAVE: TimeDelta = TimeDelta::days(30);
/// Viewers whose history is looked at together.
const VIEWERS_PER_PAGE: u64 = 500;
/// Tombstones of one transaction, besides those of one moment.
const TOMBSTONES_PER_TRANSACTION: u64 = 1_000;
/// A pause is so many times as long as the transaction before it: writers lose a tenth at most.
const PAUSE_FACTOR: u32 = 10;
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// How many rows a sweep deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweptRows {
    /// Entries.
    pub entries: u64,
    /// Plays of entries that are kept, and those that were deleted before their entries.
    pub plays: u64,
    /// Tombstones of deleted entries.
    pub tombstones: u64,
}

/// Deletes the entries and plays that have expired, those that an interrupted clearing has left,
/// and what is remembered of deletions for 30 days only. `max_days` is the setting
/// `HISTORY_MAX_DAYS`.
///
/// # Errors
/// Database errors; what was deleted before stays deleted.
pub async fn sweep(db: &Database, max_days: Option<i32>, now: DateTime<Utc>) -> Result<SweptRows, Error> {
    let mut swept = SweptRows::default();
    let mut page = next_viewers(db, max_days, 0).await?;
    while let Some((last, _)) = page.last().copied() {
        for (cutoff, viewers) in group_by_cutoff(&page, max_days, now) {
            let expired = ExpiryScope { viewers, cutoff, max_days, now };
            // First, so that few plays are left for the cascade of an entry.
            swept.plays += delete_all(db, Target::Plays(&expired)).await?;
            swept.entries += delete_all(db, Target::Entries(&expired)).await?;
        }
        page = next_viewers(db, max_days, last).await?;
    }
    let before = now - OLDEST_SAVE;
    swept.tombstones = delete_all(db, Target::Tombstones(before)).await?;
    sweep_changed_videos(db, before).await?;
    // Before the times of clearings are forgotten.
    swept.entries += finish_clearings(db).await?.deleted;
    forget_clearings(db, before).await?;
    Ok(swept)
}

/// The next viewers whose history can expire, with their own preference, in the order of their ids.
async fn next_viewers(db: &Database, max_days: Option<i32>, after: i64) -> Result<Vec<(i64, Option<i32>)>, Error> {
    let mut viewers = user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::RetentionDays])
        .filter(user::Column::Id.gt(after));
    if max_days.is_none() {
        viewers = viewers.filter(user::Column::RetentionDays.is_not_null());
    }
    let page = viewers.order_by_asc(user::Column::Id).limit(VIEWERS_PER_PAGE);
    Ok(page.into_tuple().all(db.reader()).await?)
}

fn group_by_cutoff(
    viewers: &[(i64, Option<i32>)],
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> BTreeMap<DateTime<Utc>, Vec<i64>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (id, retention_days) in viewers {
        if let Some(cutoff) = retention_cutoff(*retention_days, max_days, now) {
            groups.entry(cutoff).or_default().push(*id);
        }
    }
    groups
}

/// What is deleted in one transaction after the other.
#[derive(Clone, Copy)]
enum Target<'a> {
    Plays(&'a ExpiryScope),
    Entries(&'a ExpiryScope),
    /// Those of before this time.
    Tombstones(DateTime<Utc>),
}

impl Target<'_> {
    /// Some of the viewers that have such rows; `None` if there are no rows. Tombstones need no
    /// viewers.
    async fn find_owners(self, db: &Database) -> Result<Option<Vec<i64>>, Error> {
        match self {
            Self::Plays(expired) => expired.find_owners_of_plays(db).await,
            Self::Entries(expired) => expired.find_owners_of_entries(db).await,
            Self::Tombstones(before) => Ok(has_tombstones(db, before).await?.then(Vec::new)),
        }
    }

    async fn delete(self, tx: &Transaction, owners: Vec<i64>) -> Result<u64, Error> {
        match self {
            Self::Plays(expired) => expired.delete_plays(tx, owners).await,
            Self::Entries(expired) => expired.delete_entries(tx, owners).await,
            Self::Tombstones(before) => delete_tombstones(tx, before).await,
        }
    }
}

/// Deletes all of them in small transactions, and returns how many rows. It ends when a transaction
/// deletes nothing: others have locked the rest.
async fn delete_all(db: &Database, target: Target<'_>) -> Result<u64, Error> {
    let mut total = 0;
    while let Some(owners) = target.find_owners(db).await? {
        let begun = Instant::now();
        let deleted = db.transaction(async |tx| target.delete(tx, owners).await).await?;
        if deleted == 0 {
            break;
        }
        total += deleted;
        tokio::time::sleep((PAUSE_FACTOR * begun.elapsed()).min(MAX_PAUSE)).await;
    }
    Ok(total)
}

async fn has_tombstones(db: &Database, before: DateTime<Utc>) -> Result<bool, Error> {
    let old = forgotten_entry::Entity::find().filter(forgotten_entry::Column::ForgottenAt.lt(before));
    Ok(old.exists(db.reader()).await?)
}

/// Deletes the oldest tombstones.
async fn delete_tombstones(tx: &Transaction, before: DateTime<Utc>) -> Result<u64, Error> {
    use forgotten_entry::{Column, Entity};
    let last = Entity::find()
        .select_only()
        .column(Column::ForgottenAt)
        .filter(Column::ForgottenAt.lt(before))
        .order_by_asc(Column::ForgottenAt)
        .offset(TOMBSTONES_PER_TRANSACTION - 1)
        .limit(1);
    let last: Option<DateTime<Utc>> = last.into_tuple().one(tx).await?;
    let mut old = Entity::delete_many().filter(Column::ForgottenAt.lt(before));
    if let Some(last) = last {
        old = old.filter(Column::ForgottenAt.lte(last));
    }
    Ok(old.exec(tx).await?.rows_affected)
}

/// Forgets when viewers cleared their history.
async fn forget_clearings(db: &Database, before: DateTime<Utc>) -> Result<(), Error> {
    let is_old = user::Column::HistoryClearedBefore.lt(before);
    if !user::Entity::find().filter(is_old.clone()).exists(db.reader()).await? {
        return Ok(());
    }
    let forget = user::Entity::update_many()
        .col_expr(user::Column::HistoryClearedBefore, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(is_old);
    db.transaction(async |tx| Ok(forget.exec(tx).await.map(drop)?)).await
}
