//! A counter that tells each process when its copies of what lists show of videos are outdated.

use sea_orm::entity::prelude::*;

/// The counter: one row, which the first change creates.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "video_revision")]
pub struct Model {
    /// Always [`ID`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// How many transactions changed what lists show of a video, such as its title or the name of
    /// its uploader.
    pub latest: i64,
}

/// The id of the only row.
pub const ID: i64 = 1;

impl ActiveModelBehavior for ActiveModel {}
