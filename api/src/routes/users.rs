//! `/api/v1/users/me`: the caller's own account.

use super::Application;
use crate::body::Body;
use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::extract::{Now, TokenUser, Valid};
use crate::responses::{Conflict, TooManyRequests};
use actix_web::web::Json;
use actix_web::{HttpResponse, Responder, delete, get, patch};
use service::user::{self, Change, User};

/// Read my account
#[utoipa::path(
    tag = "users", operation_id = "read_my_account", security(("bearer" = []), ("password" = [])),
    responses((status = 200, description = "The caller.", body = User))
)]
#[get("/users/me")]
pub(super) async fn find(app: Application, TokenUser(id): TokenUser) -> Result<Json<User>, Problem> {
    app.run(move |app| async move { user::find(app.db.reader(), id).await }).await.map(Json)
}

/// Change my account
///
/// A new e-mail or password needs `current_password`. After a new password no refresh token works any more; access tokens
/// do until they expire.
#[utoipa::path(
    tag = "users", operation_id = "change_my_account", security(("bearer" = []), ("password" = [])), request_body = Change,
    responses((status = 200, description = "The account as it is now.", body = User), Conflict, TooManyRequests)
)]
#[patch("/users/me")]
pub(super) async fn change(
    app: Application,
    TokenUser(id): TokenUser,
    Valid(Body(change)): Valid<Body<Change>>,
    ClientAddress(from): ClientAddress,
    Now(now): Now,
) -> Result<Json<User>, Problem> {
    app.run(move |app| async move { user::change(&app.db, &app.auth, id, change, from, now).await }).await.map(Json)
}

/// Delete my account
///
/// My videos and everything that I watched go with it.
#[utoipa::path(
    tag = "users", operation_id = "delete_my_account", security(("bearer" = []), ("password" = [])),
    responses((status = 204, description = "The account is gone."), Conflict)
)]
#[delete("/users/me")]
pub(super) async fn leave(app: Application, TokenUser(id): TokenUser) -> Result<impl Responder, Problem> {
    app.run(move |app| async move { user::leave(&app.db, id).await }).await?;
    Ok(HttpResponse::NoContent())
}
