//! Where every viewer stopped: one row for a user and a video.

use sea_orm::entity::prelude::*;

/// How far one user came in one video.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "watch_history")]
pub struct Model {
    /// Never used twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Who watches.
    #[sea_orm(unique_key = "user_video")]
    pub user_id: i64,
    /// What is watched.
    #[sea_orm(unique_key = "user_video", indexed)]
    pub video_id: i64,
    /// Where the player stands, in whole seconds from the start.
    #[sea_orm(default_value = 0, extra = "CHECK (watch_position >= 0)")]
    pub watch_position: i32,
    /// Time watched in all, in whole seconds; it never shrinks.
    #[sea_orm(default_value = 0, extra = "CHECK (watch_duration >= 0)")]
    pub watch_duration: i32,
    /// Whether the position is at or past the share of the duration that counts as watched.
    #[sea_orm(default_value = false)]
    pub completed: bool,
    /// When the position was last saved; "continue watching" is sorted by it.
    pub last_watched_at: DateTimeUtc,
    /// When the position was first saved.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// Who watches.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
    /// What is watched.
    #[sea_orm(belongs_to, from = "video_id", to = "id", on_delete = "Cascade")]
    pub video: BelongsTo<super::video::Entity>,
}

impl Model {
    /// Progress through a video of `duration` seconds, from 0.0 to 100.0; 0.0 when the duration is unknown or 0.
    pub fn progress_percentage(&self, duration: Option<i32>) -> f64 {
        progress_percentage(self.watch_position, duration)
    }
}

/// [`Model::progress_percentage`] where there is a position and no whole row.
pub fn progress_percentage(watch_position: i32, duration: Option<i32>) -> f64 {
    match duration {
        Some(duration) if duration > 0 => (100.0 * f64::from(watch_position) / f64::from(duration)).min(100.0),
        _ => 0.0,
    }
}

impl ActiveModelBehavior for ActiveModel {}
