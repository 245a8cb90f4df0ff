//! Videos.

mod delete;
mod edit;
mod list;
mod new_duration;
mod quota;
mod site;
mod status;
mod summary;
mod summary_cache;

use crate::caller::{Caller, UserRole};
use crate::time::Timestamp;
use crate::{Error, picture, text};
pub use delete::delete;
pub(crate) use delete::prepare_deletion_of_uploader;
pub use edit::{NewVideo, VideoUpdate, create, update};
use entity::{user, video, watch_history};
pub use list::{
    NumberedPage, PageRequest, SearchRequest, SortDirection, SortKey, VideoQuery, list, list_own, list_page,
    list_popular, search,
};
pub(crate) use list::{find_many, select_popular_ids};
pub(crate) use new_duration::recompute_completed;
use sea_orm::prelude::*;
use sea_orm::sea_query::{DynIden, Expr, ExprTrait, IntoCondition};
use sea_orm::{Condition, FromQueryResult, JoinType, QuerySelect, Select};
use serde::Serialize;
pub use site::{HlsStatus, PreviewClips, Qualities, RatingStats, exists};
pub use status::VideoStatus;
pub(crate) use summary::{SummaryRequest, VideoSummary, video_revision};
pub(crate) use summary_cache::SummaryCache;
use utoipa::ToSchema;

/// A video, as callers see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Video {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// The id of the account that uploaded it.
    #[schema(minimum = 1, example = 1)]
    pub user_id: i64,
    /// The name of that account.
    #[schema(example = "ann")]
    pub uploader_username: String,
    /// 1 to 255 characters.
    #[schema(example = "Harbour at dawn")]
    pub title: String,
    /// Free text. Lists cut it after 500 characters and add `…`; a single video has all of it.
    #[schema(required = true, example = "Filmed from the lighthouse.")]
    pub description: Option<String>,
    /// Whole seconds.
    #[schema(required = true, minimum = 0, example = 60)]
    pub duration: Option<i32>,
    /// Pixels.
    #[schema(required = true, example = 640)]
    pub width: Option<i32>,
    /// Pixels.
    #[schema(required = true, example = 360)]
    pub height: Option<i32>,
    /// Bytes.
    #[schema(required = true, example = 185937)]
    pub file_size: Option<i64>,
    /// The address of a picture.
    #[schema(required = true, example = "/api/v1/videos/1/thumbnail")]
    pub thumbnail_path: Option<String>,
    /// Whether there is a picture file beside the video file. The api crate makes its address.
    #[serde(skip)]
    pub has_thumbnail_file: bool,
    /// Its state between upload and deletion.
    pub status: VideoStatus,
    /// How often it was opened; a viewer counts once in half an hour.
    #[schema(minimum = 0, example = 0)]
    pub view_count: i32,
    /// The time of its registration.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// The time of its last change.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub updated_at: Timestamp,
    /// The time when it became ready.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub published_at: Option<Timestamp>,
    /// The address to play it; absent when there is no file, or when the last scan did not find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "/api/v1/videos/1/stream")]
    pub stream_url: Option<String>,
    /// Whether it has a file. The api crate puts the address of the file into `stream_url`.
    #[serde(skip)]
    pub has_file: bool,
    /// The caller's progress in percent, up to 100.0; absent without a caller, without history, and
    /// at 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, minimum = 0, maximum = 100, example = 25.0)]
    pub watch_progress: Option<f64>,
}

/// A video with its uploader and the caller's position, read by one statement.
#[derive(FromQueryResult)]
pub(crate) struct VideoRow {
    #[sea_orm(nested)]
    pub(crate) video: video::Model,
    pub(crate) uploader_username: String,
    pub(crate) uploader_role: user::Role,
    pub(crate) watch_position: Option<i32>,
}

impl Video {
    /// Cuts a long description, for lists.
    pub(crate) fn with_short_description(self) -> Self {
        Self { description: self.description.map(text::shorten), ..self }
    }
}

