//! `/api/v1/videos`: the library.

use super::lists::tag_ids;
use crate::body::Body;
use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, OptionalUser, Query, Valid, VideoPath};
use crate::pagination::{KeptParameters, default_limit, parse_cursor, respond};
use crate::paths;
use crate::responses::{Forbidden, TooManyVideos, VideoNotFound};
use crate::security_log::{AccountRef, SecurityEvent, SecurityLog};
use crate::state::{AppData, AppState};
use actix_web::http::header::LOCATION;
use actix_web::web::{Json, Path};
use actix_web::{HttpResponse, Responder, delete, get, patch, post};
use serde::Deserialize;
use service::search::MAX_SKIP;
use service::text::{self, FieldError};
use service::video::{self, NewVideo, Video, VideoUpdate};
use std::sync::Arc;
use utoipa::IntoParams;
use validator::Validate;

/// Selects a page of the library.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// The maximum number of videos.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: i32,
    /// The cursor from the `Link` header of the previous page.
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    cursor: Option<String>,
    /// How many videos to skip; `cursor` is faster and misses none.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[param(minimum = 0, maximum = 2_147_483_647_i64, default = 0, example = 0)]
    skip: i32,
    /// A text in the title or the description; case and Unicode composition do not matter.
    #[validate(length(max = 200), custom(function = text::storable))]
    #[param(max_length = 200, example = "harbour")]
    q: Option<String>,
    /// Comma-separated ids of tags: videos that have any of them. No video has tags yet.
    #[serde(default, deserialize_with = "tag_ids")]
    #[param(value_type = Option<String>, example = "")]
    tag_ids: Vec<i64>,
}

/// List videos
///
/// The ready videos, the newest first. The header `Link` has the URL of the next page, if there is
/// one.
#[utoipa::path(
    operation_id = "list_videos", security((), ("bearer" = [])), params(ListQuery),
    responses((
        status = 200, description = "A page of videos.", body = [Video],
        headers(("Link" = Option<String>, description = "`<URL>; rel=\"next\"` if there is a next page"))
    ))
)]
#[get("/videos")]
pub(super) async fn list(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(Query(query)): Valid<Query<ListQuery>>,
) -> Result<impl Responder, Problem> {
    let ListQuery { limit, cursor, skip, q, tag_ids } = query;
    let search = q.filter(|text| !text.is_empty());
    let cursor = parse_cursor(cursor)?;
    if !tag_ids.is_empty() {
        return Ok(HttpResponse::Ok().json([(); 0]));
    }
    if search.is_some() && skip > MAX_SKIP {
        return Err(skip_too_large());
    }
    let asked = video::VideoQuery {
        limit: limit.unsigned_abs().into(),
        cursor,
        skip: skip.unsigned_abs().into(),
        search: search.clone(),
    };
    let page = app.run(move |app| async move { video::list(&app.db, caller, asked).await }).await?;
    Ok(respond(&app.public_path, paths::VIDEOS, &KeptParameters::new(limit).with("q", search), page))
}

fn skip_too_large() -> Problem {
    let message = format!("must be at most {MAX_SKIP} in a search; use the cursor in the header Link");
    Problem::invalid_fields(vec![FieldError { field: "skip".to_owned(), message }])
}

/// Create a video
#[utoipa::path(
    operation_id = "create_video", security(("bearer" = [])), request_body = NewVideo,
    responses((
        status = 201, description = "The new video.", body = Video,
        headers(("Location" = String, description = "The URL of the video"))
    ), TooManyVideos)
)]
#[post("/videos")]
pub(super) async fn create(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Body(new)): Valid<Body<NewVideo>>,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let new = app.public_path.unprefix_links(new);
    let use_case = move |app: Arc<AppState>| async move {
        let limit = app.rate_limits.videos_per_user;
        app.db.transaction(async |tx| video::create(tx, caller, new, limit, now).await).await
    };
    let video = app.run(use_case).await?;
    let location = app.public_path.prefix_links(paths::video(video.id));
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(app.public_path.prefix_links(video)))
}

/// Get a video
#[utoipa::path(
    operation_id = "read_video", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "The video.", body = Video), VideoNotFound)
)]
#[get("/videos/{video_id}")]
pub(super) async fn find(
    app: AppData,
    OptionalUser(caller): OptionalUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<Video>, Problem> {
    app.run_with_links(move |app| async move { video::find(app.db.reader(), caller, path.video_id).await }).await
}

/// Change a video
#[utoipa::path(
    operation_id = "change_video", security(("bearer" = [])), params(VideoPath), request_body = VideoUpdate,
    responses((status = 200, description = "The changed video.", body = Video), Forbidden, VideoNotFound)
)]
#[patch("/videos/{video_id}")]
pub(super) async fn update(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
    Valid(Body(update)): Valid<Body<VideoUpdate>>,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<Json<Video>, Problem> {
    let update = app.public_path.unprefix_links(update);
    let use_case = move |app: Arc<AppState>| async move {
        let id = path.video_id;
        app.db.transaction(async |tx| video::update(tx, caller, id, update, &app.rules, now).await).await
    };
    let changed = app.run(use_case).await?;
    if changed.user_id != caller.id {
        security_log.record_success(SecurityEvent::ForeignVideo, AccountRef::Id(caller.id));
    }
    Ok(Json(app.public_path.prefix_links(changed)))
}

/// Delete a video
///
/// Deletes the video and all watch history of it. Its file stays, and scans skip it from now on.
#[utoipa::path(
    operation_id = "delete_video", security(("bearer" = [])), params(VideoPath),
    responses((status = 204, description = "The video is deleted."), Forbidden, VideoNotFound)
)]
#[delete("/videos/{video_id}")]
pub(super) async fn delete(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let use_case = move |app: Arc<AppState>| async move {
        app.db.transaction(async |tx| video::delete(tx, caller, path.video_id, now).await).await
    };
    let owner = app.run(use_case).await?;
    if owner != caller.id {
        security_log.record_success(SecurityEvent::ForeignVideo, AccountRef::Id(caller.id));
    }
    Ok(HttpResponse::NoContent())
}
