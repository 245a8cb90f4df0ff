//! The failures that operations document, each with its status and what it means.

use crate::error::Problem;
use utoipa::IntoResponses;

macro_rules! problems {
    ($($name:ident $status:literal $description:literal;)*) => { $(
        #[doc = $description]
        #[derive(IntoResponses)]
        #[response(status = $status, description = $description, content_type = "application/problem+json")]
        pub(crate) struct $name(#[allow(dead_code, reason = "it only describes")] Problem);
    )* };
}

problems! {
    BadRequest 400 "The body is not JSON, or cannot be read, or a header is there twice that has one value.";
    Unauthorized 401 "Not signed in, or what was sent to prove it is wrong or no longer valid.";
    AccountInactive 403 "The account is deactivated.";
    RegistrationClosed 403 "Accounts are made by the administrator's command.";
    TooManyVideos 403 "The account has as many videos as one may have.";
    Forbidden 403 "Only the uploader or an administrator may do this.";
    SessionNotFound 404 "The caller has no such session.";
    VideoNotFound 404 "There is no such video, or it lacks what was asked for.";
    RatingNotFound 404 "There is no such video, or no rating of it.";
    HistoryNotFound 404 "There is no such video, or no history of it.";
    RequestTimeout 408 "The body did not arrive in time.";
    Conflict 409 "The name or the e-mail is taken, or the last administrator would leave.";
    PayloadTooLarge 413 "The body is too large.";
    AddressTooLong 414 "The address is too long.";
    UnsupportedMediaType 415 "The body is of the wrong type.";
    RangeNotSatisfiable 416 "The range begins behind the end of the file.";
    ValidationFailed 422 "A value does not fit; `errors` names the fields.";
    TooManyRequests 429 "Too many requests or failed sign-ins; `Retry-After` says how long to wait.";
    TooManyStreams 429 "Too many videos are open from this address; `Retry-After` says how long to wait.";
    HeadersTooLarge 431 "The headers are too large.";
    InternalError 500 "A defect; the log knows more under the request id in `instance`.";
    NotReady 503 "The database or a file is away or too busy, or the server is about to end; `Retry-After` says how long to wait.";
    StorageFull 507 "The disk is full.";
}
