//! `GET /api/v1/watch-history/changes`: what has changed in the history of the caller.

use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Query, Valid};
use crate::responses::ChangesExpired;
use crate::state::AppData;
use actix_web::get;
use actix_web::web::Json;
use serde::Deserialize;
use service::changes::{ChangePage, ChangeRequest, list_changes};
use utoipa::IntoParams;
use validator::Validate;

/// Selects changes of my history.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangesQuery {
    /// The token of the last answer. Without it, all entries are told.
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    since: Option<String>,
    /// The maximum number of changes.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 1000))]
    #[param(minimum = 1, maximum = 1000, default = 500, example = 500)]
    limit: i32,
}

fn default_limit() -> i32 {
    500
}

/// List changes of my history
///
/// For a device that keeps a copy of the history: every entry that was changed since the token was
/// given out, as it is now, and null for every one that is gone. No change is skipped, whichever
/// device made it; one may be repeated. Ask again at once while `more` is true. After a 410, drop
/// the copy and read all anew.
#[utoipa::path(
    operation_id = "list_watch_history_changes", security(("bearer" = [])),
    params(ChangesQuery),
    responses((status = 200, description = "The changes.", body = ChangePage), ChangesExpired)
)]
#[get("/watch-history/changes")]
pub(super) async fn list(
    app: AppData,
    CurrentUser(caller): CurrentUser,
    Valid(Query(query)): Valid<Query<ChangesQuery>>,
    Now(now): Now,
) -> Result<Json<ChangePage>, Problem> {
    let ChangesQuery { since, limit } = query;
    let changes = app.run(move |app| async move {
        let (rules, history_max_days) = (app.rules, app.history_max_days);
        let limit = limit.unsigned_abs().into();
        list_changes(&app.db, &ChangeRequest { user_id: caller.id, since, limit, rules, history_max_days, now }).await
    });
    changes.await.map(Json)
}
