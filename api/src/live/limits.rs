//! The limits of live sockets.

use std::time::Duration;

/// The largest message of a client, in bytes.
pub(super) const MAX_MESSAGE: usize = 16 * 1024;
/// How many videos may have a pending message. A client that is further behind reads all changes
/// anew.
pub(super) const MAX_PENDING: usize = 1_000;

/// How many live sockets there may be, and when they are closed.
#[derive(Clone, Copy, Debug)]
pub struct LiveLimits {
    /// Sockets of one viewer; one more closes the oldest.
    pub per_viewer: usize,
    /// Sockets of one address that have not said hello yet.
    pub waiting_per_address: usize,
    /// Sockets of all viewers together.
    pub total: usize,
    /// How long a client may take to say hello.
    pub hello_timeout: Duration,
    /// How often clients are pinged.
    pub ping_interval: Duration,
    /// A client that answered no ping for so long is closed.
    pub silence_timeout: Duration,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            per_viewer: 20,
            waiting_per_address: 256,
            total: usize::MAX,
            hello_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(30),
            silence_timeout: Duration::from_secs(60),
        }
    }
}
