//! An entry before its first save.

use super::position::hour_of;
use crate::watch_history::save::SaveCommand;
use entity::watch_history::Model;

/// The entry that the first save then moves to its position.
pub(super) fn new_entry(save: &SaveCommand) -> Model {
    Model {
        id: 0,
        user_id: save.user_id,
        video_id: save.video_id,
        watch_position: 0,
        watch_duration: 0,
        completed: false,
        player_session: None,
        sequence: None,
        device: None,
        play_count: 0,
        completed_at: None,
        counted_sessions: None,
        last_watched_at: save.last_watched_at,
        watched_hour: hour_of(save.last_watched_at),
        hidden: false,
        hidden_until: None,
        previous_position: None,
        previous_device: None,
        previous_at: None,
        play_number: 0,
        play_is_kept: false,
        play_has_session: false,
        play_started_at: None,
        play_start_position: 0,
        play_watched_ms: 0,
        play_completed: false,
        created_at: save.updated_at,
        updated_at: save.updated_at,
        revision: None,
    }
}
