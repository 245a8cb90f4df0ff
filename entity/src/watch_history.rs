//! The watch history: one row for each user and video.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ConditionalStatement, Expr, Index, IndexCreateStatement, IndexOrder};

/// The position of one user in one video.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "watch_history")]
pub struct Model {
    /// Never used twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id of the viewer.
    #[sea_orm(unique_key = "user_video")]
    pub user_id: i64,
    /// The id of the video.
    #[sea_orm(unique_key = "user_video", indexed)]
    pub video_id: i64,
    /// The position in whole seconds from the start.
    #[sea_orm(default_value = 0, extra = "CHECK (watch_position >= 0)")]
    pub watch_position: i32,
    /// The total time watched, in whole seconds; it never decreases.
    #[sea_orm(default_value = 0, extra = "CHECK (watch_duration >= 0)")]
    pub watch_duration: i32,
    /// Whether the position is at or past the share of the duration that counts as completed.
    #[sea_orm(default_value = false)]
    pub completed: bool,
    /// The player session that the position comes from; the last one with a name.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub player_session: Option<String>,
    /// The number of the last save of that session, counted by the player.
    pub sequence: Option<i32>,
    /// The name of the device, from the last save.
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub device: Option<String>,
    /// How often the video was completed.
    #[sea_orm(default_value = 0, extra = "CHECK (play_count >= 0)")]
    pub play_count: i32,
    /// The time when `play_count` last increased.
    pub completed_at: Option<DateTimeUtc>,
    /// The player sessions that `play_count` counted, the last one first, each followed by a space;
    /// as many as fit.
    #[sea_orm(column_type = "String(StringLen::N(1040))", nullable)]
    pub counted_sessions: Option<String>,
    /// The time of the position; the lists are sorted by it.
    pub last_watched_at: DateTimeUtc,
    /// The hours from 1970 to `last_watched_at`. The first save of an hour changes it, so that few
    /// saves change the index on it.
    #[sea_orm(default_value = 0)]
    pub watched_hour: i32,
    /// Whether the viewer took the video off "continue watching".
    #[sea_orm(default_value = false)]
    pub hidden: bool,
    /// The time at which a hidden entry comes back by itself.
    pub hidden_until: Option<DateTimeUtc>,
    /// The position that was given up last, in seconds. It is NULL together with `previous_at`.
    #[sea_orm(nullable)]
    pub previous_position: Option<i32>,
    /// The name of the device that was at `previous_position`.
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub previous_device: Option<String>,
    /// The time when a player was at `previous_position`.
    pub previous_at: Option<DateTimeUtc>,
    /// The number of the entry's newest play, counted from 1; 0 before the first one.
    ///
    /// The numbers of the running play are in the next columns and not in a row of `plays`, so that
    /// a heartbeat writes one row. Its device, end position and end are `device`, `watch_position`
    /// and `last_watched_at`. It becomes a row of `plays` when another play begins, or when the
    /// position changes without a save.
    #[sea_orm(default_value = 0)]
    pub play_number: i32,
    /// Whether the running play is kept once it has ended. There is always one if this is true.
    #[sea_orm(default_value = false)]
    pub play_is_kept: bool,
    /// Whether the saves of the last play, running or ended, came with a player session, which then
    /// is `player_session`.
    #[sea_orm(default_value = false)]
    pub play_has_session: bool,
    /// The time of the first applied save of the running play; NULL if none runs.
    pub play_started_at: Option<DateTimeUtc>,
    /// The position of that save, in seconds.
    #[sea_orm(default_value = 0)]
    pub play_start_position: i32,
    /// How long the running play was watched, in milliseconds.
    #[sea_orm(default_value = 0)]
    pub play_watched_ms: i64,
    /// Whether `play_count` counts the running play.
    #[sea_orm(default_value = false)]
    pub play_completed: bool,
    /// The time of the first save.
    pub created_at: DateTimeUtc,
    /// The time when a save last changed the row.
    pub updated_at: DateTimeUtc,
    /// The revision of the last change of the row, so that devices can be told it; NULL on
    /// PostgreSQL.
    pub revision: Option<i64>,
    /// The viewer.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
    /// The video.
    #[sea_orm(belongs_to, from = "video_id", to = "id", on_delete = "Cascade")]
    pub video: BelongsTo<super::video::Entity>,
    /// Its plays.
    #[sea_orm(has_many)]
    pub plays: HasMany<super::play::Entity>,
}

impl Model {
    /// Progress in a video of `duration` seconds, from 0.0 to 100.0 percent; 0.0 when the duration
    /// is unknown or 0.
    pub fn progress_percentage(&self, duration: Option<i32>) -> f64 {
        progress_percentage(self.watch_position, duration)
    }
}

/// [`Model::progress_percentage`] for a position without a row.
pub fn progress_percentage(watch_position: i32, duration: Option<i32>) -> f64 {
    match duration {
        Some(duration) if duration > 0 => (100.0 * f64::from(watch_position) / f64::from(duration)).min(100.0),
        _ => 0.0,
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// The index of the lists by time, which attributes of fields cannot declare: the entries of a
/// user, those that are not completed apart, the last hour first. "Continue watching" reads one of
/// the two parts, the history both.
pub fn list_index() -> IndexCreateStatement {
    Index::create()
        .name("ix_watch_history_list")
        .table(Entity)
        .col(Column::UserId)
        .col(Column::Completed)
        .col((Column::WatchedHour, IndexOrder::Desc))
        .take()
}

/// The index of the list of completed videos, the last one first.
pub fn completed_index() -> IndexCreateStatement {
    Index::create()
        .name("ix_watch_history_completed")
        .table(Entity)
        .col(Column::UserId)
        .col((Column::CompletedAt, IndexOrder::Desc))
        .and_where(Expr::cust("play_count > 0"))
        .take()
}
