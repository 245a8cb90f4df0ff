//! Answers of a store, as far as the rules determine them.

use crate::plain_store::{PlainEntry, PlainStore};
use crate::rules::resume_at;
use chrono::{DateTime, Utc};
use service::Error;
use service::watch_history::{ContinueWatching, Entry};

#[derive(Debug, PartialEq)]
pub enum Answer {
    Entry {
        entry: EntryFields,
        applied: Option<bool>,
    },
    Forgotten,
    /// A save that was not taken.
    NotTaken,
    Failure(String),
}

#[derive(Debug, PartialEq)]
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
    pub completed_at: Option<DateTime<Utc>>,
    pub last_watched_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An item of the list "continue watching".
#[derive(Debug, PartialEq)]
pub struct Item {
    pub video: i64,
    pub position: i32,
    pub percentage: f64,
    pub resume_at: i32,
    pub device: Option<String>,
    pub play_count: i32,
    pub last_watched_at: DateTime<Utc>,
}

impl Answer {
    pub fn failure(error: &Error) -> Self {
        Self::Failure(error.to_string())
    }
}

impl From<Result<Option<Entry>, Error>> for Answer {
    fn from(answer: Result<Option<Entry>, Error>) -> Self {
        let entry = match answer {
            Ok(Some(entry)) => entry,
            Ok(None) => return Self::NotTaken,
            Err(error) => return Self::failure(&error),
        };
        let fields = EntryFields {
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
            created_at: entry.created_at.0,
            updated_at: entry.updated_at.0,
        };
        Self::Entry { entry: fields, applied: entry.applied }
    }
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
            last_watched_at: item.last_watched_at.0,
        }
    }
}

impl PlainStore {
    pub fn answer(&self, answer: Result<PlainEntry, Error>) -> Answer {
        let PlainEntry { row, video, applied } = match answer {
            Ok(entry) => entry,
            Err(error) => return Answer::failure(&error),
        };
        let fields = EntryFields {
            percentage: row.progress_percentage(video.duration),
            resume_at: resume_at(row.watch_position, video.duration, &self.rules),
            id: row.id,
            viewer: row.user_id,
            video: row.video_id,
            position: row.watch_position,
            watched: row.watch_duration,
            completed: row.completed,
            device: row.device,
            play_count: row.play_count,
            completed_at: row.completed_at,
            last_watched_at: row.last_watched_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        Answer::Entry { entry: fields, applied }
    }

    pub fn item(&self, PlainEntry { row, video, .. }: PlainEntry) -> Item {
        Item {
            percentage: row.progress_percentage(video.duration),
            resume_at: resume_at(row.watch_position, video.duration, &self.rules),
            video: row.video_id,
            position: row.watch_position,
            device: row.device,
            play_count: row.play_count,
            last_watched_at: row.last_watched_at,
        }
    }
}
