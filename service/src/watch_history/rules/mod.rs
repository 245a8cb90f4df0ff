//! The rules of an entry in plain Rust: what a save does to it ([`decide`]), and the steps that
//! deliberate changes share with saves.
//!
//! Each deliberate change of a position, such as an undo, takes these steps: [`close_play`],
//! [`give_up_position`], the new position, and [`watch_at`]. Both statements of PostgreSQL's first
//! attempt (`statements/save.rs`) state the same rules in SQL.

#![allow(dead_code, unused_imports, reason = "the saves will call it")]

mod decide;
mod play;
mod position;

pub(super) use decide::{Decision, EntryWrite, StoredState, decide, needs_ended_plays};
pub(crate) use play::close_play;
pub(super) use play::{MAX_UNREPORTED_STEP, NEW_PLAY_AFTER, WATCHED_SLACK};
pub(crate) use position::{give_up_position, hour_of, is_hidden, show, watch_at};
pub(super) use position::{is_far, is_of_last_play};
