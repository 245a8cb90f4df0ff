//! Related videos: which videos the same viewers completed, for recommendations.

use sea_orm::entity::prelude::*;

/// A video and one of the videos that are most related to it. A background job computes the rows.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "related_videos")]
pub struct Model {
    /// The id of the video.
    #[sea_orm(primary_key, auto_increment = false)]
    pub video_id: i64,
    /// The id of the related video.
    #[sea_orm(primary_key, auto_increment = false, indexed)]
    pub related_id: i64,
    /// How much they are related, above 0 and at most 1. It is the same in both directions.
    pub score: f64,
    /// How many viewers completed both.
    pub viewers: i32,
    /// The video.
    #[sea_orm(belongs_to, relation_enum = "Video", from = "video_id", to = "id", on_delete = "Cascade")]
    pub video: BelongsTo<super::video::Entity>,
    /// The related video.
    #[sea_orm(belongs_to, relation_enum = "Related", from = "related_id", to = "id", on_delete = "Cascade")]
    pub related: BelongsTo<super::video::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
