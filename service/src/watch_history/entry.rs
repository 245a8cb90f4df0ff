//! An entry: how far a user came in a video, as it is stored and as it is shown.

use crate::progress::ProgressRules;
use crate::storage::RowReader;
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use entity::watch_history::progress_percentage;
use sea_orm::DbErr;
use serde::Serialize;
use utoipa::ToSchema;

/// How far the caller came in one video.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WatchHistoryEntry)]
pub struct Entry {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// The caller.
    #[schema(minimum = 1, example = 1)]
    pub user_id: i64,
    /// The video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Where the player stood, in whole seconds from the start.
    #[schema(minimum = 0, example = 150)]
    pub watch_position: i32,
    /// Time watched in all, in whole seconds.
    #[schema(minimum = 0, example = 150)]
    pub watch_duration: i32,
    /// Whether enough of it was watched to count, in the current play.
    pub completed: bool,
    /// 0.0 to 100.0; 0.0 when the duration is unknown.
    #[schema(minimum = 0, maximum = 100, example = 25.0)]
    pub progress_percentage: f64,
    /// Where a player should begin, in whole seconds; 0 for the start.
    #[schema(minimum = 0, example = 150)]
    pub resume_at: i32,
    /// What the position comes from, as the last save that was taken called it.
    #[schema(required = true, example = "Living room")]
    pub device: Option<String>,
    /// How often it was watched to its end, at most once for each of the last openings of a player: 16 of them, or more where their ids
    /// are shorter than 64 characters.
    #[schema(minimum = 0, example = 0)]
    pub play_count: i32,
    /// When `play_count` last rose.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub completed_at: Option<Timestamp>,
    /// When the position was last true.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_watched_at: Timestamp,
    /// When it was first saved.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// When a save last changed the entry.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub updated_at: Timestamp,
    /// In answers to a save: whether it was taken. A save that is older than what is stored changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    pub applied: Option<bool>,
}

/// A row of history and the duration of its video.
#[derive(Debug)]
pub(super) struct Row {
    id: i64,
    pub(super) user_id: i64,
    pub(super) video_id: i64,
    watch_position: i32,
    watch_duration: i32,
    completed: bool,
    device: Option<String>,
    play_count: i32,
    completed_at: Option<DateTime<Utc>>,
    last_watched_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    duration: Option<i32>,
}

impl Row {
    /// The columns in which every statement names its row, in this order; none when there is no row.
    pub(super) fn read(columns: &mut RowReader<'_>) -> Result<Option<Self>, DbErr> {
        let Some(id) = columns.read()? else { return Ok(None) };
        Ok(Some(Self {
            id,
            user_id: columns.read()?,
            video_id: columns.read()?,
            watch_position: columns.read()?,
            watch_duration: columns.read()?,
            completed: columns.read()?,
            device: columns.read()?,
            play_count: columns.read()?,
            completed_at: columns.optional_timestamp()?,
            last_watched_at: columns.timestamp()?,
            created_at: columns.timestamp()?,
            updated_at: columns.timestamp()?,
            duration: columns.read()?,
        }))
    }

    /// As it is shown; `applied` in answers to a save.
    pub(super) fn shown(self, rules: &ProgressRules, applied: Option<bool>) -> Entry {
        let Self { id, user_id, video_id, watch_position, watch_duration, completed, device, play_count, .. } = self;
        let progress_percentage = progress_percentage(watch_position, self.duration);
        Entry {
            id,
            user_id,
            video_id,
            watch_position,
            watch_duration,
            completed,
            progress_percentage,
            resume_at: rules.resume_at(watch_position, progress_percentage, self.duration),
            device,
            play_count,
            completed_at: self.completed_at.map(Into::into),
            last_watched_at: self.last_watched_at.into(),
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            applied,
        }
    }
}
