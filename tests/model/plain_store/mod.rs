//! The watch history in plain SeaORM: find, then insert or update, one request after the other.
//!
//! Read this to learn what `service::watch_history` does. The tests check both against the same
//! rules.

mod deletion;
mod entry;
mod plays;
mod save;

use crate::rules::Time;
use chrono::TimeDelta;
use entity::user::HistoryMode;
use entity::{user, video, watch_history};
pub use entry::PlainEntry;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, QueryOrder,
};
use service::progress::ProgressRules;
use service::watch_history::Save;
use service::{Database, Error};
use tokio::sync::Mutex;
use watch_history::{Column, Entity, Model};

pub struct PlainStore {
    pub db: Database,
    pub rules: ProgressRules,
    /// Two requests that find the same row must not both insert or update it.
    pub one_at_a_time: Mutex<()>,
}

impl PlainStore {
    /// Returns no entry if the save is not taken.
    pub async fn save(&self, user_id: i64, video_id: i64, save: Save, now: Time) -> Result<Option<PlainEntry>, Error> {
        let _guard = self.one_at_a_time.lock().await;
        self.save_next(user_id, video_id, save, now).await
    }

    pub async fn save_all(
        &self,
        user_id: i64,
        saves: Vec<(i64, Save)>,
        now: Time,
    ) -> Vec<Result<Option<PlainEntry>, Error>> {
        let _guard = self.one_at_a_time.lock().await;
        let mut saved = Vec::new();
        for (video_id, save) in saves {
            saved.push(self.save_next(user_id, video_id, save, now).await);
        }
        saved
    }

    async fn save_next(&self, user_id: i64, video_id: i64, save: Save, now: Time) -> Result<Option<PlainEntry>, Error> {
        self.db
            .transaction(async |db| {
                let user = find_active_user(db, user_id).await?;
                let video = find_visible_video(db, &user, video_id).await?;
                let update = save::Update::new(save, &user, &video, &self.rules, now);
                if user.history_mode == HistoryMode::Off || update.is_deleted(db, &user, video_id).await? {
                    return Ok(None);
                }
                let stored = find_row(db, user_id, video_id).await?;
                let row = match stored {
                    Some(row) if is_expired(row.last_watched_at, &user, now) => {
                        row.delete(db).await?;
                        None
                    }
                    row => row,
                };
                let (row, applied) = match row {
                    None => (update.new_row(user_id, video_id).insert(db).await?, true),
                    Some(row) => update.meet(db, row, &self.rules).await?,
                };
                Ok(Some(PlainEntry { row, duration: video.duration, applied: Some(applied) }))
            })
            .await
    }

    pub async fn find(&self, user_id: i64, video_id: i64, now: Time) -> Result<PlainEntry, Error> {
        let db = self.db.reader();
        let user = find_active_user(db, user_id).await?;
        let video = find_visible_video(db, &user, video_id).await?;
        let row = find_row(db, user_id, video_id).await?;
        let row = row.filter(|row| !is_expired(row.last_watched_at, &user, now)).ok_or(Error::HistoryNotFound)?;
        Ok(PlainEntry { row, duration: video.duration, applied: None })
    }

    /// The entries that are started, not completed and not hidden, the last watched first.
    pub async fn continue_watching(
        &self,
        user_id: i64,
        limit: usize,
        max_age_days: Option<i32>,
        now: Time,
    ) -> Result<Vec<PlainEntry>, Error> {
        let user = find_active_user(self.db.reader(), user_id).await?;
        let rows = Entity::find()
            .filter(Column::UserId.eq(user_id))
            .filter(Column::Completed.eq(false))
            .filter(Column::WatchPosition.gt(0))
            .order_by_desc(Column::LastWatchedAt)
            .order_by_desc(Column::Id)
            .find_both_related(video::Entity)
            .all(self.db.reader())
            .await?;
        let oldest = max_age_days.map(|days| now - TimeDelta::days(days.into()));
        let shown = rows.into_iter().filter(|(row, video)| {
            let is_hidden = row.hidden && row.hidden_until.is_none_or(|until| until > now);
            let is_recent = oldest.is_none_or(|oldest| row.last_watched_at >= oldest);
            is_visible(video, &user) && !is_hidden && is_recent && !is_expired(row.last_watched_at, &user, now)
        });
        Ok(shown.take(limit).map(|(row, video)| PlainEntry { row, duration: video.duration, applied: None }).collect())
    }
}

async fn find_active_user(db: &impl ConnectionTrait, user_id: i64) -> Result<user::Model, Error> {
    let user = user::Entity::find_by_id(user_id).one(db).await?;
    user.filter(|user| user.is_active).ok_or(Error::Unauthenticated)
}

async fn find_visible_video(
    db: &impl ConnectionTrait,
    user: &user::Model,
    video_id: i64,
) -> Result<video::Model, Error> {
    let video = video::Entity::find_by_id(video_id).one(db).await?;
    video.filter(|video| is_visible(video, user)).ok_or(Error::VideoNotFound)
}

fn is_visible(video: &video::Model, user: &user::Model) -> bool {
    match video.status {
        video::Status::Ready => true,
        video::Status::Deleted => false,
        video::Status::Processing | video::Status::Failed => video.user_id == user.id || user.role == user::Role::Admin,
    }
}

async fn find_row(db: &impl ConnectionTrait, user_id: i64, video_id: i64) -> Result<Option<Model>, Error> {
    let rows = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::VideoId.eq(video_id));
    Ok(rows.one(db).await?)
}

/// Writes a row if it changed.
async fn update(db: &impl ConnectionTrait, before: &Model, after: Model) -> Result<Model, Error> {
    if after == *before {
        return Ok(after);
    }
    Ok(after.into_active_model().reset_all().update(db).await?)
}

/// Whether something that was watched last at this time is too old for the user to be kept.
fn is_expired(last_watched_at: Time, user: &user::Model, now: Time) -> bool {
    user.retention_days.is_some_and(|days| last_watched_at < now - TimeDelta::days(days.into()))
}

/// The hours from 1970 to this time.
fn hour(time: Time) -> i32 {
    i32::try_from(time.timestamp().div_euclid(3600)).unwrap()
}
