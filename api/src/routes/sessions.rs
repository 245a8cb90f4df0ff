//! `/api/v1/auth/sessions`: the sessions of the caller.

use crate::error::Problem;
use crate::extractors::{CurrentUser, Now, Token, Valid, check_id};
use crate::responses::SessionNotFound;
use crate::security_log::{AccountRef, SecurityEvent, SecurityLog};
use crate::state::AppData;
use actix_web::web::{Json, Path};
use actix_web::{HttpResponse, Responder, delete, get};
use serde::Deserialize;
use service::auth::sessions::{self, Session};
use utoipa::IntoParams;
use validator::{Validate, ValidationError};

/// The session that the path names.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Path)]
#[validate(schema(function = "validate_session_id"))]
pub(super) struct SessionPath {
    /// Id of the session.
    #[param(minimum = 1, example = 1)]
    session_id: i64,
}

fn validate_session_id(path: &SessionPath) -> Result<(), ValidationError> {
    check_id(path.session_id)
}

/// List my sessions
///
/// The active sessions of the caller, the last used first, at most 100.
#[utoipa::path(
    operation_id = "list_my_sessions", security(("bearer" = [])),
    responses((status = 200, description = "The active sessions.", body = [Session]))
)]
#[get("/auth/sessions")]
pub(super) async fn list(
    app: AppData,
    _: CurrentUser,
    Token(subject): Token,
    Now(now): Now,
) -> Result<Json<Vec<Session>>, Problem> {
    app.run(move |app| async move { sessions::list(&app.db, &app.auth, subject, now).await }).await.map(Json)
}

/// End one of my sessions
///
/// Its tokens become invalid; other processes of the server notice within a second.
#[utoipa::path(
    operation_id = "end_my_session", security(("bearer" = [])), params(SessionPath),
    responses((status = 204, description = "The session has ended."), SessionNotFound)
)]
#[delete("/auth/sessions/{session_id}")]
pub(super) async fn end(
    app: AppData,
    _: CurrentUser,
    Token(subject): Token,
    Valid(path): Valid<Path<SessionPath>>,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let ending = app.run(move |app| async move {
        let id = path.session_id;
        app.db.transaction(async |tx| sessions::end_one(tx, &app.auth, subject, id, now).await).await
    });
    ending.await?;
    security_log.record_success(SecurityEvent::SessionsEnd, AccountRef::Id(subject.user_id));
    Ok(HttpResponse::NoContent())
}

/// End my other sessions
///
/// Ends all sessions of the caller except the one of this token.
#[utoipa::path(
    operation_id = "end_my_other_sessions", security(("bearer" = [])),
    responses((status = 204, description = "The other sessions have ended."))
)]
#[delete("/auth/sessions")]
pub(super) async fn end_others(
    app: AppData,
    _: CurrentUser,
    Token(subject): Token,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let ending = app.run(move |app| async move {
        app.db.transaction(async |tx| sessions::end_others(tx, &app.auth, subject, now).await).await
    });
    ending.await?;
    security_log.record_success(SecurityEvent::SessionsEnd, AccountRef::Id(subject.user_id));
    Ok(HttpResponse::NoContent())
}
