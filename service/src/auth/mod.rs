//! Signing in and staying signed in.
//!
//! A sign-in begins a session. Its refresh tokens form one line: each is spent for the next. Within a grace a spent one gets the
//! same next one again, so that two tabs, or an answer that was lost on its way, log nobody out. A spent one that comes back
//! later, or after the next one was spent too, ends the session, because then two parties hold it (RFC 9700, 4.14.2).

mod attempts;
mod fair_semaphore;
mod guessable;
mod password;
pub mod sessions;
mod token;

use crate::{Database, Error, text, user};
use attempts::AttemptLimiter;
pub(crate) use attempts::AttemptedAccount;
use chrono::{DateTime, TimeDelta, Utc};
use entity::{refresh_token, session};
pub(crate) use guessable::{is_common, is_own_name};
pub use password::{Passwords, Verdict};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition};
use sea_orm::{ActiveValue::Set, QuerySelect};
use serde::{Deserialize, Serialize};
use sessions::{ClientInfo, EndedSessions};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
pub use token::{TokenSubject, Tokens};
use utoipa::ToSchema;
use validator::Validate;

/// How long a spent refresh token gets its successor again, counted from its first use, where nothing else is set.
pub const GRACE: Duration = Duration::from_secs(60);

/// What signing in needs besides the database.
#[derive(Clone)]
pub struct Auth {
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Signs and checks access tokens.
    pub tokens: Tokens,
    refresh_lifetime: Duration,
    grace: TimeDelta,
    attempts: Arc<AttemptLimiter>,
    pub(crate) ended: Arc<EndedSessions>,
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

/// A refresh token on its way back.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshToken {
    /// As the last sign-in or refresh gave it.
    #[validate(length(min = 1, max = 512))]
    #[schema(min_length = 1, max_length = 512, example = "Yb0yVYb5qW0lC1s1c3v2vT2Vd1kz3bq6yS4b8m2hQ1E")]
    pub refresh_token: String,
}

/// A working pair of tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenPair {
    /// For the header `Authorization: Bearer …`.
    pub access_token: String,
    /// For one refresh, once the access token has expired.
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
/// The machine gives no randomness.
pub fn generate_secret() -> std::io::Result<String> {
    token::random().map_err(std::io::Error::other)
}

impl Auth {
    /// With `tokens` for access, and refresh tokens that live for `refresh_lifetime`.
    pub fn new(tokens: Tokens, refresh_lifetime: Duration) -> Self {
        Self {
            passwords: Passwords::default(),
            tokens,
            refresh_lifetime,
            grace: TimeDelta::MAX,
            attempts: Arc::default(),
            ended: Arc::default(),
        }
        .with_grace(GRACE)
    }

    /// With another grace for spent refresh tokens.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace: TimeDelta::from_std(grace).unwrap_or(TimeDelta::MAX), ..self }
    }

    /// Whose access token this is; whether the account still stands is for the database to say. A session that was ended here, or
    /// elsewhere a second ago, leaves none.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<TokenSubject, Error> {
        let subject = self.tokens.verify(token, now)?;
        let is_over = subject.session_id.is_some_and(|session_id| self.ended.contains(session_id));
        if is_over { Err(Error::Unauthenticated) } else { Ok(subject) }
    }

    /// Whether `password` is the one behind `stored`; a wrong one counts against `account` and the address `from`.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], [`Error::Busy`], and those of the database.
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
        // Counted when its turn has come and not before, so that many right ones at once are not taken for failures.
        let permit = self.passwords.acquire_permit(from.into()).await?;
        self.attempts.take(db, account, from, now).await?;
        let verdict = permit.verify(password, stored).await?;
        if verdict != Verdict::Wrong {
            self.attempts.refund(db, account, from, now).await?;
        }
        Ok(verdict)
    }

    /// Stores a refresh token of a session.
    async fn store(
        &self,
        db: &impl ConnectionTrait,
        session_id: i64,
        refresh_token: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let row = refresh_token::ActiveModel {
            session_id: Set(session_id),
            token_hash: Set(token::hash(refresh_token)),
            created_at: Set(now),
            expires_at: Set(now + self.refresh_lifetime),
            ..Default::default()
        };
        refresh_token::Entity::insert(row).exec_without_returning(db).await?;
        Ok(())
    }

    /// A refresh token, and an access token beside it.
    fn pair(
        &self,
        session_id: i64,
        user: &entity::user::Model,
        refresh_token: String,
        now: DateTime<Utc>,
    ) -> Result<TokenPair, Error> {
        Ok(TokenPair {
            access_token: self.tokens.issue(user.id, session_id, &user.email, now)?,
            refresh_token,
            token_type: "bearer",
            expires_in: self.tokens.lifetime().as_secs(),
        })
    }
}

