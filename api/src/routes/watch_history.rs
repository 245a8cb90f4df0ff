//! Where the caller stopped: the save, and what is made of it.

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

/// How many.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LimitQuery {
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10, example = 10)]
    limit: i32,
}

fn default_limit() -> i32 {
    10
}

/// Save where I stand
///
/// A player sends this every 10 seconds while it plays, and at once on pause, seek, end, and when its page is hidden.
///
/// The newer save wins, whatever arrives first: between two saves of one `session_id` the higher `sequence`, else the one whose
/// position was true later, by `age_ms`. A save without a `session_id` leaves the entry with the opening and the count that it had, so a
/// save of that opening is still weighed by its `sequence` alone. A save that is refused changes nothing; it is answered with
/// what is stored and `applied: false`. A save of position 0 without a `session_id` starts over.
#[utoipa::path(
    tag = "watch history", operation_id = "save_watch_history", security(("bearer" = [])), params(VideoPath),
    request_body = Save,
    responses((status = 200, description = "The entry as it is stored now; `applied` says whether by this save.", body = Entry), VideoNotFound)
)]
#[post("/videos/{video_id}/watch-history")]
pub(super) async fn save(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(path): Valid<Path<VideoPath>>,
    Valid(Body(save)): Valid<Body<Save>>,
) -> Result<Json<Entry>, Problem> {
    // It arrives when all of it is there, so that what waits together has the order of these moments.
    Ok(Json(watch_history::save(&app.history, user, path.video_id, save, app.clock.now()).await?))
}

/// Where do I stand
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

/// Forget where I stand
///
/// A save that arrives later makes a new entry, whatever its age: let those arrive first that are on their way.
#[utoipa::path(
    tag = "watch history", operation_id = "forget_watch_history", security(("bearer" = [])), params(VideoPath),
    responses((status = 204, description = "It is forgotten."), HistoryNotFound)
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
/// What the caller has begun and not finished, the last watched first.
#[utoipa::path(
    tag = "watch history", operation_id = "continue_watching", security(("bearer" = [])), params(LimitQuery),
    responses((status = 200, description = "Videos to go on with.", body = [ContinueWatching]))
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
