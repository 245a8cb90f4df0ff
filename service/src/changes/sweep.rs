//! Deletes the records of changed videos that are older than every valid token.

use crate::storage::Transaction;
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::changed_video::{Column, Entity};
use sea_orm::prelude::*;

/// Deletes the records of videos that changed before a time.
///
/// # Errors
/// Database errors.
pub(crate) async fn sweep_changed_videos(db: &Database, before: DateTime<Utc>) -> Result<(), Error> {
    let is_old = Column::ChangedAt.lt(before);
    if !Entity::find().filter(is_old.clone()).exists(db.reader()).await? {
        return Ok(());
    }
    let delete = Entity::delete_many().filter(is_old);
    db.transaction(async |tx: &Transaction| Ok(delete.exec(tx).await.map(drop)?)).await
}
