//! The rules of the watch history, written a second time: in memory, and without any of the tested
//! code. Each file states one part of them:
//!
//! - [`save`]: which saves are taken and applied, and what an applied save changes.
//! - [`play`]: which play a save belongs to, and how long a play was watched.
//! - [`previous`]: when the position that was given up is kept, so that it can be offered.
//! - [`edits`]: undo, hide, mark, unmark, and the resume of a play.
//! - [`deletion`]: what a deletion removes, and which saves it refuses afterwards.
//! - [`preferences`]: what a viewer wants kept, and for how long.
//! - [`progress`]: when a video is completed, and where a player resumes it.

pub mod deletion;
pub mod edits;
pub mod play;
pub mod preferences;
pub mod previous;
pub mod progress;
pub mod save;

use chrono::{DateTime, Utc};
use play::{EndedPlay, RunningPlay};
use preferences::Preferences;
use previous::Place;
use std::collections::BTreeMap;

/// All times are of this kind; there is no finer unit than the millisecond.
pub type Time = DateTime<Utc>;

/// All that is stored about one viewer. Videos are named by their index in the story.
#[derive(Default)]
pub struct Viewer {
    pub preferences: Preferences,
    pub rows: BTreeMap<usize, Row>,
    /// When the row of a video was deleted last.
    pub forgotten: BTreeMap<usize, Time>,
    /// The greatest time before which the viewer cleared the history.
    pub cleared_before: Option<Time>,
}

/// The entry of one viewer and one video.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The database chooses it; 0 until it is known.
    pub id: i64,
    /// Seconds from the start of the video.
    pub position: i32,
    /// The largest `watch_duration` that was sent, in seconds.
    pub watched: i32,
    pub completed: bool,
    /// The last player session with a name.
    pub session: Option<String>,
    pub sequence: Option<i32>,
    /// The device of the position.
    pub device: Option<String>,
    pub play_count: i32,
    pub completed_at: Option<Time>,
    /// The sessions that `play_count` was incremented by, the last one first.
    pub counted: Vec<String>,
    pub last_watched_at: Time,
    pub hidden: bool,
    pub hidden_until: Option<Time>,
    pub previous: Option<Place>,
    /// The number of the last play that is kept; 0 if there was none.
    pub play_number: i32,
    /// Whether the saves of the last play came with a session, which then is `session`.
    pub play_has_session: bool,
    /// The last play, while it runs.
    pub running: Option<RunningPlay>,
    /// The plays that ended, by number.
    pub ended: BTreeMap<i32, EndedPlay>,
    pub created_at: Time,
    pub updated_at: Time,
}

/// Why an operation is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    HistoryNotFound,
    PlayNotFound,
    NothingToUndo,
}

impl Row {
    /// Whether the entry is off "continue watching" at this time.
    pub fn is_hidden(&self, now: Time) -> bool {
        self.hidden && self.hidden_until.is_none_or(|until| until > now)
    }

    /// Shows the entry again.
    fn show(&mut self) {
        (self.hidden, self.hidden_until) = (false, None);
    }
}
