//! The rules of saving, written a second time: in memory, and without any of the tested code.

use chrono::{DateTime, TimeDelta, Utc};
use service::progress::ProgressRules;
use service::watch_history::Save;
use std::collections::BTreeSet;

/// The row of one viewer and one video, as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub position: i32,
    pub watched: i32,
    pub completed: bool,
    pub session: Option<String>,
    pub sequence: Option<i32>,
    pub device: Option<String>,
    pub play_count: i32,
    pub completed_at: Option<DateTime<Utc>>,
    /// The sessions that `play_count` was incremented by.
    pub counted: BTreeSet<String>,
    pub last_watched_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The row after a save, and whether the save was applied.
pub fn apply_save(
    row: Option<&Row>,
    save: &Save,
    arrival: DateTime<Utc>,
    duration: Option<i32>,
    rules: &ProgressRules,
) -> (Row, bool) {
    // A position beyond the duration is stored as the duration; a duration of 0 is none.
    let position = match duration {
        Some(duration) if duration > 0 => save.watch_position.min(duration),
        _ => save.watch_position,
    };
    let watched = Watched {
        save,
        position,
        completed: is_completed(position, duration, rules),
        // The player was there `age_ms` before the arrival; without an age, at the arrival.
        event: arrival - TimeDelta::milliseconds(save.age_ms.unwrap_or(0)),
        arrival,
    };
    match row {
        None => (watched.first_row(), true),
        Some(row) if watched.is_in_order(row) && !watched.is_failed_start(row, rules) => (watched.next_row(row), true),
        Some(row) => (row.clone(), false),
    }
}

/// A save, and what follows from it for its video.
struct Watched<'a> {
    save: &'a Save,
    position: i32,
    completed: bool,
    /// When the player was at the position.
    event: DateTime<Utc>,
    arrival: DateTime<Utc>,
}

impl Watched<'_> {
    fn first_row(&self) -> Row {
        Row {
            position: self.position,
            watched: self.save.watch_duration,
            completed: self.completed,
            session: self.save.session_id.clone(),
            sequence: self.save.sequence,
            device: self.save.device.clone(),
            play_count: i32::from(self.completed),
            completed_at: self.completed.then_some(self.event),
            counted: self.save.session_id.iter().filter(|_| self.completed).cloned().collect(),
            last_watched_at: self.event,
            created_at: self.arrival,
            updated_at: self.arrival,
        }
    }

    fn is_same_session(&self, row: &Row) -> bool {
        self.save.session_id.is_some() && self.save.session_id == row.session
    }

    fn is_in_order(&self, row: &Row) -> bool {
        match (self.is_same_session(row), self.save.sequence, row.sequence) {
            // Both of one session, and both have a sequence: the sequence alone decides.
            (true, Some(new), Some(stored)) => new > stored,
            // A save without an age is never too old.
            _ if self.save.age_ms.is_none() => true,
            // A time in the future counts as the arrival.
            _ => self.event >= row.last_watched_at.min(self.arrival),
        }
    }

    fn is_failed_start(&self, row: &Row, rules: &ProgressRules) -> bool {
        self.save.session_id.is_some()
            && !self.is_same_session(row)
            && row.position > rules.resume_min_seconds
            && self.position <= rules.resume_min_seconds
    }

    fn next_row(&self, row: &Row) -> Row {
        let (save, completed) = (self.save, self.completed);
        let mut next = Row { position: self.position, completed, device: save.device.clone(), ..row.clone() };
        // The time watched never shrinks.
        next.watched = row.watched.max(save.watch_duration);
        // A save without a session leaves the session and the sequence as they are.
        if let Some(session) = &save.session_id {
            // Within a session, a save without a sequence leaves the sequence.
            next.sequence = if self.is_same_session(row) { save.sequence.or(row.sequence) } else { save.sequence };
            next.session = Some(session.clone());
        }
        // The step from not completed to completed is counted, at most once per session.
        let counted_before = save.session_id.as_ref().is_some_and(|session| row.counted.contains(session));
        if completed && !row.completed && !counted_before {
            next.play_count += 1;
            next.completed_at = Some(self.event);
            next.counted.extend(save.session_id.clone());
        }
        next.last_watched_at = row.last_watched_at.max(self.event);
        // A save that is sent again changes nothing, `updated_at` included.
        if next != *row || self.event != row.last_watched_at {
            next.updated_at = self.arrival;
        }
        next
    }
}

/// Applies a new duration to a row. That is no new play, but a completed video was watched once.
pub fn recompute_completed(row: &mut Row, duration: Option<i32>, rules: &ProgressRules) {
    let was_completed = std::mem::replace(&mut row.completed, is_completed(row.position, duration, rules));
    if row.completed && !was_completed && row.play_count == 0 {
        row.play_count = 1;
        row.completed_at = Some(row.last_watched_at);
        row.counted.extend(row.session.clone());
    }
}

/// Whether the position is at or after the completed share of the duration, or in the last second.
pub fn is_completed(position: i32, duration: Option<i32>, rules: &ProgressRules) -> bool {
    match duration {
        Some(duration) if duration > 0 => {
            100 * i64::from(position) >= i64::from(rules.completed_percent) * i64::from(duration)
                || is_last_second(position, duration)
        }
        _ => false,
    }
}

/// The second before the duration, and later; never the start.
fn is_last_second(position: i32, duration: i32) -> bool {
    position >= i32::max(duration - 1, 1)
}

/// The position in percent of the duration, from 0 to 100; 0 without a duration.
pub fn percentage(position: i32, duration: Option<i32>) -> f64 {
    match duration {
        Some(duration) if duration > 0 => f64::min(100.0 * f64::from(position) / f64::from(duration), 100.0),
        _ => 0.0,
    }
}

/// Where a player starts: at the position, unless that is near the start or the end.
pub fn resume_at(position: i32, duration: Option<i32>, rules: &ProgressRules) -> i32 {
    let near_the_start = position <= rules.resume_min_seconds;
    let near_the_end = percentage(position, duration) >= f64::from(rules.resume_max_percent)
        || duration.is_some_and(|duration| duration > 0 && is_last_second(position, duration));
    if near_the_start || near_the_end { 0 } else { position }
}
