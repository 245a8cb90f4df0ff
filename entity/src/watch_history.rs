//! Where every viewer stopped: one row for a user and a video.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ConditionalStatement, Expr, Index, IndexCreateStatement, IndexOrder};

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
    /// The opening of a player that the position comes from; the last one that named itself.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub player_session: Option<String>,
    /// The number of the last save of that opening, counted by the player.
    pub sequence: Option<i32>,
    /// What the position comes from, as the last save called it.
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub device: Option<String>,
    /// How often the video was watched to its end.
    #[sea_orm(default_value = 0, extra = "CHECK (play_count >= 0)")]
    pub play_count: i32,
    /// When `play_count` last rose.
    pub completed_at: Option<DateTimeUtc>,
    /// The openings of a player that `play_count` rose by, the last one first, each with a space behind it; so many as fit.
    #[sea_orm(column_type = "String(StringLen::N(1040))", nullable)]
    pub counted_sessions: Option<String>,
    /// When the position was last true; "continue watching" is sorted by it.
    pub last_watched_at: DateTimeUtc,
    /// The hours from 1970 to `last_watched_at`. An index on the moment itself would be rewritten by every save, this one only by
    /// the first of an hour.
    #[sea_orm(default_value = 0)]
    pub watched_hour: i32,
    /// When the position was first saved.
    pub created_at: DateTimeUtc,
    /// When a save last changed the row.
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

/// The index that "continue watching" is read by, which attributes of a field cannot say: the unfinished rows of a user, the
/// last hour first.
pub fn continue_watching_index() -> IndexCreateStatement {
    Index::create()
        .name("ix_watch_history_continue_watching")
        .table(Entity)
        .col(Column::UserId)
        .col((Column::WatchedHour, IndexOrder::Desc))
        .and_where(Expr::cust("completed = false"))
        .take()
}
