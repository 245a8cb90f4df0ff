//! A save as a player sends it.

use super::key::EntryKey;
use super::rules::hour_of;
use crate::storage::input_row;
use crate::{number, text};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A position to store.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = sequence_has_session), schema(function = played_seconds_has_session))]
#[schema(as = WatchHistorySave, example = json!({"watch_position": 15}))]
pub struct Save {
    /// The position of the player, in whole seconds from the start. A position after the end of the
    /// video is stored as the end.
    #[serde(deserialize_with = "number::whole")]
    #[validate(range(min = 0))]
    #[schema(minimum = 0, example = 15)]
    pub watch_position: i32,
    /// Total time watched, in whole seconds; 0 by default. An applied save never lowers the stored
    /// value.
    #[serde(default, deserialize_with = "number::whole")]
    #[validate(range(min = 0))]
    #[schema(minimum = 0, example = 15)]
    pub watch_duration: i32,
    /// How long ago the player was at this position, in milliseconds of the client's own stopwatch,
    /// up to 30 days; 0 by default. A save that is older than the entry changes nothing.
    #[serde(default, deserialize_with = "number::whole_or_null")]
    #[validate(range(min = 0, max = 2_592_000_000_i64))]
    #[schema(minimum = 0, maximum = 2_592_000_000_i64, example = 0)]
    pub age_ms: Option<i64>,
    /// The player session: 1 to 64 visible ASCII characters, new each time a player is opened. With
    /// it, a position of at most `RESUME_MIN_SECONDS` (5) does not replace a later position of
    /// another session, because the player may have failed to start. Without it, position 0 means
    /// "start over".
    #[validate(length(min = 1, max = 64), custom(function = text::visible_ascii))]
    #[schema(min_length = 1, max_length = 64, pattern = "^[!-~]+$", example = "6f1d2c9e")]
    pub session_id: Option<String>,
    /// The number of the save within its player session, from 1; it requires `session_id`. Of two
    /// saves of one session the one with the higher number wins, whatever their ages.
    #[serde(default, deserialize_with = "number::whole_or_null")]
    #[validate(range(min = 1))]
    #[schema(minimum = 1, example = 1)]
    pub sequence: Option<i32>,
    /// The seconds really played in this player session so far, by the player's stopwatch; it
    /// requires `session_id`. Pauses, seeks and buffering do not count, and double speed counts
    /// time and not film.
    #[serde(default, deserialize_with = "number::whole_or_null")]
    #[validate(range(min = 0))]
    #[schema(minimum = 0, example = 14)]
    pub played_seconds: Option<i32>,
    /// The name of the device, for people: 1 to 100 characters without U+0000.
    #[validate(length(min = 1, max = 100), custom(function = text::storable))]
    #[schema(min_length = 1, max_length = 100, example = "Living room")]
    pub device: Option<String>,
}

input_row! {
    /// A save, ready to be bound: its fields are the parameters of the statement, each under the
    /// name of the column that it goes into.
    #[derive(Clone, Debug)]
    pub(super) struct SaveCommand {
        /// The id of the entry if the save creates it, on PostgreSQL; SQLite gives it one.
        id: i64,
        user_id: i64,
        video_id: i64,
        watch_position: i32,
        watch_duration: i32,
        player_session: Option<String>,
        sequence: Option<i32>,
        device: Option<String>,
        /// When the player was at the position.
        last_watched_at: DateTime<Utc>,
        /// The hours from 1970 to `last_watched_at`.
        watched_hour: i32,
        /// When the save arrived.
        updated_at: DateTime<Utc>,
        played_seconds: Option<i32>,
    }
}

impl Save {
    pub(super) fn into_command(self, key: EntryKey, now: DateTime<Utc>) -> SaveCommand {
        let Self { watch_position, watch_duration, age_ms, session_id, sequence, played_seconds, device } = self;
        let last_watched_at = now - TimeDelta::milliseconds(age_ms.unwrap_or_default());
        SaveCommand {
            id: 0,
            user_id: key.user_id,
            video_id: key.video_id,
            watch_position,
            watch_duration,
            player_session: session_id,
            sequence,
            device,
            last_watched_at,
            watched_hour: hour_of(last_watched_at),
            updated_at: now,
            played_seconds,
        }
    }
}

impl SaveCommand {
    pub(super) fn key(&self) -> EntryKey {
        EntryKey { user_id: self.user_id, video_id: self.video_id }
    }

    /// Whether the player was at the position before the save arrived.
    pub(super) fn has_age(&self) -> bool {
        self.last_watched_at < self.updated_at
    }

    /// The milliseconds that the session has played, if the player reports them.
    pub(super) fn played_ms(&self) -> Option<i64> {
        self.played_seconds.map(|seconds| i64::from(seconds) * 1000)
    }
}

fn sequence_has_session(save: &Save) -> Result<(), ValidationError> {
    match save {
        Save { sequence: Some(_), session_id: None, .. } => {
            Err(ValidationError::new("sequence").with_message("requires a session_id".into()))
        }
        _ => Ok(()),
    }
}

fn played_seconds_has_session(save: &Save) -> Result<(), ValidationError> {
    match save {
        Save { played_seconds: Some(_), session_id: None, .. } => {
            Err(ValidationError::new("played_seconds").with_message("requires a session_id".into()))
        }
        _ => Ok(()),
    }
}
