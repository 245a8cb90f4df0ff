//! Ratings of videos. There are none yet, so every answer says so.

use crate::error::Problem;
use crate::extractors::{CurrentUser, Valid, VideoPath, VisibleVideo};
use crate::responses::{RatingNotFound, VideoNotFound};
use crate::state::AppData;
use actix_web::web::{Json, Path};
use actix_web::{HttpResponse, get};
use service::Error;
use service::video::{self, RatingStats};

/// Get the ratings of a video
///
/// There are no ratings yet.
#[utoipa::path(
    operation_id = "read_rating_stats", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "No ratings.", body = RatingStats), VideoNotFound)
)]
#[get("/videos/{video_id}/rating/stats")]
pub(super) async fn rating_stats(_: VisibleVideo) -> Json<RatingStats> {
    Json(RatingStats::default())
}

/// Get my rating of a video
///
/// There are no ratings yet: always 404.
#[utoipa::path(
    operation_id = "read_rating", security(("bearer" = [])), params(VideoPath),
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
