//! Tombstones: which entries a viewer deleted, for the 30 days in which a queued save could still
//! bring one back.

use sea_orm::entity::prelude::*;

/// The last deletion of the entry of one viewer and one video. Nothing else of the entry is kept.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "forgotten_entries")]
pub struct Model {
    /// The id of the viewer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// The id of the video.
    #[sea_orm(primary_key, auto_increment = false, indexed)]
    pub video_id: i64,
    /// The time of the deletion.
    #[sea_orm(indexed)]
    pub forgotten_at: DateTimeUtc,
    /// The revision of the deletion; NULL on PostgreSQL.
    pub revision: Option<i64>,
    /// The viewer.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
    /// The video.
    #[sea_orm(belongs_to, from = "video_id", to = "id", on_delete = "Cascade")]
    pub video: BelongsTo<super::video::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
