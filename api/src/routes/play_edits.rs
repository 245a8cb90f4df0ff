//! Edits of one play: resume, delete.

use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Valid, check_id};
use crate::responses::PlayNotFound;
use crate::state::AppData;
use actix_web::web::{Json, Path};
use actix_web::{HttpResponse, Responder, delete, post};
use serde::Deserialize;
use service::plays;
use service::watch_history::Entry;
use utoipa::IntoParams;
use validator::{Validate, ValidationError};

/// The play that the path names.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Path)]
#[validate(schema(function = "validate_play_id"))]
pub(super) struct PlayPath {
    /// Id of the play.
    #[param(minimum = 1, example = 1_048_577)]
    play_id: i64,
}

fn validate_play_id(path: &PlayPath) -> Result<(), ValidationError> {
    check_id(path.play_id)
}

/// Delete a play
///
/// It leaves the history and the statistics. The position stays; `play_count` falls by one if the
/// play was a completed one.
#[utoipa::path(
    operation_id = "delete_play", security(("bearer" = [])), params(PlayPath),
    responses((status = 204, description = "The play is deleted."), PlayNotFound)
)]
#[delete("/plays/{play_id}")]
pub(super) async fn delete_play(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<PlayPath>>,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let edit = app.edit(caller, now);
    let deleting =
        app.run(
            move |app| async move { app.db.transaction(async |tx| plays::delete(tx, &edit, path.play_id).await).await },
        );
    deleting.await?;
    Ok(HttpResponse::NoContent())
}

/// Resume a play
///
/// The position of the entry becomes the `end_position` of this play, as a deliberate save of now.
#[utoipa::path(
    operation_id = "resume_play", security(("bearer" = [])), params(PlayPath),
    responses((status = 200, description = "The entry.", body = Entry), PlayNotFound)
)]
#[post("/plays/{play_id}/resume")]
pub(super) async fn resume(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(path): Valid<Path<PlayPath>>,
    Now(now): Now,
) -> Result<Json<Entry>, Problem> {
    let edit = app.edit(caller, now);
    let resuming =
        app.run(
            move |app| async move { app.db.transaction(async |tx| plays::resume(tx, &edit, path.play_id).await).await },
        );
    resuming.await.map(Json)
}
