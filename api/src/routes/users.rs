//! `/api/v1/users/me`: the caller's own account.

use super::AppData;
use crate::body::{Body, OptionalBody};
use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::extractors::{Now, Token, TokenUser, Valid};
use crate::responses::{LastAdministrator, Taken, TooManyPasswords};
use crate::security_log::{AccountRef, SecurityEvent, SecurityLog};
use actix_web::web::Json;
use actix_web::{HttpResponse, Responder, delete, get, patch};
use service::user::{self, Change, Departure, User};

/// Read my account
#[utoipa::path(
    tag = "users", operation_id = "read_my_account", security(("bearer" = [])),
    responses((status = 200, description = "The caller.", body = User))
)]
#[get("/users/me")]
pub(super) async fn find(app: AppData, TokenUser(id): TokenUser) -> Result<Json<User>, Problem> {
    app.run(move |app| async move { user::find(app.db.reader(), id).await }).await.map(Json)
}

/// Change my account
///
/// A new name, e-mail or password needs `current_password`. A new password ends every session but the one of this token.
#[utoipa::path(
    tag = "users", operation_id = "change_my_account", security(("bearer" = [])), request_body = Change,
    responses((status = 200, description = "The account as it is now.", body = User), Taken, TooManyPasswords)
)]
#[patch("/users/me")]
pub(super) async fn change(
    app: AppData,
    Token(access): Token,
    Valid(Body(change)): Valid<Body<Change>>,
    ClientAddress(from): ClientAddress,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<Json<User>, Problem> {
    let event = if change.password.is_some() { SecurityEvent::PasswordChange } else { SecurityEvent::AccountChange };
    let change = app.run(move |app| async move { user::change(&app.db, &app.auth, access, change, from, now).await });
    let changed = change.await;
    security_log.record_result(event, AccountRef::Id(access.user_id), &changed);
    changed.map(Json)
}

/// Delete my account
///
/// My videos and everything that I watched go with it. It needs the password, in a JSON body.
#[utoipa::path(
    tag = "users", operation_id = "delete_my_account", security(("bearer" = [])),
    request_body = Departure,
    responses((status = 204, description = "The account is gone."), LastAdministrator, TooManyPasswords)
)]
#[delete("/users/me")]
pub(super) async fn leave(
    app: AppData,
    Token(access): Token,
    Valid(OptionalBody(departure)): Valid<OptionalBody<Departure>>,
    ClientAddress(from): ClientAddress,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let leave = app.run(move |app| async move { user::leave(&app.db, &app.auth, access, departure, from, now).await });
    let left = leave.await;
    security_log.record_result(SecurityEvent::AccountDeletion, AccountRef::Id(access.user_id), &left);
    left?;
    Ok(HttpResponse::NoContent())
}
