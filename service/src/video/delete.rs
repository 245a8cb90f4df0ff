//! Deleting videos.

use super::find_own;
use crate::caller::Caller;
use crate::changes::record_changed_videos;
use crate::storage::{Event, Transaction};
use crate::{Error, search};
use chrono::{DateTime, Utc};
use entity::{deleted_file, user, video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{self, IntoCondition, Query, SelectStatement, SimpleExpr, UnionType};
use sea_orm::{DatabaseBackend, QueryOrder, QuerySelect, QueryTrait};

/// Deletes a video and returns the id of its uploader. The database deletes its watch history too.
/// Its file stays, and scans skip it.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::Forbidden`].
pub async fn delete(tx: &Transaction, caller: Caller, id: i64, now: DateTime<Utc>) -> Result<i64, Error> {
    let uploader = find_own(tx, caller, id).await?.user_id;
    let is_deleted = video::Column::Id.eq(id);
    lock(tx, is_deleted.clone(), entries_of(watch_history::Column::VideoId.eq(id))).await?;
    search::remove_grams(tx, &[id]).await?;
    remember_files(tx, is_deleted.clone()).await?;
    record_changed_videos(tx, is_deleted, now).await?;
    let deleted = video::Entity::delete_by_id(id).exec(tx).await?;
    tx.record(Event::VideoDeleted { video_id: id, user_id: uploader });
    if deleted.rows_affected == 0 { Err(Error::VideoNotFound) } else { Ok(uploader) }
}

/// Does what must be done before an account and all its videos are deleted.
///
/// # Errors
/// Database errors.
pub(crate) async fn prepare_deletion_of_uploader(
    tx: &Transaction,
    user_id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    // Until the deletion nobody adds a video.
    user::Entity::find_by_id(user_id).lock_exclusive().one(tx).await?;
    let is_deleted = video::Column::UserId.eq(user_id);
    let videos = Query::select().column(video::Column::Id).from(video::Entity).and_where(is_deleted.clone()).take();
    let mut entries = entries_of(watch_history::Column::UserId.eq(user_id));
    entries.union(UnionType::Distinct, entries_of(watch_history::Column::VideoId.in_subquery(videos)));
    lock(tx, is_deleted.clone(), entries).await?;
    search::remove_grams_of_uploader(tx, user_id).await?;
    remember_files(tx, is_deleted.clone()).await?;
    record_changed_videos(tx, is_deleted, now).await
}

/// The ids of the entries that meet a condition.
fn entries_of(condition: SimpleExpr) -> SelectStatement {
    let entries = watch_history::Entity::find().select_only().column(watch_history::Column::Id);
    entries.filter(condition).into_query()
}

/// Locks the videos that are about to be deleted, so that they get no new entries, then the entries
/// that go with them, in the order in which saves lock entries. The database would delete them in
/// another order, and saves of several of them would wait for the deletion while it waits for them.
async fn lock(tx: &Transaction, videos: SimpleExpr, entries: SelectStatement) -> Result<(), Error> {
    // On SQLite the transaction holds the write lock.
    if tx.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    let videos = video::Entity::find().select_only().column(video::Column::Id).filter(videos);
    let _: Vec<i64> = videos.order_by_asc(video::Column::Id).lock_exclusive().into_tuple().all(tx).await?;
    let entries = watch_history::Entity::find()
        .select_only()
        .column(watch_history::Column::Id)
        .filter(watch_history::Column::Id.in_subquery(entries))
        .order_by_asc(watch_history::Column::UserId)
        .order_by_asc(watch_history::Column::VideoId)
        .lock_exclusive();
    // Counted, because there may be many, and nobody needs their ids.
    let mut count = Query::select();
    count.expr(watch_history::Column::Id.count()).from_subquery(entries.into_query(), watch_history::Entity);
    tx.query_one(&count).await?;
    Ok(())
}

/// Stores the files of videos that are about to be deleted, so that no scan registers them again.
async fn remember_files(tx: &Transaction, videos: impl IntoCondition) -> Result<(), Error> {
    use deleted_file::Column;
    let files = video::Entity::find()
        .select_only()
        .columns([video::Column::FilePath, video::Column::FileHash])
        .filter(videos.into_condition())
        .filter(video::Column::FilePath.is_not_null());
    let mut insert = sea_query::Query::insert();
    insert.into_table(deleted_file::Entity).columns([Column::FilePath, Column::FileHash]);
    insert.select_from(files.into_query()).map_err(|error| Error::Internal(error.to_string()))?;
    tx.execute(&insert).await?;
    Ok(())
}
