//! The files of videos: streams in which a browser can seek, and thumbnails.

use crate::cache_control;
use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::extractors::{Valid, VideoPath};
use crate::file::OpenFile;
use crate::file_limits::FilePermit;
use crate::responses::{
    FileUnavailable, PreconditionFailed, RangeNotSatisfiable, StreamNotFound, ThumbnailNotFound, TooManyStreams,
};
use crate::state::{AppData, AppState};
use actix_web::body::{BodySize, BoxBody, MessageBody, SizedStream};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use futures_util::stream::{StreamExt, poll_fn};
use service::Error;
use service::library::{self, MediaFile};
use std::pin::Pin;
use std::sync::Arc;

/// Stream a video
///
/// Takes `Range` and `If-Range`, so that a player can seek. Needs no sign-in, because a `<video>`
/// element sends no token.
#[utoipa::path(
    operation_id = "stream_video", params(
        VideoPath,
        ("Range" = Option<String>, Header, description = "The bytes to send", example = "bytes=0-1023"),
    ),
    responses(
        (status = 200, description = "The whole file.", content_type = "video/*", body = Vec<u8>),
        (status = 206, description = "The requested bytes.", content_type = "video/*", body = Vec<u8>),
        (status = 304, description = "Not modified."),
        StreamNotFound, PreconditionFailed, RangeNotSatisfiable, TooManyStreams, FileUnavailable
    )
)]
#[get("/videos/{video_id}/stream")]
pub(super) async fn stream(
    app: AppData,
    Valid(path): Valid<Path<VideoPath>>,
    ClientAddress(from): ClientAddress,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let permit = app.file_limits.take_for_video(from)?;
    let find =
        |app: Arc<AppState>| async move { library::find_stream(app.db.reader(), &app.library, path.video_id).await };
    let file = open(app.run(find).await?, Error::FileNotFound).await?;
    Ok(send(app, permit, file.respond(&request), cache_control::PUBLIC_REVALIDATE))
}

/// Get the thumbnail of a video
#[utoipa::path(
    operation_id = "read_thumbnail", params(VideoPath),
    responses(
        (status = 200, description = "The picture.", content_type = "image/*", body = Vec<u8>),
        (status = 206, description = "The requested bytes.", content_type = "image/*", body = Vec<u8>),
        (status = 304, description = "Not modified."),
        ThumbnailNotFound, PreconditionFailed, RangeNotSatisfiable, FileUnavailable
    )
)]
#[get("/videos/{video_id}/thumbnail")]
pub(super) async fn thumbnail(
    app: AppData,
    Valid(path): Valid<Path<VideoPath>>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let permit = app.file_limits.take_for_picture()?;
    let find =
        |app: Arc<AppState>| async move { library::find_thumbnail(app.db.reader(), &app.library, path.video_id).await };
    let file = open(app.run(find).await?, Error::ThumbnailNotFound).await?;
    Ok(send(app, permit, file.respond(&request), cache_control::PUBLIC_ONE_HOUR))
}

/// Opens a file whose path the library has checked.
async fn open(MediaFile(path): MediaFile, otherwise: Error) -> Result<OpenFile, Problem> {
    let opened = library::none_if_missing(OpenFile::open(path).await).map_err(Error::from)?;
    opened.flatten().ok_or_else(|| otherwise.into())
}

/// Stops the body when the server shuts down, because a film of two hours must not delay a
/// deployment, and holds the permit until the body ends.
fn send(app: Data<AppState>, permit: FilePermit, mut response: HttpResponse, caching: HeaderValue) -> HttpResponse {
    response.headers_mut().insert(CACHE_CONTROL, caching);
    response.map_body(|_, body| match body.size() {
        BodySize::Sized(size) if size > 0 => {
            let mut body = body;
            let bytes = poll_fn(move |context| {
                let _held = &permit;
                Pin::new(&mut body).poll_next(context)
            });
            let cut = Box::pin(async move { app.shutdown.wait_to_stop_streams().await });
            BoxBody::new(SizedStream::new(size, bytes.take_until(cut)))
        }
        _ => body,
    })
}
