//! Edits of one entry: undo, hide, mark.

use crate::body::OptionalBody;
use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Valid, VideoPath};
use crate::responses::{HistoryNotFound, NothingToUndo, VideoNotFound};
use crate::state::AppData;
use actix_web::web::{Json, Path};
use actix_web::{delete, post, put};
use service::watch_history::Entry;
use service::watch_history::edit::{self, Hiding, Mark};

/// Undo the last jump
///
/// Goes back to the position in `previous`, which was given up last. The position that is given up
/// now becomes `previous`, so that a second undo takes the first one back.
#[utoipa::path(
    operation_id = "undo_watch_history", security(("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "The entry.", body = Entry), HistoryNotFound, NothingToUndo)
)]
#[post("/videos/{video_id}/watch-history/undo")]
pub(super) async fn undo(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
    Now(now): Now,
) -> Result<Json<Entry>, Problem> {
    let edit = app.edit(caller, now);
    let undoing = app
        .run(move |app| async move { app.db.transaction(async |tx| edit::undo(tx, &edit, path.video_id).await).await });
    undoing.await.map(Json)
}

/// Hide a video
///
/// Takes it off "continue watching". Position, plays and marks stay. It comes back when a save
/// moves the position, or at `until`.
#[utoipa::path(
    operation_id = "hide_watch_history", security(("bearer" = [])), params(VideoPath),
    request_body(content = Option<Hiding>),
    responses((status = 200, description = "The entry.", body = Entry), HistoryNotFound)
)]
#[put("/videos/{video_id}/watch-history/hidden")]
pub(super) async fn hide(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
    Valid(OptionalBody(hiding)): Valid<OptionalBody<Hiding>>,
    Now(now): Now,
) -> Result<Json<Entry>, Problem> {
    let edit = app.edit(caller, now);
    let hiding = app.run(move |app| async move {
        app.db.transaction(async |tx| edit::hide(tx, &edit, path.video_id, hiding).await).await
    });
    hiding.await.map(Json)
}

/// Show a hidden video
///
/// Puts it back on "continue watching", if it belongs there.
#[utoipa::path(
    operation_id = "unhide_watch_history", security(("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "The entry.", body = Entry), HistoryNotFound)
)]
#[delete("/videos/{video_id}/watch-history/hidden")]
pub(super) async fn unhide(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
    Now(now): Now,
) -> Result<Json<Entry>, Problem> {
    let edit = app.edit(caller, now);
    let showing =
        app.run(
            move |app| async move { app.db.transaction(async |tx| edit::unhide(tx, &edit, path.video_id).await).await },
        );
    showing.await.map(Json)
}

/// Mark a video as watched
///
/// The entry is completed, its `play_count` is at least 1, and its position is the end, if the
/// duration is known. There need not be an entry before. No play is made up.
#[utoipa::path(
    operation_id = "mark_watched", security(("bearer" = [])), params(VideoPath),
    request_body(content = Option<Mark>),
    responses((status = 200, description = "The entry.", body = Entry), VideoNotFound)
)]
#[put("/videos/{video_id}/watched")]
pub(super) async fn mark(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
    Valid(OptionalBody(mark)): Valid<OptionalBody<Mark>>,
    Now(now): Now,
) -> Result<Json<Entry>, Problem> {
    let edit = app.edit(caller, now);
    let marking = app.run(move |app| async move {
        app.db.transaction(async |tx| edit::mark(tx, &edit, path.video_id, mark).await).await
    });
    marking.await.map(Json)
}

/// Mark a video as not watched
///
/// Forgets that it was watched to the end: `play_count` is 0, and no play is `completed` any more.
/// A position at the end goes back to the start, any other one stays.
#[utoipa::path(
    operation_id = "unmark_watched", security(("bearer" = [])), params(VideoPath),
    responses((status = 200, description = "The entry.", body = Entry), HistoryNotFound)
)]
#[delete("/videos/{video_id}/watched")]
pub(super) async fn unmark(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<VideoPath>>,
    Now(now): Now,
) -> Result<Json<Entry>, Problem> {
    let edit = app.edit(caller, now);
    let unmarking =
        app.run(
            move |app| async move { app.db.transaction(async |tx| edit::unmark(tx, &edit, path.video_id).await).await },
        );
    unmarking.await.map(Json)
}
