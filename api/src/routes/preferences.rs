//! `/api/v1/users/me/preferences`: what is kept of what the caller watches.

use crate::body::Body;
use crate::error::Problem;
use crate::extractors::{Now, TokenUser, Valid};
use crate::state::AppData;
use actix_web::web::Json;
use actix_web::{get, patch};
use service::preferences::{self, Preferences, PreferencesUpdate};

/// Get my preferences
#[utoipa::path(
    operation_id = "read_my_preferences", security(("bearer" = [])),
    responses((status = 200, description = "The preferences.", body = Preferences))
)]
#[get("/users/me/preferences")]
pub(super) async fn find(app: AppData, TokenUser(user): TokenUser) -> Result<Json<Preferences>, Problem> {
    app.run(move |app| async move { preferences::find(app.db.reader(), user).await }).await.map(Json)
}

/// Change my preferences
///
/// They hold from the next save on, and for everything that is shown at once. A field that is
/// absent stays unchanged.
#[utoipa::path(
    operation_id = "change_my_preferences", security(("bearer" = [])),
    request_body = PreferencesUpdate,
    responses((status = 200, description = "The changed preferences.", body = Preferences))
)]
#[patch("/users/me/preferences")]
pub(super) async fn update(
    app: AppData,
    TokenUser(user): TokenUser,
    Valid(Body(update)): Valid<Body<PreferencesUpdate>>,
    Now(now): Now,
) -> Result<Json<Preferences>, Problem> {
    let update = app.run(move |app| async move {
        app.db.transaction(async |tx| preferences::update(tx, user, update, now).await).await
    });
    update.await.map(Json)
}
