//! Videos: what can be watched.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ConditionalStatement, Expr, Index, IndexCreateStatement, IndexOrder};

/// Where a video stands between upload and deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))")]
pub enum Status {
    /// Not to be watched yet; its uploader and administrators see it.
    #[sea_orm(string_value = "processing")]
    Processing,
    /// To be watched by everybody.
    #[sea_orm(string_value = "ready")]
    Ready,
    /// Could not be made ready; its uploader and administrators see it.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// Gone for everybody, together with its history. Playhead itself deletes the row; older sites leave this mark.
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
    /// The account that uploaded it.
    #[sea_orm(indexed)]
    pub user_id: i64,
    /// 1 to 255 characters.
    #[sea_orm(indexed, column_type = "String(StringLen::N(255))")]
    pub title: String,
    /// Free text.
    #[sea_orm(nullable, column_type = "Text")]
    pub description: Option<String>,
    /// The file to stream, relative to the media folder or, outside of it, absolute. Missing when the video was only
    /// described. Written by the scan alone, never by a client, and never shown to one.
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
    /// Pictures a second.
    pub fps: Option<f64>,
    /// The name of the video codec.
    #[sea_orm(nullable, column_type = "String(StringLen::N(50))")]
    pub codec: Option<String>,
    /// Bits a second.
    pub bitrate: Option<i32>,
    /// Where it stands between upload and deletion.
    #[sea_orm(default_value = "ready", extra = "CHECK (status IN ('processing', 'ready', 'failed', 'deleted'))")]
    pub status: Status,
    /// How often it was opened; one viewer counts once in half an hour.
    #[sea_orm(default_value = 0)]
    pub view_count: i32,
    /// When it was registered; the library is sorted by it.
    #[sea_orm(indexed)]
    pub created_at: DateTimeUtc,
    /// When one of its fields last changed.
    pub updated_at: DateTimeUtc,
    /// When it became ready.
    pub published_at: Option<DateTimeUtc>,
    /// The address of a picture, as a client gave it. It is handed out again and never opened.
    #[sea_orm(nullable, column_type = "String(StringLen::N(500))")]
    pub thumbnail_path: Option<String>,
    /// The picture beside the video file, with the rules of `file_path`.
    #[sea_orm(nullable, column_type = "String(StringLen::N(500))")]
    pub thumbnail_file: Option<String>,
    /// What tells the content of the file from others, so that it is known again after a move: a SHA-256 in hex of its size and of
    /// parts of it. Missing until a scan has seen the file.
    #[sea_orm(nullable, column_type = "String(StringLen::N(64))")]
    pub file_hash: Option<String>,
    /// When the file was changed last, if a scan may trust in that.
    pub file_modified_at: Option<DateTimeUtc>,
    /// Since when scans do not find the file.
    pub missing_since: Option<DateTimeUtc>,
    /// The account that uploaded it.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub uploader: BelongsTo<super::user::Entity>,
    /// Who stopped where in it.
    #[sea_orm(has_many)]
    pub watch_history: HasMany<super::watch_history::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The indexes that lists walk down, which attributes of a field cannot say: the ready videos by age and by views, and those of an
/// uploader by age. What a list leaves out for `skip` is counted in the index alone.
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
