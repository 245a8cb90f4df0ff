//! Answers of a store, as far as the rules determine them.

use crate::rules::Time;
use service::Error;
use service::plays::Play;
use service::watch_history::{ContinueWatching, Entry, PreviousPosition};

#[derive(Debug, PartialEq)]
pub enum Answer {
    Entry {
        entry: EntryFields,
        applied: Option<bool>,
    },
    /// A save that was not taken.
    NotTaken,
    /// An entry or a play is deleted.
    Deleted,
    /// Many entries were marked. Some videos do not exist.
    Marked {
        changed: u64,
        skipped: Vec<i64>,
    },
    /// So many entries were deleted.
    DeletedMany(u64),
    Failure(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct EntryFields {
    pub id: i64,
    pub viewer: i64,
    pub video: i64,
    pub position: i32,
    pub watched: i32,
    pub completed: bool,
    pub percentage: f64,
    pub resume_at: i32,
    pub device: Option<String>,
    pub play_count: i32,
    pub completed_at: Option<Time>,
    pub last_watched_at: Time,
    pub hidden: bool,
    pub previous: Option<PreviousFields>,
    pub created_at: Time,
    pub updated_at: Time,
}

/// Position, device and time.
pub type PreviousFields = (i32, Option<String>, Time);

/// An item of the list "continue watching".
#[derive(Debug, PartialEq)]
pub struct Item {
    pub video: i64,
    pub position: i32,
    pub percentage: f64,
    pub resume_at: i32,
    pub device: Option<String>,
    pub play_count: i32,
    pub previous: Option<PreviousFields>,
    pub last_watched_at: Time,
}

/// An item of a list of plays.
#[derive(Debug, PartialEq)]
pub struct PlayFields {
    pub id: i64,
    pub video: i64,
    pub device: Option<String>,
    pub started_at: Time,
    pub ended_at: Time,
    pub start_position: i32,
    pub end_position: i32,
    pub watched_seconds: i64,
    pub completed: bool,
}

impl Answer {
    pub fn failure(error: &Error) -> Self {
        Self::Failure(error.to_string())
    }

    /// The answer to a save. Without an entry, the save was not taken.
    pub fn to_save(answer: Result<Option<Entry>, Error>) -> Self {
        answer.map_or_else(|error| Self::failure(&error), |entry| entry.map_or(Self::NotTaken, Self::entry))
    }

    pub fn to_edit(answer: Result<Entry, Error>) -> Self {
        answer.map_or_else(|error| Self::failure(&error), Self::entry)
    }

    pub fn to_deletion(answer: Result<(), Error>) -> Self {
        answer.map_or_else(|error| Self::failure(&error), |()| Self::Deleted)
    }

    pub fn entry(entry: Entry) -> Self {
        Self::Entry { applied: entry.applied, entry: entry.into() }
    }
}

impl From<Entry> for EntryFields {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            viewer: entry.user_id,
            video: entry.video_id,
            position: entry.watch_position,
            watched: entry.watch_duration,
            completed: entry.completed,
            percentage: entry.progress_percentage,
            resume_at: entry.resume_at,
            device: entry.device,
            play_count: entry.play_count,
            completed_at: entry.completed_at.map(|time| time.0),
            last_watched_at: entry.last_watched_at.0,
            hidden: entry.hidden,
            previous: entry.previous.map(previous),
            created_at: entry.created_at.0,
            updated_at: entry.updated_at.0,
        }
    }
}

fn previous(previous: PreviousPosition) -> PreviousFields {
    (previous.position, previous.device, previous.at.0)
}

impl From<ContinueWatching> for Item {
    fn from(item: ContinueWatching) -> Self {
        Self {
            video: item.video_id,
            position: item.watch_position,
            percentage: item.progress_percentage,
            resume_at: item.resume_at,
            device: item.device,
            play_count: item.play_count,
            previous: item.previous.map(previous),
            last_watched_at: item.last_watched_at.0,
        }
    }
}

impl From<Play> for PlayFields {
    fn from(play: Play) -> Self {
        Self {
            id: play.id,
            video: play.video_id,
            device: play.device,
            started_at: play.started_at.0,
            ended_at: play.ended_at.0,
            start_position: play.start_position,
            end_position: play.end_position,
            watched_seconds: play.watched_seconds,
            completed: play.completed,
        }
    }
}
