//! Reads what a save finds: the rows that the rules decide by.

use super::rules::StoredState;
use super::save::SaveCommand;
use crate::Error;
use crate::retention::retention_cutoff;
use crate::storage::{RowReader, input_row};
use chrono::{DateTime, Utc};
use entity::user::HistoryMode;
use entity::{play, watch_history};
use sea_orm::{ActiveEnum, DbErr};

input_row! {
    /// The entry and the session of a save.
    #[derive(Clone, Debug)]
    pub(super) struct StateRequest {
        user_id: i64,
        video_id: i64,
        player_session: Option<String>,
    }
}

impl From<&SaveCommand> for StateRequest {
    fn from(save: &SaveCommand) -> Self {
        Self { user_id: save.user_id, video_id: save.video_id, player_session: save.player_session.clone() }
    }
}

/// Reads what a save at the time `now` finds, or why it fails. `is_complete` tells whether the
/// statement selects the tombstone, the version and the plays too, as that of PostgreSQL does.
pub(super) fn read_state(
    row: &mut RowReader<'_>,
    now: DateTime<Utc>,
    max_days: Option<i32>,
    is_complete: bool,
) -> Result<Result<StoredState, Error>, DbErr> {
    let (is_active, is_visible): (bool, bool) = (row.read()?, row.read()?);
    if !is_active || !is_visible {
        return Ok(Err(if is_active { Error::VideoNotFound } else { Error::Unauthenticated }));
    }
    let mode: String = row.read()?;
    let retention_days = row.read()?;
    let mut state = StoredState {
        mode: HistoryMode::try_from_value(&mode)?,
        cutoff: retention_cutoff(retention_days, max_days, now),
        cleared_before: row.read()?,
        duration: row.read()?,
        forgotten_at: if is_complete { row.read()? } else { None },
        version: if is_complete { row.read()? } else { None },
        entry: row.read_joined(read_entry)?,
        last_number: None,
        ended_play: None,
    };
    if is_complete && state.entry.is_some() {
        (state.last_number, state.ended_play) = read_ended_plays(row)?;
    }
    Ok(Ok(state))
}

/// Reads the greatest number of an entry's ended plays, and the ended play that a save may reopen.
pub(super) fn read_ended_plays(row: &mut RowReader<'_>) -> Result<(Option<i32>, Option<play::Model>), DbErr> {
    Ok((row.read()?, row.read_joined(read_play)?))
}

/// Reads the columns of an entry, in their order.
fn read_entry(row: &mut RowReader<'_>) -> Result<watch_history::Model, DbErr> {
    Ok(watch_history::Model {
        id: row.read()?,
        user_id: row.read()?,
        video_id: row.read()?,
        watch_position: row.read()?,
        watch_duration: row.read()?,
        completed: row.read()?,
        player_session: row.read()?,
        sequence: row.read()?,
        device: row.read()?,
        play_count: row.read()?,
        completed_at: row.read()?,
        counted_sessions: row.read()?,
        last_watched_at: row.read()?,
        watched_hour: row.read()?,
        hidden: row.read()?,
        hidden_until: row.read()?,
        previous_position: row.read()?,
        previous_device: row.read()?,
        previous_at: row.read()?,
        play_number: row.read()?,
        play_is_kept: row.read()?,
        play_has_session: row.read()?,
        play_started_at: row.read()?,
        play_start_position: row.read()?,
        play_watched_ms: row.read()?,
        play_completed: row.read()?,
        created_at: row.read()?,
        updated_at: row.read()?,
        revision: row.read()?,
    })
}

/// Reads the columns of a play, in their order.
fn read_play(row: &mut RowReader<'_>) -> Result<play::Model, DbErr> {
    Ok(play::Model {
        entry_id: row.read()?,
        number: row.read()?,
        user_id: row.read()?,
        player_session: row.read()?,
        device: row.read()?,
        started_at: row.read()?,
        ended_at: row.read()?,
        start_position: row.read()?,
        end_position: row.read()?,
        watched_ms: row.read()?,
        completed: row.read()?,
    })
}
