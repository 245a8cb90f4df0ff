//! The state that all requests share, as actix-web hands it to handlers.

use crate::error::Problem;
use crate::file_limits::FileLimits;
use crate::live::LiveHub;
use crate::metrics::RequestMetrics;
use crate::public_path::{Links, PublicPath};
use crate::rate_limits::RateLimits;
use crate::shutdown::Shutdown;
use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use service::auth::Auth;
use service::caller::Caller;
use service::library::Library;
use service::progress::ProgressRules;
use service::relay::RelayStatus;
use service::time::Clock;
use service::user::RegistrationPolicy;
use service::views::ViewCounter;
use service::watch_history::History;
use service::watch_history::edit::Edit;
use service::{Database, Error};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// The time limit of a use case. It is longer than the database's own limits, for a server that
/// vanishes without closing its connections.
const USE_CASE_TIMEOUT: Duration = Duration::from_secs(30);

/// How [`AppState`] is extracted in handlers.
pub(crate) type AppData = Data<AppState>;

/// The running application.
pub struct AppState {
    /// The database.
    pub db: Database,
    /// The watch history, with its batch workers.
    pub history: History,
    /// Access tokens, sessions and passwords.
    pub auth: Auth,
    /// When a video counts as completed, and where it resumes.
    pub rules: ProgressRules,
    /// Days after which every viewer's entries and plays expire; `None` for never.
    pub history_max_days: Option<i32>,
    /// The folder of video files.
    pub library: Library,
    /// The views that were counted in the last half hour.
    pub views: ViewCounter,
    /// The clock.
    pub clock: Clock,
    /// Who may register.
    pub registration_policy: RegistrationPolicy,
    /// Origins whose pages may call the API across origins.
    pub cors_origins: Vec<String>,
    /// The path below which a reverse proxy shows the site.
    pub public_path: PublicPath,
    /// Reverse proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The format of the access log.
    pub access_log: AccessLog,
    /// What is counted about requests; `None` when metrics are off.
    pub metrics: Option<RequestMetrics>,
    /// Limits on writes.
    pub rate_limits: RateLimits,
    /// Limits on files that are sent at once.
    pub file_limits: FileLimits,
    /// Whether Redis is there; `None` when none is used.
    pub redis: Option<Arc<RelayStatus>>,
    /// The live sockets of this process.
    pub live: LiveHub,
    /// A connection on which no byte moves for so long is closed.
    pub idle_timeout: Duration,
    /// The runtime of the database connections; it outlives every request.
    pub runtime: Handle,
    /// Tells requests that the server shuts down.
    pub shutdown: Shutdown,
}

/// The format of the access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessLog {
    /// Requests are not logged.
    #[default]
    Off,
    /// A line of text for each request.
    Text,
    /// A JSON object on a line for each request.
    Json,
}

impl AppState {
    /// Runs a use case to its end on the runtime of the connections, also when the client leaves:
    /// a dropped handler must not leave a transaction open. After 30 seconds the use case is
    /// aborted and its transaction rolled back.
    ///
    /// # Errors
    /// The error of the use case, as a problem.
    pub async fn run<T, F>(self: &Arc<Self>, use_case: impl FnOnce(Arc<Self>) -> F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        match self.runtime.spawn(timeout(USE_CASE_TIMEOUT, use_case(self.clone()))).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) => {
                Err(Error::DatabaseAway(format!("no answer in {} seconds", USE_CASE_TIMEOUT.as_secs())).into())
            }
            Err(error) => Err(Error::Internal(format!("a use case panicked: {error}")).into()),
        }
    }

    /// An edit of the caller's history at this time.
    pub(crate) fn edit(&self, caller: Caller, now: DateTime<Utc>) -> Edit {
        Edit { user_id: caller.id, rules: self.rules, history_max_days: self.history_max_days, now }
    }

    /// Like [`AppState::run`], and adds the public path to the links of the result.
    pub(crate) async fn run_with_links<T, F>(
        self: &Arc<Self>,
        use_case: impl FnOnce(Arc<Self>) -> F,
    ) -> Result<Json<T>, Problem>
    where
        T: Links + Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        Ok(Json(self.public_path.prefix_links(self.run(use_case).await?)))
    }
}

/// The metrics of a request's application, if they are on.
pub(crate) fn metrics_of(request: &HttpRequest) -> Option<&RequestMetrics> {
    request.app_data::<AppData>()?.metrics.as_ref()
}

/// The state, for code that has only the request.
///
/// # Errors
/// The application was built without it, which is a defect.
pub(crate) fn app_data(request: &HttpRequest) -> Result<&AppData, Problem> {
    request.app_data().ok_or_else(|| Error::Internal("the application has no state".into()).into())
}
