//! `/api/v1/auth`: sign up, sign in, sign out.

use crate::body::{Body, media_type, parse, read, unsupported_media_type};
use crate::error::Problem;
use crate::extractors::{Now, SignInClient, TokenUser, Valid};
use crate::local_client::LocalClient;
use crate::responses::{AccountInactive, RefreshRefused, RegistrationClosed, Taken, TooManyAttempts, WrongCredentials};
use crate::security_log::{AccountRef, SecurityEvent, SecurityLog};
use crate::state::AppData;
use actix_multipart::MultipartError;
use actix_multipart::form::{MultipartForm, text::Text};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::{Bytes, Json};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, get, post};
use futures_util::stream;
use serde::Deserialize;
use service::auth::{self, Credentials, RefreshToken, TokenPair};
use service::library;
use service::storage::Transaction;
use service::text::FieldError;
use service::user::{self, Registration, User};
use std::ops::Deref;
use std::pin::Pin;

/// Sign up
///
/// The first account becomes the administrator. Behind a proxy, or when the server can be reached
/// from other machines, the first account is created by `playhead user create`.
#[utoipa::path(
    operation_id = "register", request_body = Registration,
    responses((status = 201, description = "The new account.", body = User), RegistrationClosed, Taken)
)]
#[post("/auth/register")]
pub(super) async fn register(
    app: AppData,
    Valid(Body(registration)): Valid<Body<Registration>>,
    LocalClient(is_local): LocalClient,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let username = registration.username.clone();
    let made = app.run(move |app| async move {
        let registration_policy =
            if is_local { app.registration_policy } else { app.registration_policy.for_remote_clients() };
        let prepared =
            user::prepare_registration(&app.db, &app.auth.passwords, registration_policy, registration).await?;
        let made = app.db.transaction(async |tx| user::register(tx, prepared, now).await).await?;
        if made.is_first
            && let Err(error) = library::register_sample(&app.db, &app.library, made.user.id, now).await
        {
            // The account exists anyway.
            log::warn!("cannot register the sample clip: {error}");
        }
        Ok(made.user)
    });
    let made = made.await;
    security_log.record_result(SecurityEvent::SignUp, AccountRef::Typed(&username), &made);
    Ok(HttpResponse::Created().json(made?))
}

/// Sign in
///
/// `username` is the user name or the e-mail address.
///
/// The form of OAuth2's password grant (RFC 6749, 4.3.2) works too, URL-encoded or as multipart
/// `FormData`: `username`, `password`, and optionally `grant_type` (`password`), `scope`,
/// `client_id` and `client_secret`. A failure then also has `error` and `error_description` (5.2).
#[utoipa::path(
    operation_id = "login", request_body = Credentials,
    responses((status = 200, description = "A pair of tokens.", body = TokenPair), WrongCredentials, AccountInactive, TooManyAttempts)
)]
#[post("/auth/login")]
pub(super) async fn login(
    app: AppData,
    Valid(login): Valid<LoginCredentials>,
    SignInClient(client): SignInClient,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let username = login.username.clone();
    let pair = app.run(move |app| async move { auth::login(&app.db, &app.auth, login.0, client, now).await }).await;
    security_log.record_result(SecurityEvent::SignIn, AccountRef::Typed(&username), &pair);
    Ok(no_store(pair?))
}

/// Refresh the tokens
///
/// Returns a new pair; the refresh token is used up. For 60 seconds after its first use
/// (`REFRESH_GRACE_SECONDS`) it returns the same new refresh token again. Later, or once the new
/// one was used, it ends the session, because two parties have its tokens.
///
/// The example stands for your `refresh_token`: Swagger UI sends that of the last sign-in instead.
#[utoipa::path(
    operation_id = "refresh", request_body = RefreshToken,
    responses((status = 200, description = "A pair of tokens.", body = TokenPair), RefreshRefused)
)]
#[post("/auth/refresh")]
pub(super) async fn refresh(
    app: AppData,
    Valid(Body(RefreshToken { refresh_token })): Valid<Body<RefreshToken>>,
    SignInClient(client): SignInClient,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let refresh = app.run(move |app| async move {
        let refresh = async |tx: &Transaction| auth::refresh(tx, &app.auth, &refresh_token, client, now).await;
        app.db.transaction(refresh).await?.into_result()
    });
    // Every client refreshes each half hour, so successes are not logged.
    let pair = refresh
        .await
        .inspect_err(|problem| security_log.record_refusal(SecurityEvent::Refresh, AccountRef::Unknown, problem))?;
    Ok(no_store(pair))
}

/// Sign out
///
/// Ends the session of the refresh token, even if the token is expired. Access tokens of the
/// session become invalid.
#[utoipa::path(
    operation_id = "logout", request_body = RefreshToken,
    responses((status = 204, description = "The session has ended."))
)]
#[post("/auth/logout")]
pub(super) async fn logout(
    app: AppData,
    Valid(Body(RefreshToken { refresh_token })): Valid<Body<RefreshToken>>,
    security_log: SecurityLog,
    Now(now): Now,
) -> Result<impl Responder, Problem> {
    let logout = app.run(move |app| async move {
        app.db.transaction(async |tx| auth::logout(tx, &app.auth, &refresh_token, now).await).await
    });
    logout.await?;
    security_log.record_success(SecurityEvent::SignOut, AccountRef::Unknown);
    Ok(HttpResponse::NoContent())
}

