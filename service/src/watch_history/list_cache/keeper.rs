//! Sets marks for what this process commits, and while it cannot, raises the generation.

use super::keys::set_marks;
use super::state::CacheState;
use super::{ANSWER_TIMEOUT, LEASE, QUARANTINE, RAISE_EVERY};
use crate::relay::RedisAddress;
use crate::storage::{OutdatedLists, raise_counter};
use crate::{Database, Error};
use entity::video_revision::LIST_GENERATION;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

/// How often a process checks that Redis is there.
const PING_EVERY: Duration = Duration::from_millis(100);
/// How long the database may take to raise the generation, and the pause before the next attempt.
const RAISE_TIMEOUT: Duration = Duration::from_millis(500);
const RAISE_PAUSE: Duration = Duration::from_millis(100);
/// How many commits are confirmed together.
const MAX_GROUP: usize = 1024;

/// The only task that sets marks.
pub(super) struct Keeper {
    state: Arc<CacheState>,
    db: Database,
    address: RedisAddress,
    outdated: UnboundedReceiver<OutdatedLists>,
    /// Commits that are not confirmed yet.
    pending: Vec<OutdatedLists>,
}

/// From when to when no process takes lists from Redis.
#[derive(Clone, Copy)]
struct Block {
    from: Instant,
    until: Instant,
}

impl Keeper {
    pub(super) fn new(
        state: Arc<CacheState>,
        db: Database,
        address: RedisAddress,
        outdated: UnboundedReceiver<OutdatedLists>,
    ) -> Self {
        Self { state, db, address, outdated, pending: Vec::new() }
    }

    /// Runs until nothing can be committed any more.
    pub(super) async fn run(mut self) {
        while let Some(redis) = self.raise_until_connected().await {
            log::info!("Redis is connected: it keeps lists");
            self.state.set_redis(Some(redis.clone()));
            let lost = self.mark(redis).await;
            self.state.set_redis(None);
            let Err(error) = lost else { return };
            log::warn!("Redis is away ({error}); until it is back, lists come from the database");
        }
    }

    /// Sets marks until Redis is away, or until nothing can be committed any more.
    async fn mark(&mut self, mut redis: MultiplexedConnection) -> Result<(), RedisError> {
        let mut pings = interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                count = self.outdated.recv_many(&mut self.pending, MAX_GROUP) => {
                    if count == 0 {
                        return Ok(());
                    }
                    let user_ids = self.pending.iter().flat_map(|outdated| outdated.user_ids.iter().copied());
                    set_marks(&mut redis, self.state.prefix(), user_ids).await?;
                    self.confirm();
                }
                _ = pings.tick() => ping(&mut redis).await?,
            }
        }
    }

    fn confirm(&mut self) {
        self.pending.drain(..).for_each(OutdatedLists::confirm);
    }

    /// Keeps all processes from taking lists from Redis until it is connected, and confirms what is
    /// committed meanwhile. `None` when nothing can be committed any more.
    async fn raise_until_connected(&mut self) -> Option<MultiplexedConnection> {
        let mut block: Option<Block> = None;
        loop {
            let asked_at = Instant::now();
            if raise_generation(&self.db).await.is_err() {
                sleep(RAISE_PAUSE).await;
                continue;
            }
            let begun = Instant::now() + LEASE;
            let from = block.filter(|block| begun <= block.until).map_or(begun, |block| block.from);
            let next = asked_at + RAISE_EVERY;
            block = Some(Block { from, until: asked_at + QUARANTINE });
            let connected = self.confirm_until(from, next).await?;
            if connected.is_some() && self.pending.is_empty() {
                return connected;
            }
        }
    }

    /// Confirms commits from one time until another, and tries to connect meanwhile.
    async fn confirm_until(&mut self, from: Instant, until: Instant) -> Option<Option<MultiplexedConnection>> {
        let address = self.address.clone();
        let mut connecting = pin!(connect(&address));
        let (mut connected, mut is_connecting) = (None, true);
        loop {
            if Instant::now() >= from {
                self.confirm();
            }
            tokio::select! {
                outdated = self.outdated.recv() => self.pending.push(outdated?),
                () = sleep_until(from), if !self.pending.is_empty() => {}
                redis = &mut connecting, if is_connecting => (connected, is_connecting) = (redis.ok(), false),
                () = sleep_until(until) => return Some(connected),
            }
        }
    }
}

async fn raise_generation(db: &Database) -> Result<(), Error> {
    let raise = db.transaction(async |tx| Ok(raise_counter(tx, LIST_GENERATION).await?));
    timeout(RAISE_TIMEOUT, raise).await.unwrap_or(Err(Error::Busy))
}

async fn connect(address: &RedisAddress) -> Result<MultiplexedConnection, RedisError> {
    let mut redis = address.connect(ANSWER_TIMEOUT).await?;
    ping(&mut redis).await?;
    Ok(redis)
}

async fn ping(redis: &mut MultiplexedConnection) -> Result<(), RedisError> {
    redis::cmd("PING").exec_async(redis).await
}
