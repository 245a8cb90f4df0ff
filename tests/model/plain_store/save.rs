//! What a save does to a row.

use super::{hour, update};
use crate::rules::Time;
use chrono::TimeDelta;
use entity::user::HistoryMode;
use entity::watch_history::{ActiveModel, Model};
use entity::{user, video};
use sea_orm::{ConnectionTrait, Set};
use service::Error;
use service::progress::ProgressRules;
use service::watch_history::Save;

/// A save, and what follows from it for its user and its video.
pub struct Update {
    pub save: Save,
    pub position: i32,
    completed: bool,
    /// When the player was at the position.
    pub watched_at: Time,
    pub now: Time,
    /// Whether the user wants plays kept.
    pub keeps_plays: bool,
    /// For how many days.
    pub retention_days: Option<i32>,
}

impl Update {
    pub fn new(save: Save, user: &user::Model, video: &video::Model, rules: &ProgressRules, now: Time) -> Self {
        let duration = video.duration.filter(|duration| *duration > 0);
        let position = duration.map_or(save.watch_position, |duration| save.watch_position.min(duration));
        let completed = duration.is_some_and(|duration| {
            let percent = 100 * i64::from(position) / i64::from(duration);
            let is_last_second = position > 0 && position >= duration - 1;
            percent >= i64::from(rules.completed_percent) || is_last_second
        });
        Self {
            position,
            completed,
            watched_at: now - TimeDelta::milliseconds(save.age_ms.unwrap_or(0)),
            now,
            keeps_plays: user.history_mode == HistoryMode::On,
            retention_days: user.retention_days,
            save,
        }
    }

    pub fn new_row(self, user_id: i64, video_id: i64) -> ActiveModel {
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
            play_number: Set(i32::from(self.keeps_plays)),
            play_is_kept: Set(self.keeps_plays),
            play_has_session: Set(self.save.session_id.is_some()),
            play_started_at: Set(Some(self.watched_at)),
            play_start_position: Set(self.position),
            play_watched_ms: Set(self.first_watched_ms()),
            play_completed: Set(self.completed),
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

    /// Updates the row, unless the save is older. Returns the row, and whether the save was
    /// applied.
    pub async fn meet(
        self,
        db: &impl ConnectionTrait,
        row: Model,
        rules: &ProgressRules,
    ) -> Result<(Model, bool), Error> {
        let is_failed_start = self.is_failed_start(&row, rules);
        if !is_failed_start && !self.is_older_than(&row) {
            return Ok((self.apply_to(db, row).await?, true));
        }
        let is_of_another_play = self.is_of_another_play(db, &row).await?;
        let is_late = !is_failed_start && !self.has_number_of(&row) && is_of_another_play;
        let is_newest = row.previous_at.is_none_or(|at| self.watched_at > at);
        let mut after = row.clone();
        if is_late && is_newest && self.is_far_from(&row) {
            after.previous_position = Some(self.position);
            after.previous_device = self.save.device.clone();
            after.previous_at = Some(self.watched_at);
            after.updated_at = self.now;
        }
        Ok((update(db, &row, after).await?, false))
    }

    /// Within one session the sequence decides. Otherwise the later time of watching wins; a save
    /// without an age is never older, because the time of a row counts as `now` at most.
    fn is_older_than(&self, row: &Model) -> bool {
        if self.has_number_of(row) {
            self.save.sequence <= row.sequence
        } else {
            self.watched_at < row.last_watched_at.min(self.now)
        }
    }

    fn has_number_of(&self, row: &Model) -> bool {
        self.has_session_of(row) && self.save.sequence.is_some() && row.sequence.is_some()
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

    fn is_far_from(&self, row: &Model) -> bool {
        (self.position - row.watch_position).abs() > 30
    }

    async fn apply_to(self, db: &impl ConnectionTrait, row: Model) -> Result<Model, Error> {
        let mut entry = row.clone();
        let starts_over = self.save.session_id.is_none() && self.save.watch_position == 0;
        if self.is_far_from(&row) && (starts_over || self.is_of_another_play(db, &row).await?) {
            entry.previous_position = Some(row.watch_position);
            entry.previous_device = row.device.clone();
            entry.previous_at = Some(row.last_watched_at);
        }
        self.go_on(db, &mut entry).await?;
        if self.position != row.watch_position {
            (entry.hidden, entry.hidden_until) = (false, None);
        }
        entry.watch_position = self.position;
        entry.watch_duration = row.watch_duration.max(self.save.watch_duration);
        entry.device = self.save.device.clone();
        if self.save.session_id.is_some() {
            entry.sequence = self.save.sequence.or(row.sequence.filter(|_| self.has_session_of(&row)));
            entry.player_session = self.save.session_id.clone();
        }
        if self.completed && !row.completed {
            self.count_play(&mut entry);
        }
        entry.completed = self.completed;
        entry.last_watched_at = row.last_watched_at.max(self.watched_at);
        entry.watched_hour = row.watched_hour.max(hour(self.watched_at));
        // A save that is sent again changes nothing.
        if entry != row || self.watched_at != row.last_watched_at {
            entry.updated_at = self.now;
        }
        update(db, &row, entry).await
    }

    /// Counts a play, once for each of the sessions that were counted last.
    fn count_play(&self, entry: &mut Model) {
        let counted = entry.counted_sessions.clone().unwrap_or_default();
        let session = self.save.session_id.as_ref().map(|session| format!("{session} "));
        if session.as_ref().is_some_and(|session| format!(" {counted}").contains(&format!(" {session}"))) {
            return;
        }
        entry.play_count += 1;
        entry.play_completed = true;
        entry.completed_at = Some(self.watched_at);
        entry.counted_sessions = Some((session.unwrap_or_default() + &counted).chars().take(1040).collect());
    }
}
