//! What else pages of the reference ask of a video: views, qualities, and what there is none of yet (HLS, clips, tags, ratings), told
//! honestly.

use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, OptionalUser, Query, Valid, VideoPath};
use crate::responses::{RatingNotFound, VideoNotFound};
use crate::state::{AppData, AppState};
use actix_web::web::{Json, Path};
use actix_web::{HttpResponse, Responder, get, post};
use serde::{Deserialize, Serialize};
use service::caller::Caller;
use service::video::{self, HlsStatus, PreviewClips, Qualities, RatingStats};
use service::{Error, text, views};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

/// Count a view
///
/// A page sends this when it opens a player. One viewer of a video, or one address that is not signed in, counts once in half an hour.
#[utoipa::path(
    tag = "videos", operation_id = "count_view", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 204, description = "It is counted, or was less than half an hour ago."), VideoNotFound)
)]
#[post("/videos/{video_id}/view")]
pub(super) async fn count_view(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    ClientAddress(from): ClientAddress,
    Valid(path): Valid<Path<VideoPath>>,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let count = move |app: Arc<AppState>| async move {
        let view = views::find_new_view(&app.db, &app.views, caller, from, path.video_id, now).await?;
        let Some(view) = view else { return Ok(()) };
        let counted = app.db.transaction(async |tx| views::count(tx, view).await).await;
        counted.inspect_err(|_| app.views.remove(view))
    };
    app.run(count).await?;
    Ok(HttpResponse::NoContent())
}

/// The answer about a video that the caller may see.
async fn if_visible<T>(app: AppData, caller: Option<Caller>, path: &VideoPath, answer: T) -> Result<Json<T>, Problem> {
    let id = path.video_id;
    app.run(move |app| async move { video::exists(app.db.reader(), caller, id).await }).await?;
    Ok(Json(answer))
}

/// Is there an HLS playlist
///
/// There is none: `hls_available` is `null`, and the file is played as it is.
#[utoipa::path(
    tag = "videos", operation_id = "read_hls_status", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "There is none.", body = HlsStatus), VideoNotFound)
)]
#[get("/videos/{video_id}/hls/status")]
pub(super) async fn hls_status(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<HlsStatus>, Problem> {
    if_visible(app, caller, &path, HlsStatus::none(path.video_id)).await
}

/// In which qualities
#[utoipa::path(
    tag = "videos", operation_id = "list_qualities", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "The original.", body = Qualities), VideoNotFound)
)]
#[get("/videos/{video_id}/qualities")]
pub(super) async fn qualities(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<Qualities>, Problem> {
    if_visible(app, caller, &path, Qualities::original(path.video_id)).await
}

/// The clips for a preview
///
/// There are none.
#[utoipa::path(
    tag = "videos", operation_id = "list_preview_clips", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "None.", body = PreviewClips), VideoNotFound)
)]
#[get("/videos/{video_id}/preview-clips")]
pub(super) async fn preview_clips(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<PreviewClips>, Problem> {
    if_visible(app, caller, &path, PreviewClips::default()).await
}

/// One of several pictures of a video.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Thumbnail {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    id: i64,
    /// The video.
    #[schema(minimum = 1, example = 1)]
    video_id: i64,
    /// Whether it is the one that is shown.
    is_selected: bool,
}