impl From<VideoRow> for Video {
    fn from(row: VideoRow) -> Self {
        let VideoRow { video, uploader_username, uploader_role, watch_position } = row;
        Self {
            thumbnail_path: picture::if_displayable(video.thumbnail_path, uploader_role.into()),
            has_thumbnail_file: video.thumbnail_file.is_some(),
            stream_url: None,
            has_file: video.file_path.is_some() && video.missing_since.is_none(),
            // The cards of the reference's frontend would print a 0.
            watch_progress: watch_position
                .map(|position| watch_history::progress_percentage(position, video.duration))
                .filter(|progress| *progress > 0.0),
            id: video.id,
            user_id: video.user_id,
            uploader_username,
            title: video.title,
            description: video.description,
            duration: video.duration,
            width: video.width,
            height: video.height,
            file_size: video.file_size,
            status: video.status.into(),
            view_count: video.view_count,
            created_at: video.created_at.into(),
            updated_at: video.updated_at.into(),
            published_at: video.published_at.map(Into::into),
        }
    }
}

/// Reads one video.
///
/// # Errors
/// [`Error::VideoNotFound`], also when the caller may not see it.
pub async fn find(db: &impl ConnectionTrait, caller: Option<Caller>, id: i64) -> Result<Video, Error> {
    let visible = with_progress(caller).filter(video::Column::Id.eq(id)).filter(visible_to(caller));
    let row: Option<VideoRow> = visible.into_model().one(db).await?;
    row.map(Into::into).ok_or(Error::VideoNotFound)
}

/// The videos that the caller may see: the ready ones and their own; for an administrator, all of
/// them. Nobody sees deleted ones.
pub(crate) fn visible_to(caller: Option<Caller>) -> Condition {
    match caller {
        None => video::Column::Status.eq(video::Status::Ready).into_condition(),
        Some(Caller { role: UserRole::Admin, .. }) => video::Column::Status.ne(video::Status::Deleted).into_condition(),
        Some(Caller { id, .. }) => visible_to_user(Expr::value(id), Expr::value(false)),
    }
}

/// [`visible_to`] for a caller whose id and role are columns of the statement.
pub(crate) fn visible_to_user(id: Expr, is_admin: Expr) -> Condition {
    let own = Condition::any().add(video::Column::UserId.into_expr().eq(id)).add(is_admin);
    let not_deleted = video::Column::Status.ne(video::Status::Deleted);
    Condition::any().add(video::Column::Status.eq(video::Status::Ready)).add(Condition::all().add(not_deleted).add(own))
}

fn with_progress(caller: Option<Caller>) -> Select<video::Entity> {
    let select = video::Entity::find()
        .join(JoinType::InnerJoin, video::Relation::User.def())
        .column_as(user::Column::Username, "uploader_username")
        .column_as(user::Column::Role, "uploader_role");
    match caller {
        None => select.expr_as(Expr::value(None::<i32>).cast_as("integer"), "watch_position"),
        Some(Caller { id, history_since, .. }) => {
            let own = move |_, history: DynIden| {
                let last_watched_at = Expr::col((history.clone(), watch_history::Column::LastWatchedAt));
                let kept = history_since.map(|since| last_watched_at.gte(since));
                Expr::col((history, watch_history::Column::UserId)).eq(id).into_condition().add_option(kept)
            };
            let history = video::Relation::WatchHistory.def().on_condition(own);
            select.join(JoinType::LeftJoin, history).column_as(watch_history::Column::WatchPosition, "watch_position")
        }
    }
}

/// The row of a video that the caller may change.
async fn find_own(db: &impl ConnectionTrait, caller: Caller, id: i64) -> Result<video::Model, Error> {
    let row = video::Entity::find_by_id(id).filter(visible_to(Some(caller))).one(db).await?;
    let row = row.ok_or(Error::VideoNotFound)?;
    if row.user_id == caller.id || caller.role == UserRole::Admin { Ok(row) } else { Err(Error::Forbidden) }
}
