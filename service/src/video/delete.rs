//! Deleting videos.

use super::find_own;
use crate::caller::Caller;
use crate::changes::record_changed_videos;
use crate::storage::{Event, Transaction};
use crate::{Error, search};
use chrono::{DateTime, Utc};
use entity::{deleted_file, user, video};
use sea_orm::prelude::*;
use sea_orm::sea_query::{self, IntoCondition};
use sea_orm::{QuerySelect, QueryTrait};

/// Deletes a video and returns the id of its uploader. The database deletes its watch history too.
/// Its file stays, and scans skip it.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::Forbidden`].
pub async fn delete(tx: &Transaction, caller: Caller, id: i64, now: DateTime<Utc>) -> Result<i64, Error> {
    let uploader = find_own(tx, caller, id).await?.user_id;
    search::remove_grams(tx, &[id]).await?;
    remember_files(tx, video::Column::Id.eq(id)).await?;
    record_changed_videos(tx, video::Column::Id.eq(id), now).await?;
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
    search::remove_grams_of_uploader(tx, user_id).await?;
    remember_files(tx, video::Column::UserId.eq(user_id)).await?;
    record_changed_videos(tx, video::Column::UserId.eq(user_id), now).await
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