/// The pictures to choose from
///
/// There are none; the one beside the file is at `/videos/{video_id}/thumbnail`.
#[utoipa::path(
    tag = "videos", operation_id = "list_thumbnails", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "None.", body = [Thumbnail]), VideoNotFound)
)]
#[get("/videos/{video_id}/thumbnails")]
pub(super) async fn thumbnails(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<Vec<Thumbnail>>, Problem> {
    if_visible(app, caller, &path, Vec::new()).await
}

/// A tag of videos.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VideoTag)]
pub(super) struct Tag {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    id: i64,
    /// What it is called.
    #[schema(example = "Sea")]
    name: String,
    /// Its name in an address.
    #[schema(example = "sea")]
    slug: String,
    /// Its colour.
    #[schema(example = "#3B82F6")]
    color: String,
}

/// The tags of a video
///
/// There are none yet.
#[utoipa::path(
    tag = "tags", operation_id = "list_video_tags", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "None.", body = [Tag]), VideoNotFound)
)]
#[get("/videos/{video_id}/tags")]
pub(super) async fn video_tags(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<Vec<Tag>>, Problem> {
    if_visible(app, caller, &path, Vec::new()).await
}

/// Which tags.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TagsQuery {
    /// How many to leave out.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[param(minimum = 0, maximum = 2_147_483_647_i64, default = 0, example = 0)]
    skip: i32,
    /// How many at most.
    #[serde(default = "hundred")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 100, example = 100)]
    limit: i32,
    /// A text that the name contains.
    #[validate(length(max = 200), custom(function = text::storable))]
    #[param(max_length = 200, example = "sea")]
    search: Option<String>,
}

fn hundred() -> i32 {
    100
}

fn ten() -> i32 {
    10
}

/// All tags
///
/// There are none yet.
#[utoipa::path(
    tag = "tags", operation_id = "list_tags", params(TagsQuery),
    responses((status = 200, description = "None.", body = [Tag]))
)]
#[get("/tags")]
pub(super) async fn tags(_query: Valid<Query<TagsQuery>>) -> Json<Vec<Tag>> {
    Json(Vec::new())
}

/// How many tags.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PopularTagsQuery {
    /// How many at most.
    #[serde(default = "ten")]
    #[validate(range(min = 1, max = 50))]
    #[param(minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: i32,
}

/// Popular tags
///
/// There are none yet.
#[utoipa::path(
    tag = "tags", operation_id = "popular_tags", params(PopularTagsQuery),
    responses((status = 200, description = "None.", body = [Tag]))
)]
#[get("/tags/popular")]
pub(super) async fn popular_tags(_query: Valid<Query<PopularTagsQuery>>) -> Json<Vec<Tag>> {
    Json(Vec::new())
}

/// Which tag.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TagSearchQuery {
    /// A text that the name contains.
    #[validate(length(min = 1, max = 200), custom(function = text::storable))]
    #[param(min_length = 1, max_length = 200, example = "sea")]
    q: String,
    /// How many at most.
    #[serde(default = "ten")]
    #[validate(range(min = 1, max = 50))]
    #[param(minimum = 1, maximum = 50, default = 10, example = 10)]
    limit: i32,
}

/// Search tags
///
/// There are none yet.
#[utoipa::path(
    tag = "tags", operation_id = "search_tags", params(TagSearchQuery),
    responses((status = 200, description = "None.", body = [Tag]))
)]
#[get("/tags/search")]
pub(super) async fn search_tags(_query: Valid<Query<TagSearchQuery>>) -> Json<Vec<Tag>> {
    Json(Vec::new())
}

/// How a video was rated
///
/// Nothing can be rated yet.
#[utoipa::path(
    tag = "ratings", operation_id = "read_rating_stats", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "Not at all.", body = RatingStats), VideoNotFound)
)]
#[get("/videos/{video_id}/rating/stats")]
pub(super) async fn rating_stats(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<RatingStats>, Problem> {
    if_visible(app, caller, &path, RatingStats::default()).await
}

/// My rating of a video
///
/// Nothing can be rated yet, so there is none: always 404.
#[utoipa::path(
    tag = "ratings", operation_id = "read_rating", security(("bearer" = [])), params(VideoPath),
    responses(RatingNotFound)
)]
#[get("/videos/{video_id}/rating")]
pub(super) async fn rating(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<HttpResponse, Problem> {
    let id = path.video_id;
    app.run(move |app| async move { video::exists(app.db.reader(), Some(caller), id).await }).await?;
    Err(Error::RatingNotFound.into())
}
