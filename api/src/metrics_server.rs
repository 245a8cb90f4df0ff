//! The server that shows all metrics to Prometheus.
//!
//! It has an address of its own, which operators keep inside: the public one never shows a metric.

use crate::state::AppState;
use actix_web::dev::Server;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer, Responder};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

/// Where the metrics are, below their own address.
pub const METRICS_PATH: &str = "/metrics";
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves the metrics of `app` on `listener` until the returned server is stopped or dropped.
///
/// # Errors
/// The listener cannot be used.
pub fn serve_metrics(app: Arc<AppState>, listener: TcpListener) -> io::Result<Server> {
    let app = Data::from(app);
    let server = HttpServer::new(move || App::new().app_data(app.clone()).route(METRICS_PATH, web::get().to(show)));
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

async fn show(app: Data<AppState>) -> impl Responder {
    app.db.sample();
    app.history.sample();
    if let Some(metrics) = &app.metrics {
        let is_redis_connected = app.redis.as_ref().is_some_and(|redis| redis.is_connected());
        metrics.sample(app.live.socket_count(), is_redis_connected);
    }
    match app.db.metrics().map(|metrics| metrics.to_text()) {
        Some(Ok(text)) => HttpResponse::Ok().insert_header((CONTENT_TYPE, TEXT_FORMAT)).body(text),
        Some(Err(error)) => {
            log::error!("cannot show the metrics: {error}");
            HttpResponse::InternalServerError().finish()
        }
        None => HttpResponse::NotFound().finish(),
    }
}
