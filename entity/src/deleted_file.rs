//! Files whose videos were deleted, so that the next scan does not register them again.

use sea_orm::entity::prelude::*;

/// The file of a video that was deleted.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deleted_files")]
pub struct Model {
    /// Never used twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The `file_path` of the video.
    #[sea_orm(column_type = "String(StringLen::N(500))")]
    pub file_path: String,
    /// The `file_hash` of the video.
    #[sea_orm(nullable, column_type = "String(StringLen::N(64))")]
    pub file_hash: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