/// Signs in with a name or e-mail and the password.
///
/// # Errors
/// [`Error::WrongCredentials`], [`Error::Inactive`], [`Error::TooManyAttempts`].
pub async fn login(
    db: &Database,
    auth: &Auth,
    credentials: Credentials,
    client: ClientInfo,
    now: DateTime<Utc>,
) -> Result<TokenPair, Error> {
    let Credentials { username, password } = credentials;
    let account = AttemptedAccount::Login(text::login_key(&username));
    auth.attempts.check(&account, client.address, now)?;
    let user = user::find_by_login(db.reader(), &username).await?;
    let stored = user.as_ref().map(|user| user.hashed_password.clone());
    let verdict = auth.try_password(db, &account, client.address, password.clone(), stored, now).await?;
    let user = user.filter(|_| verdict != Verdict::Wrong).ok_or(Error::WrongCredentials)?;
    if !user.is_active {
        return Err(Error::Inactive);
    }
    // Where there is no time for a new hash, the old one does for another sign-in.
    let from = client.address;
    let renewed = match verdict {
        Verdict::Outdated => auth.passwords.renew(password.clone(), from.into()).await.ok(),
        Verdict::Right | Verdict::Wrong => None,
    };

    // Every transaction here takes users first, then sessions, then tokens, so that none waits for one that waits for it.
    let mut checked = user.hashed_password.clone();
    let (_turn, transaction) = loop {
        let (turn, transaction) = db.begin().await?;
        // The account may have left, or got another password, while this one was checked: then no session is to begin.
        let current = user::touch_last_login(&transaction, user.id, now).await?.ok_or(Error::WrongCredentials)?;
        if current == checked {
            break (turn, transaction);
        }
        // Another sign-in may have renewed the hash of the same password.
        transaction.rollback().await?;
        drop(turn);
        if auth.passwords.acquire_permit(from.into()).await?.verify(password.clone(), Some(current.clone())).await?
            == Verdict::Wrong
        {
            return Err(Error::WrongCredentials);
        }
        checked = current;
    };
    let expired = session::Entity::delete_many().filter(sessions::all_of(user.id));
    expired.filter(sessions::is_alive(auth, now).not()).exec(&transaction).await?;
    let (user_agent, address) = client.columns();
    let session = session::ActiveModel {
        user_id: Set(user.id),
        created_at: Set(now),
        last_used_at: Set(Some(now)),
        user_agent: Set(user_agent),
        address: Set(address),
        ..Default::default()
    };
    let session = session::Entity::insert(session).exec_with_returning(&transaction).await?;
    let refresh_token = token::random().map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
    auth.store(&transaction, session.id, &refresh_token, now).await?;
    let pair = auth.pair(session.id, &user, refresh_token, now)?;
    if let Some(renewed) = renewed {
        renew(&transaction, &user, renewed).await?;
    }
    transaction.commit().await?;
    Ok(pair)
}

