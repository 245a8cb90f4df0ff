//! How the server shuts down, in two steps: first load balancers see that it is not ready, then
//! streams, which can run for hours, are stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// How fast the server shuts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownMode {
    /// For a deployment: load balancers get a second to see that the server is not ready.
    Graceful,
    /// For a person at the terminal, who waits.
    Immediate,
}

/// What requests ask about the shutdown.
#[derive(Debug, Default)]
pub struct Shutdown {
    draining: AtomicBool,
    stopping_streams: AtomicBool,
    stop_signal: Notify,
}

impl Shutdown {
    /// Makes the server not ready from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is shutting down.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Wakes everything that waits in [`Shutdown::wait_to_stop_streams`].
    pub(crate) fn stop_streams(&self) {
        self.stopping_streams.store(true, Ordering::SeqCst);
        self.stop_signal.notify_waiters();
    }

    /// Waits until streams must stop.
    pub(crate) async fn wait_to_stop_streams(&self) {
        let notified = self.stop_signal.notified();
        // Checked after registering, so that a signal in between is not missed.
        if !self.stopping_streams.load(Ordering::SeqCst) {
            notified.await;
        }
    }
}
