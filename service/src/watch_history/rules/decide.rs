//! The decision of a save: whether it is taken, whether it is applied, and what it changes.

use super::new_entry::new_entry;
use super::play::{begin_play, close_play, continues_play, count_watched, is_of_last_play, reopen_play, reopens_play};
use super::position::{give_up_position, is_far, show, watch_at};
use super::refusal::{Refusal, refusal};
use crate::plays::PlayId;
use crate::progress::ProgressRules;
use crate::watch_history::save::SaveCommand;
use chrono::{DateTime, Utc};
use entity::play;
use entity::user::HistoryMode;
use entity::watch_history::Model;

/// What is stored when a save arrives, as far as it matters for the save.
#[derive(Debug)]
pub(in crate::watch_history) struct StoredState {
    /// What is kept of what the viewer watches.
    pub(in crate::watch_history) mode: HistoryMode,
    /// The duration of the video.
    pub(in crate::watch_history) duration: Option<i32>,
    /// Entries that were last watched before it are expired.
    pub(in crate::watch_history) cutoff: Option<DateTime<Utc>>,
    /// The time before which the viewer cleared the history.
    pub(in crate::watch_history) cleared_before: Option<DateTime<Utc>>,
    /// When the viewer deleted the entry of this video. Only a save that has an age needs it.
    pub(in crate::watch_history) forgotten_at: Option<DateTime<Utc>>,
    /// The transaction that wrote the entry last, on PostgreSQL.
    pub(in crate::watch_history) version: Option<i64>,
    /// The entry.
    pub(in crate::watch_history) entry: Option<Model>,
    /// The last ended play of the save's session; for a save without one, the last play without
    /// one. [`needs_ended_plays`] tells whether it matters.
    pub(in crate::watch_history) ended_play: Option<play::Model>,
    /// The greatest number of the entry's ended plays.
    pub(in crate::watch_history) last_number: Option<i32>,
}

/// What a save does. The statements that write it are executed in the order of the fields.
#[derive(Debug)]
pub(in crate::watch_history) struct Decision {
    /// The expired entry that is deleted before a new one is inserted.
    pub(in crate::watch_history) expired: Option<i64>,
    /// The ended play that goes on: its row is deleted.
    pub(in crate::watch_history) reopened: Option<PlayId>,
    /// The play that ends: its row is inserted.
    pub(in crate::watch_history) closed: Option<play::Model>,
    /// How the entry is written.
    pub(in crate::watch_history) write: EntryWrite,
    /// The entry afterwards. Its id is 0 until it is inserted.
    pub(in crate::watch_history) entry: Model,
    /// Whether the save was applied.
    pub(in crate::watch_history) applied: bool,
}

impl Decision {
    /// Whether at most one row is written.
    pub(in crate::watch_history) fn is_one_write(&self) -> bool {
        self.expired.is_none() && self.reopened.is_none() && self.closed.is_none()
    }
}

/// How an entry is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::watch_history) enum EntryWrite {
    /// Nothing changes.
    Skip,
    Insert,
    /// Only columns of [`HEARTBEAT`](crate::watch_history::statements::HEARTBEAT) change.
    Heartbeat,
    Update,
}

/// Decides about a save; `None` if it is not taken: it is older than a deletion, or the viewer
/// keeps no history.
pub(in crate::watch_history) fn decide(
    state: StoredState,
    save: &SaveCommand,
    rules: &ProgressRules,
) -> Option<Decision> {
    if state.mode == HistoryMode::Off || (save.has_age() && is_from_before_deletion(&state, save)) {
        return None;
    }
    let position = within_video(save.watch_position, state.duration);
    let candidate = TakenSave {
        save,
        position,
        completed: rules.is_completed(position, state.duration),
        keeps_plays: state.mode == HistoryMode::On,
        cutoff: state.cutoff,
    };
    Some(match state.entry {
        None => candidate.insert(None),
        Some(entry) if is_expired(&entry, state.cutoff) => candidate.insert(Some(entry.id)),
        Some(entry) => match refusal(&entry, save, position, rules) {
            Some(refusal) => candidate.refuse(entry, state.ended_play.as_ref(), &refusal),
            None => candidate.apply(entry, state.ended_play, state.last_number),
        },
    })
}

