//! The watch history in plain SeaORM: find, then insert or update, one request after the other.
//!
//! Read this to learn what the SQL of `service::watch_history` does. The tests check both against
//! the same rules.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{user, video, watch_history};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, QueryOrder,
    Set,
};
use service::progress::ProgressRules;
use service::watch_history::Save;
use service::{Database, Error};
use tokio::sync::Mutex;
use watch_history::{ActiveModel, Column, Entity, Model};

pub struct PlainStore {
    pub db: Database,
    pub rules: ProgressRules,
    /// Two requests that find the same row must not both insert or update it.
    pub one_at_a_time: Mutex<()>,
}

/// An entry, the video that it is of, and in answers to a save whether the save was applied.
pub struct PlainEntry {
    pub row: Model,
    pub video: video::Model,
    pub applied: Option<bool>,
}

impl PlainStore {
    pub async fn save(&self, user_id: i64, video_id: i64, save: Save, now: DateTime<Utc>) -> Result<PlainEntry, Error> {
        let _guard = self.one_at_a_time.lock().await;
        self.save_next(user_id, video_id, save, now).await
    }

    pub async fn save_all(
        &self,
        user_id: i64,
        saves: Vec<(i64, Save)>,
        now: DateTime<Utc>,
    ) -> Vec<Result<PlainEntry, Error>> {
        let _guard = self.one_at_a_time.lock().await;
        let mut saved = Vec::new();
        for (video_id, save) in saves {
            saved.push(self.save_next(user_id, video_id, save, now).await);
        }
        saved
    }

    async fn save_next(
        &self,
        user_id: i64,
        video_id: i64,
        save: Save,
        now: DateTime<Utc>,
    ) -> Result<PlainEntry, Error> {
        self.db
            .transaction(async |db| {
                let video = find_visible_video(db, user_id, video_id).await?;
                let update = Update::new(save, &video, &self.rules, now);
                let (row, applied) = match find_row(db, user_id, video_id).await? {
                    None => (update.new_row(user_id, video_id).insert(db).await?, true),
                    Some(row) if update.is_older_than(&row) || update.is_failed_start(&row, &self.rules) => {
                        (row, false)
                    }
                    Some(row) => (update.apply_to(row).update(db).await?, true),
                };
                Ok(PlainEntry { row, video, applied: Some(applied) })
            })
            .await
    }

    pub async fn find(&self, user_id: i64, video_id: i64) -> Result<PlainEntry, Error> {
        let video = find_visible_video(self.db.reader(), user_id, video_id).await?;
        let row = find_row(self.db.reader(), user_id, video_id).await?.ok_or(Error::HistoryNotFound)?;
        Ok(PlainEntry { row, video, applied: None })
    }

    pub async fn forget(&self, user_id: i64, video_id: i64) -> Result<(), Error> {
        let _guard = self.one_at_a_time.lock().await;
        self.db
            .transaction(async |db| {
                find_visible_video(db, user_id, video_id).await?;
                let row = find_row(db, user_id, video_id).await?.ok_or(Error::HistoryNotFound)?;
                row.delete(db).await?;
                Ok(())
            })
            .await
    }

    /// The entries that are started and not completed, the last watched first.
    pub async fn continue_watching(&self, user_id: i64, limit: usize) -> Result<Vec<PlainEntry>, Error> {
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
        let visible = rows.into_iter().filter(|(_, video)| is_visible(video, &user));
        Ok(visible.take(limit).map(|(row, video)| PlainEntry { row, video, applied: None }).collect())
    }
}

async fn find_active_user(db: &impl ConnectionTrait, user_id: i64) -> Result<user::Model, Error> {
    let user = user::Entity::find_by_id(user_id).one(db).await?;
    user.filter(|user| user.is_active).ok_or(Error::Unauthenticated)
}

