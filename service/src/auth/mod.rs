//! Signing in and staying signed in.
//!
//! A sign-in begins a session. Its refresh tokens form one family: each is spent for the next, and a spent one that
//! comes back later than [`GRACE`] ends the session, because then two parties hold it. Within the grace it still gets a
//! working pair, so that two tabs, or an answer that was lost on its way, log nobody out.

mod attempts;
mod password;
mod permits;
mod token;

use crate::{Database, Error, text, user};
pub(crate) use attempts::Account;
use attempts::Attempts;
use chrono::{DateTime, TimeDelta, Utc};
use entity::{refresh_token, session};
pub use password::{Passwords, Verdict};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{ActiveValue::Set, QuerySelect, QueryTrait};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
pub use token::Tokens;
use utoipa::ToSchema;
use validator::Validate;

/// How long a spent refresh token still gets a working pair, counted from its first use.
const GRACE: TimeDelta = TimeDelta::seconds(30);

/// What signing in needs besides the database.
#[derive(Clone)]
pub struct Auth {
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Signs and checks access tokens.
    pub tokens: Tokens,
    refresh_lifetime: Duration,
    attempts: Arc<Attempts>,
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
    #[validate(length(min = 1, max = 100), custom(function = text::storable))]
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
pub fn random_secret() -> std::io::Result<String> {
    token::random().map_err(std::io::Error::other)
}

impl Auth {
    /// With `tokens` for access, and refresh tokens that live for `refresh_lifetime`.
    pub fn new(tokens: Tokens, refresh_lifetime: Duration) -> Self {
        Self { passwords: Passwords::default(), tokens, refresh_lifetime, attempts: Arc::default() }
    }

