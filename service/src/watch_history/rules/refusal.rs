//! Why a save is not applied.

use crate::progress::ProgressRules;
use crate::watch_history::save::SaveCommand;
use entity::watch_history::Model;

/// Why a save is not applied.
pub(super) enum Refusal {
    /// An earlier save of the same session by its number.
    EarlierNumber,
    /// The entry was watched later.
    Older,
    /// The player may have failed to start, and would lose the position of another session.
    FailedStart,
}

/// Within one session the sequence alone decides. Otherwise the later event time wins. A save
/// without an age is never older, even if the entry's time is later: it may come from another
/// server's clock.
pub(super) fn refusal(entry: &Model, save: &SaveCommand, position: i32, rules: &ProgressRules) -> Option<Refusal> {
    let is_same_session = save.player_session.is_some() && save.player_session == entry.player_session;
    if !is_same_session
        && save.player_session.is_some()
        && entry.watch_position > rules.resume_min_seconds
        && position <= rules.resume_min_seconds
    {
        return Some(Refusal::FailedStart);
    }
    match (save.sequence, entry.sequence) {
        (Some(new), Some(stored)) if is_same_session => (new <= stored).then_some(Refusal::EarlierNumber),
        _ => (save.has_age() && save.last_watched_at < entry.last_watched_at).then_some(Refusal::Older),
    }
}
