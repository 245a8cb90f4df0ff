//! A running server that the tests ask over HTTP.

use crate::databases::{Engine, TestDatabase};
use crate::redis_server::start_relay;
use api::{AppState, LiveHub, LiveLimits, PublicPath, RateLimits, ShutdownMode};
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use service::auth::{Auth, REFRESH_GRACE, Tokens};
use service::library::Library;
use service::limit::LimitSettings;
use service::progress::ProgressRules;
use service::relay::EventRelay;
use service::storage::{Durability, WriteGuard};
use service::time::Clock;
use service::user::RegistrationPolicy;
use service::views::ViewCounter;
use service::watch_history::History;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;

pub const SECRET: &[u8] = b"a secret of the tests, long enough for HS256";
pub const PASSWORD: &str = "correct horse";

/// Writes a test once and runs it on both databases. The [`TestOptions`] of its server follow after
/// `=`.
macro_rules! on_both {
    ($(async fn $name:ident($app:ident: TestApp $(= $options:expr)?) $body:block)*) => { $(
        mod $name {
            use super::*;

            #[allow(unused_mut, reason = "few tests stop their server")]
            async fn run(mut $app: TestApp) $body

            fn options() -> $crate::app::TestOptions {
                Vec::<$crate::app::TestOptions>::from([$($options)?]).pop().unwrap_or_default()
            }

            #[tokio::test]
            async fn on_sqlite() {
                run(TestApp::start_with($crate::databases::Engine::Sqlite, options()).await).await
            }

            #[tokio::test]
            #[ignore = "needs PostgreSQL"]
            async fn on_postgres() {
                run(TestApp::start_with($crate::databases::Engine::Postgres, options()).await).await
            }
        }
    )* };
}

/// Settings of the server that a test may change.
pub struct TestOptions {
    pub registration_policy: RegistrationPolicy,
    pub cors_origins: Vec<String>,
    pub refresh_grace: Duration,
    pub public_path: PublicPath,
    pub rates: LimitSettings,
    pub trusted_proxies: Vec<IpNet>,
    pub streams_per_address: usize,
    pub history_max_days: Option<i32>,
    pub idle_timeout: Duration,
    pub redis_url: Option<String>,
    pub live: LiveLimits,
    /// Whether it counts, and shows the metrics at [`TestApp::metrics_address`].
    pub metrics: bool,
}

impl Default for TestOptions {
    fn default() -> Self {
        Self {
            registration_policy: RegistrationPolicy::Open,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            refresh_grace: REFRESH_GRACE,
            public_path: PublicPath::default(),
            rates: LimitSettings::default(),
            streams_per_address: 64,
            history_max_days: None,
            idle_timeout: Duration::from_secs(60),
            redis_url: None,
            live: LiveLimits::default(),
            metrics: false,
        }
    }
}

/// A server with its own database. It stops when it is dropped.
pub struct TestApp {
    pub address: SocketAddr,
    pub metrics_address: SocketAddr,
    /// The same database through other connections, as another process would open them.
    pub db: service::Database,
    served: service::Database,
    /// The live sockets of the server.
    pub live: LiveHub,
    runtime: tokio::runtime::Handle,
    /// The media folder. It need not exist.
    pub media: PathBuf,
    client: Client,
    ahead: Arc<AtomicI64>,
    statements: Arc<Mutex<Vec<String>>>,
    end: Option<oneshot::Sender<ShutdownMode>>,
    server: Option<JoinHandle<()>>,
    // Dropped last, after the server has stopped.
    pub database: TestDatabase,
    _folder: TempDir,
}

/// An account that is signed in.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: i64,
    pub name: String,
    pub token: String,
    pub refresh_token: String,
}

impl Person {
    /// The same account with another pair of tokens.
    pub fn with(&self, pair: &Value) -> Self {
        let text = |field: &str| pair[field].as_str().unwrap().to_owned();
        Self { token: text("access_token"), refresh_token: text("refresh_token"), ..self.clone() }
    }
}

