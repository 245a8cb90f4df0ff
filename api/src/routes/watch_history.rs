//! Watch positions of the caller: save, get, forget, continue watching.

use crate::body::Body;
use crate::error::Problem;
use crate::extractors::{Query, TokenUser, Valid, VideoPath};
use crate::responses::{HistoryNotFound, VideoNotFound};
use crate::state::AppData;
use actix_web::web::{Json, Path};
use actix_web::{Either, HttpResponse, Responder, delete, get, post};
use serde::Deserialize;
use service::watch_history::{self, ContinueWatching, Entry, Save};
use utoipa::IntoParams;
use validator::Validate;

/// The length of the list, and the age of its entries.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ContinueWatchingQuery {
    /// The maximum number of videos.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10, example = 10)]
    limit: i32,
    /// Leaves out videos that were last watched more days ago.
    #[validate(range(min = 1, max = 3650))]
    #[param(minimum = 1, maximum = 3650, example = 90)]
    max_age_days: Option<i32>,
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
///
/// What was deleted stays deleted: a save whose position is older than the deletion of the entry is
/// not taken, and neither is any save while the caller's preference `history` is `off`.
#[utoipa::path(
    operation_id = "save_watch_history", security(("bearer" = [])), params(VideoPath),
    request_body = Save,
    responses(
        (status = 200, description = "The stored entry; `applied` tells whether this save changed it.", body = Entry),
        (status = 204, description = "The save is not taken: its position is older than the deletion of the entry, or the caller keeps no history."),
        VideoNotFound
    )
)]
#[post("/videos/{video_id}/watch-history")]
pub(super) async fn save(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(path): Valid<Path<VideoPath>>,
    Valid(Body(save)): Valid<Body<Save>>,
) -> Result<Either<Json<Entry>, HttpResponse>, Problem> {
    // The time is taken when the whole request is here, so that batched saves have this order.
    let saved = watch_history::save(&app.history, user, path.video_id, save, app.clock.now()).await?;
    Ok(saved.map_or_else(|| Either::Right(HttpResponse::NoContent().finish()), |entry| Either::Left(Json(entry))))
}

/// Get watch position
#[utoipa::path(
    operation_id = "read_watch_history", security(("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "The entry.", body = Entry), HistoryNotFound)
)]
#[get("/videos/{video_id}/watch-history")]
pub(super) async fn find(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<Json<Entry>, Problem> {
    Ok(Json(watch_history::find(&app.history, user, path.video_id, app.clock.now()).await?))
}

/// Forget watch position
///
/// The entry and its plays are gone. A save that arrives later, of a position from before the
/// deletion, is not taken; a player that goes on playing begins a new entry.
#[utoipa::path(
    operation_id = "forget_watch_history", security(("bearer" = [])), params(VideoPath),
    responses((status = 204, description = "The entry is deleted."), HistoryNotFound)
)]
#[delete("/videos/{video_id}/watch-history")]
pub(super) async fn forget(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(path): Valid<Path<VideoPath>>,
) -> Result<impl Responder, Problem> {
    watch_history::forget(&app.history, user, path.video_id, app.clock.now()).await?;
    Ok(HttpResponse::NoContent())
}

/// Continue watching
///
/// Videos that the caller began, did not complete and did not hide, the last watched first.
#[utoipa::path(
    operation_id = "continue_watching", security(("bearer" = [])), params(ContinueWatchingQuery),
    responses((status = 200, description = "Videos to continue.", body = [ContinueWatching]))
)]
#[get("/videos/continue-watching")]
pub(super) async fn continue_watching(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(query): Valid<Query<ContinueWatchingQuery>>,
) -> Result<Json<Vec<ContinueWatching>>, Problem> {
    let (limit, max_age, now) = (query.limit.unsigned_abs(), query.max_age_days, app.clock.now());
    let items = watch_history::continue_watching(&app.history, user, limit, max_age, now).await?;
    Ok(Json(app.public_path.prefix_links(items)))
}
