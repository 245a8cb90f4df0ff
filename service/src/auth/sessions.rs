//! Sessions: listed and ended.
//!
//! An access token names its session. Requests that read the account ask the database whether the
//! session has ended. A save must not: it looks in the memory of the process.

use super::{Auth, TokenSubject};
use crate::storage::Transaction;
use crate::time::Timestamp;
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::{ended_session, refresh_token, session};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect, QueryTrait};
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;

/// Rows that one INSERT writes; each has two values.
const ROWS_PER_INSERT: usize = 1_000;
/// Sessions that are listed.
const LIST_LIMIT: u64 = 100;
/// Characters that fit into the column.
const USER_AGENT_LENGTH: usize = 255;

/// The client that signs in, as its request describes it.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// The address that the request came from.
    pub address: IpAddr,
    /// The name that the browser or program gives itself.
    pub user_agent: Option<String>,
}

impl ClientInfo {
    /// The columns `user_agent` and `address` of a session.
    pub(super) fn into_columns(self) -> (Option<String>, Option<String>) {
        let user_agent = self.user_agent.map(|name| name.chars().take(USER_AGENT_LENGTH).collect());
        (user_agent, Some(self.address.to_canonical().to_string()))
    }
}

/// A sign-in that has not ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserSession)]
pub struct Session {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// The time of the sign-in.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// The time of its last refresh, or of the sign-in.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_used_at: Timestamp,
    /// The name that the browser or program gave itself then.
    #[schema(required = true, example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    pub user_agent: Option<String>,
    /// The address that it came from then.
    #[schema(required = true, example = "192.0.2.7")]
    pub address: Option<String>,
    /// Whether it is the session of this request.
    pub current: bool,
}

/// The sessions of the caller that have not ended, the last used first, 100 at most.
///
/// # Errors
/// Database errors.
pub async fn list(
    db: &Database,
    auth: &Auth,
    subject: TokenSubject,
    now: DateTime<Utc>,
) -> Result<Vec<Session>, Error> {
    let last_used = Expr::col(session::Column::LastUsedAt).if_null(Expr::col(session::Column::CreatedAt));
    let rows = session::Entity::find()
        .filter(session::Column::UserId.eq(subject.user_id))
        .filter(is_alive(auth, now))
        .order_by_desc(last_used)
        .order_by_desc(session::Column::Id)
        .limit(LIST_LIMIT)
        .all(db.reader())
        .await?;
    let into_session = |row: session::Model| Session {
        id: row.id,
        created_at: row.created_at.into(),
        last_used_at: row.last_used_at.unwrap_or(row.created_at).into(),
        user_agent: row.user_agent,
        address: row.address,
        current: subject.session_id == Some(row.id),
    };
    Ok(rows.into_iter().map(into_session).collect())
}

/// Ends one session of the caller.
///
/// # Errors
/// [`Error::SessionNotFound`], also for the session of another user.
pub async fn end_one(
    tx: &Transaction,
    auth: &Auth,
    subject: TokenSubject,
    session_id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let which = all_of(subject.user_id).add(session::Column::Id.eq(session_id));
    if end(tx, auth, which, now).await?.is_empty() { Err(Error::SessionNotFound) } else { Ok(()) }
}

/// Ends every session of the caller except the one of this request.
///
/// # Errors
/// Database errors.
pub async fn end_others(tx: &Transaction, auth: &Auth, subject: TokenSubject, now: DateTime<Utc>) -> Result<(), Error> {
    end(tx, auth, others(subject), now).await.map(drop)
}

/// Ends these sessions and returns their ids. After the commit this process refuses their access
/// tokens at once, and other processes do within a second.
pub(crate) async fn end(
    tx: &Transaction,
    auth: &Auth,
    which: Condition,
    now: DateTime<Utc>,
) -> Result<Vec<i64>, Error> {
    let ids = delete(tx, which, now).await?;
    let (ended, sessions) = (auth.ended.clone(), ids.clone());
    tx.after_commit(move || ended.add(sessions.into_iter().map(|id| (id, now))));
    Ok(ids)
}

/// Deletes these sessions with their refresh tokens, and tells the other processes. Returns the
/// ids.
pub(crate) async fn delete(tx: &Transaction, which: Condition, now: DateTime<Utc>) -> Result<Vec<i64>, Error> {
    let deleted = session::Entity::delete_many().filter(which).exec_with_returning(tx).await?;
    let ids: Vec<i64> = deleted.into_iter().map(|session| session.id).collect();
    for ids in ids.chunks(ROWS_PER_INSERT) {
        let rows = ids.iter().map(|id| ended_session::ActiveModel {
            session_id: Set(*id),
            ended_at: Set(now),
            ..Default::default()
        });
        ended_session::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(ids)
}

/// Every session of an account.
pub(crate) fn all_of(user_id: i64) -> Condition {
    Condition::all().add(session::Column::UserId.eq(user_id))
}

/// Every session of the caller except the one of this request.
pub(crate) fn others(subject: TokenSubject) -> Condition {
    all_of(subject.user_id).add_option(subject.session_id.map(|id| session::Column::Id.ne(id)))
}

/// The session with this id, if it belongs to the account.
pub(super) fn of_user(user_id: i64, session_id: i64) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(session::Entity)
        .and_where(session::Column::Id.eq(session_id))
        .and_where(session::Column::UserId.eq(user_id))
        .take()
}

/// The session of a refresh token.
pub(super) fn of_token(token_hash: &str) -> SelectStatement {
    refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::SessionId)
        .filter(refresh_token::Column::TokenHash.eq(token_hash))
        .into_query()
}

/// Whether a token of the session can still be valid.
pub(super) fn is_alive(auth: &Auth, now: DateTime<Utc>) -> Expr {
    let (expires, created) = (refresh_token::Column::ExpiresAt, refresh_token::Column::CreatedAt);
    let tokens = refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::Id)
        .filter(
            Expr::col((refresh_token::Entity, refresh_token::Column::SessionId))
                .equals((session::Entity, session::Column::Id)),
        )
        .filter(Condition::any().add(expires.gt(now)).add(created.gt(now - auth.tokens.lifetime())))
        .into_query();
    Expr::exists(tokens)
}
