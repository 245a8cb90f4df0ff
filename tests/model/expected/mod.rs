//! What the rules expect: the rows of one story, and the answers that follow from them.

mod edits;
mod lists;
mod stored;

use crate::answer::{Answer, EntryFields};
use crate::rules::progress::{percentage, recompute_completed, resume_at};
use crate::rules::save::Outcome;
use crate::rules::{Refusal, Row, Time, Viewer};
use crate::story::{Arrival, Request, VIDEOS};
use service::Error;
use service::progress::ProgressRules;
use service::watch_history::Save;
use std::collections::BTreeSet;
pub use stored::Stored;

/// The indexes of a viewer and a video in a story.
pub type Key = (usize, usize);

/// The viewers and videos of one story, and what should be stored of them.
pub struct Expected {
    pub rules: ProgressRules,
    /// The ids in the database, by index.
    pub viewer_ids: Vec<i64>,
    /// The last one does not exist.
    pub video_ids: Vec<i64>,
    pub durations: [Option<i32>; VIDEOS],
    pub viewers: Vec<Viewer>,
    /// The ids that rows ever had.
    pub used_ids: BTreeSet<i64>,
}

impl Expected {
    /// The answers to a request. The id of a new row is taken from the actual answer.
    pub fn answers(&mut self, arrival: &Arrival, now: Time, actual: &[Answer]) -> Vec<Answer> {
        let viewer = arrival.viewer;
        match &arrival.request {
            Request::Save(video, save) => vec![self.answer_to_save((viewer, *video), save, now, actual.first())],
            Request::Batch(saves) => {
                let saves = saves.iter().enumerate();
                saves
                    .map(|(at, (video, save))| self.answer_to_save((viewer, *video), save, now, actual.get(at)))
                    .collect()
            }
            Request::Forget(VIDEOS) => vec![Answer::failure(&Error::VideoNotFound)],
            Request::Forget(video) => {
                let forgotten = self.viewers[viewer].forget(*video, now);
                vec![forgotten.map_or_else(refused, |()| Answer::Deleted)]
            }
        }
    }

    fn answer_to_save(&mut self, key: Key, save: &Save, now: Time, actual: Option<&Answer>) -> Answer {
        let (viewer, video) = key;
        let Some(duration) = self.durations.get(video) else { return Answer::failure(&Error::VideoNotFound) };
        let outcome = self.viewers[viewer].save(video, save, now, *duration, &self.rules);
        if let Some(Answer::Entry { entry, .. }) = actual {
            self.learn_id(key, entry.id);
        }
        if outcome == Outcome::NotTaken {
            return Answer::NotTaken;
        }
        let row = &self.viewers[viewer].rows[&video];
        Answer::Entry { entry: self.entry(key, row, now), applied: Some(outcome == Outcome::Applied) }
    }

    /// The id of a new row, unless an older row had it.
    pub fn learn_id(&mut self, (viewer, video): Key, id: i64) {
        if let Some(row) = self.viewers[viewer].rows.get_mut(&video)
            && row.id == 0
            && self.used_ids.insert(id)
        {
            row.id = id;
        }
    }

    pub fn answer_to_find(&self, (viewer, video): Key, now: Time) -> Answer {
        match self.viewers[viewer].row(video, now) {
            Some(row) => Answer::Entry { entry: self.entry((viewer, video), row, now), applied: None },
            None if video == VIDEOS => Answer::failure(&Error::VideoNotFound),
            None => refused(Refusal::HistoryNotFound),
        }
    }

    fn entry(&self, (viewer, video): Key, row: &Row, now: Time) -> EntryFields {
        let duration = self.durations[video];
        EntryFields {
            id: row.id,
            viewer: self.viewer_ids[viewer],
            video: self.video_ids[video],
            position: row.position,
            watched: row.watched,
            completed: row.completed,
            percentage: percentage(row.position, duration),
            resume_at: resume_at(row.position, duration, &self.rules),
            device: row.device.clone(),
            play_count: row.play_count,
            completed_at: row.completed_at,
            last_watched_at: row.last_watched_at,
            hidden: row.is_hidden(now),
            previous: row.previous.clone().map(|place| (place.position, place.device, place.at)),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    pub fn change_duration(&mut self, video: usize, duration: Option<i32>) {
        if self.durations[video] != duration {
            let rows = self.viewers.iter_mut().filter_map(|viewer| viewer.rows.get_mut(&video));
            rows.for_each(|row| recompute_completed(row, duration, &self.rules));
        }
        self.durations[video] = duration;
    }
}

/// The answer to an operation that is refused.
fn refused(refusal: Refusal) -> Answer {
    Answer::failure(&match refusal {
        Refusal::HistoryNotFound => Error::HistoryNotFound,
        Refusal::PlayNotFound => Error::PlayNotFound,
        Refusal::NothingToUndo => Error::NothingToUndo,
    })
}
