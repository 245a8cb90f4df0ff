//! What every request may need, put together once.

use crate::access_log::AccessLog;
use crate::error::Problem;
use crate::file_limits::FileLimits;
use crate::public_path::PublicPath;
use crate::rate_limits::RateLimits;
use ipnet::IpNet;
use service::auth::Auth;
use service::library::Library;
use service::progress::ProgressRules;
use service::time::Clock;
use service::user::RegistrationPolicy;
use service::views::ViewCounter;
use service::watch_history::History;
use service::{Database, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long a use case may take; longer than the database's own limits, for when its server vanishes without a word.
const DEADLINE: Duration = Duration::from_secs(30);

/// The running application.
pub struct AppState {
    /// Its database.
    pub db: Database,
    /// Where every viewer stopped.
    pub history: History,
    /// How people sign in.
    pub auth: Auth,
    /// What counts as watched, and where a video is taken up again.
    pub rules: ProgressRules,
    /// The video files.
    pub library: Library,
    /// The views that were counted lately.
    pub views: ViewCounter,
    /// The time.
    pub clock: Clock,
    /// Who may make an account.
    pub registration_policy: RegistrationPolicy,
    /// Exact origins of pages elsewhere that may call.
    pub cors_origins: Vec<String>,
    /// Where a reverse proxy shows the site.
    pub public_path: PublicPath,
    /// Reverse proxies whose word on a client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether requests are logged, and in which form.
    pub access_log: AccessLog,
    /// How often something may be written.
    pub rate_limits: RateLimits,
    /// The files that are being sent.
    pub file_limits: FileLimits,
    /// How long a client may take nothing of what is sent to it, until its connection is closed.
    pub idle_timeout: Duration,
    /// The runtime that the database connections belong to; it outlives every request.
    pub runtime: Handle,
    /// Whether the end is near.
    pub shutdown: Shutdown,
}

impl AppState {
    /// Runs a use case to its end, also when the client leaves in the middle: a request that is dropped must not leave
    /// a transaction half-way. One that takes too long is given up, and what it had begun is taken back. It runs on the runtime
    /// that the connections belong to.
    ///
    /// # Errors
    /// What the use case answers, as a problem.
    pub async fn run<T, F>(self: &Arc<Self>, use_case: impl FnOnce(Arc<Self>) -> F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        match self.runtime.spawn(timeout(DEADLINE, use_case(self.clone()))).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) => Err(Error::DatabaseAway(format!("no answer in {} seconds", DEADLINE.as_secs())).into()),
            Err(error) => Err(Error::Internal(format!("a use case stopped: {error}")).into()),
        }
    }
}

/// The two steps of an end: first the load balancer hears of it, then what never ends by itself is cut.
#[derive(Debug, Default)]
pub struct Shutdown {
    draining: AtomicBool,
    is_stopping_streams: AtomicBool,
    stop: Notify,
}

impl Shutdown {
    /// From now on the server is not ready.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Ends what waits in [`Shutdown::streams_stopped`].
    pub(crate) fn stop_streams(&self) {
        self.is_stopping_streams.store(true, Ordering::SeqCst);
        self.stop.notify_waiters();
    }

    /// Waits until streams are to end.
    pub(crate) async fn streams_stopped(&self) {
        let notified = self.stop.notified();
        // Asked after the registration, so that a notice in between is not missed.
        if !self.is_stopping_streams.load(Ordering::SeqCst) {
            notified.await;
        }
    }
}
