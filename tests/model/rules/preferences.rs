//! What a viewer wants kept, and for how long.

use super::{Row, Time, Viewer};
use chrono::TimeDelta;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Keeps {
    /// Positions and plays.
    #[default]
    All,
    /// No plays.
    Positions,
    /// Nothing new.
    Nothing,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Preferences {
    pub keeps: Keeps,
    /// Entries and plays that were last watched more days ago are not shown.
    pub retention_days: Option<i32>,
}

impl Viewer {
    /// Entries and plays that were last watched before this time are expired: they are not shown
    /// and not continued.
    pub fn cutoff(&self, now: Time) -> Option<Time> {
        self.preferences.retention_days.map(|days| now - TimeDelta::days(days.into()))
    }

    pub fn is_expired(&self, last_watched_at: Time, now: Time) -> bool {
        self.cutoff(now).is_some_and(|cutoff| last_watched_at < cutoff)
    }

    /// The entry of a video, unless it is expired.
    pub fn row(&self, video: usize, now: Time) -> Option<&Row> {
        self.rows.get(&video).filter(|row| !self.is_expired(row.last_watched_at, now))
    }

    pub fn row_mut(&mut self, video: usize, now: Time) -> Option<&mut Row> {
        let cutoff = self.cutoff(now);
        self.rows.get_mut(&video).filter(|row| cutoff.is_none_or(|cutoff| row.last_watched_at >= cutoff))
    }

    /// Deletes the entry of a video if it is expired. A new one may take its place.
    pub fn delete_expired(&mut self, video: usize, now: Time) {
        if self.row(video, now).is_none() {
            self.rows.remove(&video);
        }
    }
}
