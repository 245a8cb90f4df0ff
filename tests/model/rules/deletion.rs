//! Deletion: of entries, one, many, or all before a time, and of single plays. What was deleted
//! stays deleted: a save of a position from before is not taken.

use super::{Refusal, Time, Viewer};
use chrono::TimeDelta;

impl Viewer {
    /// Deletes the entry of a video with its plays, and remembers when. For the viewer, an expired
    /// entry is gone already; the sweep deletes it.
    pub fn forget(&mut self, video: usize, now: Time) -> Result<(), Refusal> {
        self.row(video, now).ok_or(Refusal::HistoryNotFound)?;
        self.rows.remove(&video);
        let forgotten_at = self.forgotten.entry(video).or_insert(now);
        *forgotten_at = now.max(*forgotten_at);
        Ok(())
    }

    /// Deletes the entries that were last watched before a time, and plays that ended before it.
    /// Without a time, it deletes all entries. Returns how many.
    pub fn clear(&mut self, before: Option<Time>, now: Time) -> usize {
        let newest = self.rows.values().map(|row| row.last_watched_at).max();
        let before =
            before.unwrap_or_else(|| newest.map_or(now, |newest| newest.max(now)) + TimeDelta::milliseconds(1));
        self.cleared_before = self.cleared_before.max(Some(before));
        let entries = self.rows.len();
        self.rows.retain(|_, row| row.last_watched_at >= before);
        for row in self.rows.values_mut() {
            row.ended.retain(|_, play| play.ended_at >= before);
        }
        entries - self.rows.len()
    }

    /// Whether a save is of a position from before a deletion, or of one that would be expired. A
    /// save of now never is.
    pub fn is_deleted(&self, video: usize, event: Time, arrival: Time) -> bool {
        let is_forgotten = self.forgotten.get(&video).is_some_and(|forgotten_at| event <= *forgotten_at);
        let is_cleared = self.cleared_before.is_some_and(|before| event < before);
        event < arrival && (is_forgotten || is_cleared || self.is_expired(event, arrival))
    }

    /// Deletes a play. The position of the entry stays.
    pub fn delete_play(&mut self, video: usize, number: i32, now: Time) -> Result<(), Refusal> {
        let play = self.find_play(video, number, now)?;
        let row = self.row_mut(video, now).ok_or(Refusal::PlayNotFound)?;
        if row.ended.remove(&number).is_none() {
            row.running = None;
        } else if number > row.play_number.max(row.ended.keys().max().copied().unwrap_or(0)) {
            // The number is given to no other play.
            row.play_number = number + i32::from(row.running.as_ref().is_some_and(|play| play.is_kept));
        }
        if play.completed {
            row.play_count -= i32::from(row.play_count > 0);
            row.completed_at = row.completed_at.filter(|_| row.play_count > 0);
            row.counted.retain(|session| Some(session) != play.session.as_ref());
        }
        row.updated_at = now;
        Ok(())
    }
}
