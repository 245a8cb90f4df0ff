//! Which play a save belongs to. The numbers of the running play are in the row of the entry; those
//! of the others are rows of `plays`.

use super::save::Update;
use crate::rules::Time;
use chrono::TimeDelta;
use entity::play;
use entity::watch_history::Model;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, QueryOrder,
};
use service::Error;

impl Update {
    /// Makes the play of the save the running one. The row has still the position from before.
    pub async fn go_on(&self, db: &impl ConnectionTrait, entry: &mut Model) -> Result<(), Error> {
        if self.is_of_running_play(entry) {
            let (position, time) = (entry.watch_position, entry.last_watched_at);
            entry.play_watched_ms = self.watched_ms(entry, position, time);
            return Ok(());
        }
        let ended = self.find_ended_play(db, entry).await?;
        let last_number = close_play(db, entry).await?;
        entry.play_has_session = self.save.session_id.is_some();
        match ended {
            Some(play) => {
                entry.play_number = play.number;
                entry.play_is_kept = true;
                entry.play_started_at = Some(play.started_at);
                entry.play_start_position = play.start_position;
                entry.play_watched_ms = play.watched_ms;
                entry.play_completed = play.completed;
                entry.play_watched_ms = self.watched_ms(entry, play.end_position, play.ended_at);
                play.delete(db).await?;
            }
            None => {
                if self.keeps_plays {
                    entry.play_number = last_number + 1;
                }
                entry.play_is_kept = self.keeps_plays;
                entry.play_started_at = Some(self.watched_at);
                entry.play_start_position = self.position;
                entry.play_watched_ms = self.first_watched_ms();
                entry.play_completed = false;
            }
        }
        Ok(())
    }

    fn is_of_running_play(&self, entry: &Model) -> bool {
        entry.play_started_at.is_some()
            && entry.play_is_kept == self.keeps_plays
            && self.has_session_of_last_play(entry)
            && self.is_soon_after(entry.last_watched_at)
    }

    fn has_session_of_last_play(&self, entry: &Model) -> bool {
        let last = entry.player_session.as_ref().filter(|_| entry.play_has_session);
        last == self.save.session_id.as_ref()
    }

    /// Without a session, a save goes on with a play whose last save is less than 30 minutes older.
    fn is_soon_after(&self, last_save: Time) -> bool {
        self.save.session_id.is_some() || self.watched_at - last_save < TimeDelta::minutes(30)
    }

    async fn find_ended_play(&self, db: &impl ConnectionTrait, entry: &Model) -> Result<Option<play::Model>, Error> {
        // A paused play without a session is the last one of its kind.
        let has_paused = entry.play_started_at.is_some() && !entry.play_has_session && self.save.session_id.is_none();
        if !self.keeps_plays || (has_paused && !self.is_soon_after(entry.last_watched_at)) {
            return Ok(None);
        }
        let of_session = match &self.save.session_id {
            Some(session) => play::Column::PlayerSession.eq(session),
            None => play::Column::PlayerSession.is_null(),
        };
        let plays = play::Entity::find().filter(play::Column::EntryId.eq(entry.id)).filter(of_session);
        let last = plays.order_by_desc(play::Column::Number).one(db).await?;
        let is_kept =
            |ended_at: Time| self.retention_days.is_none_or(|days| ended_at >= self.now - TimeDelta::days(days.into()));
        Ok(last.filter(|play| is_kept(play.ended_at) && self.is_soon_after(play.ended_at)))
    }

    /// Whether the save is of another play than the last one, running or ended.
    pub async fn is_of_another_play(&self, db: &impl ConnectionTrait, entry: &Model) -> Result<bool, Error> {
        let last_play = play::Entity::find_by_id((entry.id, entry.play_number)).one(db).await?;
        let last_save = match last_play {
            Some(play) if entry.play_started_at.is_none() && play.player_session.is_none() && self.keeps_plays => {
                play.ended_at
            }
            _ => entry.last_watched_at,
        };
        Ok(!self.has_session_of_last_play(entry) || !self.is_soon_after(last_save))
    }

    /// What a play was watched at its first save.
    pub fn first_watched_ms(&self) -> i64 {
        self.save.played_seconds.map_or(0, |seconds| 1000 * i64::from(seconds.min(10)))
    }

    /// How long the play was watched, in milliseconds. `last_position` and `last_time` are those of
    /// its last save.
    fn watched_ms(&self, entry: &Model, last_position: i32, last_time: Time) -> i64 {
        let stored = entry.play_watched_ms;
        let watched = match self.save.played_seconds {
            Some(seconds) => 1000 * i64::from(seconds),
            None if self.position == last_position => stored,
            None => stored + (self.watched_at - last_time).num_milliseconds().clamp(0, 30_000),
        };
        let begin = entry.play_started_at.unwrap_or(self.watched_at);
        let most = (self.watched_at - begin).num_milliseconds() + 10_000;
        watched.min(most).max(stored)
    }
}

/// Makes the running play a row of `plays`. Returns the largest number of all plays.
async fn close_play(db: &impl ConnectionTrait, entry: &Model) -> Result<i32, Error> {
    if let Some(started_at) = entry.play_started_at.filter(|_| entry.play_is_kept) {
        let play = play::Model {
            entry_id: entry.id,
            number: entry.play_number,
            user_id: entry.user_id,
            player_session: entry.player_session.clone().filter(|_| entry.play_has_session),
            device: entry.device.clone(),
            started_at,
            ended_at: entry.last_watched_at,
            start_position: entry.play_start_position,
            end_position: entry.watch_position,
            watched_ms: entry.play_watched_ms,
            completed: entry.play_completed,
        };
        play.into_active_model().insert(db).await?;
    }
    let newest = play::Entity::find().filter(play::Column::EntryId.eq(entry.id)).order_by_desc(play::Column::Number);
    let newest = newest.one(db).await?.map_or(0, |play| play.number);
    Ok(newest.max(entry.play_number))
}
