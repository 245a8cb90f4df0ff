//! Answers of the plain store.

use super::PlainStore;
use crate::answer::{Answer, EntryFields, Item, PreviousFields};
use crate::rules::Time;
use crate::rules::progress::resume_at;
use entity::watch_history::Model;
use service::Error;
use service::progress::ProgressRules;

/// An entry, the duration of its video, and in answers to a save whether the save was applied.
pub struct PlainEntry {
    pub row: Model,
    pub duration: Option<i32>,
    pub applied: Option<bool>,
}

impl PlainStore {
    /// The answer to a save. Without an entry, the save was not taken.
    pub fn answer_to_save(&self, answer: Result<Option<PlainEntry>, Error>, now: Time) -> Answer {
        match answer {
            Ok(Some(entry)) => entry.answer(&self.rules, now),
            Ok(None) => Answer::NotTaken,
            Err(error) => Answer::failure(&error),
        }
    }
}

impl PlainEntry {
    fn answer(self, rules: &ProgressRules, now: Time) -> Answer {
        let Self { row, duration, applied } = self;
        let fields = EntryFields {
            percentage: row.progress_percentage(duration),
            resume_at: resume_at(row.watch_position, duration, rules),
            previous: previous(&row),
            hidden: row.hidden && row.hidden_until.is_none_or(|until| until > now),
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

    pub fn item(self, rules: &ProgressRules) -> Item {
        let Self { row, duration, .. } = self;
        Item {
            percentage: row.progress_percentage(duration),
            resume_at: resume_at(row.watch_position, duration, rules),
            previous: previous(&row),
            video: row.video_id,
            position: row.watch_position,
            device: row.device,
            play_count: row.play_count,
            last_watched_at: row.last_watched_at,
        }
    }
}

fn previous(row: &Model) -> Option<PreviousFields> {
    Some((row.previous_position?, row.previous_device.clone(), row.previous_at?))
}
