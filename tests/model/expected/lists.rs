//! The lists that a viewer reads.

use super::Expected;
use crate::answer::{EntryFields, Item, PlayFields};
use crate::rules::progress::{percentage, resume_at};
use crate::rules::{Row, Time};
use crate::story::State;
use chrono::TimeDelta;
use service::plays::PlayId;
use std::cmp::Reverse;
use std::collections::BTreeSet;

impl Expected {
    /// The entries of a viewer that are not expired.
    fn rows(&self, viewer: usize, now: Time) -> impl Iterator<Item = (usize, &Row)> {
        let viewer = &self.viewers[viewer];
        viewer.rows.keys().filter_map(move |video| Some((*video, viewer.row(*video, now)?)))
    }

    /// The ids of the videos whose entries have expired and are not deleted yet.
    pub fn expired(&self, viewer: usize, now: Time) -> BTreeSet<i64> {
        let viewer = &self.viewers[viewer];
        let expired = viewer.rows.keys().filter(|video| viewer.row(**video, now).is_none());
        expired.map(|video| self.video_ids[*video]).collect()
    }

    /// The videos that are started, not completed and not hidden, the last watched one first.
    pub fn continue_watching(&self, viewer: usize, limit: u32, max_age_days: Option<i32>, now: Time) -> Vec<Item> {
        let oldest = max_age_days.map(|days| now - TimeDelta::days(days.into()));
        let mut started = Vec::from_iter(self.rows(viewer, now).filter(|(_, row)| {
            let is_recent = oldest.is_none_or(|oldest| row.last_watched_at >= oldest);
            row.position > 0 && !row.completed && !row.is_hidden(now) && is_recent
        }));
        started.sort_by_key(|(_, row)| Reverse((row.last_watched_at, row.id)));
        let list = started.into_iter().take(limit as usize).map(|(video, row)| Item {
            video: self.video_ids[video],
            position: row.position,
            percentage: percentage(row.position, self.durations[video]),
            resume_at: resume_at(row.position, self.durations[video], &self.rules),
            device: row.device.clone(),
            play_count: row.play_count,
            previous: row.previous.clone().map(|place| (place.position, place.device, place.at)),
            last_watched_at: row.last_watched_at,
        });
        list.collect()
    }

    /// The entries in a state, hidden ones too, the last watched or last completed one first.
    pub fn history(&self, viewer: usize, state: State, now: Time) -> Vec<EntryFields> {
        let mut rows = Vec::from_iter(self.rows(viewer, now).filter(|(_, row)| match state {
            State::All => true,
            State::InProgress => !row.completed && row.position > 0,
            State::Completed => row.play_count > 0,
        }));
        rows.sort_by_key(|(_, row)| {
            let time = if state == State::Completed { row.completed_at } else { Some(row.last_watched_at) };
            Reverse((time, row.id))
        });
        rows.into_iter().map(|(video, row)| self.entry((viewer, video), row, now)).collect()
    }

    /// The plays of a viewer, of one video or of all, the last begun one first.
    pub fn plays(&self, viewer: usize, of_video: Option<usize>, now: Time) -> Vec<PlayFields> {
        let rows = self.rows(viewer, now).filter(|(video, _)| of_video.is_none_or(|of| of == *video));
        let plays = rows.flat_map(|(video, row)| row.plays().into_iter().map(move |play| (video, row, play)));
        let shown = plays.filter(|(_, _, (_, play))| !self.viewers[viewer].is_expired(play.ended_at, now));
        let mut list = Vec::from_iter(shown.map(|(video, row, (number, play))| PlayFields {
            id: PlayId { entry_id: row.id, number }.encode(),
            video: self.video_ids[video],
            device: play.device,
            started_at: play.started_at,
            ended_at: play.ended_at,
            start_position: play.start_position,
            end_position: play.end_position,
            watched_seconds: play.watched_ms / 1000,
            completed: play.completed,
        }));
        list.sort_by_key(|play| Reverse((play.started_at, play.id)));
        list
    }
}
