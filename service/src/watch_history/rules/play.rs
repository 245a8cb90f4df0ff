//! The running play of an entry: how it begins, goes on, ends, and goes on after its end.

use crate::watch_history::save::SaveCommand;
use chrono::{DateTime, TimeDelta, Utc};
use entity::play;
use entity::watch_history::Model;
use std::mem::take;

/// Saves without a player session begin another play after this time.
pub(in crate::watch_history) const NEW_PLAY_AFTER: TimeDelta = TimeDelta::minutes(30);
/// The most time that counts as watched between two saves that do not report it.
pub(in crate::watch_history) const MAX_UNREPORTED_STEP: TimeDelta = TimeDelta::seconds(30);
/// By how much the time watched may exceed the time since the start of the play: the clocks of
/// players and the arrival of saves are not exact.
pub(in crate::watch_history) const WATCHED_SLACK: TimeDelta = TimeDelta::seconds(10);

/// Whether a save of this player session, or without one, belongs to the entry's last play, running
/// or ended. Saves without a session belong to one play until half an hour passes without a save.
pub(in crate::watch_history) fn is_of_last_play(entry: &Model, session: Option<&str>, event: DateTime<Utc>) -> bool {
    match session {
        Some(session) => entry.play_has_session && entry.player_session.as_deref() == Some(session),
        None => !entry.play_has_session && event - entry.last_watched_at < NEW_PLAY_AFTER,
    }
}

/// Ends the running play. The caller inserts the returned row. There is none if no play runs, or if
/// the viewer keeps no plays.
#[must_use]
pub(crate) fn close_play(entry: &mut Model) -> Option<play::Model> {
    let (started_at, is_kept) = (entry.play_started_at.take(), take(&mut entry.play_is_kept));
    let (watched_ms, completed) = (take(&mut entry.play_watched_ms), take(&mut entry.play_completed));
    let started_at = started_at.filter(|_| is_kept)?;
    Some(play::Model {
        entry_id: entry.id,
        number: entry.play_number,
        user_id: entry.user_id,
        player_session: entry.player_session.clone().filter(|_| entry.play_has_session),
        device: entry.device.clone(),
        started_at,
        ended_at: entry.last_watched_at,
        start_position: entry.play_start_position,
        end_position: entry.watch_position,
        watched_ms,
        completed,
    })
}

/// Whether the save goes on with the running play. It does not when plays were kept and are not
/// kept any more, or the reverse.
pub(super) fn continues_play(entry: &Model, save: &SaveCommand, keeps_plays: bool) -> bool {
    entry.play_started_at.is_some()
        && entry.play_is_kept == keeps_plays
        && is_of_last_play(entry, save.player_session.as_deref(), save.last_watched_at)
}

/// Whether the save goes on with a play that has ended. The play is the last one of the save's
/// session, or the last one without a session.
pub(super) fn reopens_play(ended: &play::Model, save: &SaveCommand) -> bool {
    save.player_session == ended.player_session
        && (save.player_session.is_some() || save.last_watched_at - ended.ended_at < NEW_PLAY_AFTER)
}

/// Begins a play at the position of the save, and closes none: call [`close_play`] before.
pub(super) fn begin_play(entry: &mut Model, save: &SaveCommand, position: i32, number: Option<i32>) {
    entry.play_number = number.unwrap_or(entry.play_number);
    entry.play_is_kept = number.is_some();
    entry.play_has_session = save.player_session.is_some();
    entry.play_started_at = Some(save.last_watched_at);
    entry.play_start_position = position;
    entry.play_watched_ms = save.played_ms().unwrap_or_default().min(WATCHED_SLACK.num_milliseconds());
    entry.play_completed = false;
}

/// Makes an ended play the running one again; the caller deletes its row.
pub(super) fn reopen_play(entry: &mut Model, ended: &play::Model) {
    entry.play_number = ended.number;
    entry.play_is_kept = true;
    entry.play_has_session = ended.player_session.is_some();
    entry.play_started_at = Some(ended.started_at);
    entry.play_start_position = ended.start_position;
    entry.play_watched_ms = ended.watched_ms;
    entry.play_completed = ended.completed;
}

/// Counts the time watched until this save. `last_save` is the position and the time of the play's
/// last save. What a player reports counts, but no more than the time since the start. Without a
/// report, the time between two saves counts if the position moved.
pub(super) fn count_watched(entry: &mut Model, save: &SaveCommand, position: i32, last_save: (i32, DateTime<Utc>)) {
    let Some(started_at) = entry.play_started_at else { return };
    let (last_position, last_time) = last_save;
    let step = (save.last_watched_at - last_time).clamp(TimeDelta::zero(), MAX_UNREPORTED_STEP);
    let watched_ms = match save.played_ms() {
        Some(played_ms) => played_ms,
        None if position != last_position => entry.play_watched_ms + step.num_milliseconds(),
        None => entry.play_watched_ms,
    };
    let limit = (save.last_watched_at - started_at + WATCHED_SLACK).num_milliseconds();
    entry.play_watched_ms = entry.play_watched_ms.max(watched_ms.min(limit));
}
