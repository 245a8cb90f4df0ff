//! Sessions: listed, ended, and known as ended to the tokens that they leave behind.
//!
//! An access token names its session. Where the account is read anyway, the database is asked whether the session stands. A save
//! must not ask: it looks into [`EndedSessions`], which every process fills from the table of the same name.

use super::Auth;
use super::token::TokenSubject;
use crate::time::{Clock, Timestamp};
use crate::{Database, Error};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{ended_session, refresh_token, session};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ActiveValue::Set, Condition, QueryOrder, QuerySelect, QueryTrait};
use serde::Serialize;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// How often other processes are heard of.
const EVERY: Duration = Duration::from_millis(500);
/// A row with a smaller id than one that was read may be committed later, but never as much later as this: no transaction lives so long.
const SETTLED: Duration = Duration::from_secs(60);
/// By how much the clocks of two machines may differ.
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// How many rows one statement inserts; each has two values.
const ROWS_AT_ONCE: usize = 1_000;
/// How many sessions are listed.
const LISTED: u64 = 100;
/// What fits into the column.
const USER_AGENT_LENGTH: usize = 255;

/// Who signs in, as far as the request tells.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// Where the request came from.
    pub address: IpAddr,
    /// What the browser or program calls itself.
    pub user_agent: Option<String>,
}

impl ClientInfo {
    /// The columns of a session, as this client makes them.
    pub(super) fn columns(self) -> (Option<String>, Option<String>) {
        let user_agent = self.user_agent.map(|name| name.chars().take(USER_AGENT_LENGTH).collect());
        (user_agent, Some(self.address.to_canonical().to_string()))
    }
}

/// A sign-in that is not over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserSession)]
pub struct Session {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// When somebody signed in.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// When its tokens were last renewed, or else when somebody signed in.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_used_at: Timestamp,
    /// What the browser or program called itself then.
    #[schema(required = true, example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    pub user_agent: Option<String>,
    /// The address that it came from then.
    #[schema(required = true, example = "192.0.2.7")]
    pub address: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The sessions of the caller that are not over, the last used first, 100 at most.
///
/// # Errors
/// Those of the database.
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
        .limit(LISTED)
        .all(db.reader())
        .await?;
    let shown = |row: session::Model| Session {
        id: row.id,
        created_at: row.created_at.into(),
        last_used_at: row.last_used_at.unwrap_or(row.created_at).into(),
        user_agent: row.user_agent,
        address: row.address,
        current: subject.session_id == Some(row.id),
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// Ends one session of the caller.
///
/// # Errors
/// [`Error::SessionNotFound`], also for a session of somebody else.
pub async fn end_one(
    db: &Database,
    auth: &Auth,
    subject: TokenSubject,
    session_id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let which = all_of(subject.user_id).add(session::Column::Id.eq(session_id));
    if end_and_note(db, auth, which, now).await?.is_empty() { Err(Error::SessionNotFound) } else { Ok(()) }
}

/// Ends every session of the caller but the one that asks.
///
/// # Errors
/// Those of the database.
pub async fn end_others(db: &Database, auth: &Auth, subject: TokenSubject, now: DateTime<Utc>) -> Result<(), Error> {
    end_and_note(db, auth, others(subject), now).await.map(drop)
}

/// Ends these sessions in a transaction of its own, and gives their ids back.
pub(super) async fn end_and_note(
    db: &Database,
    auth: &Auth,
    which: Condition,
    now: DateTime<Utc>,
) -> Result<Vec<i64>, Error> {
    let (_turn, transaction) = db.begin().await?;
    let ended = end(&transaction, which, now).await?;
    transaction.commit().await?;
    auth.ended.note(&ended, now);
    Ok(ended)
}

/// Ends these sessions: their refresh tokens go with them, and their access tokens are worth nothing from the commit on, in other
/// processes within a second. Gives back their ids, to be noted once that is committed.
pub(crate) async fn end(db: &impl ConnectionTrait, which: Condition, now: DateTime<Utc>) -> Result<Vec<i64>, Error> {
    let gone = session::Entity::delete_many().filter(which).exec_with_returning(db).await?;
    let ended: Vec<i64> = gone.into_iter().map(|session| session.id).collect();
    for ids in ended.chunks(ROWS_AT_ONCE) {
        let rows = ids.iter().map(|id| ended_session::ActiveModel {
            session_id: Set(*id),
            ended_at: Set(now),
            ..Default::default()
        });
        ended_session::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(ended)
}

/// Every session of an account.
pub(crate) fn all_of(user_id: i64) -> Condition {
    Condition::all().add(session::Column::UserId.eq(user_id))
}

/// Every session of the caller but the one that asks.
pub(crate) fn others(subject: TokenSubject) -> Condition {
    all_of(subject.user_id).add_option(subject.session_id.map(|id| session::Column::Id.ne(id)))
}

/// The session of this id, if it is one of that account.
pub(crate) fn of_user(user_id: i64, session_id: i64) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(session::Entity)
        .and_where(session::Column::Id.eq(session_id))
        .and_where(session::Column::UserId.eq(user_id))
        .take()
}

/// The session that a refresh token belongs to.
pub(super) fn of_token(token_hash: &str) -> SelectStatement {
    refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::SessionId)
        .filter(refresh_token::Column::TokenHash.eq(token_hash))
        .into_query()
}

/// Whether somebody can still hold a token of a session that works.
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

/// The sessions that ended so lately that an access token of theirs may not have expired.
#[derive(Debug, Default)]
pub struct EndedSessions(RwLock<HashMap<i64, DateTime<Utc>>>);

impl EndedSessions {
    /// Whether the session is over.
    pub(super) fn contains(&self, session_id: i64) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session_id)
    }

    /// Notes that these sessions are over.
    pub(crate) fn note(&self, session_ids: &[i64], ended_at: DateTime<Utc>) {
        self.extend(session_ids.iter().map(|id| (*id, ended_at)));
    }

    fn extend(&self, sessions: impl Iterator<Item = (i64, DateTime<Utc>)>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(sessions);
    }

    /// Forgets what ended before `moment`, and says whether there was any.
    fn forget(&self, moment: DateTime<Utc>) -> bool {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.len();
        known.retain(|_, ended_at| *ended_at >= moment);
        known.len() < before
    }
}

