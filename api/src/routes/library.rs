//! The files of videos: streams that a browser can seek in, and pictures.

use super::Application;
use crate::error::Problem;
use crate::extract::{Valid, VideoPath};
use crate::responses::{PreconditionFailed, RangeNotSatisfiable, StreamNotFound, ThumbnailNotFound};
use crate::state::App;
use actix_files::NamedFile;
use actix_web::body::{BodySize, BoxBody, MessageBody, SizedStream};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use futures_util::stream::{StreamExt, poll_fn};
use service::Error;
use service::library::{self, MediaFile};
use std::pin::Pin;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Play a video
///
/// Takes `Range` and `If-Range`, so that a player can seek. Needs no sign-in, because a `<video>` element sends none.
#[utoipa::path(
    tag = "videos", operation_id = "stream_video", params(
        VideoPath,
        ("Range" = Option<String>, Header, description = "Which bytes", example = "bytes=0-1023"),
    ),
    responses(
        (status = 200, description = "The whole file.", content_type = "video/*", body = Vec<u8>),
        (status = 206, description = "The bytes asked for.", content_type = "video/*", body = Vec<u8>),
        (status = 304, description = "Not changed since."),
        StreamNotFound, PreconditionFailed, RangeNotSatisfiable
    )
)]
#[get("/videos/{video_id}/stream")]
pub(super) async fn stream(
    app: Application,
    Valid(path): Valid<Path<VideoPath>>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let find = |app: Arc<App>| async move { library::find_stream(app.db.reader(), &app.library, path.video_id).await };
    let file = open(app.run(find).await?, Error::FileNotFound).await?;
    let response = file.into_response(&request);
    Ok(until_the_end(app, response))
}

/// The picture of a video
#[utoipa::path(
    tag = "videos", operation_id = "read_thumbnail", params(VideoPath),
    responses(
        (status = 200, description = "The picture.", content_type = "image/*", body = Vec<u8>),
        (status = 206, description = "The bytes asked for.", content_type = "image/*", body = Vec<u8>),
        (status = 304, description = "Not changed since."),
        ThumbnailNotFound, PreconditionFailed, RangeNotSatisfiable
    )
)]
#[get("/videos/{video_id}/thumbnail")]
pub(super) async fn thumbnail(
    app: Application,
    Valid(path): Valid<Path<VideoPath>>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let find =
        |app: Arc<App>| async move { library::find_thumbnail(app.db.reader(), &app.library, path.video_id).await };
    let file = open(app.run(find).await?, Error::ThumbnailNotFound).await?;
    let mut response = file.into_response(&request);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(response)
}

/// Opens a file that the library vouches for. Its name stays ours.
async fn open(MediaFile(path): MediaFile, otherwise: Error) -> Result<NamedFile, Problem> {
    let opened = spawn_blocking(move || NamedFile::open(path)).await;
    match opened {
        Ok(Ok(file)) => Ok(file.disable_content_disposition()),
        Ok(Err(_)) | Err(_) => Err(otherwise.into()),
    }
}

/// Ends the body with the server: a film of two hours must not hold a deployment up.
fn until_the_end(app: Data<App>, response: HttpResponse) -> HttpResponse {
    response.map_body(|_, body| match body.size() {
        BodySize::Sized(size) if size > 0 => {
            let mut body = body;
            let bytes = poll_fn(move |context| Pin::new(&mut body).poll_next(context));
            let cut = Box::pin(async move { app.shutdown.cut().await });
            BoxBody::new(SizedStream::new(size, bytes.take_until(cut)))
        }
        _ => body,
    })
}
