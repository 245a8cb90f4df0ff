//! Events between the processes of one site, through Redis.
//!
//! Each process publishes what it committed, as keys, and hears what the others committed. Redis
//! keeps nothing: what was published while a process was not subscribed is gone for it. So a
//! process that cannot be sure that it heard everything gets [`RelayedChange::Missed`], and its
//! clients read the changes from the database. This happens after each subscription, after a
//! process could not publish, and after a process vanished without a farewell.
//!
//! Nobody waits for Redis: without it the program works as one process.

mod group;
mod message;
mod peers;
mod publisher;
mod subscriber;
#[cfg(test)]
mod tests;

use crate::Database;
use crate::auth::Tokens;
use crate::storage::Event;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisError};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

/// Over how many channels the keys of viewers are spread. The number must be the same in all
/// processes.
const CHANNELS: u16 = 16;
/// How long Redis may take to open a connection, or to answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The first pause before the next attempt to connect, which doubles up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often a process says that it is there, and checks that Redis is.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long the farewell may take.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);

/// Where Redis is: a checked URL. It holds a password, so [`fmt::Debug`] shows nothing of it.
#[derive(Clone)]
pub struct RedisAddress(Client);

impl RedisAddress {
    /// Parses a URL: `redis://…`, or `rediss://…` with TLS.
    ///
    /// # Errors
    /// What is wrong with it, without the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        const ALLOWED: &str = "use redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// with TLS";
        if !url.starts_with("redis://") && !url.starts_with("rediss://") {
            return Err(format!("is not the URL of a Redis server; {ALLOWED}"));
        }
        let address = url.into_connection_info().map_err(|_| format!("is not a valid URL; {ALLOWED}"))?;
        if matches!(address.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
            return Err(format!("must not end in #insecure: the certificate is checked; {ALLOWED}"));
        }
        Client::open(address).map(Self).map_err(|_| format!("is not a valid URL; {ALLOWED}"))
    }

    /// Connects. The connection and each of its answers may take as long as `timeout`.
    ///
    /// # Errors
    /// Redis is away, or too slow.
    pub(crate) async fn connect(&self, timeout: Duration) -> Result<MultiplexedConnection, RedisError> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(timeout)).set_response_timeout(Some(timeout));
        self.0.get_multiplexed_async_connection_with_config(&config).await
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisAddress").finish_non_exhaustive()
    }
}

/// What happened in another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayedChange {
    /// An event, as [`Database::subscribe`] gives those of this process. What happened to an entry
    /// is always [`Event::EntryChanged`].
    Event(Event),
    /// Events may have been missed.
    Missed,
}

/// Publishes the events of this process, and receives those of the others. When it is dropped, it
/// ends without a farewell.
#[derive(Debug)]
pub struct EventRelay {
    status: Arc<RelayStatus>,
    publisher: JoinHandle<()>,
    subscriber: JoinHandle<()>,
    farewell: Option<oneshot::Sender<()>>,
}

/// Whether Redis is there. Clones share it.
#[derive(Debug, Default)]
pub struct RelayStatus {
    publishes: AtomicBool,
    is_subscribed: AtomicBool,
    /// Something was published, or could not be.
    attempted: Notify,
}

impl RelayStatus {
    /// Whether events go out and come in.
    pub fn is_connected(&self) -> bool {
        self.publishes.load(Ordering::Relaxed) && self.is_subscribed.load(Ordering::Relaxed)
    }
}

/// What both tasks need.
#[derive(Clone, Debug)]
struct RelayContext {
    address: RedisAddress,
    /// What the names of all channels of the site begin with.
    prefix: Arc<str>,
    process: Uuid,
    status: Arc<RelayStatus>,
}

impl RelayContext {
    /// The channel of a viewer's keys.
    fn channel_of(&self, user_id: i64) -> String {
        format!("{}:{}", self.prefix, user_id.rem_euclid(CHANNELS.into()))
    }

    /// The channel of what concerns all viewers.
    fn common_channel(&self) -> String {
        format!("{}:all", self.prefix)
    }

    fn channels(&self) -> Vec<String> {
        let of_users = (0..CHANNELS).map(|n| self.channel_of(n.into()));
        of_users.chain([self.common_channel()]).collect()
    }
}

impl EventRelay {
    /// Starts to publish and to receive, as tasks of this runtime. Processes whose `tokens` have
    /// the same key belong to one site. `receive` is called for what happened in the others; it
    /// must not block.
    pub fn start(
        address: RedisAddress,
        db: &Database,
        tokens: &Tokens,
        receive: impl FnMut(RelayedChange) + Send + 'static,
    ) -> Self {
        let status = Arc::new(RelayStatus::default());
        let prefix = format!("playhead:{}", tokens.site()).into();
        let context = RelayContext { address, prefix, process: Uuid::now_v7(), status: status.clone() };
        let (farewell, ended) = oneshot::channel();
        Self {
            status,
            publisher: tokio::spawn(publisher::run(context.clone(), db.subscribe(), ended)),
            subscriber: tokio::spawn(subscriber::run(context, receive)),
            farewell: Some(farewell),
        }
    }

    /// Whether Redis is there.
    pub fn status(&self) -> Arc<RelayStatus> {
        self.status.clone()
    }

    /// Waits until the other processes know of this one, or Redis is away. If this process commits
    /// something only then and is killed before it has published it, they notice.
    pub async fn introduce(&self) {
        let _ = timeout(TIMEOUT, self.status.attempted.notified()).await;
    }

    /// Publishes what was committed so far, and says farewell, so that the other processes need not
    /// read anew what this one may not have published.
    pub async fn close(mut self) {
        self.subscriber.abort();
        if let Some(farewell) = self.farewell.take() {
            // The publisher may have ended already.
            let _ = farewell.send(());
        }
        let _ = timeout(FAREWELL_TIMEOUT, &mut self.publisher).await;
    }
}

impl Drop for EventRelay {
    fn drop(&mut self) {
        self.subscriber.abort();
        self.publisher.abort();
    }
}
