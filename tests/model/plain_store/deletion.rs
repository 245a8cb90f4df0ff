//! Forget an entry, and refuse saves of positions from before.

use super::save::Update;
use super::{PlainStore, find_active_user, find_row, find_visible_video, is_expired};
use crate::rules::Time;
use entity::{forgotten_entry, user};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait};
use service::Error;

impl PlainStore {
    pub async fn forget(&self, user_id: i64, video_id: i64, now: Time) -> Result<(), Error> {
        let _guard = self.one_at_a_time.lock().await;
        let forget = self.db.transaction(async |db| {
            let user = find_active_user(db, user_id).await?;
            find_visible_video(db, &user, video_id).await?;
            let row = find_row(db, user_id, video_id).await?;
            let row = row.filter(|row| !is_expired(row.last_watched_at, &user, now)).ok_or(Error::HistoryNotFound)?;
            row.delete(db).await?;
            remember(db, forgotten_entry::Model { user_id, video_id, forgotten_at: now, revision: None }).await
        });
        forget.await
    }
}

async fn remember(db: &impl ConnectionTrait, forgotten: forgotten_entry::Model) -> Result<(), Error> {
    let key = (forgotten.user_id, forgotten.video_id);
    match forgotten_entry::Entity::find_by_id(key).one(db).await? {
        Some(before) if before.forgotten_at >= forgotten.forgotten_at => {}
        Some(_) => {
            forgotten.into_active_model().reset_all().update(db).await?;
        }
        None => {
            forgotten.into_active_model().insert(db).await?;
        }
    }
    Ok(())
}

impl Update {
    /// Whether the position is from before a deletion. A save of now never is.
    pub fn is_from_before(&self, user: &user::Model, forgotten: Option<&forgotten_entry::Model>) -> bool {
        let is_forgotten = forgotten.is_some_and(|forgotten| forgotten.forgotten_at >= self.watched_at);
        let is_cleared = user.history_cleared_before.is_some_and(|before| self.watched_at < before);
        let has_age = self.watched_at < self.now;
        has_age && (is_forgotten || is_cleared || is_expired(self.watched_at, user, self.now))
    }

    pub async fn is_deleted(
        &self,
        db: &impl ConnectionTrait,
        user: &user::Model,
        video_id: i64,
    ) -> Result<bool, Error> {
        let forgotten = forgotten_entry::Entity::find_by_id((user.id, video_id)).one(db).await?;
        Ok(self.is_from_before(user, forgotten.as_ref()))
    }
}
