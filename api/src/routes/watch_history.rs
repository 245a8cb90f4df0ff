//! Watch positions of the caller: save, get, forget, continue watching.

use crate::body::Body;
use crate::error::Problem;
use crate::extractors::{Query, TokenUser, Valid, VideoPath};
use crate::responses::{HistoryNotFound, VideoNotFound};
use crate::state::AppData;
use actix_web::web::{Json, Path};
use actix_web::{HttpResponse, Responder, delete, get, post};
use serde::Deserialize;
use service::watch_history::{self, ContinueWatching, Entry, Save};
use utoipa::IntoParams;
use validator::Validate;

/// The length of the list.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LimitQuery {
    /// The maximum number of videos.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10, example = 10)]
    limit: i32,
}

fn default_limit() -> i32 {
    10
}

/// Save the watch position
///
/// A player sends this every 10 seconds while it plays, and at once on pause, seek, end, and when
/// its page is hidden.
///
/// The newer save wins, whatever arrives first. Of two saves with the same `session_id`, the higher
/// `sequence` is newer; otherwise the position that was true later, by `age_ms`. A save without a
/// `session_id` keeps the `session_id` and `sequence` of the entry, so a later save of that session
/// is still compared by `sequence`. An older save changes nothing: the response is the stored entry
/// with `applied: false`. A save of position 0 without a `session_id` starts over.
#[utoipa::path(
    tag = "watch history", operation_id = "save_watch_history", security(("bearer" = [])), params(VideoPath),
    request_body = Save,
    responses((status = 200, description = "The stored entry; `applied` tells whether this save changed it.", body = Entry), VideoNotFound)
)]
#[post("/videos/{video_id}/watch-history")]
pub(super) async fn save(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(path): Valid<Path<VideoPath>>,
    Valid(Body(save)): Valid<Body<Save>>,
) -> Result<Json<Entry>, Problem> {
    // The time is taken when the whole request is here, so that batched saves have this order.
    Ok(Json(watch_history::save(&app.history, user, path.video_id, save, app.clock.now()).await?))
}

/// Get watch position
#[utoipa::path(
    tag = "watch history", operation_id = "read_watch_history", security(("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "The entry.", body = Entry), HistoryNotFound)
)]
#[get("/videos/{video_id}/watch-history")]
pub(super) async fn find(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<Entry>, Problem> {
    Ok(Json(watch_history::find(&app.history, user, path.video_id).await?))
}

/// Forget watch position
///
/// A save that arrives later creates a new entry, whatever its age: wait for saves on their way first.
#[utoipa::path(
    tag = "watch history", operation_id = "forget_watch_history", security(("bearer" = [])), params(VideoPath),
    responses((status = 204, description = "The entry is deleted."), HistoryNotFound)
)]
#[delete("/videos/{video_id}/watch-history")]
pub(super) async fn forget(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<impl Responder, Problem> {
    watch_history::forget(&app.history, user, path.video_id).await?;
    Ok(HttpResponse::NoContent())
}

/// Continue watching
///
/// Videos that the caller began and did not complete, the last watched first.
#[utoipa::path(
    tag = "watch history", operation_id = "continue_watching", security(("bearer" = [])), params(LimitQuery),
    responses((status = 200, description = "Videos to continue.", body = [ContinueWatching]))
)]
#[get("/videos/continue-watching")]
pub(super) async fn continue_watching(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(query): Valid<Query<LimitQuery>>,
) -> Result<Json<Vec<ContinueWatching>>, Problem> {
    let items = watch_history::continue_watching(&app.history, user, query.limit.unsigned_abs()).await?;
    Ok(Json(app.public_path.prefix_links(items)))
}
