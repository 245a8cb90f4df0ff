//! `playhead serve`: starts the server and stops it on a signal.

use crate::settings::Settings;
use crate::{database, jobs, jwt_secret};
use api::{AppState, FileLimits, LiveHub, LiveLimits, RateLimits, RequestMetrics, ServerHandle, ShutdownMode};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::auth::{Auth, Tokens};
use service::library::{self, Library};
use service::metrics::Metrics;
use service::relay::EventRelay;
use service::time::Clock;
use service::user::{self, RegistrationPolicy};
use service::views::ViewCounter;
use service::watch_history::History;
use service::{Database, Error, search};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

/// How many connections may wait to be accepted, if the system allows it (`net.core.somaxconn`).
/// The kernel drops more, and their clients retry after one or three seconds. With the 128 of the
/// standard library, this happened to most clients that came back after a restart.
const BACKLOG: u32 = 4096;

/// How long a client may stop reading its answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Descriptors that are reserved for the database and for requests without files.
const OTHER_DESCRIPTORS: u64 = 256;

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(settings: &Settings) -> Result<(), String> {
    let descriptors = raise_file_limit();
    let listener = listen(settings.bind_address).map_err(|error| {
        format!("BIND_ADDRESS={}: {error}; stop what listens there, or choose another port", settings.bind_address)
    })?;
    let metrics_listener = settings.metrics_address.map(listen_for_metrics).transpose()?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let secret = jwt_secret::load_or_create(settings)?;
    let mut db = database::open(settings).await?;
    let request_metrics = settings.metrics_address.map(|_| measure(&mut db)).transpose()?;
    let library = Library::new(&settings.media_dir);
    add_sample_to_empty_library(&db, &library, settings).await?;

    let registration_policy = registration_policy(settings, address.ip());
    let by_command = registration_policy != RegistrationPolicy::Open;
    let tokens = Tokens::new(&secret, settings.access_token_lifetime);
    let live = LiveHub::new(LiveLimits { total: max_live_sockets(descriptors), ..LiveLimits::default() });
    let relay = settings.redis.clone().map(|redis| {
        let live = live.clone();
        EventRelay::start(redis, &db, &tokens, move |change| live.receive(change))
    });
    let history = open_history(settings, &db, &tokens).map_err(|error| error.to_string())?;
    if let Some(relay) = &relay {
        relay.introduce().await;
    }
    let app = Arc::new(AppState {
        db: db.clone(),
        history,
        auth: Auth::new(tokens, settings.refresh_token_lifetime).with_grace(settings.refresh_grace),
        rules: settings.rules,
        history_max_days: settings.history_max_days,
        library,
        views: ViewCounter::default(),
        clock: Clock::System,
        registration_policy,
        cors_origins: settings.cors_origins.clone(),
        public_path: settings.public_path.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
        access_log: settings.access_log,
        metrics: request_metrics,
        rate_limits: RateLimits::new(settings.rates),
        file_limits: FileLimits::new(settings.streams_per_address, max_open_files(descriptors)),
        redis: relay.as_ref().map(EventRelay::status),
        live,
        idle_timeout: IDLE_TIMEOUT,
        runtime: Handle::current(),
        shutdown: api::Shutdown::default(),
    });
    tokio::spawn(index_videos(db.clone()));
    // Before the log names the address: a reader of the log may send a signal at once.
    let shutdown = wait_for_signal()?;
    let path = &settings.public_path;
    log::info!("Playhead is at   http://{address}{path}");
    log::info!("its API docs at  http://{address}{path}/docs");
    log::info!("its database is  {}", settings.database());
    for note in &settings.database_notes {
        log::info!("DATABASE_URL: {note}");
    }
    let metrics_server = metrics_listener.map(|listener| serve_metrics(&app, listener)).transpose()?;
    if relay.is_none() && settings.is_postgres() {
        log::info!("live sockets get the events of this process only; with several processes, set REDIS_URL");
    }
    if by_command && matches!(user::find_scan_owner(db.reader(), None).await, Err(Error::UserNotFound)) {
        log::info!("the first account is created by `playhead user create NAME EMAIL --admin`");
    }
    let jobs = jobs::start(&db, settings);
    let served = api::serve(app, listener, None, shutdown).await;
    drop(jobs);
    if let Some(server) = metrics_server {
        server.stop(false).await;
    }
    if let Some(relay) = relay {
        relay.close().await;
    }
    db.close().await;
    served.map_err(|error| format!("the server stopped: {error}"))
}

