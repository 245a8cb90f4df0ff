//! Writes the related videos.

use super::similarity::{RelatedVideo, VideoRelations};
use crate::storage::Transaction;
use crate::{Database, Error};
use entity::related_video::{self, Column, Entity};
use entity::video;
use sea_orm::prelude::*;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};
use std::collections::{HashMap, HashSet};

/// Replaces the related videos of these videos in one transaction; of those that did not change,
/// nothing is written.
pub(super) async fn replace(db: &Database, mut chunk: Vec<VideoRelations>) -> Result<(), Error> {
    let ids: Vec<i64> = chunk.iter().map(|video| video.video_id).collect();
    let mut stored: HashMap<i64, Vec<RelatedVideo>> = HashMap::new();
    let rows = Entity::find().filter(Column::VideoId.is_in(ids));
    let rows = rows.order_by_desc(Column::Score).order_by_asc(Column::RelatedId).all(db.reader()).await?;
    for related_video::Model { video_id, related_id, score, viewers } in rows {
        let related = RelatedVideo { id: related_id, viewers: viewers.unsigned_abs(), score };
        stored.entry(video_id).or_default().push(related);
    }
    chunk.retain(|video| stored.get(&video.video_id).map(Vec::as_slice).unwrap_or_default() != video.related);
    if chunk.is_empty() {
        return Ok(());
    }
    db.transaction(async |tx| write(tx, &chunk).await).await
}

async fn write(tx: &Transaction, chunk: &[VideoRelations]) -> Result<(), Error> {
    let ids = chunk.iter().map(|video| video.video_id);
    Entity::delete_many().filter(Column::VideoId.is_in(ids)).exec(tx).await?;
    let existing = lock_existing(tx, chunk).await?;
    let mut rows = Vec::new();
    for VideoRelations { video_id, related } in chunk.iter().filter(|video| existing.contains(&video.video_id)) {
        rows.extend(related.iter().filter(|other| existing.contains(&other.id)).map(|other| {
            related_video::ActiveModel {
                video_id: Set(*video_id),
                related_id: Set(other.id),
                score: Set(other.score),
                viewers: Set(i32::try_from(other.viewers).unwrap_or(i32::MAX)),
            }
        }));
    }
    if !rows.is_empty() {
        Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The ids of the videos of a chunk that still exist. Those cannot be deleted before the commit.
/// Videos that are being deleted are skipped, so that the deletion is not waited for.
async fn lock_existing(tx: &Transaction, chunk: &[VideoRelations]) -> Result<HashSet<i64>, Error> {
    let related = chunk.iter().flat_map(|video| &video.related).map(|related| related.id);
    let named: HashSet<i64> = chunk.iter().map(|video| video.video_id).chain(related).collect();
    let videos = video::Entity::find()
        .select_only()
        .column(video::Column::Id)
        .filter(video::Column::Id.is_in(named))
        .lock_with_behavior(LockType::KeyShare, LockBehavior::SkipLocked);
    Ok(videos.into_tuple().all(tx).await?.into_iter().collect())
}

/// The videos that have related ones and are none of `ids`.
pub(super) async fn videos_besides(db: &Database, ids: Vec<i64>) -> Result<Vec<i64>, Error> {
    let ids: HashSet<i64> = ids.into_iter().collect();
    let stored = Entity::find().select_only().column(Column::VideoId).distinct().order_by_asc(Column::VideoId);
    let stored: Vec<i64> = stored.into_tuple().all(db.reader()).await?;
    Ok(stored.into_iter().filter(|id| !ids.contains(id)).collect())
}