/// Whether [`decide`] needs the ended plays of the entry: the save does not go on with the running
/// play.
pub(in crate::watch_history) fn needs_ended_plays(state: &StoredState, save: &SaveCommand) -> bool {
    let continues = |entry: &Model| continues_play(entry, save, true);
    let entry = state.entry.as_ref().filter(|entry| !is_expired(entry, state.cutoff));
    state.mode == HistoryMode::On && entry.is_some_and(|entry| entry.play_number > 0 && !continues(entry))
}

/// The position, or the duration of the video if that is less.
fn within_video(position: i32, duration: Option<i32>) -> i32 {
    duration.filter(|duration| *duration > 0).map_or(position, |duration| position.min(duration))
}

/// Whether the player was at the position before the viewer deleted the entry or had it expire.
fn is_from_before_deletion(state: &StoredState, save: &SaveCommand) -> bool {
    let event = save.last_watched_at;
    state.forgotten_at.is_some_and(|forgotten_at| forgotten_at >= event)
        || state.cleared_before.is_some_and(|before| event < before)
        || state.cutoff.is_some_and(|cutoff| event < cutoff)
}

/// Whether an entry has expired.
pub(in crate::watch_history) fn is_expired(entry: &Model, cutoff: Option<DateTime<Utc>>) -> bool {
    cutoff.is_some_and(|cutoff| entry.last_watched_at < cutoff)
}

/// A save that is taken, and what the rules need beside it.
struct TakenSave<'a> {
    save: &'a SaveCommand,
    position: i32,
    completed: bool,
    keeps_plays: bool,
    /// Plays that ended before it have expired.
    cutoff: Option<DateTime<Utc>>,
}