fn open_history(settings: &Settings, db: &Database, tokens: &Tokens) -> Result<History, Error> {
    let (rules, max_days) = (settings.rules, settings.history_max_days);
    match settings.list_cache.clone() {
        Some(redis) => History::open_with_list_cache(db, rules, max_days, redis, tokens),
        None => History::open(db, rules, max_days),
    }
}

/// Indexes videos that an older version of the program registered, for the search.
async fn index_videos(db: Database) {
    match search::index_pending(&db).await {
        Ok(0) => {}
        Ok(count) => log::info!("indexed {count} videos for the search"),
        Err(error) => log::warn!("cannot index the videos for the search; the first search will: {error}"),
    }
}

/// Who may create an account. The first account becomes the administrator, so it is not created
/// over HTTP where the settings say that requests come from other machines.
fn registration_policy(settings: &Settings, address: IpAddr) -> RegistrationPolicy {
    let local = address.is_loopback() && settings.trusted_proxies.is_empty() && !settings.production;
    match (settings.open_registration, local) {
        (false, _) => RegistrationPolicy::Closed,
        (true, true) => RegistrationPolicy::Open,
        (true, false) => RegistrationPolicy::OpenAfterFirst,
    }
}

/// Raises the limit of open files to its maximum, and returns it. Each connection and each file
/// takes one, and the default of a shell is 1,024.
fn raise_file_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(error) => {
            log::warn!("cannot raise the limit of open files: {error}");
            current.unwrap_or(u64::MAX)
        }
    }
}

/// How many files may be sent at once: each takes two descriptors, its own and its connection's.
fn max_open_files(descriptors: u64) -> usize {
    let spare = descriptors.saturating_sub(OTHER_DESCRIPTORS).max(descriptors / 2);
    usize::try_from(spare / 2).unwrap_or(usize::MAX)
}

/// How many live sockets there may be: half of the descriptors is left for requests.
fn max_live_sockets(descriptors: u64) -> usize {
    usize::try_from(descriptors / 2).unwrap_or(usize::MAX)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Otherwise a restart waits until the system has forgotten the old connections.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

fn listen_for_metrics(address: SocketAddr) -> Result<TcpListener, String> {
    listen(address)
        .map_err(|error| format!("METRICS_ADDRESS={address}: {error}; stop what listens there, or choose another port"))
}

/// Turns the metrics on.
fn measure(db: &mut Database) -> Result<RequestMetrics, String> {
    let metrics = Metrics::new(db.is_sqlite()).map_err(|error| error.to_string())?;
    let requests = RequestMetrics::new(&metrics).map_err(|error| error.to_string())?;
    db.measure(Arc::new(metrics));
    Ok(requests)
}

/// Serves the metrics until the returned handle stops it.
fn serve_metrics(app: &Arc<AppState>, listener: TcpListener) -> Result<ServerHandle, String> {
    let shown = |error: io::Error| format!("METRICS_ADDRESS: {error}");
    let address = listener.local_addr().map_err(shown)?;
    let server = api::serve_metrics(app.clone(), listener).map_err(shown)?;
    let handle = server.handle();
    tokio::spawn(server);
    log::info!("its metrics are at http://{address}{}", api::METRICS_PATH);
    Ok(handle)
}

/// Adds a sample clip on a first start with an empty library.
async fn add_sample_to_empty_library(db: &Database, library: &Library, settings: &Settings) -> Result<(), String> {
    // An adopted site has videos; only MEDIA_DIR may not be set yet.
    if !library::is_empty(db.reader()).await.map_err(|error| error.to_string())? {
        return Ok(());
    }
    let planted = library::write_sample(library);
    let planted = planted.map_err(|error| {
        format!("MEDIA_DIR={}: {error}; create the folder, or set another one", settings.media_dir.display())
    })?;
    if !planted {
        return Ok(());
    }
    log::info!("created the folder {} with a sample clip", settings.media_dir.display());
    let registered = match user::find_scan_owner(db.reader(), None).await {
        Ok(owner) => library::register_sample(db, library, owner.id, Clock::System.now()).await,
        // It is registered when the first account is created.
        Err(Error::UserNotFound) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = registered {
        log::warn!("cannot register the sample clip: {error}");
    }
    Ok(())
}

/// Resolves on the first SIGTERM or SIGINT; the second one exits at once.
fn wait_for_signal() -> Result<impl Future<Output = ShutdownMode>, String> {
    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen to signals: {error}"));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        let mode = tokio::select! {
            _ = terminate.recv() => ShutdownMode::Graceful,
            _ = interrupt.recv() => ShutdownMode::Immediate,
        };
        log::info!("shutting down: running requests are finished first");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(1);
        });
        mode
    })
}
