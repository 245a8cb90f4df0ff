//! Edits of an entry that are no saves: undo, hide and show, mark and unmark, the resume of a play.

use super::progress::{is_completed, known};
use super::{Refusal, Row, Time, Viewer};
use service::progress::ProgressRules;
use std::collections::BTreeMap;

impl Row {
    /// Swaps the position and `previous`.
    pub fn undo(&mut self, duration: Option<i32>, rules: &ProgressRules, now: Time) -> Result<(), Refusal> {
        let back = self.previous.clone().ok_or(Refusal::NothingToUndo)?;
        let before = self.clone();
        self.close_play();
        self.previous = Some(self.place());
        self.go_to(back.position, back.device, duration, rules, now);
        self.note_change(&before, now);
        Ok(())
    }

    /// Moves the position without a save. No play is made up, and none is counted.
    fn go_to(
        &mut self,
        position: i32,
        device: Option<String>,
        duration: Option<i32>,
        rules: &ProgressRules,
        now: Time,
    ) {
        (self.position, self.device) = (position, device);
        self.completed = is_completed(position, duration, rules);
        self.last_watched_at = self.last_watched_at.max(now);
    }

    /// An edit that changes nothing leaves no trace. Returns whether something changed.
    fn note_change(&mut self, before: &Self, now: Time) -> bool {
        let is_changed = self != before;
        if is_changed {
            self.updated_at = now;
        }
        is_changed
    }

    /// Takes the entry off "continue watching", until a save moves the position or until a time.
    pub fn hide(&mut self, until: Option<Time>, now: Time) {
        let before = self.clone();
        (self.hidden, self.hidden_until) = (true, until);
        self.note_change(&before, now);
    }

    /// Shows the entry on "continue watching" again.
    pub fn unhide(&mut self, now: Time) {
        let before = self.clone();
        self.show();
        self.note_change(&before, now);
    }

    /// The entry counts as watched at least once, and its position is the end, if that is known.
    /// Returns whether anything changed.
    pub fn mark(&mut self, watched_at: Time, duration: Option<i32>, now: Time) -> bool {
        let end = known(duration).unwrap_or(self.position);
        if self.completed && self.play_count > 0 && self.position == end {
            return false;
        }
        self.move_to(end);
        self.completed = true;
        if self.play_count == 0 {
            (self.play_count, self.completed_at) = (1, Some(watched_at));
        }
        self.last_watched_at = self.last_watched_at.max(watched_at);
        self.updated_at = now;
        true
    }

    /// The entry was never watched to the end. A position at the end goes back to the start.
    /// Returns whether anything changed.
    pub fn unmark(&mut self, now: Time) -> bool {
        let before = self.clone();
        if self.completed {
            self.move_to(0);
        }
        self.completed = false;
        (self.play_count, self.completed_at) = (0, None);
        self.counted.clear();
        self.running.iter_mut().for_each(|play| play.completed = false);
        self.ended.values_mut().for_each(|play| play.completed = false);
        self.note_change(&before, now)
    }

    /// A mark moves the position: the running play ends where it was.
    fn move_to(&mut self, position: i32) {
        if position != self.position {
            self.close_play();
        }
        self.give_up_for(position);
        self.position = position;
    }
}

impl Viewer {
    /// Goes to where a play ended, as a deliberate save of now.
    pub fn resume_play(
        &mut self,
        (video, number): (usize, i32),
        duration: Option<i32>,
        rules: &ProgressRules,
        now: Time,
    ) -> Result<(), Refusal> {
        self.find_play(video, number, now)?;
        let row = self.row_mut(video, now).ok_or(Refusal::PlayNotFound)?;
        let before = row.clone();
        row.close_play();
        let play = row.ended[&number].clone();
        row.give_up_for(play.end_position);
        row.go_to(play.end_position, play.device, duration, rules, now);
        row.show();
        row.note_change(&before, now);
        Ok(())
    }

    /// Marks a video as watched. Without an entry, one is made that has no play. Returns whether
    /// anything changed.
    pub fn mark(&mut self, video: usize, watched_at: Time, duration: Option<i32>, now: Time) -> bool {
        self.delete_expired(video, now);
        if let Some(row) = self.rows.get_mut(&video) {
            return row.mark(watched_at, duration, now);
        }
        let row = Row {
            id: 0,
            position: known(duration).unwrap_or(0),
            watched: 0,
            completed: true,
            session: None,
            sequence: None,
            device: None,
            play_count: 1,
            completed_at: Some(watched_at),
            counted: Vec::new(),
            last_watched_at: watched_at,
            hidden: false,
            hidden_until: None,
            previous: None,
            play_number: 0,
            play_has_session: false,
            running: None,
            ended: BTreeMap::new(),
            created_at: now,
            updated_at: now,
        };
        self.rows.insert(video, row);
        true
    }
}