impl TakenSave<'_> {
    fn insert(&self, expired: Option<i64>) -> Decision {
        let mut entry = new_entry(self.save);
        let is_counted = self.count_completion(&mut entry);
        begin_play(&mut entry, self.save, self.position, self.keeps_plays.then_some(1));
        entry.play_completed = is_counted;
        self.move_entry(&mut entry);
        Decision { expired, reopened: None, closed: None, write: EntryWrite::Insert, entry, applied: true }
    }

    /// The position of a late save of another play is kept as the previous one, if it is far from
    /// the entry's position and newer than the stored previous one.
    fn refuse(&self, mut entry: Model, ended_play: Option<&play::Model>, refusal: &Refusal) -> Decision {
        let Self { save, position, .. } = *self;
        let event = save.last_watched_at;
        let offers_position = matches!(refusal, Refusal::Older)
            && is_far(entry.watch_position, position)
            && entry.previous_at.is_none_or(|at| at < event)
            && !self.is_of_last_play(&entry, ended_play);
        if offers_position {
            entry.previous_position = Some(position);
            entry.previous_device.clone_from(&save.device);
            entry.previous_at = Some(event);
            entry.updated_at = save.updated_at;
        }
        let write = if offers_position { EntryWrite::Update } else { EntryWrite::Skip };
        Decision { expired: None, reopened: None, closed: None, write, entry, applied: false }
    }

    /// Whether the save belongs to the entry's last play. If that play has ended and neither has a
    /// session, the end of the play is compared, because an undo or a mark changes the entry's
    /// time.
    fn is_of_last_play(&self, entry: &Model, ended_play: Option<&play::Model>) -> bool {
        let session = self.save.player_session.as_deref();
        let has_ended = |ended: &&play::Model| entry.play_started_at.is_none() && ended.number == entry.play_number;
        match ended_play.filter(|_| self.keeps_plays && session.is_none()).filter(has_ended) {
            Some(ended) => !entry.play_has_session && reopens_play(ended, self.save),
            None => is_of_last_play(entry, session, self.save.last_watched_at),
        }
    }

    fn apply(&self, before: Model, ended_play: Option<play::Model>, last_number: Option<i32>) -> Decision {
        let (save, position) = (self.save, self.position);
        let mut entry = before.clone();
        let starts_over = save.player_session.is_none() && position == 0;
        if starts_over || !self.is_of_last_play(&before, ended_play.as_ref()) {
            give_up_position(&mut entry, position);
        }
        let is_counted = self.count_completion(&mut entry);
        let (reopened, closed) = self.change_play(&mut entry, ended_play, last_number);
        entry.play_completed |= is_counted;
        if position != before.watch_position {
            show(&mut entry);
        }
        self.move_entry(&mut entry);
        if entry != before || save.last_watched_at != before.last_watched_at {
            entry.updated_at = save.updated_at;
        }
        let write = if entry == before {
            EntryWrite::Skip
        } else if is_heartbeat(&before, &entry) {
            EntryWrite::Heartbeat
        } else {
            EntryWrite::Update
        };
        Decision { expired: None, reopened, closed, write, entry, applied: true }
    }

    /// Goes on with the running play, or closes it and reopens or begins another one. Returns the
    /// reopened play and the closed one.
    fn change_play(
        &self,
        entry: &mut Model,
        ended_play: Option<play::Model>,
        last_number: Option<i32>,
    ) -> (Option<PlayId>, Option<play::Model>) {
        let (save, position) = (self.save, self.position);
        let last_save = (entry.watch_position, entry.last_watched_at);
        if continues_play(entry, save, self.keeps_plays) {
            count_watched(entry, save, position, last_save);
            return (None, None);
        }
        let is_kept =
            |ended: &play::Model| self.keeps_plays && self.cutoff.is_none_or(|cutoff| ended.ended_at >= cutoff);
        if let Some(ended) = ended_play.filter(is_kept).filter(|ended| reopens_play(ended, save)) {
            let closed = close_play(entry);
            reopen_play(entry, &ended);
            count_watched(entry, save, position, (ended.end_position, ended.ended_at));
            return (Some(PlayId { entry_id: entry.id, number: ended.number }), closed);
        }
        let number = entry.play_number.max(last_number.unwrap_or_default()) + 1;
        let has_number = number <= PlayId::MAX_NUMBER;
        if self.keeps_plays && !has_number && entry.play_is_kept {
            // The numbers have run out: the running play goes on with another session.
            entry.play_has_session = save.player_session.is_some();
            count_watched(entry, save, position, last_save);
            return (None, None);
        }
        let closed = close_play(entry);
        begin_play(entry, save, position, (self.keeps_plays && has_number).then_some(number));
        (None, closed)
    }

    /// Counts a completion, unless its session is one of those counted last. Returns whether it was
    /// counted.
    fn count_completion(&self, entry: &mut Model) -> bool {
        let counted = entry.counted_sessions.clone().unwrap_or_default();
        let session = self.save.player_session.as_ref().map(|session| format!("{session} "));
        let was_counted = |session: &String| format!(" {counted}").contains(&format!(" {session}"));
        if !self.completed || entry.completed || session.as_ref().is_some_and(was_counted) {
            return false;
        }
        entry.play_count += 1;
        entry.completed_at = Some(self.save.last_watched_at);
        if session.is_some() || entry.counted_sessions.is_some() {
            let counted = session.unwrap_or_default() + &counted;
            entry.counted_sessions = Some(counted.chars().take(COUNTED_SESSIONS_LENGTH).collect());
        }
        true
    }

    /// The columns that each applied save sets.
    fn move_entry(&self, entry: &mut Model) {
        let save = self.save;
        entry.watch_position = self.position;
        entry.watch_duration = entry.watch_duration.max(save.watch_duration);
        entry.completed = self.completed;
        entry.device.clone_from(&save.device);
        // The entry keeps its session if the save has none, and its number if the save has none.
        if let Some(session) = &save.player_session {
            let stored = entry.sequence.filter(|_| entry.player_session.as_ref() == Some(session));
            entry.sequence = save.sequence.or(stored);
            entry.player_session = Some(session.clone());
        }
        watch_at(entry, save.last_watched_at);
    }
}

/// The length of the column `counted_sessions`, in characters.
pub(in crate::watch_history) const COUNTED_SESSIONS_LENGTH: usize = 1040;

/// Whether no column changes but those of a heartbeat.
fn is_heartbeat(before: &Model, after: &Model) -> bool {
    let Model { watch_position, watch_duration, sequence, last_watched_at, play_watched_ms, updated_at, .. } = *after;
    let moved = Model {
        watch_position,
        watch_duration,
        sequence,
        last_watched_at,
        play_watched_ms,
        updated_at,
        device: after.device.clone(),
        ..before.clone()
    };
    moved == *after
}
