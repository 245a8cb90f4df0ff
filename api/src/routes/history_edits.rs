//! Edits of many entries: mark, forget, clear.

use crate::body::Body;
use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Query, Valid};
use crate::state::AppData;
use actix_web::web::Json;
use actix_web::{delete, post};
use service::watch_history::edit::{self, Clearing, Deletion, MarkResult, Marks, VideoList};

/// Mark many videos
///
/// Marks videos as watched now, or as not watched. All marks are stored, or none.
#[utoipa::path(
    operation_id = "mark_many_watched", security(("bearer" = [])), request_body = Marks,
    responses((status = 200, description = "How many entries changed, and which videos were skipped.", body = MarkResult))
)]
#[post("/watch-history/mark")]
pub(super) async fn mark_many(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Body(marks)): Valid<Body<Marks>>,
    Now(now): Now,
) -> Result<Json<MarkResult>, Problem> {
    let edit = app.edit(caller, now);
    let marking = app
        .run(move |app| async move { app.db.transaction(async |tx| edit::mark_many(tx, &edit, &marks).await).await });
    marking.await.map(Json)
}

/// Forget many videos
///
/// Deletes the entries of these videos with their plays. Videos without an entry are skipped.
#[utoipa::path(
    operation_id = "forget_many", security(("bearer" = [])), request_body = VideoList,
    responses((status = 200, description = "How many entries were deleted.", body = Deletion))
)]
#[post("/watch-history/forget")]
pub(super) async fn forget_many(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Body(videos)): Valid<Body<VideoList>>,
    Now(now): Now,
) -> Result<Json<Deletion>, Problem> {
    let edit = app.edit(caller, now);
    let forgetting =
        app.run(
            move |app| async move { app.db.transaction(async |tx| edit::forget_many(tx, &edit, &videos).await).await },
        );
    forgetting.await.map(Json)
}

/// Clear the history
///
/// Deletes the entries and plays that were last watched before a time, or all of them.
#[utoipa::path(
    operation_id = "clear_watch_history", security(("bearer" = [])), params(Clearing),
    responses((status = 200, description = "How many entries were deleted.", body = Deletion))
)]
#[delete("/watch-history")]
pub(super) async fn clear(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Query(clearing)): Valid<Query<Clearing>>,
    Now(now): Now,
) -> Result<Json<Deletion>, Problem> {
    let edit = app.edit(caller, now);
    app.run(move |app| async move { edit::clear(&app.db, &edit, clearing).await }).await.map(Json)
}
