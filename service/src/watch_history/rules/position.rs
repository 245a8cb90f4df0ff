//! The position of an entry: the one that was given up, when it was reached, and whether the entry
//! is hidden.

use chrono::{DateTime, Utc};
use entity::watch_history::Model;

/// A move of more seconds than this is far: the position before it is kept as the previous one.
pub(in crate::watch_history) const FAR: i32 = 30;

/// Whether a move from one position to the other is far.
pub(in crate::watch_history) fn is_far(one: i32, other: i32) -> bool {
    one.abs_diff(other) > FAR.unsigned_abs()
}

/// Keeps the position of the entry as the previous one if a move to `position` is far. Call it
/// before the entry changes.
pub(crate) fn give_up_position(entry: &mut Model, position: i32) {
    if is_far(entry.watch_position, position) {
        entry.previous_position = Some(entry.watch_position);
        entry.previous_device.clone_from(&entry.device);
        entry.previous_at = Some(entry.last_watched_at);
    }
}

/// Whether an entry with these columns is off "continue watching" at the time `now`.
pub(crate) fn is_hidden(hidden: bool, hidden_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    hidden && hidden_until.is_none_or(|until| until > now)
}

/// Brings the entry back to "continue watching".
pub(crate) fn show(entry: &mut Model) {
    entry.hidden = false;
    entry.hidden_until = None;
}

/// Sets the time of the position, which never goes back.
pub(crate) fn watch_at(entry: &mut Model, time: DateTime<Utc>) {
    entry.last_watched_at = entry.last_watched_at.max(time);
    entry.watched_hour = entry.watched_hour.max(hour_of(time));
}

/// The hours from 1970 to this time.
pub(crate) fn hour_of(time: DateTime<Utc>) -> i32 {
    i32::try_from(time.timestamp().div_euclid(3600)).unwrap_or(i32::MAX)
}
