//! The metrics that Prometheus reads.

use crate::app::{Person, TestApp, TestOptions, history, problem};
use crate::metrics_text::MetricsText;
use api::RequestMetrics;
use reqwest::{Method, StatusCode};
use serde_json::json;
use service::metrics::Metrics;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Message;

/// Turns the metrics of a server on.
pub fn turn_on(db: &mut service::Database) -> RequestMetrics {
    let metrics = Metrics::new(db.is_sqlite()).unwrap();
    let of_requests = RequestMetrics::new(&metrics).unwrap();
    db.measure(Arc::new(metrics));
    of_requests
}

fn measured() -> TestOptions {
    TestOptions { metrics: true, ..TestOptions::default() }
}

impl TestApp {
    /// The metrics as Prometheus gets them.
    pub async fn metrics(&self) -> MetricsText {
        let response = reqwest::get(format!("http://{}/metrics", self.metrics_address)).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        MetricsText::parse(&response.text().await.unwrap())
    }

    /// A viewer and a video of a hundred seconds.
    async fn viewer_and_film(&self) -> (Person, i64) {
        let ann = self.sign_up("ann").await;
        let film = self.add_video(&ann, "film", Some(100)).await;
        (ann, film)
    }
}

const SAVE_ROUTE: (&str, &str) = ("route", "/api/v1/videos/{video_id}/watch-history");

