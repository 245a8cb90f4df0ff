//! Builds the server, runs it, and shuts it down.

use crate::connection::{Connection, LINGER};
use crate::routes::{self, DocumentParts};
use crate::shutdown::ShutdownMode;
use crate::state::AppState;
use crate::{extractors, middleware, openapi, request_head, request_id};
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
use service::auth::EndedSessionsPoller;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use utoipa_actix_web::AppExt;

/// How long running requests may take once the server shuts down, in seconds.
const SHUTDOWN_SECONDS: u64 = 3;
/// How long load balancers get to see that the server is not ready.
const DRAIN: Duration = Duration::from_secs(1);

/// Serves `app` on `listener` until `shutdown` resolves, then finishes running requests and stops
/// streams.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    app: Arc<AppState>,
    listener: TcpListener,
    workers: Option<usize>,
    shutdown: impl Future<Output = ShutdownMode>,
) -> io::Result<()> {
    let _following = follow_ended_sessions(&app).await;
    let server = build(app.clone(), listener, workers)?;
    let handle = server.handle();
    let mut serving = Box::pin(server);
    let mode = tokio::select! {
        ended = &mut serving => return ended,
        mode = shutdown => mode,
    };
    app.shutdown.drain();
    if mode == ShutdownMode::Graceful {
        tokio::select! {
            ended = &mut serving => return ended,
            () = tokio::time::sleep(DRAIN) => {}
        }
    }
    app.shutdown.stop_streams();
    let (ended, ()) = tokio::join!(serving, handle.stop(true));
    ended
}

/// Binds the application to the listener. actix-web's `HttpServer` does the same, but takes no
/// connection type of ours.
fn build(state: Arc<AppState>, listener: TcpListener, workers: Option<usize>) -> io::Result<Server> {
    let idle_timeout = state.idle_timeout;
    let state = Data::from(state);
    let parts = DocumentParts::new(&state.public_path.describe(openapi::document()));
    let mut server = Server::build().disable_signals().shutdown_timeout(SHUTDOWN_SECONDS);
    if let Some(workers) = workers {
        server = server.workers(workers);
    }
    let shutdown_signal = server.graceful_shutdown_signal();
    let server = server.listen("http", listener, move || {
        let (app, _) =
            App::new().into_utoipa_app().app_data(state.clone()).configure(routes::configure).split_for_parts();
        let app = app
            .configure(extractors::configure)
            .configure(routes::configure_pages(parts.clone(), &state.public_path))
            .wrap(from_fn(middleware::limit_writes))
            .wrap(from_fn(request_head::check))
            .wrap(Condition::new(!state.cors_origins.is_empty(), cors(&state.cors_origins)))
            .wrap(from_fn(middleware::process))
            .wrap(from_fn(middleware::strip_public_path));
        let shutdown_signal = shutdown_signal.clone();
        let http = HttpService::build()
            .client_disconnect_timeout(LINGER)
            .graceful_shutdown_signal(move || {
                let signal = shutdown_signal.clone();
                async move { signal.notified().await }
            })
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| async move {
            let peer = stream.peer_addr().ok();
            Ok::<_, DispatchError>((Connection::new(stream, idle_timeout), peer))
        })
        .and_then(http)
    })?;
    Ok(server.run())
}

/// Learns which sessions other processes have ended: first the past ones, then each new one until
/// the returned set is dropped.
async fn follow_ended_sessions(app: &AppState) -> JoinSet<()> {
    let mut poller = EndedSessionsPoller::new(&app.db, &app.auth, &app.clock);
    let mut following = JoinSet::new();
    // Spawned on the runtime of the connections.
    let caught_up = app.runtime.spawn(async move {
        poller.poll().await;
        poller
    });
    if let Ok(poller) = caught_up.await {
        following.spawn_on(poller.run(), &app.runtime);
    }
    following
}

/// Allows pages of exactly these origins.
fn cors(origins: &[String]) -> Cors {
    let exposed = [
        LINK,
        LOCATION,
        RETRY_AFTER,
        WWW_AUTHENTICATE,
        request_id::REQUEST_ID,
        middleware::RATE_LIMIT,
        middleware::RATE_LIMIT_POLICY,
    ];
    let cors = Cors::default()
        .allowed_methods(middleware::CORS_METHODS)
        .allow_any_header()
        .expose_headers(exposed)
        .max_age(3600);
    origins.iter().fold(cors.supports_credentials(), |cors, origin| cors.allowed_origin(origin))
}
