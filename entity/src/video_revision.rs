//! A counter that tells each process when its copies of what lists show of videos are outdated.

use sea_orm::entity::prelude::*;

/// The counters, each a row that the first change creates.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "video_revision")]
pub struct Model {
    /// [`ID`] or [`LIST_GENERATION`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// How many transactions changed what lists show of a video, such as its title or the name of
    /// its uploader; or how often a process could not tell the others of its saves.
    pub latest: i64,
}

/// The id of the counter of what lists show of videos.
pub const ID: i64 = 1;

/// The id of the counter that a process raises while it cannot outdate lists in Redis.
pub const LIST_GENERATION: i64 = 2;

impl ActiveModelBehavior for ActiveModel {}
