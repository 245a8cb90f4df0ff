//! Playhead over HTTP: the whole application, the same in production and in tests.
//!
//! [`serve`] runs it, [`openapi::document`] describes it. A request passes the front door, its handler's extractors,
//! and one use case of the service crate; a failure becomes a problem in [`error`] and nowhere else.

pub mod access_log;
mod body;
mod direct;
pub mod error;
pub mod extract;
mod front_door;
mod limits;
pub mod openapi;
mod responses;
mod routes;
mod state;

use actix_cors::Cors;
use actix_web::http::header::{LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::middleware::{Condition, from_fn};
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
pub use limits::Limits;
pub use state::{App, Shutdown};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use utoipa_actix_web::AppExt;

/// How long requests under way may take at the end, in seconds.
const LAST_REQUESTS: u64 = 3;

/// What ends the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A deployment: load balancers get a second to see that the server is no longer ready.
    Drain,
    /// A person who waits at the terminal.
    Now,
}

/// Serves `app` on `listener` until `end` comes; requests under way are then finished, streams of videos are cut.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    workers: Option<usize>,
    end: impl Future<Output = End>,
) -> io::Result<()> {
    let state = Data::from(app.clone());
    let document = openapi::document();
    let mut server = HttpServer::new(move || {
        let (service, _) =
            ActixApp::new().into_utoipa_app().app_data(state.clone()).configure(routes::configure).split_for_parts();
        service
            .configure(extract::configure)
            .configure(routes::configure_pages(&document))
            .wrap(from_fn(limits::limit_writes))
            .wrap(Condition::new(!state.cors_origins.is_empty(), cors(&state.cors_origins)))
            .wrap(from_fn(front_door::front_door))
    })
    .disable_signals()
    .shutdown_timeout(LAST_REQUESTS);
    if let Some(workers) = workers {
        server = server.workers(workers);
    }
    let server = server.listen(listener)?.run();
    let handle = server.handle();
    let mut serving = Box::pin(server);
    let end = tokio::select! {
        ended = &mut serving => return ended,
        end = end => end,
    };
    app.shutdown.drain();
    if end == End::Drain {
        tokio::select! {
            ended = &mut serving => return ended,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    app.shutdown.cut_streams();
    let (ended, ()) = tokio::join!(serving, handle.stop(true));
    ended
}

/// Lets pages of exactly these origins call; of none when the list is empty.
fn cors(origins: &[String]) -> Cors {
    let exposed = [
        LINK,
        LOCATION,
        RETRY_AFTER,
        WWW_AUTHENTICATE,
        front_door::REQUEST_ID,
        limits::RATE_LIMIT,
        limits::RATE_LIMIT_POLICY,
    ];
    let cors = Cors::default().allow_any_method().allow_any_header().expose_headers(exposed).max_age(3600);
    origins.iter().fold(cors.supports_credentials(), |cors, origin| cors.allowed_origin(origin))
}
