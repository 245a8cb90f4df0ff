//! Signing in with a password.

use super::account::{current_hash, find_by_login, replace_hash, touch_last_login};
use super::sessions::{self, ClientInfo};
use super::{AttemptedAccount, Auth, Credentials, TokenPair, Verdict, refresh, token};
use crate::storage::Transaction;
use crate::{Database, Error, text};
use chrono::{DateTime, Utc};
use entity::{session, user};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::*;
use sea_orm::sea_query::ExprTrait;
use std::net::IpAddr;

/// An account whose password was checked, for [`start_session`].
#[derive(Debug)]
pub struct VerifiedCredentials {
    user: user::Model,
    /// The hash that the password was checked against.
    checked_hash: String,
    /// A better hash of the same password.
    new_hash: Option<String>,
}

/// Signs in with a name or e-mail and the password. It checks the password outside of a
/// transaction, so that no writer waits for a hash, and then starts the session in one.
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
    let password = credentials.password.clone();
    let mut verified = verify_credentials(db, auth, credentials, client.address, now).await?;
    loop {
        let pair = db.transaction(async |tx| start_session(tx, auth, &verified, client.clone(), now).await).await?;
        if let Some(pair) = pair {
            return Ok(pair);
        }
        verified = verify_again(db, auth, verified, password.clone(), client.address).await?;
    }
}

async fn verify_credentials(
    db: &Database,
    auth: &Auth,
    credentials: Credentials,
    from: IpAddr,
    now: DateTime<Utc>,
) -> Result<VerifiedCredentials, Error> {
    let Credentials { username, password } = credentials;
    let account = AttemptedAccount::Login(text::login_key(&username));
    auth.attempts.check(&account, from, now)?;
    let user = find_by_login(db.reader(), &username).await?;
    let stored = user.as_ref().map(|user| user.hashed_password.clone());
    let verdict = auth.try_password(db, &account, from, password.clone(), stored, now).await?;
    let user = user.filter(|_| verdict != Verdict::Wrong).ok_or(Error::WrongCredentials)?;
    if !user.is_active {
        return Err(Error::Inactive);
    }
    // If there is no capacity for a new hash now, the old one stays until another sign-in.
    let new_hash = match verdict {
        Verdict::Outdated => auth.passwords.renew(password, from.into()).await.ok(),
        Verdict::Right | Verdict::Wrong => None,
    };
    Ok(VerifiedCredentials { checked_hash: user.hashed_password.clone(), user, new_hash })
}

/// Checks the password against the hash that the account has now: another sign-in may have stored a
/// better hash of the same password.
async fn verify_again(
    db: &Database,
    auth: &Auth,
    verified: VerifiedCredentials,
    password: String,
    from: IpAddr,
) -> Result<VerifiedCredentials, Error> {
    let current = current_hash(db.reader(), verified.user.id).await?.ok_or(Error::WrongCredentials)?;
    let permit = auth.passwords.acquire_permit(from.into()).await?;
    match permit.verify(password, Some(current.clone())).await? {
        Verdict::Wrong => Err(Error::WrongCredentials),
        Verdict::Right | Verdict::Outdated => {
            Ok(VerifiedCredentials { user: verified.user, checked_hash: current, new_hash: None })
        }
    }
}

/// Starts a session of an account whose password was checked. It writes nothing and returns `None`
/// when the password hash has changed since the check.
///
/// # Errors
/// Database errors.
pub async fn start_session(
    tx: &Transaction,
    auth: &Auth,
    verified: &VerifiedCredentials,
    client: ClientInfo,
    now: DateTime<Utc>,
) -> Result<Option<TokenPair>, Error> {
    let VerifiedCredentials { user, checked_hash, new_hash } = verified;
    // All transactions lock users first, then sessions, then tokens, so that none causes a
    // deadlock.
    if !touch_last_login(tx, user.id, checked_hash, now).await? {
        return Ok(None);
    }
    let expired = session::Entity::delete_many().filter(sessions::all_of(user.id));
    expired.filter(sessions::is_alive(auth, now).not()).exec(tx).await?;
    let session = insert_session(tx, user.id, client, now).await?;
    let refresh_token = token::random().map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
    refresh::store_token(tx, auth, session.id, &refresh_token, now).await?;
    let pair = refresh::token_pair(auth, session.id, user, refresh_token, now)?;
    if let Some(new_hash) = new_hash {
        replace_hash(tx, user.id, checked_hash, new_hash.clone()).await?;
    }
    Ok(Some(pair))
}

async fn insert_session(
    tx: &Transaction,
    user_id: i64,
    client: ClientInfo,
    now: DateTime<Utc>,
) -> Result<session::Model, Error> {
    let (user_agent, address) = client.into_columns();
    let session = session::ActiveModel {
        user_id: Set(user_id),
        created_at: Set(now),
        last_used_at: Set(Some(now)),
        user_agent: Set(user_agent),
        address: Set(address),
        ..Default::default()
    };
    Ok(session::Entity::insert(session).exec_with_returning(tx).await?)
}
