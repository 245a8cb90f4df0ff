//! Videos: the library that people look at.

mod list;
mod quota;
mod site;
mod status;

use crate::library::remember_deleted;
use crate::progress::{ProgressRules, recompute_completed};
use crate::storage::{Event, Transaction};
use crate::time::Timestamp;
use crate::user::{Caller, UserRole, present};
use crate::{Database, Error, number, picture, search, text};
use chrono::{DateTime, Utc};
use entity::{user, video, watch_history};
pub use list::{
    NumberedPage, PageRequest, SearchRequest, SortDirection, SortKey, VideoQuery, list, list_own, list_page,
    list_popular, search,
};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition};
use sea_orm::{ActiveValue::Set, Condition, FromQueryResult, IntoActiveModel, JoinType, QuerySelect, Select};
use serde::{Deserialize, Serialize};
pub use site::{HlsStatus, PreviewClips, Qualities, RatingStats, exists};
pub use status::VideoStatus;
use utoipa::ToSchema;
use validator::Validate;

/// What a new video begins with.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Harbour at dawn", "description": "Filmed from the lighthouse.", "duration": 600}))]
pub struct NewVideo {
    /// 1 to 255 characters, not blanks alone.
    #[serde(deserialize_with = "text::nfc")]
    #[validate(length(min = 1, max = 255), custom(function = text::meaningful))]
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", example = "Harbour at dawn")]
    pub title: String,
    /// Free text.
    #[serde(default, deserialize_with = "text::nfc_or_null")]
    #[validate(length(max = 10_000), custom(function = text::storable))]
    #[schema(max_length = 10_000, example = "Filmed from the lighthouse.")]
    pub description: Option<String>,
    /// Whole seconds.
    #[serde(default, deserialize_with = "number::whole_or_null")]
    #[validate(range(min = 0))]
    #[schema(minimum = 0, example = 600)]
    pub duration: Option<i32>,
    /// The address of a picture, which the server hands out again and never opens: a path of this site or, for videos of
    /// administrators, an https address.
    #[validate(length(max = 500), custom(function = text::storable))]
    #[schema(max_length = 500, example = "https://example.org/harbour.jpg")]
    pub thumbnail_path: Option<String>,
}

/// What changes of a video; a field that is absent stays as it is, `null` removes what can be missing.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VideoChange, example = json!({"title": "Harbour at dawn"}))]
pub struct VideoUpdate {
    /// 1 to 255 characters, not blanks alone.
    #[serde(default, deserialize_with = "text::nfc_or_null")]
    #[validate(length(min = 1, max = 255), custom(function = text::meaningful))]
    #[schema(min_length = 1, max_length = 255, pattern = r"\S", example = "Harbour at dawn")]
    pub title: Option<String>,
    /// Free text.
    #[serde(default, deserialize_with = "text::nfc_double_option")]
    #[validate(length(max = 10_000), custom(function = text::storable))]
    #[schema(value_type = Option<String>, max_length = 10_000, example = "Filmed from the lighthouse.")]
    pub description: Option<Option<String>>,
    /// Whole seconds.
    #[serde(default, deserialize_with = "number::double_option")]
    #[validate(range(min = 0))]
    #[schema(value_type = Option<i32>, minimum = 0, example = 600)]
    pub duration: Option<Option<i32>>,
    /// The address of a picture: a path of this site or, for videos of administrators, an https address.
    #[serde(default, deserialize_with = "present")]
    #[validate(length(max = 500), custom(function = text::storable))]
    #[schema(value_type = Option<String>, max_length = 500, example = "https://example.org/harbour.jpg")]
    pub thumbnail_path: Option<Option<String>>,
}

