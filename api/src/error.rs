//! Failures as `application/problem+json` (RFC 9457). Only here an error gets its status.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use service::Error;
use service::text::FieldError;
use std::fmt::{self, Display};
use utoipa::ToSchema;

/// Why a request failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`; `code` identifies the failure.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: &'static str,
    /// The meaning of the status.
    #[schema(example = "Not Found")]
    pub title: &'static str,
    /// The status of the response.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    pub status: u16,
    /// What is wrong, for people.
    #[schema(example = "there is no such video")]
    pub detail: String,
    /// The id of the request, as it is in the log.
    #[schema(example = "019a9f3e-7c1d-7d43-9a35-0c2b8f6d1e90")]
    pub instance: String,
    /// What is wrong, for programs; it never changes.
    #[schema(example = "video_not_found")]
    pub code: &'static str,
    /// The fields that are wrong, with status 422.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// The error code of OAuth2 (RFC 6749, 5.2), for clients that sent its form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub(crate) error: Option<&'static str>,
    /// The same as `detail`, where OAuth2 clients look for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub(crate) error_description: Option<String>,
    /// The cause, which only the log shows.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) cause: String,
    /// An extra header. Boxed, because few problems have one and every `Result` has room for it.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let header = match status {
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        };
        let header = header.map(Box::new);
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            code,
            errors: Vec::new(),
            error: None,
            error_description: None,
            cause: String::new(),
            header,
        }
    }

    /// Logs the problem as an error. The logger limits how often one code is written.
    pub(crate) fn log(&self, request_id: &str, operation: impl Display) {
        let Self { status, detail, cause, code, .. } = self;
        log::error!(source = code; "{request_id} {operation}: {status} {detail} {cause}");
    }

    /// A 422 that names the invalid fields.
    pub(crate) fn invalid_fields(errors: Vec<FieldError>) -> Self {
        let detail = errors
            .iter()
            .map(
                |FieldError { field, message }| {
                    if field.is_empty() { message.clone() } else { format!("{field}: {message}") }
                },
            )
            .collect::<Vec<_>>()
            .join("; ");
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail) }
    }

    /// A 422 for a parse error of serde. Without a path, its message may name the field.
    pub(crate) fn wrong_type(field: &str, message: &str) -> Self {
        let named = message.split('`').nth(1).filter(|_| message.contains("field")).unwrap_or_default();
        let field = if field.is_empty() { named } else { field };
        let message = if field == named { humanize_field_error(message) } else { humanize_serde_error(message) };
        Self::invalid_fields(vec![FieldError { field: truncate_middle(field), message: truncate_middle(&message) }])
    }

    /// The problem for a bare status.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not_found", "there is nothing at this path"),
            StatusCode::PRECONDITION_FAILED => {
                ("precondition_failed", "the file is not the one of If-Match, or has changed since")
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                ("range_not_satisfiable", "the range starts after the end of the file")
            }
            status if status.is_server_error() => ("internal_error", "something went wrong on the server"),
            _ => ("bad_request", "the request is not valid"),
        };
        Self::new(status, code, detail)
    }

    /// The server is shutting down.
    pub(crate) fn shutting_down() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "shutting_down", "the server is shutting down")
    }

    /// Adds the fields of OAuth2, which its clients show to people.
    pub(crate) fn with_oauth2_fields(mut self) -> Self {
        self.error = Some(match self.status {
            401 | 403 => "invalid_grant",
            500.. => "server_error",
            _ => "invalid_request",
        });
        self.error_description = Some(self.detail.clone());
        self
    }

    pub(crate) fn origin_not_allowed(origin: &str) -> Self {
        let detail = format!("origin {} is not allowed; add it to CORS_ORIGINS", truncate_middle(origin));
        Self::new(StatusCode::BAD_REQUEST, "origin_not_allowed", detail)
    }

    /// As [`Problem::origin_not_allowed`], and logs a warning, because the browser does not show
    /// the problem to its page.
    pub(crate) fn refused_origin(origin: &str) -> Self {
        let problem = Self::origin_not_allowed(origin);
        log::warn!(source = problem.code; "{}", problem.detail);
        problem
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this path only takes {allow}");
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        problem.header = HeaderValue::from_str(allow).ok().map(|allow| Box::new((ALLOW, allow)));
        problem
    }

    /// Adds the header that goes with the problem.
    pub(crate) fn add_header(&self, headers: &mut HeaderMap) {
        if let Some((name, value)) = self.header.as_deref() {
            headers.insert(name.clone(), value.clone());
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// An empty response with the problem attached; the middleware writes it, with the request id.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::Unauthenticated | Error::ForgedToken => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Error::WrongCredentials => (StatusCode::UNAUTHORIZED, "wrong_credentials"),
            Error::WrongRefreshToken | Error::RefreshTokenReused { .. } => {
                (StatusCode::UNAUTHORIZED, "wrong_refresh_token")
            }
            Error::Inactive => (StatusCode::FORBIDDEN, "account_inactive"),
            Error::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Error::RecommendationsOff => (StatusCode::FORBIDDEN, "recommendations_off"),
            Error::RegistrationClosed => (StatusCode::FORBIDDEN, "registration_closed"),
            Error::FirstAccountByCommand => (StatusCode::FORBIDDEN, "first_account_by_command"),
            Error::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"),
            Error::TooManyRequests { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
            Error::Taken => (StatusCode::CONFLICT, "taken"),
            Error::TooManyVideos { .. } => (StatusCode::FORBIDDEN, "too_many_videos"),
            Error::LastAdministrator => (StatusCode::CONFLICT, "last_administrator"),
            Error::UserNotFound => (StatusCode::NOT_FOUND, "user_not_found"),
            Error::SessionNotFound => (StatusCode::NOT_FOUND, "session_not_found"),
            Error::VideoNotFound => (StatusCode::NOT_FOUND, "video_not_found"),
            Error::FileNotFound => (StatusCode::NOT_FOUND, "file_not_found"),
            Error::ThumbnailNotFound => (StatusCode::NOT_FOUND, "thumbnail_not_found"),
            Error::HistoryNotFound => (StatusCode::NOT_FOUND, "watch_history_not_found"),
            Error::PlayNotFound => (StatusCode::NOT_FOUND, "play_not_found"),
            Error::ChangesExpired => (StatusCode::GONE, "changes_expired"),
            Error::NothingToUndo => (StatusCode::CONFLICT, "nothing_to_undo"),
            Error::RatingNotFound => (StatusCode::NOT_FOUND, "rating_not_found"),
            Error::Invalid { field, message } => {
                return Self::invalid_fields(vec![FieldError { field: field.clone(), message: message.clone() }]);
            }
            Error::Unstorable => (StatusCode::UNPROCESSABLE_ENTITY, "unstorable"),
            Error::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Error::DatabaseAway(_) => (StatusCode::SERVICE_UNAVAILABLE, "database_away"),
            Error::FileUnavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "file_unavailable"),
            Error::StorageFull => (StatusCode::INSUFFICIENT_STORAGE, "storage_full"),
            Error::Internal(cause) => {
                let cause = cause.clone();
                return Self { cause, ..Self::from_status(StatusCode::INTERNAL_SERVER_ERROR) };
            }
        };
        let mut problem = Self::new(status, code, error.to_string());
        match error {
            Error::TooManyAttempts { retry_after } | Error::TooManyRequests { retry_after } => {
                problem.header = Some(Box::new((RETRY_AFTER, retry_after.as_secs().into())));
            }
            Error::DatabaseAway(cause) | Error::FileUnavailable(cause) => problem.cause = cause,
            _ => {}
        }
        problem
    }
}