impl TestApp {
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, TestOptions::default()).await
    }

    pub async fn start_with(engine: Engine, options: TestOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::new(engine, folder.path()).await;
        let media = folder.path().join("media");
        let ahead = Arc::new(AtomicI64::new(0));
        let statements = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let metrics_listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let metrics_address = metrics_listener.local_addr().unwrap();
        let ((end, ended), (started, starting)) = (oneshot::channel(), oneshot::channel());
        let live = LiveHub::new(options.live);
        let server = {
            let live = live.clone();
            let (url, library) = (database.url.clone(), Library::new(&media));
            let (clock, statements) = (Clock::Ahead(ahead.clone()), statements.clone());
            std::thread::spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
                runtime.block_on(async {
                    // Power failures are not tested here.
                    let mut db = service::Database::connect(&url, Durability::Normal).await.unwrap();
                    db.observe(move |sql| {
                        // Background statements belong to no request.
                        if !sql.contains("ended_sessions") {
                            statements.lock().unwrap().push(sql.to_owned());
                        }
                    });
                    let metrics = options.metrics.then(|| crate::metrics::turn_on(&mut db));
                    let tokens = Tokens::new(SECRET, Duration::from_secs(30 * 60));
                    let relay = start_relay(options.redis_url, &db, &tokens, &live);
                    let app = Arc::new(AppState {
                        db: db.clone(),
                        history: History::open(&db, ProgressRules::default(), options.history_max_days).unwrap(),
                        auth: Auth::new(tokens, Duration::from_secs(30 * 86_400)).with_grace(options.refresh_grace),
                        rules: ProgressRules::default(),
                        history_max_days: options.history_max_days,
                        library,
                        views: ViewCounter::default(),
                        clock,
                        registration_policy: options.registration_policy,
                        cors_origins: options.cors_origins,
                        trusted_proxies: options.trusted_proxies,
                        public_path: options.public_path,
                        access_log: api::AccessLog::Off,
                        metrics,
                        rate_limits: RateLimits::new(options.rates),
                        file_limits: api::FileLimits::new(options.streams_per_address, 1000),
                        redis: relay.as_ref().map(EventRelay::status),
                        live,
                        idle_timeout: options.idle_timeout,
                        runtime: tokio::runtime::Handle::current(),
                        shutdown: api::Shutdown::default(),
                    });
                    if options.metrics {
                        tokio::spawn(api::serve_metrics(app.clone(), metrics_listener).unwrap());
                    }
                    started.send((db.clone(), tokio::runtime::Handle::current())).unwrap();
                    let end = async { ended.await.unwrap_or(ShutdownMode::Immediate) };
                    api::serve(app, listener, Some(1), end).await.unwrap();
                    if let Some(relay) = relay {
                        relay.close().await;
                    }
                    db.close().await;
                });
            })
        };
        let (served, runtime) = starting.await.expect("the server starts");
        let db = service::Database::connect(&database.url, Durability::Normal).await.unwrap();
        Self {
            address,
            metrics_address,
            db,
            served,
            live,
            runtime,
            media,
            client: Client::builder().redirect(Policy::none()).build().unwrap(),
            ahead,
            statements,
            end: Some(end),
            server: Some(server),
            database,
            _folder: folder,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str) -> Response {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// Moves the server's clock forward.
    pub fn pass(&self, time: Duration) {
        self.ahead.fetch_add(time.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }

    /// The statements since the last call.
    pub fn take_statements(&self) -> Vec<String> {
        std::mem::take(&mut self.statements.lock().unwrap())
    }

    /// Keeps the server from writing, until it is dropped.
    pub async fn lock_writes(&self) -> WriteGuard {
        self.served.writer().await.unwrap().0
    }

    /// Tells the server to stop.
    pub fn end(&mut self, how: ShutdownMode) {
        self.end.take().expect("the server runs").send(how).unwrap();
    }

    /// Waits until the server has stopped.
    pub fn wait_for_end(&mut self) {
        self.server.take().expect("the server was not waited for").join().unwrap();
    }

    /// Deactivates an account in the server's own process.
    pub async fn deactivate(&self, name: &str) {
        let (db, name, now) = (self.served.clone(), name.to_owned(), self.now());
        // On the server's runtime, because its connections belong to it.
        let deactivate =
            async move { db.transaction(async |tx| service::user::deactivate(tx, &name, now).await).await };
        self.runtime.spawn(deactivate).await.unwrap().unwrap();
    }

    /// The server's time.
    pub fn now(&self) -> DateTime<Utc> {
        Clock::Ahead(self.ahead.clone()).now()
    }

    /// Sends a request as `person`, with a JSON body if there is one.
    pub async fn ask(&self, person: &Person, method: Method, path: &str, body: Option<Value>) -> Response {
        let request = self.request(method, path).bearer_auth(&person.token);
        send(body.into_iter().fold(request, |request, body| request.json(&body))).await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(server) = self.server.take() {
            let ended = server.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

/// Sends a request. Fails if the API document does not list the status, headers and code of the
/// response.
pub async fn send(request: RequestBuilder) -> Response {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let Some(operation) = crate::document::operation_at(&method, &path) else { return response };
    operation.assert_documents(response.status(), response.headers());
    if response.headers().get("content-type").is_none_or(|kind| kind != "application/problem+json") {
        return response;
    }
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.unwrap();
    if method != Method::HEAD {
        operation.assert_documents_code(status, &serde_json::from_slice(&body).unwrap());
    }
    let mut again = http::Response::new(body);
    (*again.status_mut(), *again.headers_mut()) = (status, headers);
    again.into()
}

/// The path of the caller's entry for a video.
pub fn history(video: i64) -> String {
    format!("/api/v1/videos/{video}/watch-history")
}

/// Checks that the response is a problem with this status and code, and returns it.
pub async fn problem(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(response.status().as_u16(), status);
    let problem: Value = response.json().await.unwrap();
    assert_eq!((problem["status"].as_u64(), problem["code"].as_str()), (Some(status.into()), Some(code)), "{problem}");
    assert_eq!(problem["instance"], id);
    for field in ["type", "title", "detail"] {
        assert!(problem[field].is_string(), "{problem}");
    }
    problem
}

/// The names of an object's fields, sorted.
pub fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
