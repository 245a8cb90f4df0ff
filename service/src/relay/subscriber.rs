//! Receives the events of the other processes.

use super::message::RelayMessage;
use super::peers::Peers;
use super::{HEARTBEAT, LONGEST_PAUSE, RelayContext, RelayedChange, SHORTEST_PAUSE, TIMEOUT};
use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Msg, RedisError, Value};
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Subscribes again and again.
pub(super) async fn run(context: RelayContext, receive: impl FnMut(RelayedChange) + Send) {
    let mut subscriber = Subscriber { context, receive, peers: Peers::default(), has_missed: false };
    let mut pause = Pause::default();
    loop {
        let subscribed = timeout(TIMEOUT, subscribe(&subscriber.context)).await;
        let error = match subscribed.unwrap_or_else(|_| Err(too_late())) {
            Ok((sink, messages)) => {
                pause = Pause::default();
                subscriber.listen(sink, messages).await
            }
            Err(error) => error,
        };
        if subscriber.context.status.is_subscribed.swap(false, Ordering::Relaxed) || pause.is_first() {
            log::warn!("Redis is away ({error}); until it is back, changes in other processes are not heard here");
        }
        sleep(pause.next()).await;
    }
}

struct Subscriber<F> {
    context: RelayContext,
    receive: F,
    peers: Peers,
    /// [`RelayedChange::Missed`] is given once for all that was missed within a heartbeat.
    has_missed: bool,
}

impl<F: FnMut(RelayedChange) + Send> Subscriber<F> {
    /// Receives until the connection is lost, and returns why.
    async fn listen(&mut self, mut sink: PubSubSink, mut messages: PubSubStream) -> RedisError {
        self.context.status.is_subscribed.store(true, Ordering::Relaxed);
        // What was published before is gone.
        (self.receive)(RelayedChange::Missed);
        self.has_missed = false;
        self.peers.resume();
        let mut checks = interval(HEARTBEAT);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.hear(&message),
                    None => return io::Error::from(io::ErrorKind::ConnectionAborted).into(),
                },
                _ = checks.tick() => {
                    self.has_missed |= self.peers.remove_silent();
                    if std::mem::take(&mut self.has_missed) {
                        (self.receive)(RelayedChange::Missed);
                    }
                    // A server that vanished sends nothing, and closes nothing either.
                    match timeout(TIMEOUT, sink.ping::<Value>()).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(error)) => return error,
                        Err(_) => return too_late(),
                    }
                }
            }
        }
    }

    fn hear(&mut self, message: &Msg) {
        let Ok(message) = serde_json::from_slice::<RelayMessage>(message.get_payload_bytes()) else {
            // A later version of the program may have sent it.
            self.has_missed = true;
            return;
        };
        if message.from == self.context.process {
            return;
        }
        self.peers.hear(message.from, message.is_farewell);
        self.has_missed |= message.has_lost;
        message.for_each(&mut self.receive);
    }
}

async fn subscribe(context: &RelayContext) -> Result<(PubSubSink, PubSubStream), RedisError> {
    let mut pubsub = context.address.0.get_async_pubsub().await?;
    pubsub.subscribe(context.channels()).await?;
    Ok(pubsub.split())
}

fn too_late() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// The pauses between attempts to connect.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause(u32);

impl Pause {
    /// Whether the last attempt succeeded, or there was none.
    pub(super) fn is_first(self) -> bool {
        self.0 == 0
    }

    /// Doubles with each call.
    pub(super) fn next(&mut self) -> Duration {
        let pause = SHORTEST_PAUSE.saturating_mul(1 << self.0.min(8)).min(LONGEST_PAUSE);
        self.0 = self.0.saturating_add(1);
        pause
    }
}
