//! Videos.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ConditionalStatement, Expr, Index, IndexCreateStatement, IndexOrder};

/// The state of a video between upload and deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))")]
pub enum Status {
    /// It cannot be watched yet; only its uploader and administrators see it.
    #[sea_orm(string_value = "processing")]
    Processing,
    /// Everybody can watch it.
    #[sea_orm(string_value = "ready")]
    Ready,
    /// It could not be made ready; only its uploader and administrators see it.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// Nobody sees it. Playhead deletes the row instead; older sites set this state.
    #[sea_orm(string_value = "deleted")]
    Deleted,
}

/// A video.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "videos")]
pub struct Model {
    /// Never used twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id of the account that uploaded it.
    #[sea_orm(indexed)]
    pub user_id: i64,
    /// 1 to 255 characters.
    #[sea_orm(indexed, column_type = "String(StringLen::N(255))")]
    pub title: String,
    /// Free text.
    #[sea_orm(nullable, column_type = "Text")]
    pub description: Option<String>,
    /// The path of the file, relative to the media folder or, outside of it, absolute. `None` for a
    /// video without a file. Only scans write it, and clients never see it.
    #[sea_orm(indexed, nullable, column_type = "String(StringLen::N(500))")]
    pub file_path: Option<String>,
    /// Bytes.
    pub file_size: Option<i64>,
    /// Whole seconds.
    #[sea_orm(nullable, extra = "CHECK (duration >= 0)")]
    pub duration: Option<i32>,
    /// Pixels.
    pub width: Option<i32>,
    /// Pixels.
    pub height: Option<i32>,
    /// Frames per second.
    pub fps: Option<f64>,
    /// The name of the video codec.
    #[sea_orm(nullable, column_type = "String(StringLen::N(50))")]
    pub codec: Option<String>,
    /// Bits per second.
    pub bitrate: Option<i32>,
    /// Its state between upload and deletion.
    #[sea_orm(default_value = "ready", extra = "CHECK (status IN ('processing', 'ready', 'failed', 'deleted'))")]
    pub status: Status,
    /// How often it was opened; a viewer counts once in half an hour.
    #[sea_orm(default_value = 0)]
    pub view_count: i32,
    /// The time of its registration; lists are sorted by it.
    #[sea_orm(indexed)]
    pub created_at: DateTimeUtc,
    /// The time of the last change.
    pub updated_at: DateTimeUtc,
    /// The time when it became ready.
    pub published_at: Option<DateTimeUtc>,
    /// The address of a picture, as a client set it. The server never opens it.
    #[sea_orm(nullable, column_type = "String(StringLen::N(500))")]
    pub thumbnail_path: Option<String>,
    /// The path of the picture beside the video file, by the rules of `file_path`.
    #[sea_orm(nullable, column_type = "String(StringLen::N(500))")]
    pub thumbnail_file: Option<String>,
    /// SHA-256 in hex of the size and parts of the file, so that a scan finds it after a move.
    /// `None` until a scan has read the file.
    #[sea_orm(nullable, column_type = "String(StringLen::N(64))")]
    pub file_hash: Option<String>,
    /// The time of the last change of the file, if a scan can rely on it.
    pub file_modified_at: Option<DateTimeUtc>,
    /// The time since which scans do not find the file.
    pub missing_since: Option<DateTimeUtc>,
    /// The account that uploaded it.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub uploader: BelongsTo<super::user::Entity>,
    /// The positions of its viewers.
    #[sea_orm(has_many)]
    pub watch_history: HasMany<super::watch_history::Entity>,
    /// The viewers who deleted their entry of it in the last 30 days.
    #[sea_orm(has_many)]
    pub forgotten_entries: HasMany<super::forgotten_entry::Entity>,
    /// The videos that are most related to it.
    #[sea_orm(has_many, relation_enum = "RelatedVideos", via_rel = "Video")]
    pub related_videos: HasMany<super::related_video::Entity>,
    /// The videos that it is most related to.
    #[sea_orm(has_many, relation_enum = "RelatedTo", via_rel = "Related")]
    pub related_to: HasMany<super::related_video::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The indexes of lists, which attributes of fields cannot declare: the ready videos by age and by
/// views, and those of an uploader by age. Skipped rows are read in the index only.
pub fn list_indexes() -> [IndexCreateStatement; 3] {
    let index = |name: &str| Index::create().name(name).table(Entity).take();
    let by = |mut index: IndexCreateStatement, column: Column, rows: &'static str| {
        index.col((column, IndexOrder::Desc)).col((Column::Id, IndexOrder::Desc)).and_where(Expr::cust(rows)).take()
    };
    let own = index("ix_videos_uploader_created_at").col(Column::UserId).take();
    [
        by(index("ix_videos_ready_created_at"), Column::CreatedAt, "status = 'ready'"),
        by(index("ix_videos_ready_view_count"), Column::ViewCount, "status = 'ready'"),
        by(own, Column::CreatedAt, "status <> 'deleted'"),
    ]
}