/// A video as callers see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Video {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// The account that uploaded it.
    #[schema(minimum = 1, example = 1)]
    pub user_id: i64,
    /// The name of that account.
    #[schema(example = "ann")]
    pub uploader_username: String,
    /// 1 to 255 characters.
    #[schema(example = "Harbour at dawn")]
    pub title: String,
    /// Free text. In a list, one of more than 500 characters is cut there and ends in `…`; the video by itself has all of it.
    #[schema(required = true, example = "Filmed from the lighthouse.")]
    pub description: Option<String>,
    /// Whole seconds.
    #[schema(required = true, minimum = 0, example = 600)]
    pub duration: Option<i32>,
    /// Pixels.
    #[schema(required = true, example = 1920)]
    pub width: Option<i32>,
    /// Pixels.
    #[schema(required = true, example = 1080)]
    pub height: Option<i32>,
    /// Bytes.
    #[schema(required = true, example = 73400320)]
    pub file_size: Option<i64>,
    /// The address of a picture.
    #[schema(required = true, example = "/api/v1/videos/1/thumbnail")]
    pub thumbnail_path: Option<String>,
    /// Where it stands between upload and deletion.
    pub status: VideoStatus,
    /// How often it was opened; one viewer counts once in half an hour.
    #[schema(minimum = 0, example = 0)]
    pub view_count: i32,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub updated_at: Timestamp,
    /// When it became ready.
    #[schema(required = true, value_type = Option<String>, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub published_at: Option<Timestamp>,
    /// Where to play it; absent when there is no file, or when the last scan did not find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "/api/v1/videos/1/stream")]
    pub stream_url: Option<String>,
    /// The caller's progress, up to 100.0; absent without a caller, without history, and at 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, minimum = 0, maximum = 100, example = 25.0)]
    pub watch_progress: Option<f64>,
}

/// The row of a video, its uploader's name, and how far the caller came, of one statement.
#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    video: video::Model,
    uploader_username: String,
    uploader_role: user::Role,
    watch_position: Option<i32>,
}

impl Video {
    /// As it stands in a list: a long description is cut there.
    fn in_a_list(self) -> Self {
        Self { description: self.description.map(text::cut), ..self }
    }
}