/// Rewrites a message of serde about a missing or unknown field, where the problem names the field.
fn humanize_field_error(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default();
    match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("unknown field") => format!("is unknown; expected {expected}"),
        None if message.starts_with("missing field") => "is missing".into(),
        _ => humanize_serde_error(message),
    }
}

/// Rewrites a message of serde for people, without the value: it may be a password.
fn humanize_serde_error(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or_default();
    let mismatch = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((actual, expected)) = mismatch.and_then(|mismatch| mismatch.rsplit_once(", expected ")) {
        let expected = match expected {
            "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
            "a map" => "an object",
            "a sequence" => "a list",
            other => other.strip_prefix("struct ").map_or(other, |_| "an object"),
        };
        return match actual.split([' ', ',']).next() {
            Some("integer") if expected == "a whole number" => "is out of range".into(),
            Some("integer" | "floating") if expected != "a whole number" => format!("must be {expected}, not a number"),
            Some("floating") => format!("must be {expected}, not one with a fraction"),
            Some("map") => format!("must be {expected}, not an object"),
            Some("sequence") => format!("must be {expected}, not a list"),
            Some("string") => format!("must be {expected}, not a text"),
            Some(kind) => format!("must be {expected}, not {kind}"),
            None => format!("must be {expected}"),
        };
    }
    if let Some((_, expected)) = message.strip_prefix("unknown variant ").and_then(|it| it.rsplit_once(", expected ")) {
        return format!("must be {expected}");
    }
    match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => "must be a whole number".into(),
        "number too large to fit in target type" | "number too small to fit in target type" => "is out of range".into(),
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => {
            "is not valid text: half of a surrogate pair in \\u".into()
        }
        other => other.into(),
    }
}

/// Replaces the middle of a long text by `…`.
fn truncate_middle(text: &str) -> String {
    const ENDS: usize = 100;
    let count = text.chars().count();
    if count <= 3 * ENDS {
        return text.to_owned();
    }
    text.chars().take(ENDS).chain(['…']).chain(text.chars().skip(count - ENDS)).collect()
}