async fn find_visible_video(db: &impl ConnectionTrait, user_id: i64, video_id: i64) -> Result<video::Model, Error> {
    let user = find_active_user(db, user_id).await?;
    let video = video::Entity::find_by_id(video_id).one(db).await?;
    video.filter(|video| is_visible(video, &user)).ok_or(Error::VideoNotFound)
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

/// A save, and what follows from it for its video.
struct Update {
    save: Save,
    position: i32,
    completed: bool,
    /// When the player was at the position.
    watched_at: DateTime<Utc>,
    now: DateTime<Utc>,
}

impl Update {
    fn new(save: Save, video: &video::Model, rules: &ProgressRules, now: DateTime<Utc>) -> Self {
        let duration = video.duration.filter(|duration| *duration > 0);
        let position = duration.map_or(save.watch_position, |duration| save.watch_position.min(duration));
        let completed = duration.is_some_and(|duration| {
            let percent = 100 * i64::from(position) / i64::from(duration);
            let is_last_second = position > 0 && position >= duration - 1;
            percent >= i64::from(rules.completed_percent) || is_last_second
        });
        let watched_at = now - TimeDelta::milliseconds(save.age_ms.unwrap_or(0));
        Self { save, position, completed, watched_at, now }
    }

    fn new_row(self, user_id: i64, video_id: i64) -> ActiveModel {
        let counted = self.save.session_id.as_ref().filter(|_| self.completed);
        ActiveModel {
            user_id: Set(user_id),
            video_id: Set(video_id),
            watch_position: Set(self.position),
            watch_duration: Set(self.save.watch_duration),
            completed: Set(self.completed),
            play_count: Set(i32::from(self.completed)),
            completed_at: Set(self.completed.then_some(self.watched_at)),
            counted_sessions: Set(counted.map(|session| format!("{session} "))),
            player_session: Set(self.save.session_id),
            sequence: Set(self.save.sequence),
            device: Set(self.save.device),
            last_watched_at: Set(self.watched_at),
            watched_hour: Set(hour(self.watched_at)),
            created_at: Set(self.now),
            updated_at: Set(self.now),
            ..Default::default()
        }
    }

    /// Within one session the sequence decides. Otherwise the later time of watching wins; a save
    /// without an age is never older, because the time of a row counts as `now` at most.
    fn is_older_than(&self, row: &Model) -> bool {
        match (self.save.sequence, row.sequence) {
            (Some(new), Some(old)) if self.has_session_of(row) => new <= old,
            _ => self.watched_at < row.last_watched_at.min(self.now),
        }
    }

    /// Whether the player may have failed to start, and would lose the position of another session.
    fn is_failed_start(&self, row: &Model, rules: &ProgressRules) -> bool {
        self.save.session_id.is_some()
            && !self.has_session_of(row)
            && row.watch_position > rules.resume_min_seconds
            && self.position <= rules.resume_min_seconds
    }

    fn has_session_of(&self, row: &Model) -> bool {
        self.save.session_id.is_some() && self.save.session_id == row.player_session
    }

    fn apply_to(self, row: Model) -> ActiveModel {
        let mut entry = row.clone().into_active_model();
        entry.watch_position.set_ne(self.position);
        entry.watch_duration.set_ne(row.watch_duration.max(self.save.watch_duration));
        entry.device.set_ne(self.save.device.clone());
        if self.save.session_id.is_some() {
            let sequence = self.save.sequence.or(row.sequence.filter(|_| self.has_session_of(&row)));
            entry.sequence.set_ne(sequence);
            entry.player_session.set_ne(self.save.session_id.clone());
        }
        if self.completed && !row.completed {
            self.count_play(&row, &mut entry);
        }
        entry.completed.set_ne(self.completed);
        let last_watched_at = row.last_watched_at.max(self.watched_at);
        entry.last_watched_at.set_ne(last_watched_at);
        entry.watched_hour.set_ne(row.watched_hour.max(hour(self.watched_at)));
        // A save that is sent again changes nothing.
        if entry.is_changed() || self.watched_at != row.last_watched_at {
            entry.updated_at = Set(self.now);
        }
        entry
    }

    /// Counts a play, once for each of the sessions that were counted last.
    fn count_play(&self, row: &Model, entry: &mut ActiveModel) {
        let counted = row.counted_sessions.clone().unwrap_or_default();
        let session = self.save.session_id.as_ref().map(|session| format!("{session} "));
        if session.as_ref().is_some_and(|session| format!(" {counted}").contains(&format!(" {session}"))) {
            return;
        }
        entry.play_count = Set(row.play_count + 1);
        entry.completed_at = Set(Some(self.watched_at));
        entry.counted_sessions = Set(Some((session.unwrap_or_default() + &counted).chars().take(1040).collect()));
    }
}

/// The hours from 1970 to this time.
fn hour(time: DateTime<Utc>) -> i32 {
    i32::try_from(time.timestamp().div_euclid(3600)).unwrap()
}
