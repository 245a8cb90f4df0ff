//! An entry: where a viewer stopped in a video, as it is stored and as a client gets it.

use super::key::EntryKey;
use super::rules::is_hidden;
use crate::progress::ProgressRules;
use crate::storage::selected_row;
use crate::time::Timestamp;
use chrono::{DateTime, Utc};
use entity::watch_history::{Column, Model, progress_percentage};
use sea_orm::prelude::*;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// Where the caller stopped in one video.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WatchHistoryEntry)]
pub struct Entry {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// The caller's id.
    #[schema(minimum = 1, example = 1)]
    pub user_id: i64,
    /// The video's id.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// The saved position, in whole seconds from the start.
    #[schema(minimum = 0, example = 15)]
    pub watch_position: i32,
    /// Total time watched, in whole seconds.
    #[schema(minimum = 0, example = 15)]
    pub watch_duration: i32,
    /// Whether the position counts as the end of the video.
    pub completed: bool,
    /// 0.0 to 100.0; 0.0 when the duration is unknown.
    #[schema(minimum = 0, maximum = 100, example = 25.0)]
    pub progress_percentage: f64,
    /// Where a player should start, in whole seconds; 0 is the start of the video.
    #[schema(minimum = 0, example = 15)]
    pub resume_at: i32,
    /// The device that the position comes from, as named by the last applied save.
    #[schema(required = true, example = "Living room")]
    pub device: Option<String>,
    /// How often the video was completed. The last 16 counted player sessions do not count again;
    /// more than 16 are remembered if their ids are shorter than 64 characters.
    #[schema(minimum = 0, example = 0)]
    pub play_count: i32,
    /// When `play_count` was last incremented.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = json!(null))]
    pub completed_at: Option<Timestamp>,
    /// When the player was at this position.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_watched_at: Timestamp,
    /// Whether the video is off "continue watching". A save that moves the position brings it back.
    pub hidden: bool,
    /// The position that was given up last, so that a player can offer it; null if there is none.
    #[schema(required = true, schema_with = PreviousPosition::nullable_schema)]
    pub previous: Option<PreviousPosition>,
    /// When the entry was created.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// When a save last changed the entry.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub updated_at: Timestamp,
    /// Only in responses to a save: whether the save was applied. A save that is older than the
    /// entry changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool)]
    pub applied: Option<bool>,
    /// The player session that the position comes from. Only live messages have it, in a field of
    /// their own.
    #[serde(skip)]
    #[schema(ignore)]
    pub player_session: Option<String>,
}

/// A position that a viewer was at, and gave up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PreviousPosition {
    /// In whole seconds from the start.
    #[schema(minimum = 0, example = 42)]
    pub position: i32,
    /// The device that was there.
    #[schema(required = true, example = "Living room")]
    pub device: Option<String>,
    /// When a player was there.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub at: Timestamp,
}

impl PreviousPosition {
    /// The schema, written out where it is used: client generators cannot read a reference that may
    /// be null.
    pub(super) fn nullable_schema() -> RefOr<Schema> {
        let mut schema = Self::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.schema_type = SchemaType::from_iter([Type::Object, Type::Null]);
            object.description = Some("The position that was given up last; null if there is none.".to_owned());
        }
        schema
    }

    /// Builds the previous position from its three columns; `None` if they are NULL.
    pub(super) fn read(position: Option<i32>, device: Option<String>, at: Option<DateTime<Utc>>) -> Option<Self> {
        Some(Self { position: position?, device, at: at?.into() })
    }
}

selected_row! {
    /// The stored columns of an entry and the duration of its video. Each statement passes its own
    /// expression for the duration.
    #[derive(Debug)]
    pub(super) struct EntryRow(duration: Expr) {
        id: i64 = Column::Id.into_expr(),
        user_id: i64 = Column::UserId.into_expr(),
        video_id: i64 = Column::VideoId.into_expr(),
        watch_position: i32 = Column::WatchPosition.into_expr(),
        watch_duration: i32 = Column::WatchDuration.into_expr(),
        completed: bool = Column::Completed.into_expr(),
        device: Option<String> = Column::Device.into_expr(),
        play_count: i32 = Column::PlayCount.into_expr(),
        completed_at: Option<DateTime<Utc>> = Column::CompletedAt.into_expr(),
        last_watched_at: DateTime<Utc> = Column::LastWatchedAt.into_expr(),
        hidden: bool = Column::Hidden.into_expr(),
        hidden_until: Option<DateTime<Utc>> = Column::HiddenUntil.into_expr(),
        previous_position: Option<i32> = Column::PreviousPosition.into_expr(),
        previous_device: Option<String> = Column::PreviousDevice.into_expr(),
        previous_at: Option<DateTime<Utc>> = Column::PreviousAt.into_expr(),
        created_at: DateTime<Utc> = Column::CreatedAt.into_expr(),
        updated_at: DateTime<Utc> = Column::UpdatedAt.into_expr(),
        player_session: Option<String> = Column::PlayerSession.into_expr(),
        duration: Option<i32> = duration,
    }
}

impl EntryRow {
    /// Takes these columns from the row of an entity.
    fn of_model(entry: Model, duration: Option<i32>) -> Self {
        Self {
            id: entry.id,
            user_id: entry.user_id,
            video_id: entry.video_id,
            watch_position: entry.watch_position,
            watch_duration: entry.watch_duration,
            completed: entry.completed,
            device: entry.device,
            play_count: entry.play_count,
            completed_at: entry.completed_at,
            last_watched_at: entry.last_watched_at,
            hidden: entry.hidden,
            hidden_until: entry.hidden_until,
            previous_position: entry.previous_position,
            previous_device: entry.previous_device,
            previous_at: entry.previous_at,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
            player_session: entry.player_session,
            duration,
        }
    }

    pub(super) fn key(&self) -> EntryKey {
        EntryKey { user_id: self.user_id, video_id: self.video_id }
    }

    /// The entry as a client gets it at the time `now`. `applied` is set in answers to a save.
    pub(super) fn into_entry(self, rules: &ProgressRules, now: DateTime<Utc>, applied: Option<bool>) -> Entry {
        let progress_percentage = progress_percentage(self.watch_position, self.duration);
        Entry {
            id: self.id,
            user_id: self.user_id,
            video_id: self.video_id,
            watch_position: self.watch_position,
            watch_duration: self.watch_duration,
            completed: self.completed,
            progress_percentage,
            resume_at: rules.resume_at(self.watch_position, progress_percentage, self.duration),
            device: self.device,
            play_count: self.play_count,
            completed_at: self.completed_at.map(Into::into),
            last_watched_at: self.last_watched_at.into(),
            hidden: is_hidden(self.hidden, self.hidden_until, now),
            previous: PreviousPosition::read(self.previous_position, self.previous_device, self.previous_at),
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            applied,
            player_session: self.player_session,
        }
    }
}

impl Entry {
    /// The schema, written out where it is used, as that of [`PreviousPosition`].
    pub(crate) fn nullable_schema() -> RefOr<Schema> {
        let mut schema = Self::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.schema_type = SchemaType::from_iter([Type::Object, Type::Null]);
            object.description = Some("Where the caller stopped in the video; null if there is no entry.".to_owned());
        }
        schema
    }

    /// The entry as a client gets it at the time `now`.
    pub(crate) fn of_model(entry: Model, duration: Option<i32>, rules: &ProgressRules, now: DateTime<Utc>) -> Self {
        EntryRow::of_model(entry, duration).into_entry(rules, now, None)
    }
}