impl From<Row> for Video {
    fn from(row: Row) -> Self {
        let Row { video, uploader_username, uploader_role, watch_position } = row;
        let thumbnail_path = picture::shown(video.thumbnail_path, uploader_role.into());
        Self {
            thumbnail_path: thumbnail_address(video.id, thumbnail_path, video.thumbnail_file.as_deref()),
            stream_url: video
                .file_path
                .filter(|_| video.missing_since.is_none())
                .map(|_| format!("/api/v1/videos/{}/stream", video.id)),
            // Cards of the reference's frontend print a 0.
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

/// One video.
///
/// # Errors
/// [`Error::VideoNotFound`], also when the caller may not see it.
pub async fn find(db: &impl ConnectionTrait, caller: Option<Caller>, id: i64) -> Result<Video, Error> {
    let visible = with_progress(caller).filter(video::Column::Id.eq(id)).filter(visible_to(caller));
    let row: Option<Row> = visible.into_model().one(db).await?;
    row.map(Into::into).ok_or(Error::VideoNotFound)
}

/// Describes a video; it is ready at once. An account may have `limit` of them, 0 for any number, and an administrator
/// any number.
///
/// # Errors
/// [`Error::TooManyVideos`].
pub async fn create(
    tx: &Transaction,
    caller: Caller,
    new: NewVideo,
    limit: u32,
    now: DateTime<Utc>,
) -> Result<Video, Error> {
    let NewVideo { title, description, duration, thumbnail_path } = new;
    let row = video::ActiveModel {
        user_id: Set(caller.id),
        title: Set(title),
        description: Set(description),
        duration: Set(duration),
        thumbnail_path: Set(picture::checked(thumbnail_path, caller.role)?),
        status: Set(video::Status::Ready),
        created_at: Set(now),
        updated_at: Set(now),
        published_at: Set(Some(now)),
        ..Default::default()
    };
    quota::refuse_more_than(limit, tx, caller).await?;
    let row = video::Entity::insert(row).exec_with_returning(tx).await.map_err(|error| {
        // The caller's account was deleted in the meantime.
        if crate::error::is_foreign_key_violation(&error) { Error::Unauthenticated } else { error.into() }
    })?;
    search::index(tx, &[row.id]).await?;
    tx.record(Event::VideoCreated { video_id: row.id, user_id: caller.id });
    find(tx, Some(caller), row.id).await
}

/// Changes what a video is called and how it is described.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::Forbidden`].
pub async fn update(
    db: &Database,
    caller: Caller,
    id: i64,
    update: VideoUpdate,
    rules: &ProgressRules,
    now: DateTime<Utc>,
) -> Result<Video, Error> {
    let VideoUpdate { title, description, duration, thumbnail_path } = update;
    let (_turn, transaction) = db.begin().await?;
    let stored = find_own(&transaction, caller, id).await?;
    let mut row = stored.clone().into_active_model();
    if let Some(title) = title {
        row.title.set_if_not_equals(title);
    }
    if let Some(description) = description {
        row.description.set_if_not_equals(description);
    }
    if let Some(duration) = duration {
        row.duration.set_if_not_equals(duration);
    }
    if let Some(thumbnail_path) = thumbnail_path {
        // What stands there may be older than the rules, and is sent back by clients that know of no other way to leave it.
        if stored.thumbnail_path != thumbnail_path {
            let uploader = role_of(&transaction, caller, stored.user_id).await?;
            row.thumbnail_path.set_if_not_equals(picture::checked(thumbnail_path, uploader)?);
        }
    }
    if row.is_changed() {
        row.updated_at = Set(now);
        let new_duration = row.duration.is_set();
        let row = row.update(&transaction).await.map_err(|error| match error {
            DbErr::RecordNotUpdated => Error::VideoNotFound,
            other => other.into(),
        })?;
        if new_duration {
            recompute_completed(&transaction, id, row.duration, rules).await?;
        }
        search::index(&transaction, &[id]).await?;
    }
    let changed = find(&transaction, Some(caller), id).await?;
    transaction.commit().await?;
    Ok(changed)
}

/// Deletes a video and says whose it was; the database takes everybody's history of it along. Its file stays, and the next scan leaves it out.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::Forbidden`].
pub async fn delete(tx: &Transaction, caller: Caller, id: i64) -> Result<i64, Error> {
    let owner = find_own(tx, caller, id).await?.user_id;
    search::forget_grams(tx, &[id]).await?;
    remember_deleted(tx, video::Column::Id.eq(id)).await?;
    let deleted = video::Entity::delete_by_id(id).exec(tx).await?;
    tx.record(Event::VideoDeleted { video_id: id, user_id: owner });
    if deleted.rows_affected == 0 { Err(Error::VideoNotFound) } else { Ok(owner) }
}

/// What the caller may see of videos: everything that is ready, and of what is not yet, or no longer, their own.
/// An administrator sees all of that. What is deleted nobody sees.
pub(crate) fn visible_to(caller: Option<Caller>) -> Condition {
    match caller {
        None => video::Column::Status.eq(video::Status::Ready).into_condition(),
        Some(Caller { role: UserRole::Admin, .. }) => video::Column::Status.ne(video::Status::Deleted).into_condition(),
        Some(Caller { id, .. }) => visible_to_user(Expr::value(id), Expr::value(false)),
    }
}

/// The same rule where the caller is a column of the statement.
pub(crate) fn visible_to_user(id: Expr, is_admin: Expr) -> Condition {
    let own = Condition::any().add(video::Column::UserId.into_expr().eq(id)).add(is_admin);
    let not_deleted = video::Column::Status.ne(video::Status::Deleted);
    Condition::any().add(video::Column::Status.eq(video::Status::Ready)).add(Condition::all().add(not_deleted).add(own))
}

/// The address of a video's picture: the one that a client gave, else ours when there is a file.
pub(crate) fn thumbnail_address(id: i64, given: Option<String>, file: Option<&str>) -> Option<String> {
    given.or_else(|| file.map(|_| format!("/api/v1/videos/{id}/thumbnail")))
}

fn with_progress(caller: Option<Caller>) -> Select<video::Entity> {
    let select = video::Entity::find()
        .join(JoinType::InnerJoin, video::Relation::User.def())
        .column_as(user::Column::Username, "uploader_username")
        .column_as(user::Column::Role, "uploader_role");
    match caller {
        None => select.expr_as(Expr::cust("CAST(NULL AS integer)"), "watch_position"),
        Some(Caller { id, .. }) => {
            let own = move |_, history| Expr::col((history, watch_history::Column::UserId)).eq(id).into_condition();
            let history = video::Relation::WatchHistory.def().on_condition(own);
            select.join(JoinType::LeftJoin, history).column_as(watch_history::Column::WatchPosition, "watch_position")
        }
    }
}

/// The role of a video's uploader, who is mostly the caller.
async fn role_of(db: &impl ConnectionTrait, caller: Caller, uploader: i64) -> Result<UserRole, Error> {
    if uploader == caller.id {
        return Ok(caller.role);
    }
    let row = user::Entity::find_by_id(uploader).one(db).await?;
    row.map(|row| row.role.into()).ok_or(Error::VideoNotFound)
}

async fn find_own(db: &impl ConnectionTrait, caller: Caller, id: i64) -> Result<video::Model, Error> {
    let row = video::Entity::find_by_id(id).filter(visible_to(Some(caller))).one(db).await?;
    let row = row.ok_or(Error::VideoNotFound)?;
    if row.user_id == caller.id || caller.role == UserRole::Admin { Ok(row) } else { Err(Error::Forbidden) }
}
