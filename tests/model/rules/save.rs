//! Saves: which ones are taken and applied, and what an applied save changes.

use super::play::Playing;
use super::preferences::Keeps;
use super::previous::Place;
use super::progress::{is_completed, known};
use super::{Row, Time, Viewer};
use chrono::TimeDelta;
use service::progress::ProgressRules;
use service::watch_history::Save;
use std::collections::BTreeMap;

/// What became of a save.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It changed nothing, and is answered without an entry.
    NotTaken,
    /// The entry has a newer position.
    Refused,
    Applied,
}

impl Viewer {
    /// Saves a position in a video of this duration.
    pub fn save(
        &mut self,
        video: usize,
        save: &Save,
        arrival: Time,
        duration: Option<i32>,
        rules: &ProgressRules,
    ) -> Outcome {
        // The player was there `age_ms` before the arrival; without an age, at the arrival.
        let event = arrival - TimeDelta::milliseconds(save.age_ms.unwrap_or(0));
        if self.preferences.keeps == Keeps::Nothing || self.is_deleted(video, event, arrival) {
            return Outcome::NotTaken;
        }
        self.delete_expired(video, arrival);
        // A position after the end is stored as the end.
        let position = known(duration).map_or(save.watch_position, |duration| save.watch_position.min(duration));
        let update = Update {
            save,
            position,
            completed: is_completed(position, duration, rules),
            event,
            arrival,
            playing: Playing {
                session: save.session_id.as_deref(),
                position,
                event,
                played_seconds: save.played_seconds,
                keeps_plays: self.preferences.keeps == Keeps::All,
                cutoff: self.cutoff(arrival),
            },
        };
        match self.rows.get_mut(&video) {
            None => {
                self.rows.insert(video, update.first_row());
                Outcome::Applied
            }
            Some(row) => update.meet(row, rules),
        }
    }
}

/// A save, and what follows from it for its video.
struct Update<'a> {
    save: &'a Save,
    position: i32,
    completed: bool,
    /// When the player was at the position.
    event: Time,
    arrival: Time,
    playing: Playing<'a>,
}

impl Update<'_> {
    fn first_row(&self) -> Row {
        let mut row = Row {
            id: 0,
            position: self.position,
            watched: self.save.watch_duration,
            completed: false,
            session: self.save.session_id.clone(),
            sequence: self.save.sequence,
            device: self.save.device.clone(),
            play_count: 0,
            completed_at: None,
            counted: Vec::new(),
            last_watched_at: self.event,
            hidden: false,
            hidden_until: None,
            previous: None,
            play_number: 0,
            play_has_session: false,
            running: None,
            ended: BTreeMap::new(),
            created_at: self.arrival,
            updated_at: self.arrival,
        };
        self.playing.begin(&mut row);
        self.complete(&mut row);
        row
    }

    /// The save meets an entry.
    fn meet(&self, row: &mut Row, rules: &ProgressRules) -> Outcome {
        if !self.is_failed_start(row, rules) && self.is_in_order(row) {
            self.apply(row);
            return Outcome::Applied;
        }
        // The position of another play that came too late is not lost: it can be offered.
        let is_late = !self.is_failed_start(row, rules) && !self.has_sequence_of(row);
        let place = Place { position: self.position, device: self.save.device.clone(), at: self.event };
        if is_late && self.playing.is_of_another_play(row) && row.offer(place) {
            row.updated_at = self.arrival;
        }
        Outcome::Refused
    }

    fn is_same_session(&self, row: &Row) -> bool {
        self.save.session_id.is_some() && self.save.session_id == row.session
    }

    /// Whether both are of one session and have a sequence.
    fn has_sequence_of(&self, row: &Row) -> bool {
        self.is_same_session(row) && self.save.sequence.is_some() && row.sequence.is_some()
    }

    fn is_in_order(&self, row: &Row) -> bool {
        if self.has_sequence_of(row) {
            // The sequence alone decides.
            return self.save.sequence > row.sequence;
        }
        // A save without an age is never too old. A time in the future counts as the arrival.
        self.save.age_ms.is_none() || self.event >= row.last_watched_at.min(self.arrival)
    }

    /// Whether a player may have failed to start, and would lose the position of another session.
    fn is_failed_start(&self, row: &Row, rules: &ProgressRules) -> bool {
        self.save.session_id.is_some()
            && !self.is_same_session(row)
            && row.position > rules.resume_min_seconds
            && self.position <= rules.resume_min_seconds
    }

    /// Whether the viewer chose to start over.
    fn is_start_over(&self) -> bool {
        self.save.session_id.is_none() && self.save.watch_position == 0
    }

    fn apply(&self, row: &mut Row) {
        let (save, before) = (self.save, row.clone());
        if self.is_start_over() || self.playing.is_of_another_play(row) {
            row.give_up_for(self.position);
        }
        self.playing.go_on(row);
        // The player shows the video: the entry is back.
        if self.position != row.position {
            row.show();
        }
        (row.position, row.device) = (self.position, save.device.clone());
        // The time watched never shrinks.
        row.watched = row.watched.max(save.watch_duration);
        // A save without a session leaves the session and the sequence as they are.
        if let Some(session) = &save.session_id {
            // Within a session, a save without a sequence leaves the sequence.
            row.sequence = if self.is_same_session(row) { save.sequence.or(row.sequence) } else { save.sequence };
            row.session = Some(session.clone());
        }
        self.complete(row);
        row.last_watched_at = row.last_watched_at.max(self.event);
        // A save that is sent again changes nothing, `updated_at` included.
        if *row != before || self.event != row.last_watched_at {
            row.updated_at = self.arrival;
        }
    }

    /// The step from not completed to completed is counted, at most once per session.
    fn complete(&self, row: &mut Row) {
        let was_completed = std::mem::replace(&mut row.completed, self.completed);
        let counted_before = self.save.session_id.as_ref().is_some_and(|session| row.counted.contains(session));
        if self.completed && !was_completed && !counted_before {
            row.play_count += 1;
            row.completed_at = Some(self.event);
            row.counted.splice(0..0, self.save.session_id.clone());
            row.running.iter_mut().for_each(|play| play.completed = true);
        }
    }
}
