//! The rules of an entry in plain Rust: what a save does to it ([`decide`]), and the steps that
//! deliberate changes share with saves.
//!
//! Each deliberate change of a position, such as an undo, takes these steps: [`close_play`],
//! [`give_up_position`], the new position, and [`watch_at`]. PostgreSQL's statement for
//! saves (`statements/save.rs`) states the same rules in SQL.

mod decide;
mod new_entry;
mod play;
mod position;
mod refusal;

pub(super) use decide::{
    COUNTED_SESSIONS_LENGTH, Decision, EntryWrite, StoredState, decide, is_expired, needs_ended_plays,
};
pub(crate) use play::close_play;
pub(super) use play::{MAX_UNREPORTED_STEP, NEW_PLAY_AFTER, WATCHED_SLACK};
pub(super) use position::FAR;
pub(crate) use position::{give_up_position, hour_of, is_hidden, show, watch_at};
