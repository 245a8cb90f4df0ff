//! `/api/v1/users/me`: the account of the caller.

use crate::body::{Body, OptionalBody};
use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::extractors::{Now, Token, TokenUser, Valid};
use crate::responses::{LastAdministrator, Taken, TooManyPasswords};
use crate::security_log::{AccountRef, SecurityEvent, SecurityLog};
use crate::state::AppData;
use actix_web::web::Json;
use actix_web::{HttpResponse, Responder, delete, get, patch};
use service::user::{self, AccountDeletion, User, UserUpdate};

/// Get my account
#[utoipa::path(
    operation_id = "read_my_account", security(("bearer" = [])),
    responses((status = 200, description = "The caller.", body = User))
)]
#[get("/users/me")]
pub(super) async fn find(app: AppData, TokenUser(id): TokenUser) -> Result<Json<User>, Problem> {
    app.run(move |app| async move { user::find(app.db.reader(), id).await }).await.map(Json)
}

/// Change my account
///
/// A new name, e-mail or password needs `current_password`. A new password ends all sessions except
/// the one of this token.
#[utoipa::path(
    operation_id = "change_my_account", security(("bearer" = [])), request_body = UserUpdate,
    responses((status = 200, description = "The changed account.", body = User), Taken, TooManyPasswords)
)]
#[patch("/users/me")]
pub(super) async fn update(
    app: AppData,
    Token(subject): Token,
    Valid(Body(update)): Valid<Body<UserUpdate>>,
    ClientAddress(from): ClientAddress,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<Json<User>, Problem> {
    let event = if update.password.is_some() { SecurityEvent::PasswordChange } else { SecurityEvent::AccountChange };
    let update = app.run(move |app| async move {
        let prepared = user::prepare_update(&app.db, &app.auth, subject, update, from, now).await?;
        app.db.transaction(async |tx| user::update(tx, &app.auth, prepared, now).await).await
    });
    let updated = update.await;
    security_log.record_result(event, AccountRef::Id(subject.user_id), &updated);
    updated.map(Json)
}

/// Delete my account
///
/// Deletes the account with its videos and its watch history. The JSON body needs the password.
#[utoipa::path(
    operation_id = "delete_my_account", security(("bearer" = [])),
    request_body = AccountDeletion,
    responses((status = 204, description = "The account is deleted."), LastAdministrator, TooManyPasswords)
)]
#[delete("/users/me")]
pub(super) async fn delete_account(
    app: AppData,
    Token(subject): Token,
    Valid(OptionalBody(deletion)): Valid<OptionalBody<AccountDeletion>>,
    ClientAddress(from): ClientAddress,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let delete = app.run(move |app| async move {
        let confirmed = user::confirm_deletion(&app.db, &app.auth, subject, deletion, from, now).await?;
        app.db.transaction(async |tx| user::delete_account(tx, confirmed, now).await).await
    });
    let deleted = delete.await;
    security_log.record_result(SecurityEvent::AccountDeletion, AccountRef::Id(subject.user_id), &deleted);
    deleted?;
    Ok(HttpResponse::NoContent())
}
