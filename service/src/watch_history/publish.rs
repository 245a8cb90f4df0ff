//! Publishes what a batch of commands changed.

use super::command::{Command, Outcome};
use crate::storage::{Event, EventPublisher};

/// Publishes the applied saves and the deletions, in the order of the commands. Call it once they
/// are committed.
pub(super) fn publish(events: &EventPublisher, commands: &[Command], outcomes: &[Outcome]) {
    if !events.has_listeners() {
        return;
    }
    for (command, outcome) in commands.iter().zip(outcomes) {
        match (command, outcome) {
            (Command::Save(_), Ok(Some(entry))) if entry.applied == Some(true) => {
                events.publish(Event::EntrySaved { user_id: entry.user_id, video_id: entry.video_id });
            }
            (Command::Forget(request), Ok(_)) => {
                events.publish(Event::EntryForgotten { user_id: request.user_id, video_id: request.video_id });
            }
            _ => {}
        }
    }
}
