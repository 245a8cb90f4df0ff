//! Exchanging a refresh token for a new pair, and signing out.

use super::sessions::{self, ClientInfo};
use super::{Auth, TokenPair, token};
use crate::Error;
use crate::storage::Transaction;
use chrono::{DateTime, TimeDelta, Utc};
use entity::{refresh_token, session, user};
use sea_orm::prelude::*;
use sea_orm::sea_query::IntoCondition;
use sea_orm::{ActiveValue::Set, QuerySelect};

/// What happened to a refresh token.
#[derive(Debug)]
pub enum RefreshOutcome {
    /// It was exchanged.
    Renewed(TokenPair),
    /// It was spent before, so its session was ended. The transaction must be committed.
    Reused {
        /// The session that was ended.
        session_id: i64,
    },
}

impl RefreshOutcome {
    /// The new pair; call it after the commit.
    ///
    /// # Errors
    /// [`Error::RefreshTokenReused`].
    pub fn into_result(self) -> Result<TokenPair, Error> {
        match self {
            Self::Renewed(pair) => Ok(pair),
            Self::Reused { session_id } => Err(Error::RefreshTokenReused { session_id }),
        }
    }
}

/// Exchanges a refresh token for a new pair. Two requests that send it at once get the same refresh
/// token.
///
/// # Errors
/// [`Error::WrongRefreshToken`].
pub async fn refresh(
    tx: &Transaction,
    auth: &Auth,
    refresh_token: &str,
    client: ClientInfo,
    now: DateTime<Utc>,
) -> Result<RefreshOutcome, Error> {
    let (token_hash, next) = (token::hash(refresh_token), auth.tokens.successor(refresh_token)?);
    let session = session::Entity::find().filter(session::Column::Id.in_subquery(sessions::of_token(&token_hash)));
    let session = session.lock_exclusive().one(tx).await?.ok_or(Error::WrongRefreshToken)?;
    // Read after the session is locked: the second of two requests must see what the first one did.
    let token = find_unexpired(tx, &token_hash, now).await?.ok_or(Error::WrongRefreshToken)?;
    if let Some(first_use) = token.spent_at {
        let successor = find_unexpired(tx, &token::hash(&next), now).await?;
        let was_spent = successor.as_ref().is_some_and(|successor| successor.spent_at.is_some());
        if was_spent || (now - first_use).max(TimeDelta::zero()) >= auth.grace {
            let which = sessions::all_of(session.user_id).add(session::Column::Id.eq(session.id));
            sessions::end(tx, auth, which, now).await?;
            return Ok(RefreshOutcome::Reused { session_id: session.id });
        }
        // With another signing key the successor was another token.
        successor.ok_or(Error::WrongRefreshToken)?;
    } else {
        let spent = refresh_token::ActiveModel { id: Set(token.id), spent_at: Set(Some(now)), ..Default::default() };
        refresh_token::Entity::update(spent).exec(tx).await?;
        store_token(tx, auth, session.id, &next, now).await?;
    }
    let owner = session.find_related(user::Entity).filter(user::Column::IsActive.eq(true));
    let user = owner.one(tx).await?.ok_or(Error::WrongRefreshToken)?;
    touch_session(tx, session.id, client, now).await?;
    Ok(RefreshOutcome::Renewed(token_pair(auth, session.id, &user, next, now)?))
}

/// Deletes the expired tokens of a session, and stores when and from where it was used.
async fn touch_session(tx: &Transaction, session_id: i64, client: ClientInfo, now: DateTime<Utc>) -> Result<(), Error> {
    let expired = refresh_token::Entity::delete_many().filter(refresh_token::Column::SessionId.eq(session_id));
    expired.filter(refresh_token::Column::ExpiresAt.lte(now)).exec(tx).await?;
    let (user_agent, address) = client.into_columns();
    let used = session::ActiveModel {
        id: Set(session_id),
        last_used_at: Set(Some(now)),
        user_agent: Set(user_agent),
        address: Set(address),
        ..Default::default()
    };
    session::Entity::update(used).exec(tx).await?;
    Ok(())
}

/// The refresh token with this hash, if it has not expired.
async fn find_unexpired(
    db: &impl ConnectionTrait,
    token_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<refresh_token::Model>, Error> {
    let token = refresh_token::Entity::find().filter(refresh_token::Column::TokenHash.eq(token_hash));
    Ok(token.filter(refresh_token::Column::ExpiresAt.gt(now)).one(db).await?)
}

/// Stores a refresh token of a session.
pub(super) async fn store_token(
    tx: &Transaction,
    auth: &Auth,
    session_id: i64,
    refresh_token: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let row = refresh_token::ActiveModel {
        session_id: Set(session_id),
        token_hash: Set(token::hash(refresh_token)),
        created_at: Set(now),
        expires_at: Set(now + auth.refresh_lifetime),
        ..Default::default()
    };
    refresh_token::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// This refresh token with a new access token.
pub(super) fn token_pair(
    auth: &Auth,
    session_id: i64,
    user: &user::Model,
    refresh_token: String,
    now: DateTime<Utc>,
) -> Result<TokenPair, Error> {
    Ok(TokenPair {
        access_token: auth.tokens.issue(user.id, session_id, &user.email, now)?,
        refresh_token,
        token_type: "bearer",
        expires_in: auth.tokens.lifetime().as_secs(),
    })
}

/// Ends the session of a refresh token. An invalid token is no error: there is nothing to end.
///
/// # Errors
/// Database errors.
pub async fn logout(tx: &Transaction, auth: &Auth, refresh_token: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let of_token = session::Column::Id.in_subquery(sessions::of_token(&token::hash(refresh_token)));
    sessions::end(tx, auth, of_token.into_condition(), now).await.map(drop)
}
