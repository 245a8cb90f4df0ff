//! One live socket, as the hub and the conversation of the socket share it.

use super::closing::LiveClosing;
use super::messages::LiveUpdate;
use super::pending::PendingMessages;
use chrono::{DateTime, Utc};
use service::auth::TokenSubject;
use service::limit::Network;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// One live socket.
#[derive(Debug)]
pub(super) struct LiveSocket {
    /// Unique in the process; a later socket has a higher one.
    pub(super) id: u64,
    pub(super) address: Network,
    opened_at: Instant,
    /// Milliseconds from `opened_at` to the last message of the client.
    heard_after: AtomicU64,
    /// Wakes the conversation when messages are pending.
    pub(super) woken: Notify,
    state: Mutex<SocketState>,
}

/// What changes while a socket is open.
#[derive(Debug, Default)]
pub(super) struct SocketState {
    pub(super) pending: PendingMessages,
    /// Who said hello.
    pub(super) viewer: Option<SignedInViewer>,
    /// Whether a hello has arrived, which may still be checked.
    pub(super) said_hello: bool,
    /// While the socket catches up: the videos that changed meanwhile.
    pub(super) touched: Option<HashSet<i64>>,
    /// The first read whose rows are not older than what the socket was told when it caught up.
    pub(super) live_from: u64,
    /// When the last ping was sent, after `opened_at`.
    pinged_after: Duration,
}

/// The account of a socket, and how long it is signed in.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignedInViewer {
    pub(super) subject: TokenSubject,
    pub(super) expires: DateTime<Utc>,
}

/// What became of an update.
pub(super) enum Delivery {
    Delivered,
    /// The row must be read again.
    Stale,
}

impl LiveSocket {
    pub(super) fn new(id: u64, address: Network) -> Self {
        Self {
            id,
            address,
            opened_at: Instant::now(),
            heard_after: AtomicU64::new(0),
            woken: Notify::new(),
            state: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, SocketState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the pending messages and wakes the conversation.
    pub(super) fn send(&self, change: impl FnOnce(&mut PendingMessages)) {
        change(&mut self.lock().pending);
        self.woken.notify_one();
    }

    pub(super) fn close(&self, closing: LiveClosing) {
        self.send(|pending| pending.close(closing));
    }

    /// Delivers what the hub's read number `read` found.
    pub(super) fn deliver(&self, read: u64, video_id: i64, update: &Arc<LiveUpdate>) -> Delivery {
        let mut state = self.lock();
        if let Some(touched) = &mut state.touched {
            touched.insert(video_id);
            return Delivery::Delivered;
        }
        if read < state.live_from {
            return Delivery::Stale;
        }
        state.pending.put(video_id, update.clone());
        drop(state);
        self.woken.notify_one();
        Delivery::Delivered
    }

    /// Remembers that the client is alive.
    pub(super) fn note_heard(&self) {
        let after = self.opened_at.elapsed().as_millis();
        self.heard_after.store(after.try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How long the socket is open.
    pub(super) fn age(&self) -> Duration {
        self.opened_at.elapsed()
    }

    /// How long the client has been silent.
    pub(super) fn silence(&self) -> Duration {
        self.age().saturating_sub(Duration::from_millis(self.heard_after.load(Ordering::Relaxed)))
    }

    /// Pings the client if the last ping is older than `interval`.
    pub(super) fn ping_after(&self, interval: Duration) {
        let (age, mut state) = (self.age(), self.lock());
        if age.saturating_sub(state.pinged_after) >= interval {
            state.pinged_after = age;
            state.pending.ping = true;
            drop(state);
            self.woken.notify_one();
        }
    }
}
