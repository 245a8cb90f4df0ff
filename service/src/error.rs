//! Why a use case failed, in terms of the domain.

use crate::text;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr, sqlx};
use std::io;
use std::time::Duration;
use validator::ValidationErrors;

/// Why a use case failed. The text is one sentence for the client's user.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No token, or one that is expired, forged, or of a deleted account.
    #[error("sign in first: this needs a valid access token")]
    Unauthenticated,
    /// An access token that this server did not sign, or signed for another use. The client gets
    /// the answer of [`Error::Unauthenticated`].
    #[error("sign in first: this needs a valid access token")]
    ForgedToken,
    /// The name or the password is wrong; the client is not told which.
    #[error("name or password is wrong")]
    WrongCredentials,
    /// The refresh token is unknown, expired, or was used before.
    #[error("this refresh token is no longer valid: sign in again")]
    WrongRefreshToken,
    /// A refresh token was used twice, so its session was ended. The client gets the answer of
    /// [`Error::WrongRefreshToken`].
    #[error("this refresh token is no longer valid: sign in again")]
    RefreshTokenReused {
        /// The session that was ended.
        session_id: i64,
    },
    /// The account was deactivated.
    #[error("this account is deactivated")]
    Inactive,
    /// The caller may see the resource but not change it.
    #[error("only the uploader or an administrator may do this")]
    Forbidden,
    /// The caller has not switched recommendations on.
    #[error("recommendations are off: switch them on in the preferences")]
    RecommendationsOff,
    /// Only the administrator's command makes accounts.
    #[error("registration is closed: ask the administrator for an account")]
    RegistrationClosed,
    /// The first account becomes the administrator, and strangers can reach this server.
    #[error("the first account of this server is made by `playhead user create NAME EMAIL --admin`")]
    FirstAccountByCommand,
    /// Too many sign-ins to this account, or from this address, failed.
    #[error("too many failed sign-ins: try again in {} seconds", .retry_after.as_secs())]
    TooManyAttempts {
        /// How long to wait.
        retry_after: Duration,
    },
    /// One account or one address sent more requests than it may.
    #[error("too many requests: try again in {} seconds", .retry_after.as_secs())]
    TooManyRequests {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Another account has the name or the e-mail; the client is not told which.
    #[error("the user name or the e-mail address is taken")]
    Taken,
    /// The account has as many videos as it may have.
    #[error("this account has {limit} videos or more: delete some before you add others")]
    TooManyVideos {
        /// How many it may have.
        limit: u32,
    },
    /// The site would be left without an administrator.
    #[error("the last administrator cannot leave: make another one first")]
    LastAdministrator,
    /// No such account.
    #[error("there is no such user")]
    UserNotFound,
    /// No such session of the caller.
    #[error("there is no such session")]
    SessionNotFound,
    /// No such video, or the caller may not see it.
    #[error("there is no such video")]
    VideoNotFound,
    /// The video has no file that can be streamed.
    #[error("this video has no file here")]
    FileNotFound,
    /// The video has no picture.
    #[error("this video has no thumbnail")]
    ThumbnailNotFound,
    /// The caller never watched the video.
    #[error("there is no watch history for this video")]
    HistoryNotFound,
    /// The caller has no such play.
    #[error("there is no such play")]
    PlayNotFound,
    /// No position was given up that an undo could go back to.
    #[error("there is no earlier position to go back to")]
    NothingToUndo,
    /// A change token is too old, or is not one of this database and viewer, or the history was
    /// cleared since.
    #[error("what has changed since cannot be told: read all changes anew, without since")]
    ChangesExpired,
    /// The caller never rated the video.
    #[error("you have not rated this video")]
    RatingNotFound,
    /// A well-formed value that breaks a rule.
    #[error("{field}: {message}")]
    Invalid {
        /// The field of the input.
        field: String,
        /// What is wrong with it.
        message: String,
    },
    /// A text that the database cannot hold.
    #[error("the request holds a value that cannot be stored")]
    Unstorable,
    /// Too many requests wait.
    #[error("the server is busy: try again shortly")]
    Busy,
    /// The database is unreachable, restarting, locked by another process, or too slow. The cause
    /// is for the log only.
    #[error("the database cannot be reached at the moment: try again shortly")]
    DatabaseAway(String),
    /// A file of the library exists but cannot be read now: too many files are open, or its disk is
    /// not mounted. The cause is for the log only.
    #[error("the file cannot be read at the moment: try again shortly")]
    FileUnavailable(String),
    /// The disk is full.
    #[error("there is no room left to store this")]
    StorageFull,
    /// A bug, or a fault of the machine. The text is for the log only.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// The first broken rule of a validation.
    pub(crate) fn first_of(errors: &ValidationErrors) -> Self {
        let first = text::broken_rules(errors).into_iter().next();
        let (field, message) = first.map_or_else(Default::default, |broken| (broken.field, broken.message));
        Self::Invalid { field, message }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::FileUnavailable(error.to_string())
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::from(&error)
    }
}

impl From<&DbErr> for Error {
    fn from(error: &DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Self::Busy,
            DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => Self::DatabaseAway(error.to_string()),
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => classify(cause),
            other => Self::Internal(other.to_string()),
        }
    }
}

/// What an error of the driver means to the caller. The codes of SQLite: sqlite.org/rescode.html;
/// those of PostgreSQL: its manual, appendix A.
fn classify(error: &sqlx::Error) -> Error {
    let cause = error.to_string();
    let sqlx::Error::Database(error) = error else {
        return match error {
            sqlx::Error::PoolTimedOut => Error::Busy,
            sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => Error::DatabaseAway(cause),
            _ => Error::Internal(cause),
        };
    };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return from_sqlite_code(code.parse().unwrap_or_default(), cause);
    }
    // 25006: this server has become a standby, and another one is the primary.
    match (code.get(..2).unwrap_or_default(), &*code) {
        ("08", _)
        | (_, "57014" | "57P01" | "57P02" | "57P03" | "55P03" | "53300" | "40001" | "40P01" | "0A000" | "25006") => {
            Error::DatabaseAway(cause)
        }
        (_, "53100") => Error::StorageFull,
        ("22", _) => Error::Unstorable,
        _ => Error::Internal(cause),
    }
}

/// What a result code of SQLite means. The low byte is the primary code.
pub(crate) fn from_sqlite_code(code: u32, cause: String) -> Error {
    match code & 0xff {
        // 14: the file cannot be opened, for example because too many files are open.
        5 | 6 | 14 => Error::DatabaseAway(cause),
        13 => Error::StorageFull,
        18 => Error::Unstorable,
        _ => Error::Internal(cause),
    }
}

/// Whether a new row refers to one that does not exist, or no longer.
pub(crate) fn is_foreign_key_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
}

/// Whether a statement over many rows may have failed because of one of them, so that the others
/// can succeed without it. A database that is unreachable, full or busy fails for all.
pub(crate) fn may_concern_one_row(error: &DbErr) -> bool {
    let waited_for_a_row = |cause: &sqlx::Error| {
        let code = cause.as_database_error().and_then(|error| error.code());
        matches!(code.as_deref(), Some("55P03" | "40001" | "40P01"))
    };
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))
            if waited_for_a_row(cause) =>
        {
            true
        }
        error => !matches!(Error::from(error), Error::Busy | Error::DatabaseAway(_) | Error::StorageFull),
    }
}

/// Turns the violation of a unique constraint of `users` into [`Error::Taken`].
pub(crate) fn unique_violation(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::Taken,
        _ => error.into(),
    }
}