/// Spends a refresh token for a new pair. Two that spend it at once get the same refresh token.
///
/// # Errors
/// [`Error::WrongRefreshToken`]; [`Error::RefreshTokenReused`] when the token was spent before and its session is over now.
pub async fn refresh(
    db: &Database,
    auth: &Auth,
    refresh_token: &str,
    client: ClientInfo,
    now: DateTime<Utc>,
) -> Result<TokenPair, Error> {
    let (token_hash, next) = (token::hash(refresh_token), auth.tokens.successor(refresh_token)?);
    let (_turn, transaction) = db.begin().await?;
    let session = session::Entity::find().filter(session::Column::Id.in_subquery(sessions::of_token(&token_hash)));
    let session = session.lock_exclusive().one(&transaction).await?.ok_or(Error::WrongRefreshToken)?;
    // Read once the session is locked, so that of two at once the second sees what the first did.
    let token = unexpired(&transaction, &token_hash, now).await?.ok_or(Error::WrongRefreshToken)?;
    if let Some(first_use) = token.spent_at {
        let successor = unexpired(&transaction, &token::hash(&next), now).await?;
        let was_spent = successor.as_ref().is_some_and(|successor| successor.spent_at.is_some());
        if was_spent || (now - first_use).max(TimeDelta::zero()) >= auth.grace {
            let which = sessions::all_of(session.user_id).add(session::Column::Id.eq(session.id));
            let ended = sessions::end(&transaction, which, now).await?;
            transaction.commit().await?;
            auth.ended.note(&ended, now);
            return Err(Error::RefreshTokenReused { session_id: session.id });
        }
        // Under another key there was another successor.
        successor.ok_or(Error::WrongRefreshToken)?;
    } else {
        let spent = refresh_token::ActiveModel { id: Set(token.id), spent_at: Set(Some(now)), ..Default::default() };
        refresh_token::Entity::update(spent).exec(&transaction).await?;
        auth.store(&transaction, session.id, &next, now).await?;
    }
    let expired = refresh_token::Entity::delete_many().filter(refresh_token::Column::SessionId.eq(session.id));
    expired.filter(refresh_token::Column::ExpiresAt.lte(now)).exec(&transaction).await?;
    let owner = session.find_related(entity::user::Entity).filter(entity::user::Column::IsActive.eq(true));
    let user = owner.one(&transaction).await?.ok_or(Error::WrongRefreshToken)?;
    let (user_agent, address) = client.columns();
    let used = session::ActiveModel {
        id: Set(session.id),
        last_used_at: Set(Some(now)),
        user_agent: Set(user_agent),
        address: Set(address),
        ..Default::default()
    };
    session::Entity::update(used).exec(&transaction).await?;
    let pair = auth.pair(session.id, &user, next, now)?;
    transaction.commit().await?;
    Ok(pair)
}

/// The refresh token of this hash, if it has not expired.
async fn unexpired(
    db: &impl ConnectionTrait,
    token_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<refresh_token::Model>, Error> {
    let token = refresh_token::Entity::find().filter(refresh_token::Column::TokenHash.eq(token_hash));
    Ok(token.filter(refresh_token::Column::ExpiresAt.gt(now)).one(db).await?)
}

/// Ends the session that a refresh token belongs to. A token that is worth nothing is no error: the wish is fulfilled.
///
/// # Errors
/// Those of the database.
pub async fn logout(db: &Database, auth: &Auth, refresh_token: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let of_token = session::Column::Id.in_subquery(sessions::of_token(&token::hash(refresh_token)));
    sessions::end_and_note(db, auth, of_token.into_condition(), now).await.map(drop)
}

/// Puts a better hash of the same password in the place of the one that was checked, unless there is another by now.
async fn renew(db: &impl ConnectionTrait, user: &entity::user::Model, renewed: String) -> Result<(), Error> {
    let update = entity::user::Entity::update_many()
        .col_expr(entity::user::Column::HashedPassword, Expr::value(renewed))
        .filter(entity::user::Column::Id.eq(user.id))
        .filter(entity::user::Column::HashedPassword.eq(&user.hashed_password));
    update.exec(db).await?;
    Ok(())
}
