//! What the rules expect: the rows of one story, and the answers that follow from them.

use crate::answer::{Answer, EntryFields, Item};
use crate::rules::{Row, apply_save, percentage, recompute_completed, resume_at};
use crate::story::{Arrival, Request, VIDEOS};
use chrono::{DateTime, Utc};
use service::Error;
use service::progress::ProgressRules;
use service::watch_history::Save;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The indexes of a viewer and a video in a story.
pub type Key = (usize, usize);

/// A row, with the id under which it is stored.
pub struct KnownRow {
    pub id: i64,
    pub row: Row,
}

/// The viewers and videos of one story, and the rows that there should be.
pub struct Expected {
    pub rules: ProgressRules,
    /// The ids in the database, by index.
    pub viewers: Vec<i64>,
    /// The last one does not exist.
    pub videos: Vec<i64>,
    pub durations: [Option<i32>; VIDEOS],
    pub rows: BTreeMap<Key, KnownRow>,
    /// The ids that rows ever had.
    pub used_ids: BTreeSet<i64>,
}

impl Expected {
    /// The answers to a request. The id of a new row is taken from the actual answer.
    pub fn answers(&mut self, arrival: &Arrival, now: DateTime<Utc>, actual: &[Answer]) -> Vec<Answer> {
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
            Request::Forget(video) => match self.rows.remove(&(viewer, *video)) {
                Some(_) => vec![Answer::Forgotten],
                None => vec![Answer::failure(&Error::HistoryNotFound)],
            },
        }
    }

    fn answer_to_save(&mut self, key: Key, save: &Save, now: DateTime<Utc>, actual: Option<&Answer>) -> Answer {
        let Some(duration) = self.durations.get(key.1) else { return Answer::failure(&Error::VideoNotFound) };
        let known = self.rows.remove(&key);
        let (row, applied) = apply_save(known.as_ref().map(|known| &known.row), save, now, *duration, &self.rules);
        let id = match (known, actual) {
            (Some(known), _) => known.id,
            (None, Some(Answer::Entry { entry, .. })) if !self.used_ids.contains(&entry.id) => entry.id,
            // No row has this id: there was no answer, or one with an id that was used before.
            (None, _) => 0,
        };
        self.used_ids.insert(id);
        self.rows.insert(key, KnownRow { id, row });
        Answer::Entry { entry: self.entry(key).unwrap(), applied: Some(applied) }
    }

    pub fn answer_to_find(&self, (viewer, video): Key) -> Answer {
        match self.entry((viewer, video)) {
            Some(entry) => Answer::Entry { entry, applied: None },
            None if video == VIDEOS => Answer::failure(&Error::VideoNotFound),
            None => Answer::failure(&Error::HistoryNotFound),
        }
    }

    fn entry(&self, (viewer, video): Key) -> Option<EntryFields> {
        let KnownRow { id, row } = self.rows.get(&(viewer, video))?;
        let duration = self.durations[video];
        Some(EntryFields {
            id: *id,
            viewer: self.viewers[viewer],
            video: self.videos[video],
            position: row.position,
            watched: row.watched,
            completed: row.completed,
            percentage: percentage(row.position, duration),
            resume_at: resume_at(row.position, duration, &self.rules),
            device: row.device.clone(),
            play_count: row.play_count,
            completed_at: row.completed_at,
            last_watched_at: row.last_watched_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    pub fn list(&self, viewer: usize, limit: u32) -> Vec<Item> {
        let rows = self.rows.iter().filter(|((of, _), _)| *of == viewer);
        let mut started = Vec::from_iter(rows.filter(|(_, known)| known.row.position > 0 && !known.row.completed));
        started.sort_by_key(|(_, known)| Reverse((known.row.last_watched_at, known.id)));
        let list = started.into_iter().take(limit as usize).map(|((_, video), KnownRow { row, .. })| Item {
            video: self.videos[*video],
            position: row.position,
            percentage: percentage(row.position, self.durations[*video]),
            resume_at: resume_at(row.position, self.durations[*video], &self.rules),
            device: row.device.clone(),
            play_count: row.play_count,
            last_watched_at: row.last_watched_at,
        });
        list.collect()
    }

    pub fn change_duration(&mut self, video: usize, duration: Option<i32>) {
        if self.durations[video] != duration {
            let rows = self.rows.iter_mut().filter(|((_, of), _)| *of == video);
            rows.for_each(|(_, known)| recompute_completed(&mut known.row, duration, &self.rules));
        }
        self.durations[video] = duration;
    }
}
