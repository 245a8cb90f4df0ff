//! Plays: each opening of a player by a viewer on a video, from its first save to its last.
//!
//! A play that has ended is a row of `plays`. The running play of an entry is in the entry's own
//! columns, so that a heartbeat writes one row; lists and sums read both.

mod delete;
mod list;
mod lock;
mod resume;

use crate::time::Timestamp;
pub use delete::delete;
pub use list::{PlayQuery, list, list_of_video};
pub use resume::resume;
use serde::Serialize;
use utoipa::ToSchema;

/// A play, running or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Play {
    /// A deleted play's id is given to no other play.
    #[schema(minimum = 1, example = 1_048_577)]
    pub id: i64,
    /// The video's id.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Its title.
    #[schema(example = "Harbour at dawn")]
    pub video_title: String,
    /// The device, as named by the last save of the play.
    #[schema(required = true, example = "Living room")]
    pub device: Option<String>,
    /// The time of its first save.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:02:59.391Z")]
    pub started_at: Timestamp,
    /// The time of its last save; that of a running play moves.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub ended_at: Timestamp,
    /// The position of its first save, in whole seconds from the start of the video.
    #[schema(minimum = 0, example = 0)]
    pub start_position: i32,
    /// The position of its last save, in whole seconds from the start of the video.
    #[schema(minimum = 0, example = 15)]
    pub end_position: i32,
    /// How long it was really watched, in whole seconds: pauses and seeks do not count.
    #[schema(minimum = 0, example = 15)]
    pub watched_seconds: i64,
    /// Whether it brought the video to its end, so that `play_count` counts it.
    pub completed: bool,
}

/// The two numbers that a play is stored under. Clients get them as one number, which JavaScript
/// holds exactly for the first 8 billion entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayId {
    /// The entry of the play.
    pub entry_id: i64,
    /// The number of the play within its entry, 1 to [`PlayId::MAX_NUMBER`].
    pub number: i32,
}

/// The bits of an id that hold the number.
const NUMBER_BITS: u32 = 20;

impl PlayId {
    /// The largest number of a play. After it an entry begins no more plays.
    pub const MAX_NUMBER: i32 = (1 << NUMBER_BITS) - 1;

    /// The id for clients.
    pub fn encode(self) -> i64 {
        (self.entry_id << NUMBER_BITS) | i64::from(self.number)
    }

    /// The numbers in the id of a client; `None` if no play can have this id.
    pub fn decode(id: i64) -> Option<Self> {
        let number = i32::try_from(id & i64::from(Self::MAX_NUMBER)).ok()?;
        let entry_id = id >> NUMBER_BITS;
        (entry_id > 0 && number > 0).then_some(Self { entry_id, number })
    }
}

/// The whole seconds of a play, rounded down. Sums over plays are sums of these.
pub fn watched_seconds(watched_ms: i64) -> i64 {
    watched_ms / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoded_id_names_the_encoded_play() {
        for (entry_id, number) in [(1, 1), (1, PlayId::MAX_NUMBER), (2, 1), ((1 << 43) - 1, PlayId::MAX_NUMBER)] {
            let play = PlayId { entry_id, number };
            assert_eq!(PlayId::decode(play.encode()), Some(play));
        }
        assert_eq!(PlayId { entry_id: 3, number: 7 }.encode(), 3 * 1_048_576 + 7);
    }

    #[test]
    fn an_id_of_no_play_is_refused() {
        for id in [i64::MIN, -1, 0, 1, i64::from(PlayId::MAX_NUMBER), 1 << NUMBER_BITS, 5 << NUMBER_BITS] {
            assert_eq!(PlayId::decode(id), None, "{id}");
        }
    }
}