on_both! {
    async fn saves_are_counted_by_how_they_ended(app: TestApp = measured()) {
        let (ann, film) = app.viewer_and_film().await;
        let before = app.metrics().await;
        let save = |sequence: i32| json!({"watch_position": 9 + sequence, "session_id": "tv", "sequence": sequence});
        for sequence in [1, 2, 2] {
            app.send_save(&ann, film, save(sequence)).await;
        }
        let response = app.ask(&ann, Method::POST, &history(film + 1), Some(save(1))).await;
        problem(response, 404, "video_not_found").await;
        app.ask(&ann, Method::DELETE, &history(film), None).await;
        let late = json!({"watch_position": 5, "age_ms": 3_600_000});
        let response = app.ask(&ann, Method::POST, &history(film), Some(late)).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        let after = app.metrics().await;
        for (outcome, count) in [("applied", 2.0), ("not_applied", 1.0), ("not_taken", 1.0), ("failed", 1.0)] {
            let saves = |text: &MetricsText| text.sum("playhead_saves_total", &[("outcome", outcome)]);
            assert_eq!(saves(&after) - saves(&before), count, "{outcome}");
        }
        for (method, status, count) in [("POST", "200", 3.0), ("POST", "404", 1.0), ("POST", "204", 1.0), ("DELETE", "204", 1.0)] {
            let labels = [SAVE_ROUTE, ("method", method), ("status", status)];
            assert_eq!(after.sum("playhead_http_requests_total", &labels), count, "{method} {status}");
        }
        let timed = after.sum("playhead_http_request_duration_seconds_count", &[SAVE_ROUTE]);
        assert_eq!(timed, 6.0);
    }

    async fn batches_of_all_queues_are_measured(app: TestApp = measured()) {
        let (ann, film) = app.viewer_and_film().await;
        for position in 1..=5 {
            app.save(&ann, film, position).await;
        }
        app.entry(&ann, film).await;
        app.continue_watching(&ann).await;
        let text = app.metrics().await;
        for (queue, requests) in [("writes", 5.0), ("lookups", 1.0), ("lists", 1.0)] {
            let labels = [("queue", queue)];
            assert_eq!(text.sum("playhead_batch_requests_sum", &labels), requests, "{queue}");
            let batches = text.sum("playhead_batch_requests_count", &labels);
            assert_eq!(text.sum("playhead_batch_duration_seconds_count", &labels), batches, "{queue}");
            assert!(text.sum("playhead_batch_duration_seconds_sum", &labels) > 0.0, "{queue}");
            assert_eq!(text.sum("playhead_queue_waiting_requests", &labels), 0.0, "{queue}");
            assert!(text.sum("playhead_queue_limit_requests", &labels) >= 4096.0, "{queue}");
            assert_eq!(text.sum("playhead_queue_refusals_total", &labels), 0.0, "{queue}");
        }
        assert!(text.sum("playhead_pool_connections", &[]) >= 1.0);
        assert!(text.sum("playhead_pool_limit_connections", &[]) >= 3.0);
        let commits = text.sum("playhead_sqlite_commit_duration_seconds_count", &[]);
        assert_eq!(commits, if app.db.is_sqlite() { 5.0 } else { 0.0 });
        assert_eq!(text.sum("playhead_sqlite_wal_bytes", &[]) > 0.0, app.db.is_sqlite());
    }

    async fn a_refused_sign_in_is_counted_with_its_reason(app: TestApp = measured()) {
        let (ann, _) = app.viewer_and_film().await;
        let wrong = app.post("/api/v1/auth/login", &json!({"username": ann.name, "password": "wrong horse"})).await;
        problem(wrong, 401, "wrong_credentials").await;
        let text = app.metrics().await;
        for (outcome, count) in [("done", 1.0), ("wrong_credentials", 1.0), ("too_many_attempts", 0.0)] {
            let labels = [("event", "sign_in"), ("outcome", outcome)];
            assert_eq!(text.sum("playhead_security_events_total", &labels), count, "{outcome}");
        }
    }

    async fn live_sockets_and_their_messages_are_counted(app: TestApp = measured()) {
        let (ann, film) = app.viewer_and_film().await;
        assert_eq!(app.metrics().await.sum("playhead_live_sockets", &[]), 0.0);
        let mut live = app.live(&ann).await;
        app.save(&ann, film, 9).await;
        live.next_of("entry").await;
        let text = app.metrics().await;
        assert_eq!(text.sum("playhead_live_sockets", &[]), 1.0);
        assert_eq!(text.sum("playhead_live_messages_total", &[]), 2.0, "ready and the entry");
        live.send(Message::text("no JSON")).await;
        live.closing().await;
        let text = app.metrics().await;
        assert_eq!(text.sum("playhead_live_sockets", &[]), 0.0);
        assert_eq!(text.sum("playhead_live_closings_total", &[("reason", "bad_message")]), 1.0);
    }

    async fn clients_cannot_make_up_labels(app: TestApp = measured()) {
        let (ann, film) = app.viewer_and_film().await;
        app.save(&ann, film, 5).await;
        app.raw(b"BREW /api/v1/videos HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        app.get("/nowhere").await;
        let before = app.metrics().await;
        for number in 0..20 {
            app.get(&format!("/nowhere/{number}")).await;
            app.get(&format!("/api/v1/videos/{number}?token={number}")).await;
            let head = format!("MADEUP{number} /api/v1/videos HTTP/1.1\r\nHost: x{number}\r\nConnection: close\r\n\r\n");
            app.raw(head.as_bytes());
        }
        let after = app.metrics().await;
        assert_eq!(after.label_values("method"), before.label_values("method"));
        let more = after.label_values("route").difference(&before.label_values("route")).cloned().collect::<Vec<_>>();
        assert_eq!(more, ["/api/v1/videos/{video_id}"]);
        assert!(before.label_values("route").contains("none"));
    }

    async fn the_public_port_shows_no_metrics(app: TestApp = measured()) {
        for path in ["/metrics", "/metrics/", "/api/v1/metrics"] {
            problem(app.get(path).await, 404, "not_found").await;
        }
        let inside = |path: &str| reqwest::get(format!("http://{}{path}", app.metrics_address));
        assert_eq!(inside("/metrics").await.unwrap().status(), StatusCode::OK);
        for path in ["/", "/health/ready", "/api/v1/videos"] {
            assert_eq!(inside(path).await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
