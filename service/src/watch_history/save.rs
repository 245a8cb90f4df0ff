//! A save as a player sends it.

use super::change::Key;
use super::statements::Sent;
use crate::{number, text};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A position on its way in.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = counted_within_a_session))]
#[schema(as = WatchHistorySave, example = json!({"watch_position": 150}))]
pub struct Save {
    /// Where the player stands, in whole seconds from the start; beyond the video's duration it counts as that.
    #[serde(deserialize_with = "number::whole")]
    #[validate(range(min = 0))]
    #[schema(minimum = 0, example = 150)]
    pub watch_position: i32,
    /// Time watched in all, in whole seconds; the larger one of this and the stored one stays, unless the save is refused.
    /// 0 when it is absent.
    #[serde(default, deserialize_with = "number::whole")]
    #[validate(range(min = 0))]
    #[schema(minimum = 0, example = 150)]
    pub watch_duration: i32,
    /// How long ago the position was true, in milliseconds by the client's own stopwatch, up to 30 days. A save that is older
    /// than what is stored changes nothing. Without it the save speaks of now.
    #[serde(default, deserialize_with = "number::whole_or_null")]
    #[validate(range(min = 0, max = 2_592_000_000_i64))]
    #[schema(minimum = 0, maximum = 2_592_000_000_i64, example = 0)]
    pub age_ms: Option<i64>,
    /// The opening of a player that it comes from: 1 to 64 visible ASCII characters, new for every opening. With it, a position of the
    /// first `RESUME_MIN_SECONDS` (5) does not replace a later one of another opening, because it may come from a player that failed to
    /// start; a save of position 0 without it is "start over".
    #[validate(length(min = 1, max = 64), custom(function = text::visible_ascii))]
    #[schema(min_length = 1, max_length = 64, pattern = "^[!-~]+$", example = "6f1d2c9e")]
    pub session_id: Option<String>,
    /// Counts the saves of that opening, which must be named with it. Between two of one opening the higher one wins, whatever their ages.
    #[serde(default, deserialize_with = "number::whole_or_null")]
    #[validate(range(min = 1))]
    #[schema(minimum = 1, example = 1)]
    pub sequence: Option<i32>,
    /// What the player runs on, for people: 1 to 100 characters, U+0000 not among them.
    #[validate(length(min = 1, max = 100), custom(function = text::storable))]
    #[schema(min_length = 1, max_length = 100, example = "Living room")]
    pub device: Option<String>,
}

impl Save {
    pub(super) fn sent(self, key: Key, now: DateTime<Utc>) -> Sent {
        let Self { watch_position, watch_duration, age_ms, session_id, sequence, device } = self;
        Sent {
            key,
            position: watch_position,
            watched: watch_duration,
            session: session_id,
            sequence,
            device,
            happened_at: now - TimeDelta::milliseconds(age_ms.unwrap_or_default()),
            arrived_at: now,
        }
    }
}

fn counted_within_a_session(save: &Save) -> Result<(), ValidationError> {
    match save {
        Save { sequence: Some(_), session_id: None, .. } => {
            Err(ValidationError::new("sequence").with_message("counts within a session_id, which is missing".into()))
        }
        _ => Ok(()),
    }
}