/// Get my account
#[utoipa::path(
    operation_id = "me", security(("bearer" = [])),
    responses((status = 200, description = "The caller.", body = User))
)]
#[get("/auth/me")]
pub(super) async fn me(app: AppData, TokenUser(id): TokenUser) -> Result<Json<User>, Problem> {
    app.run(move |app| async move { user::find(app.db.reader(), id).await }).await.map(Json)
}

fn no_store(pair: TokenPair) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store"))).json(pair)
}

/// The OAuth2 password form (RFC 6749, 4.3.2) with all fields that clients send.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginForm {
    /// The user name or the e-mail address.
    username: String,
    /// The password.
    password: String,
    /// `password`, or missing.
    #[serde(default)]
    grant_type: String,
    /// Not used.
    #[serde(default, rename = "scope")]
    _scope: String,
    /// Not used.
    #[serde(default, rename = "client_id")]
    _client_id: String,
    /// Not used.
    #[serde(default, rename = "client_secret")]
    _client_secret: String,
}

impl LoginForm {
    fn credentials(self) -> Result<Credentials, Problem> {
        let Self { username, password, grant_type, _scope, _client_id, _client_secret } = self;
        if !matches!(&*grant_type, "" | "password") {
            let message = "must be password".to_owned();
            return Err(Problem::invalid_fields(vec![FieldError { field: "grant_type".to_owned(), message }]));
        }
        Ok(Credentials { username, password })
    }
}

/// The same form as multipart, as browsers send `FormData`.
#[derive(MultipartForm)]
#[multipart(deny_unknown_fields, duplicate_field = "deny")]
struct LoginParts {
    username: Text<String>,
    password: Text<String>,
    grant_type: Option<Text<String>>,
    scope: Option<Text<String>>,
    client_id: Option<Text<String>>,
    client_secret: Option<Text<String>>,
}

impl From<LoginParts> for LoginForm {
    fn from(parts: LoginParts) -> Self {
        let LoginParts { username, password, grant_type, scope, client_id, client_secret } = parts;
        let text = |part: Option<Text<String>>| part.map(Text::into_inner).unwrap_or_default();
        Self {
            username: username.into_inner(),
            password: password.into_inner(),
            grant_type: text(grant_type),
            _scope: text(scope),
            _client_id: text(client_id),
            _client_secret: text(client_secret),
        }
    }
}

/// Parses the multipart form. The body is read before: the multipart reader would buffer it without
/// limit and scan it again with each chunk.
async fn parse_multipart(request: &HttpRequest, body: Bytes) -> Result<LoginForm, Problem> {
    let mut payload: Payload = Payload::Stream { payload: Box::pin(stream::iter([Ok(body)])) };
    let parts = MultipartForm::<LoginParts>::from_request(request, &mut payload).await;
    Ok(parts.map_err(|error| multipart_problem(&error))?.into_inner().into())
}

fn multipart_problem(error: &actix_web::Error) -> Problem {
    match error.as_error::<MultipartError>() {
        Some(
            MultipartError::MissingField(field)
            | MultipartError::UnknownField(field)
            | MultipartError::DuplicateField(field),
        ) => Problem::wrong_type(field, &error.to_string()),
        Some(MultipartError::Field { name, .. }) => Problem::wrong_type(name, &error.to_string()),
        _ => Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", format!("cannot read the form: {error}")),
    }
}

/// Credentials from a form or from JSON, by the `Content-Type`.
#[derive(Debug)]
pub(super) struct LoginCredentials(Credentials);

impl Deref for LoginCredentials {
    type Target = Credentials;

    fn deref(&self) -> &Credentials {
        &self.0
    }
}

impl FromRequest for LoginCredentials {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = media_type(request);
        let (reading, request) = (read(request, payload), request.clone());
        Box::pin(async move {
            match &*kind {
                "application/json" => Ok(Self(parse(&reading.await?)?)),
                "multipart/form-data" => Ok(Self(parse_multipart(&request, reading.await?).await?.credentials()?)),
                "application/x-www-form-urlencoded" => {
                    let bytes = reading.await?;
                    // curl sends JSON as this type by default. The form parser would take it for a
                    // field name, and repeat the password in its message.
                    if bytes.starts_with(b"{") {
                        return Err(unsupported_media_type("application/json").into());
                    }
                    let form = serde_urlencoded::from_bytes::<LoginForm>(&bytes);
                    Ok(Self(form.map_err(|error| Problem::wrong_type("", &error.to_string()))?.credentials()?))
                }
                _ => Err(unsupported_media_type("application/x-www-form-urlencoded or application/json").into()),
            }
        })
    }
}
