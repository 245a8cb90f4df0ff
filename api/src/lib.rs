//! Playhead over HTTP: the whole application, the same in production and in tests.
//!
//! [`serve`] runs it, [`openapi::document`] describes it. A request passes the front door, its handler's extractors,
//! and one use case of the service crate; a failure becomes a problem in [`error`] and nowhere else.

pub mod access_log;
mod body;
mod cache_control;
mod client_address;
mod connection;
pub mod error;
pub mod extractors;
mod file;
mod file_limits;
mod local_client;
mod middleware;
pub mod openapi;
mod parse_errors;
mod public_path;
mod rate_limits;
mod request_head;
mod responses;
mod routes;
mod security_log;
mod shared_payload;
mod state;

use actix_cors::Cors;
use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::http::header::{LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::Data;
use connection::Connection;
pub use file_limits::FileLimits;
pub use public_path::PublicPath;
pub use rate_limits::RateLimits;
use service::auth::EndedSessionsPoller;
pub use state::{AppState, Shutdown};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use utoipa_actix_web::AppExt;

/// How long requests under way may take at the end, in seconds.
const SHUTDOWN_SECONDS: u64 = 3;

/// How long the rest of a body may come that nobody reads, so that its sender sees the answer.
const LINGER: Duration = Duration::from_secs(1);

/// What ends the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownMode {
    /// A deployment: load balancers get a second to see that the server is no longer ready.
    Graceful,
    /// A person who waits at the terminal.
    Immediate,
}

/// Serves `app` on `listener` until `end` comes; requests under way are then finished, streams of videos are cut.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    app: Arc<AppState>,
    listener: TcpListener,
    workers: Option<usize>,
    end: impl Future<Output = ShutdownMode>,
) -> io::Result<()> {
    let _following = follow_ended_sessions(&app).await;
    let state = Data::from(app.clone());
    let document = app.public_path.describe(openapi::document());
    let docs = Data::new(routes::SwaggerFiles::new(&document));
    let idle_timeout = app.idle_timeout;
    let mut server = Server::build().disable_signals().shutdown_timeout(SHUTDOWN_SECONDS);
    if let Some(workers) = workers {
        server = server.workers(workers);
    }
    let graceful_end = server.graceful_shutdown_signal();
    // The framework's own `HttpServer` does the same with bare sockets.
    let server = server.listen("http", listener, move || {
        let (service, _) =
            App::new().into_utoipa_app().app_data(state.clone()).configure(routes::configure).split_for_parts();
        let service = service
            .configure(extractors::configure)
            .configure(routes::configure_pages(&document, &state.public_path, docs.clone()))
            .wrap(from_fn(rate_limits::limit_writes))
            .wrap(from_fn(request_head::check))
            .wrap(Condition::new(!state.cors_origins.is_empty(), cors(&state.cors_origins)))
            .wrap(from_fn(middleware::process))
            .wrap(from_fn(public_path::strip_public_path));
        let graceful_end = graceful_end.clone();
        let http = HttpService::build()
            .client_disconnect_timeout(LINGER)
            .graceful_shutdown_signal(move || {
                let signal = graceful_end.clone();
                async move { signal.notified().await }
            })
            .h1(map_config(service, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| async move {
            let peer = stream.peer_addr().ok();
            Ok::<_, DispatchError>((Connection::new(stream, idle_timeout), peer))
        })
        .and_then(http)
    })?;
    let server = server.run();
    let handle = server.handle();
    let mut serving = Box::pin(server);
    let end = tokio::select! {
        ended = &mut serving => return ended,
        end = end => end,
    };
    app.shutdown.drain();
    if end == ShutdownMode::Graceful {
        tokio::select! {
            ended = &mut serving => return ended,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    app.shutdown.stop_streams();
    let (ended, ()) = tokio::join!(serving, handle.stop(true));
    ended
}

/// Learns of sessions that end in other processes, first of those that ended before, until what it gives back is dropped.
async fn follow_ended_sessions(app: &AppState) -> JoinSet<()> {
    let mut poller = EndedSessionsPoller::new(&app.db, &app.auth, &app.clock);
    let mut following = JoinSet::new();
    // On the runtime that the connections belong to.
    let caught_up = app.runtime.spawn(async move {
        poller.poll().await;
        poller
    });
    if let Ok(poller) = caught_up.await {
        following.spawn_on(poller.run(), &app.runtime);
    }
    following
}

/// Lets pages of exactly these origins call; of none when the list is empty.
fn cors(origins: &[String]) -> Cors {
    let exposed = [
        LINK,
        LOCATION,
        RETRY_AFTER,
        WWW_AUTHENTICATE,
        middleware::REQUEST_ID,
        rate_limits::RATE_LIMIT,
        rate_limits::RATE_LIMIT_POLICY,
    ];
    let cors = Cors::default()
        .allowed_methods(middleware::CORS_METHODS)
        .allow_any_header()
        .expose_headers(exposed)
        .max_age(3600);
    origins.iter().fold(cors.supports_credentials(), |cors, origin| cors.allowed_origin(origin))
}