/// Reads which sessions other processes ended.
pub struct EndedSessionsPoller {
    db: Database,
    auth: Auth,
    clock: Clock,
    /// Rows up to this id are known, all of them.
    known_up_to: i64,
    /// The largest id that was read.
    newest: i64,
    /// The largest id that had been read at `marked`.
    mark: i64,
    marked: Instant,
    /// Whether the last attempt failed.
    fails: bool,
}

impl EndedSessionsPoller {
    /// Nothing is read before [`EndedSessionsPoller::poll`].
    pub fn new(db: &Database, auth: &Auth, clock: &Clock) -> Self {
        let (db, auth, clock) = (db.clone(), auth.clone(), clock.clone());
        Self { db, auth, clock, known_up_to: 0, newest: 0, marked: Instant::now(), mark: 0, fails: false }
    }

    /// Reads on until it is dropped.
    pub async fn run(mut self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.poll().await;
        }
    }

    /// Reads what is new.
    pub async fn poll(&mut self) {
        match self.read().await {
            Ok(()) => self.fails = false,
            Err(error) => {
                if !std::mem::replace(&mut self.fails, true) {
                    log::warn!("sessions that ended elsewhere cannot be read at the moment: {error}");
                }
            }
        }
    }

    async fn read(&mut self) -> Result<(), Error> {
        let rows: Vec<(i64, i64, DateTime<Utc>)> = ended_session::Entity::find()
            .select_only()
            .columns([ended_session::Column::Id, ended_session::Column::SessionId, ended_session::Column::EndedAt])
            .filter(ended_session::Column::Id.gt(self.known_up_to))
            .into_tuple()
            .all(self.db.reader())
            .await?;
        self.newest = rows.iter().map(|(id, ..)| *id).fold(self.newest, Ord::max);
        if !rows.is_empty() {
            self.auth.ended.extend(rows.into_iter().map(|(_, session_id, ended_at)| (session_id, ended_at)));
        }
        if self.mark == 0 {
            self.mark = self.newest;
        }
        if self.marked.elapsed() > SETTLED {
            (self.known_up_to, self.mark, self.marked) = (self.mark, self.newest, Instant::now());
            self.forget_expired().await?;
        }
        Ok(())
    }

    /// Deletes the rows whose access tokens have all expired.
    async fn forget_expired(&self) -> Result<(), Error> {
        let moment = self.clock.now() - self.auth.tokens.lifetime() - SKEW;
        if self.auth.ended.forget(moment) {
            let (_turn, transaction) = self.db.begin().await?;
            let expired = ended_session::Entity::delete_many().filter(ended_session::Column::EndedAt.lt(moment));
            expired.exec(&transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_session_is_known_until_its_tokens_have_expired() {
        let (ended, now) = (EndedSessions::default(), DateTime::from_timestamp(1_763_650_379, 0).unwrap());
        ended.note(&[7, 8], now);
        assert!(ended.contains(7) && ended.contains(8) && !ended.contains(9));
        assert!(!ended.forget(now));
        assert!(ended.forget(now + TimeDelta::seconds(1)));
        assert!(!ended.contains(7));
    }
}