    /// Whether `password` is the one behind `stored`; a wrong one counts against `account` and the address `from`.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], [`Error::Busy`], and those of the database.
    pub(crate) async fn try_password(
        &self,
        db: &Database,
        account: &Account,
        from: IpAddr,
        password: String,
        stored: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Verdict, Error> {
        self.attempts.check(account, from, now)?;
        // Counted when its turn has come and not before, so that many right ones at once are not taken for failures.
        let turn = self.passwords.turn(from.into()).await?;
        self.attempts.take(db, account, from, now).await?;
        let verdict = turn.verify(password, stored).await?;
        if verdict != Verdict::Wrong {
            self.attempts.give_back(db, account, from, now).await?;
        }
        Ok(verdict)
    }

    async fn pair(
        &self,
        db: &impl ConnectionTrait,
        session_id: i64,
        user: &entity::user::Model,
        now: DateTime<Utc>,
    ) -> Result<TokenPair, Error> {
        let refresh_token = token::random().map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
        let row = refresh_token::ActiveModel {
            session_id: Set(session_id),
            token_hash: Set(token::hash(&refresh_token)),
            created_at: Set(now),
            expires_at: Set(now + self.refresh_lifetime),
            ..Default::default()
        };
        refresh_token::Entity::insert(row).exec_without_returning(db).await?;
        Ok(TokenPair {
            access_token: self.tokens.issue(user.id, &user.email, now)?,
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
    from: IpAddr,
    now: DateTime<Utc>,
) -> Result<TokenPair, Error> {
    let Credentials { username, password } = credentials;
    let account = Account::Typed(text::key(&username));
    auth.attempts.check(&account, from, now)?;
    let user = user::find_by_login(db.reader(), &username).await?;
    let stored = user.as_ref().map(|user| user.hashed_password.clone());
    let verdict = auth.try_password(db, &account, from, password.clone(), stored, now).await?;
    let user = user.filter(|_| verdict != Verdict::Wrong).ok_or(Error::WrongCredentials)?;
    if !user.is_active {
        return Err(Error::Inactive);
    }
    // Where there is no time for a new hash, the old one does for another sign-in.
    let renewed =
        if verdict == Verdict::Outdated { auth.passwords.renew(password, from.into()).await.ok() } else { None };

    // Every transaction here takes users first, then sessions, then tokens, so that none waits for one that waits for it.
    let (_turn, transaction) = db.begin().await?;
    // The account may have left while its password was checked.
    user::touch_last_login(&transaction, user.id, now).await?.ok_or(Error::WrongCredentials)?;
    drop_expired(&transaction, user.id, now).await?;
    let session = session::ActiveModel { user_id: Set(user.id), created_at: Set(now), ..Default::default() };
    let session = session::Entity::insert(session).exec_with_returning(&transaction).await?;
    let pair = auth.pair(&transaction, session.id, &user, now).await?;
    if let Some(renewed) = renewed {
        renew(&transaction, &user, renewed).await?;
    }
    transaction.commit().await?;
    Ok(pair)
}

/// Spends a refresh token for a new pair.
///
/// # Errors
/// [`Error::WrongRefreshToken`]; when the token was spent long ago, its session is over too.
pub async fn refresh(db: &Database, auth: &Auth, refresh_token: &str, now: DateTime<Utc>) -> Result<TokenPair, Error> {
    let (_turn, transaction) = db.begin().await?;
    let of_token = refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::SessionId)
        .filter(refresh_token::Column::TokenHash.eq(token::hash(refresh_token)))
        .into_query();
    let session = session::Entity::find().filter(session::Column::Id.in_subquery(of_token)).lock_exclusive();
    let session = session.one(&transaction).await?.ok_or(Error::WrongRefreshToken)?;
    // One statement both spends the token and tells when that first happened, so that two at once agree.
    let first_use = Func::coalesce([Expr::col(refresh_token::Column::SpentAt), Expr::value(now)]);
    let spent = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::SpentAt, first_use.into())
        .filter(refresh_token::Column::TokenHash.eq(token::hash(refresh_token)))
        .filter(refresh_token::Column::ExpiresAt.gt(now))
        .exec_with_returning(&transaction)
        .await?;
    let token = spent.into_iter().next().ok_or(Error::WrongRefreshToken)?;
    if token.spent_at.is_some_and(|first_use| now - first_use > GRACE) {
        session::Entity::delete_by_id(session.id).exec(&transaction).await?;
        transaction.commit().await?;
        log::warn!("session {} ended: one of its refresh tokens was used again after it was spent", session.id);
        return Err(Error::WrongRefreshToken);
    }
    let expired = refresh_token::Entity::delete_many().filter(refresh_token::Column::SessionId.eq(session.id));
    expired.filter(refresh_token::Column::ExpiresAt.lte(now)).exec(&transaction).await?;
    let owner = session.find_related(entity::user::Entity).filter(entity::user::Column::IsActive.eq(true));
    let user = owner.one(&transaction).await?.ok_or(Error::WrongRefreshToken)?;
    let pair = auth.pair(&transaction, session.id, &user, now).await?;
    transaction.commit().await?;
    Ok(pair)
}

/// Ends the session that a refresh token belongs to. A token that is worth nothing is no error: the wish is fulfilled.
///
/// # Errors
/// Those of the database.
pub async fn logout(db: &Database, refresh_token: &str) -> Result<(), Error> {
    let of_token = refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::SessionId)
        .filter(refresh_token::Column::TokenHash.eq(token::hash(refresh_token)))
        .into_query();
    let (_turn, transaction) = db.begin().await?;
    session::Entity::delete_many().filter(session::Column::Id.in_subquery(of_token)).exec(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Ends every session of an account: after a new password, and with its deactivation.
pub(crate) async fn end_sessions(db: &impl ConnectionTrait, user_id: i64) -> Result<(), Error> {
    session::Entity::delete_many().filter(session::Column::UserId.eq(user_id)).exec(db).await?;
    Ok(())
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

/// Forgets the sessions of an account that nobody can refresh any more.
async fn drop_expired(db: &impl ConnectionTrait, user_id: i64, now: DateTime<Utc>) -> Result<(), Error> {
    let alive = refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::Id)
        .filter(Expr::col(refresh_token::Column::SessionId).equals((session::Entity, session::Column::Id)))
        .filter(refresh_token::Column::ExpiresAt.gt(now))
        .into_query();
    let expired =
        session::Entity::delete_many().filter(session::Column::UserId.eq(user_id)).filter(Expr::exists(alive).not());
    expired.exec(db).await?;
    Ok(())
}
