//! What can go wrong, in words of the domain.

use crate::text;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr, sqlx};
use std::io;
use std::time::Duration;
use validator::ValidationErrors;

/// Why a use case did not happen. The text is for people, one clear sentence.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No token, or one that is expired, forged, or of an account that is gone.
    #[error("sign in first: this needs a valid access token")]
    Unauthenticated,
    /// An access token that this server did not sign, or not for this. The answer is that of [`Error::Unauthenticated`].
    #[error("sign in first: this needs a valid access token")]
    ForgedToken,
    /// The name or the password is wrong; which of them is not told.
    #[error("name or password is wrong")]
    WrongCredentials,
    /// The refresh token is unknown, expired, or was spent before.
    #[error("this refresh token is no longer valid: sign in again")]
    WrongRefreshToken,
    /// A spent refresh token came back, so its session was ended. The answer is that of [`Error::WrongRefreshToken`].
    #[error("this refresh token is no longer valid: sign in again")]
    RefreshTokenReused {
        /// The session that is over.
        session_id: i64,
    },
    /// The account was deactivated.
    #[error("this account is deactivated")]
    Inactive,
    /// The caller may see the thing but not change it.
    #[error("only the uploader or an administrator may do this")]
    Forbidden,
    /// Accounts are made by the administrator's command only.
    #[error("registration is closed: ask the administrator for an account")]
    RegistrationClosed,
    /// The server can be reached from elsewhere, so a stranger could become its administrator.
    #[error("the first account of this server is made by `playhead user create NAME EMAIL --admin`")]
    FirstAccountByCommand,
    /// Too many sign-ins failed.
    #[error("too many failed sign-ins: try again in {} seconds", .retry_after.as_secs())]
    TooManyAttempts {
        /// How long to wait.
        retry_after: Duration,
    },
    /// More was asked of the server than one account or one address may.
    #[error("too many requests: try again in {} seconds", .retry_after.as_secs())]
    TooManyRequests {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Another account has the name or the e-mail; which of them is not told.
    #[error("the user name or the e-mail address is taken")]
    Taken,
    /// The account has as many videos as one may have.
    #[error("this account has {limit} videos or more: delete some before you add others")]
    TooManyVideos {
        /// How many it may have.
        limit: u32,
    },
    /// Nobody could administer the site afterwards.
    #[error("the last administrator cannot leave: make another one first")]
    LastAdministrator,
    /// No such account.
    #[error("there is no such user")]
    UserNotFound,
    /// No such session of the caller.
    #[error("there is no such session")]
    SessionNotFound,
    /// No such video, or none that the caller may see.
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
    /// The caller never rated the video.
    #[error("you have not rated this video")]
    RatingNotFound,
    /// A value that is well-formed and still cannot be taken.
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
    /// More work waits than can be done soon.
    #[error("the server is busy: try again shortly")]
    Busy,
    /// The database is away, restarting, locked by another process, or too slow. The cause is for the log only.
    #[error("the database cannot be reached at the moment: try again shortly")]
    DatabaseAway(String),
    /// A file of the library is there and cannot be opened or read now: too many are open, or its disk is away. The cause is for the
    /// log only.
    #[error("the file cannot be read at the moment: try again shortly")]
    FileUnavailable(String),
    /// The disk is full.
    #[error("there is no room left to store this")]
    StorageFull,
    /// A defect, or a fault of the machine. The text is for the log only.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// The first rule that an input breaks.
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

/// What an error of the driver means to the caller.
///
/// SQLite's codes: sqlite.org/rescode.html. PostgreSQL's: its manual, appendix A.
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
    // 25006: this server has become a standby, and another one takes what is written.
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

/// What a code of SQLite means. The low byte is the primary code, the others tell its variants apart.
pub(crate) fn from_sqlite_code(code: u32, cause: String) -> Error {
    match code & 0xff {
        // 14: the file cannot be opened, as when the process has no descriptor left.
        5 | 6 | 14 => Error::DatabaseAway(cause),
        13 => Error::StorageFull,
        18 => Error::Unstorable,
        _ => Error::Internal(cause),
    }
}

/// Whether the database refused because the row that a new one points to is gone.
pub(crate) fn is_foreign_key_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
}

/// Whether a statement over many rows may have failed because of one of them, which could succeed without it. A database that
/// is away, full or busy fails for all.
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

/// A write that broke a unique rule of `users`, as a word of the domain.
pub(crate) fn unique_violation(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::Taken,
        _ => error.into(),
    }
}
