//! The failures that operations document. Each line lists problems of one status and describes
//! them; it becomes a response with a schema `…Problem` and an example of each problem.

mod problem_response;

pub(crate) use problem_response::{PROBLEM_JSON, ProblemResponse, any_problem, schema_of};

use crate::body::{body_too_large, body_too_slow, not_json, unreadable_body, unsupported_media_type};
use crate::error::Problem;
use crate::file_limits;
use crate::live::{bad_handshake, too_many_waiting, upgrade_required};
use crate::request_head::{address_too_long, duplicate_header, headers_too_large};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use service::Error;
use service::text::FieldError;
use std::collections::BTreeMap;
use std::time::Duration;
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

macro_rules! failures {
    ($($name:ident [$($problem:expr),+] $description:literal;)*) => {
        $(
            #[doc = $description]
            pub(crate) enum $name {}

            impl $name {
                fn failure() -> ProblemResponse {
                    let problems = vec![$(Problem::from($problem)),+];
                    ProblemResponse { name: stringify!($name), description: $description, problems }
                }
            }

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    let failure = Self::failure();
                    BTreeMap::from([(failure.status().to_string(), failure.response().into())])
                }
            }
        )*

        /// All failures.
        pub(crate) fn all() -> Vec<ProblemResponse> {
            vec![$($name::failure()),*]
        }
    };
}

failures! {
    BadRequest [
        not_json(&"EOF while parsing an object"),
        unreadable_body(&PayloadError::Incomplete(None)),
        duplicate_header("authorization")
    ] "The body is not valid JSON or cannot be read, or a header is repeated.";
    DuplicateHeader [duplicate_header("authorization")]
        "A header is repeated that may be sent once.";
    Unauthorized [Error::Unauthenticated]
        "Not signed in, or the token is not valid.";
    WrongCredentials [Error::WrongCredentials]
        "The name or the password is wrong.";
    RefreshRefused [Error::WrongRefreshToken]
        "The refresh token is unknown, expired or already used.";
    AccountInactive [Error::Inactive]
        "The account is deactivated.";
    RegistrationClosed [Error::RegistrationClosed, Error::FirstAccountByCommand]
        "Only `playhead user create` creates accounts.";
    TooManyVideos [Error::TooManyVideos { limit: 1000 }]
        "The account has the maximum number of videos.";
    RecommendationsOff [Error::RecommendationsOff]
        "The caller has not switched recommendations on.";
    Forbidden [Error::Forbidden]
        "Only the uploader or an administrator may do this.";
    SessionNotFound [Error::SessionNotFound]
        "The caller has no such session.";
    VideoNotFound [Error::VideoNotFound]
        "There is no such video.";
    StreamNotFound [Error::VideoNotFound, Error::FileNotFound]
        "There is no such video, or it has no file.";
    ThumbnailNotFound [Error::VideoNotFound, Error::ThumbnailNotFound]
        "There is no such video, or it has no thumbnail.";
    RatingNotFound [Error::VideoNotFound, Error::RatingNotFound]
        "There is no such video, or it has no rating.";
    HistoryNotFound [Error::VideoNotFound, Error::HistoryNotFound]
        "There is no such video, or the caller has no entry for it.";
    PlayNotFound [Error::PlayNotFound]
        "The caller has no such play.";
    NothingToUndo [Error::NothingToUndo]
        "No position was given up that an undo could go back to.";
    RequestTimeout [body_too_slow()]
        "The body did not arrive in time.";
    Taken [Error::Taken]
        "The name or the e-mail is taken.";
    LastAdministrator [Error::LastAdministrator]
        "The last administrator cannot be removed.";
    PreconditionFailed [Problem::from_status(StatusCode::PRECONDITION_FAILED)]
        "The file has changed since.";
    PayloadTooLarge [body_too_large()]
        "The body is too large.";
    AddressTooLong [address_too_long()]
        "The address is too long.";
    HeadersTooLarge [headers_too_large()]
        "The headers are too large.";
    UnsupportedMediaType [unsupported_media_type("application/json")]
        "The body has the wrong media type.";
    RangeNotSatisfiable [Problem::from_status(StatusCode::RANGE_NOT_SATISFIABLE)]
        "The range starts after the end of the file.";
    ValidationFailed [Problem::invalid_fields(vec![FieldError { field: "limit".into(), message: "must be from 1 to 100".into() }])]
        "A value is not valid; `errors` names the fields.";
    TooManyAttempts [Error::TooManyAttempts { retry_after: Duration::from_secs(30) }]
        "Too many failed sign-ins.";
    TooManyRequests [Error::TooManyRequests { retry_after: Duration::from_secs(30) }]
        "Too many requests of this account or address.";
    TooManyPasswords [
        Error::TooManyAttempts { retry_after: Duration::from_secs(30) },
        Error::TooManyRequests { retry_after: Duration::from_secs(30) }
    ] "Too many wrong passwords, or too many requests of this account or address.";
    TooManyStreams [file_limits::too_many_streams(64)]
        "Too many videos are open from this address.";
    NotOpened [bad_handshake(), Problem::origin_not_allowed("https://example.org"), duplicate_header("authorization")]
        "The handshake is not valid, its origin is not allowed, or a header is repeated.";
    UpgradeRequired [upgrade_required()]
        "The request asks for no WebSocket.";
    TooManySockets [too_many_waiting(256)]
        "Too many sockets of this address have not said hello.";
    InternalError [Problem::from_status(StatusCode::INTERNAL_SERVER_ERROR)]
        "An error of the server; the log has the cause under the request id in `instance`.";
    ChangesExpired [Error::ChangesExpired]
        "The token is too old, or is not one of this server and caller, or the history was cleared since: read all changes anew.";
    Unavailable [Error::Busy, Error::DatabaseAway(String::new())]
        "The database is unavailable or too busy.";
    FileUnavailable [Error::Busy, Error::DatabaseAway(String::new()), Error::FileUnavailable(String::new())]
        "The database or the file is unavailable, or the server too busy.";
    NotReady [Error::Busy, Error::DatabaseAway(String::new()), Problem::shutting_down()]
        "The database is unavailable or too busy, or the server is shutting down.";
    StorageFull [Error::StorageFull]
        "The disk is full.";
}
