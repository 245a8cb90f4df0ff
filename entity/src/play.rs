//! Plays: each opening of a player by one viewer on one video, from its first save to its last.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Index, IndexCreateStatement};

/// A play that has ended. The running play of an entry is in the entry itself.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "plays")]
pub struct Model {
    /// The entry, which names the viewer and the video.
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry_id: i64,
    /// The number of the play within its entry, from 1 on.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// The viewer of the entry, for lists and sums over all of a viewer's plays.
    pub user_id: i64,
    /// The player session that its saves came with; NULL if they had none.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub player_session: Option<String>,
    /// The name of the device, from its last save.
    #[sea_orm(column_type = "String(StringLen::N(100))", nullable)]
    pub device: Option<String>,
    /// The time of its first applied save.
    pub started_at: DateTimeUtc,
    /// The time of its last applied save.
    pub ended_at: DateTimeUtc,
    /// The position of its first applied save, in seconds.
    pub start_position: i32,
    /// The position of its last applied save, in seconds.
    pub end_position: i32,
    /// How long it was watched, in milliseconds.
    #[sea_orm(default_value = 0)]
    pub watched_ms: i64,
    /// Whether `play_count` of the entry counts it.
    #[sea_orm(default_value = false)]
    pub completed: bool,
    /// The entry.
    #[sea_orm(belongs_to, from = "entry_id", to = "id", on_delete = "Cascade")]
    pub entry: BelongsTo<super::watch_history::Entity>,
    /// The viewer.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The index of a viewer's plays by their time, which attributes of fields cannot declare.
pub fn start_index() -> IndexCreateStatement {
    Index::create().name("ix_plays_user_id_started_at").table(Entity).col(Column::UserId).col(Column::StartedAt).take()
}
