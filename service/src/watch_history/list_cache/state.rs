//! Whether lists may be taken from Redis now.

use super::{LEASE, QUARANTINE, READ_EVERY, keys::key};
use crate::Database;
use entity::video_revision::{self, ID, LIST_GENERATION};
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use sea_orm::{DbErr, EntityTrait};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use tokio::time::{MissedTickBehavior, interval};

/// What a process knows of Redis and of the counters.
#[derive(Debug)]
pub(super) struct CacheState {
    prefix: String,
    redis: RwLock<Option<MultiplexedConnection>>,
    counters: RwLock<Option<Counters>>,
}

/// The counters, as they were read last.
#[derive(Clone, Copy, Debug)]
struct Counters {
    revision: i64,
    generation: i64,
    asked_at: Instant,
    /// When this generation was asked for first.
    since: Instant,
}

/// Redis, and the counters for which lists may be taken from it.
#[derive(Debug)]
pub(super) struct CacheView {
    redis: MultiplexedConnection,
    prefix: String,
    pub(super) revision: i64,
    pub(super) generation: i64,
}

impl CacheView {
    /// The values of the keys of these viewers.
    pub(super) async fn find(
        &mut self,
        user_ids: impl Iterator<Item = i64>,
    ) -> Result<Vec<Option<Vec<u8>>>, RedisError> {
        let keys = Vec::from_iter(user_ids.map(|user_id| key(&self.prefix, user_id)));
        redis::cmd("MGET").arg(keys).query_async(&mut self.redis).await
    }
}

impl CacheState {
    pub(super) fn new(site: &str) -> Self {
        Self { prefix: format!("playhead:{site}:list:"), redis: RwLock::default(), counters: RwLock::default() }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn redis(&self) -> Option<MultiplexedConnection> {
        self.redis.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_redis(&self, redis: Option<MultiplexedConnection>) {
        *self.redis.write().unwrap_or_else(PoisonError::into_inner) = redis;
    }

    /// How lists may be taken from Redis, if they may.
    pub(super) fn view(&self) -> Option<CacheView> {
        let counters = (*self.counters.read().unwrap_or_else(PoisonError::into_inner))?;
        let Counters { revision, generation, asked_at, since } = counters;
        let may_take = asked_at.elapsed() < LEASE && since.elapsed() >= QUARANTINE;
        let redis = may_take.then(|| self.redis()).flatten()?;
        Some(CacheView { redis, prefix: self.prefix.clone(), revision, generation })
    }

    fn hear(&self, asked_at: Instant, revision: i64, generation: i64) {
        let mut counters = self.counters.write().unwrap_or_else(PoisonError::into_inner);
        let known = counters.filter(|known| known.generation == generation);
        let since = known.map_or(asked_at, |known| known.since);
        *counters = Some(Counters { revision, generation, asked_at, since });
    }
}

/// Reads the counters again and again.
pub(super) async fn follow_counters(state: Arc<CacheState>, db: Database) {
    let mut ticks = interval(READ_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let asked_at = Instant::now();
        if let Ok((revision, generation)) = read_counters(&db).await {
            state.hear(asked_at, revision, generation);
        }
    }
}

async fn read_counters(db: &Database) -> Result<(i64, i64), DbErr> {
    let counters = video_revision::Entity::find().all(db.reader()).await?;
    let latest = |id| counters.iter().find(|counter| counter.id == id).map_or(0, |counter| counter.latest);
    Ok((latest(ID), latest(LIST_GENERATION)))
}
