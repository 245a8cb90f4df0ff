//! The sessions that ended recently, kept in memory so that no request reads them.
//!
//! Every process reads the sessions that other processes ended from the table `ended_sessions`.

use super::Auth;
use crate::storage::Transaction;
use crate::time::Clock;
use crate::{Database, Error};
use chrono::{DateTime, TimeDelta, Utc};
use entity::ended_session;
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How often a process reads the sessions that others ended.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// A row with a smaller id than one that was read may be committed later, but not later than this:
/// no transaction lasts so long.
const MAX_COMMIT_DELAY: Duration = Duration::from_secs(60);
/// The largest difference between the clocks of two machines.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// The sessions that ended so recently that one of their access tokens may still be unexpired.
#[derive(Debug, Default)]
pub(super) struct EndedSessions(RwLock<HashMap<i64, DateTime<Utc>>>);

impl EndedSessions {
    /// Whether the session has ended.
    pub(super) fn contains(&self, session_id: i64) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session_id)
    }

    /// Adds sessions that have ended.
    pub(super) fn add(&self, sessions: impl IntoIterator<Item = (i64, DateTime<Utc>)>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(sessions);
    }

    /// Removes what ended before `time`. Returns whether there was any.
    fn remove_before(&self, time: DateTime<Utc>) -> bool {
        let mut sessions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = sessions.len();
        sessions.retain(|_, ended_at| *ended_at >= time);
        sessions.len() < before
    }
}

/// Reads the sessions that other processes ended.
pub struct EndedSessionsPoller {
    db: Database,
    auth: Auth,
    clock: Clock,
    /// All rows up to this id were read.
    complete_up_to: i64,
    /// The largest id that was read.
    newest_id: i64,
    /// The largest id that had been read at `checked_at`.
    newest_at_check: i64,
    checked_at: Instant,
    is_failing: bool,
}

impl EndedSessionsPoller {
    /// Creates it; nothing is read before [`EndedSessionsPoller::poll`].
    pub fn new(db: &Database, auth: &Auth, clock: &Clock) -> Self {
        Self {
            db: db.clone(),
            auth: auth.clone(),
            clock: clock.clone(),
            complete_up_to: 0,
            newest_id: 0,
            newest_at_check: 0,
            checked_at: Instant::now(),
            is_failing: false,
        }
    }

    /// Polls until it is dropped.
    pub async fn run(mut self) {
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            self.poll().await;
        }
    }

    /// Reads the new rows. An error is logged once, until a poll succeeds.
    pub async fn poll(&mut self) {
        match self.read_new().await {
            Ok(()) => self.is_failing = false,
            Err(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    log::warn!("sessions that other processes ended cannot be read at the moment: {error}");
                }
            }
        }
    }

    async fn read_new(&mut self) -> Result<(), Error> {
        let rows: Vec<(i64, i64, DateTime<Utc>)> = ended_session::Entity::find()
            .select_only()
            .columns([ended_session::Column::Id, ended_session::Column::SessionId, ended_session::Column::EndedAt])
            .filter(ended_session::Column::Id.gt(self.complete_up_to))
            .into_tuple()
            .all(self.db.reader())
            .await?;
        self.newest_id = rows.iter().map(|(id, ..)| *id).fold(self.newest_id, Ord::max);
        if !rows.is_empty() {
            self.auth.ended.add(rows.into_iter().map(|(_, session_id, ended_at)| (session_id, ended_at)));
        }
        if self.newest_at_check == 0 {
            self.newest_at_check = self.newest_id;
        }
        if self.checked_at.elapsed() > MAX_COMMIT_DELAY {
            self.complete_up_to = self.newest_at_check;
            (self.newest_at_check, self.checked_at) = (self.newest_id, Instant::now());
            self.delete_expired().await?;
        }
        Ok(())
    }

    /// Deletes the rows whose access tokens have all expired.
    async fn delete_expired(&self) -> Result<(), Error> {
        let time = self.clock.now() - self.auth.tokens.lifetime() - CLOCK_SKEW;
        if self.auth.ended.remove_before(time) {
            self.db.transaction(async |tx| delete_before(tx, time).await).await?;
        }
        Ok(())
    }
}

async fn delete_before(tx: &Transaction, time: DateTime<Utc>) -> Result<(), Error> {
    ended_session::Entity::delete_many().filter(ended_session::Column::EndedAt.lt(time)).exec(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_session_is_known_until_its_tokens_have_expired() {
        let (ended, now) = (EndedSessions::default(), DateTime::from_timestamp(1_763_650_379, 0).unwrap());
        ended.add([(7, now), (8, now)]);
        assert!(ended.contains(7) && ended.contains(8) && !ended.contains(9));
        assert!(!ended.remove_before(now));
        assert!(ended.remove_before(now + TimeDelta::seconds(1)));
        assert!(!ended.contains(7));
    }
}
