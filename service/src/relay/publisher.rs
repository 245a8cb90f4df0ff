//! Publishes the events of this process.

use super::group::EventGroup;
use super::subscriber::Pause;
use super::{HEARTBEAT, RelayContext, TIMEOUT};
use crate::storage::EventListener;
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How long events gather before they are published together.
const GATHER_TIME: Duration = Duration::from_millis(2);

/// Publishes until the farewell.
pub(super) async fn run(context: RelayContext, mut events: EventListener, mut farewell: oneshot::Receiver<()>) {
    let mut publisher = Publisher::new(context);
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut group = EventGroup::default();
        tokio::select! {
            event = events.next() => match event {
                Ok(event) => {
                    group.add(event);
                    sleep(GATHER_TIME).await;
                }
                Err(RecvError::Lagged(_)) => publisher.has_lost = true,
                Err(RecvError::Closed) => return,
            },
            _ = heartbeat.tick() => publisher.is_heartbeat_due = true,
            _ = &mut farewell => publisher.is_farewell = true,
        }
        while let Ok(event) = events.try_next() {
            group.add(event);
        }
        publisher.publish(group).await;
        if publisher.is_farewell {
            return;
        }
    }
}

/// The connection on which events are published, while there is one.
struct Publisher {
    context: RelayContext,
    connection: Option<MultiplexedConnection>,
    /// Events were lost since the last publication: the others must be told.
    has_lost: bool,
    is_heartbeat_due: bool,
    is_farewell: bool,
    pause: Pause,
    next_attempt: Instant,
}

impl Publisher {
    fn new(context: RelayContext) -> Self {
        Self {
            context,
            connection: None,
            has_lost: false,
            is_heartbeat_due: true,
            is_farewell: false,
            pause: Pause::default(),
            next_attempt: Instant::now(),
        }
    }

    /// Publishes a group, or notes that it is lost.
    async fn publish(&mut self, group: EventGroup) {
        let is_empty = group.is_empty();
        if is_empty && !self.has_lost && !self.is_heartbeat_due && !self.is_farewell {
            return;
        }
        if self.connection.is_none() && Instant::now() < self.next_attempt {
            self.has_lost |= !is_empty;
            return;
        }
        match self.try_publish(group).await {
            Ok(()) => {
                if !self.context.status.publishes.swap(true, Ordering::Relaxed) {
                    log::info!("Redis is connected: live sockets get the events of all processes");
                }
                (self.has_lost, self.is_heartbeat_due) = (false, false);
                self.pause = Pause::default();
            }
            Err(error) => {
                if self.context.status.publishes.swap(false, Ordering::Relaxed) || self.pause.is_first() {
                    log::warn!(
                        "Redis is away ({error}); until it is back, other processes do not hear of changes here"
                    );
                }
                // Some of the messages may have been published. Reporting them as lost is harmless.
                self.has_lost |= !is_empty;
                self.connection = None;
                self.next_attempt = Instant::now() + self.pause.next();
            }
        }
        self.context.status.attempted.notify_one();
    }

    async fn try_publish(&mut self, group: EventGroup) -> Result<(), RedisError> {
        let Self { has_lost, is_heartbeat_due, is_farewell, .. } = *self;
        let commands = group.into_commands(&self.context, has_lost, is_heartbeat_due, is_farewell);
        let commands = commands.map_err(|error| RedisError::from(std::io::Error::other(error)))?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.context.address.connect(TIMEOUT).await?),
        };
        commands.exec_async(connection).await
    }
}
