//! Videos that were deleted, or whose duration changed: that concerns the entries of all their
//! viewers, which are not written one by one.

use sea_orm::entity::prelude::*;

/// A video that was deleted, or whose duration changed, in the last 30 days.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "changed_videos")]
pub struct Model {
    /// The id of the video. It has no foreign key: the row outlives the video.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// The time of the change.
    #[sea_orm(indexed)]
    pub changed_at: DateTimeUtc,
    /// The revision of the change; NULL on PostgreSQL.
    pub revision: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
