//! Signing in and staying signed in.
//!
//! A sign-in starts a session. The session has a line of refresh tokens: each is exchanged for the
//! next. Within a grace period a spent token returns the same next token again, so that two tabs or
//! a lost response sign nobody out. A token that is used after the grace period, or after the next
//! one was spent too, ends the session, because two parties hold it (RFC 9700, 4.14.2).

mod account;
mod attempts;
mod ended_sessions;
mod fair_semaphore;
mod login;
mod password;
mod refresh;
pub mod sessions;
mod token;

use crate::{Database, Error, text};
pub(crate) use account::find_by_login;
pub use account::{active_accounts, authenticate};
use attempts::AttemptLimiter;
pub(crate) use attempts::AttemptedAccount;
use chrono::{DateTime, TimeDelta, Utc};
use ended_sessions::EndedSessions;
pub use ended_sessions::EndedSessionsPoller;
pub use login::{VerifiedCredentials, login, start_session};
pub use password::{Passwords, Verdict};
pub use refresh::{RefreshOutcome, logout, refresh};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
pub use token::{TokenSubject, Tokens};
use utoipa::ToSchema;
use validator::Validate;

/// The default grace period of spent refresh tokens, counted from their first use.
pub const REFRESH_GRACE: Duration = Duration::from_secs(60);

/// What signing in needs besides the database. A clone shares all of it.
#[derive(Clone)]
pub struct Auth {
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Signs and checks access tokens.
    pub tokens: Tokens,
    refresh_lifetime: Duration,
    grace: TimeDelta,
    attempts: Arc<AttemptLimiter>,
    ended: Arc<EndedSessions>,
}

/// A name and a password, as a person types them.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The user name or the e-mail address.
    #[validate(length(min = 1, max = 255), custom(function = text::storable))]
    #[schema(min_length = 1, max_length = 255, example = "ann")]
    pub username: String,
    /// The password.
    #[validate(custom(function = text::password))]
    #[schema(min_length = 1, max_length = 100, format = Password, example = "correct horse")]
    pub password: String,
}

/// A refresh token that a client sends back.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshToken {
    /// The token of the last sign-in or refresh.
    #[validate(length(min = 1, max = 512))]
    #[schema(min_length = 1, max_length = 512, example = "Yb0yVYb5qW0lC1s1c3v2vT2Vd1kz3bq6yS4b8m2hQ1E")]
    pub refresh_token: String,
}

/// An access token and a refresh token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenPair {
    /// For the header `Authorization: Bearer …`.
    #[schema(example = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl")]
    pub access_token: String,
    /// For one refresh, once the access token has expired.
    #[schema(example = "Yb0yVYb5qW0lC1s1c3v2vT2Vd1kz3bq6yS4b8m2hQ1E")]
    pub refresh_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(minimum = 0, example = 1800)]
    pub expires_in: u64,
}

/// A new key for [`Tokens`]: 256 random bits as text.
///
/// # Errors
/// The system has no random numbers.
pub fn generate_secret() -> std::io::Result<String> {
    token::random().map_err(std::io::Error::other)
}

impl Auth {
    /// Creates it with `tokens` for access, and refresh tokens that expire after
    /// `refresh_lifetime`.
    pub fn new(tokens: Tokens, refresh_lifetime: Duration) -> Self {
        Self {
            passwords: Passwords::default(),
            tokens,
            refresh_lifetime,
            grace: TimeDelta::MAX,
            attempts: Arc::default(),
            ended: Arc::default(),
        }
        .with_grace(REFRESH_GRACE)
    }

    /// Sets the grace period of spent refresh tokens.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace: TimeDelta::from_std(grace).unwrap_or(TimeDelta::MAX), ..self }
    }

    /// The account and session of an access token. It does not read the database: whether the
    /// account is active is not checked, and a session that another process ended is refused up to
    /// a second later.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::ForgedToken`].
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<TokenSubject, Error> {
        self.verify_until(token, now).map(|(subject, _)| subject)
    }

    /// As [`Auth::verify`], with the time at which the token expires.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::ForgedToken`].
    pub fn verify_until(&self, token: &str, now: DateTime<Utc>) -> Result<(TokenSubject, DateTime<Utc>), Error> {
        let (subject, expires) = self.tokens.verify(token, now)?;
        if self.has_ended(subject) { Err(Error::Unauthenticated) } else { Ok((subject, expires)) }
    }

    /// Whether the session of the token is known to be over; a session that another process ended
    /// is known within a second.
    pub fn has_ended(&self, subject: TokenSubject) -> bool {
        subject.session_id.is_some_and(|session_id| self.ended.contains(session_id))
    }

    /// Checks a password against a stored hash. A wrong one counts as a failed attempt of `account`
    /// and of the address `from`. Call it outside of a transaction: it hashes, and it counts in
    /// short transactions of its own, so that failures count whatever happens later.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], [`Error::Busy`], and database errors.
    pub(crate) async fn try_password(
        &self,
        db: &Database,
        account: &AttemptedAccount,
        from: IpAddr,
        password: String,
        stored: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Verdict, Error> {
        self.attempts.check(account, from, now)?;
        // Counted once there is a permit: correct passwords that wait must not count as failures.
        let permit = self.passwords.acquire_permit(from.into()).await?;
        self.attempts.take(db, account, from, now).await?;
        let verdict = permit.verify(password, stored).await?;
        if verdict != Verdict::Wrong {
            self.attempts.refund(db, account, from, now).await?;
        }
        Ok(verdict)
    }
}
