//! Views, qualities, and what pages of the earlier API ask for and no video has yet.

use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::extractors::{Now, OptionalUser, Valid, VideoPath, VisibleVideo};
use crate::responses::VideoNotFound;
use crate::state::{AppData, AppState};
use actix_web::web::{Json, Path};
use actix_web::{HttpResponse, Responder, get, post};
use serde::Serialize;
use service::video::{HlsStatus, PreviewClips, Qualities};
use service::views;
use std::sync::Arc;
use utoipa::ToSchema;

/// Count a view
///
/// A page sends this when it opens a player. A viewer of a video, or an address that is not signed
/// in, counts once in half an hour.
#[utoipa::path(
    operation_id = "count_view", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 204, description = "The view is counted, or was in the last half hour."), VideoNotFound)
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

/// Get the HLS status
///
/// There is no HLS playlist: `hls_available` is `null`, and players play the file itself.
#[utoipa::path(
    operation_id = "read_hls_status", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "There is no playlist.", body = HlsStatus), VideoNotFound)
)]
#[get("/videos/{video_id}/hls/status")]
pub(super) async fn hls_status(VisibleVideo(id): VisibleVideo) -> Json<HlsStatus> {
    Json(HlsStatus::none(id))
}

/// List qualities
#[utoipa::path(
    operation_id = "list_qualities", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "The original quality.", body = Qualities), VideoNotFound)
)]
#[get("/videos/{video_id}/qualities")]
pub(super) async fn qualities(VisibleVideo(id): VisibleVideo) -> Json<Qualities> {
    Json(Qualities::original(id))
}

/// List preview clips
///
/// There are none.
#[utoipa::path(
    operation_id = "list_preview_clips", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "No clips.", body = PreviewClips), VideoNotFound)
)]
#[get("/videos/{video_id}/preview-clips")]
pub(super) async fn preview_clips(_: VisibleVideo) -> Json<PreviewClips> {
    Json(PreviewClips::default())
}

/// One of several thumbnails of a video.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VideoThumbnail)]
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

/// List thumbnails to choose from
///
/// There are none; the one beside the file is at `/videos/{video_id}/thumbnail`.
#[utoipa::path(
    operation_id = "list_thumbnails", security((), ("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "No thumbnails.", body = [Thumbnail]), VideoNotFound)
)]
#[get("/videos/{video_id}/thumbnails")]
pub(super) async fn thumbnails(_: VisibleVideo) -> Json<Vec<Thumbnail>> {
    Json(Vec::new())
}
