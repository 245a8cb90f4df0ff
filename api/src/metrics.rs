//! What is counted about requests.

use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};
use service::Error;
use service::metrics::Metrics;
use std::time::Instant;

/// The route of a request for a path that does not exist.
const NO_ROUTE: &str = "none";
const NO_LABELS: &[&str] = &[];

/// What is counted about requests.
#[derive(Debug)]
pub struct RequestMetrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
    security_events: IntCounterVec,
    live: LiveMetrics,
    redis_up: IntGaugeVec,
}

/// What is counted about live sockets.
#[derive(Debug)]
struct LiveMetrics {
    sockets: IntGaugeVec,
    messages: IntCounterVec,
    closings: IntCounterVec,
}

impl RequestMetrics {
    /// Adds them to `metrics`.
    ///
    /// # Errors
    /// They are there already, which is a defect.
    pub fn new(metrics: &Metrics) -> Result<Self, Error> {
        let security_events = metrics.counter(
            "playhead_security_events_total",
            "Sign-ins, sign-ups and the like, by outcome: done, or the code of the refusal.",
            &["event", "outcome"],
        )?;
        // Prometheus sees the first refusal only if the counter stood at zero before.
        for outcome in ["done", "wrong_credentials", "too_many_attempts"] {
            security_events.with_label_values(&["sign_in", outcome]);
        }
        Ok(Self {
            requests: metrics.counter(
                "playhead_http_requests_total",
                "Requests that were answered, by method, route and status.",
                &["method", "route", "status"],
            )?,
            seconds: metrics.histogram(
                "playhead_http_request_duration_seconds",
                "Time from the head of a request to the head of its response.",
                &["method", "route"],
            )?,
            security_events,
            live: LiveMetrics::new(metrics)?,
            redis_up: metrics.gauge("playhead_redis_up", "1 while Redis is connected, else 0.", NO_LABELS)?,
        })
    }

    /// Counts a request that began at `started`.
    pub(crate) fn count_response<B>(&self, started: Instant, is_head: bool, response: &ServiceResponse<B>) {
        let request = response.request();
        let method = if is_head { "HEAD" } else { method_label(request.method()) };
        let route = request.match_pattern();
        let route = route.as_deref().unwrap_or(NO_ROUTE);
        self.seconds.with_label_values(&[method, route]).observe(started.elapsed().as_secs_f64());
        self.requests.with_label_values(&[method, route, response.status().as_str()]).inc();
    }

    /// Counts a message that a live socket was sent.
    pub(crate) fn count_live_message(&self) {
        self.live.messages.with_label_values(NO_LABELS).inc();
    }

    /// Counts a live socket that ended, and why.
    pub(crate) fn count_live_closing(&self, reason: &str) {
        self.live.closings.with_label_values(&[reason]).inc();
    }

    /// Sets what is only read when somebody asks.
    pub(crate) fn sample(&self, sockets: usize, is_redis_connected: bool) {
        self.live.sockets.with_label_values(NO_LABELS).set(i64::try_from(sockets).unwrap_or(i64::MAX));
        self.redis_up.with_label_values(NO_LABELS).set(is_redis_connected.into());
    }

    pub(crate) fn count_security_event(&self, event: &str, outcome: &str) {
        self.security_events.with_label_values(&[event, outcome]).inc();
    }
}

impl LiveMetrics {
    fn new(metrics: &Metrics) -> Result<Self, Error> {
        let messages =
            metrics.counter("playhead_live_messages_total", "Messages that live sockets were sent.", NO_LABELS)?;
        messages.with_label_values(NO_LABELS);
        let help = "Live sockets that ended, by reason.";
        let closings = metrics.counter("playhead_live_closings_total", help, &["reason"])?;
        closings.with_label_values(&["no_pong"]);
        let sockets = metrics.gauge("playhead_live_sockets", "Open live sockets.", NO_LABELS)?;
        Ok(Self { sockets, messages, closings })
    }
}

/// Clients may invent methods, but not labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
