//! Stopping the server: nothing is lost, and nobody waits long.

use crate::app::{TestApp, history, send};
use crate::databases::Engine;
use api::ShutdownMode;
use entity::watch_history;
use reqwest::{Method, StatusCode};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use service::library::{self, Library};
use service::progress::ProgressRules;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(5);

/// Registers a file far larger than the socket buffers and returns its stream path.
pub async fn large_film(app: &TestApp) -> String {
    let ann = app.sign_up("ann").await;
    fs::create_dir_all(&app.media).unwrap();
    let fixture = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/two-seconds.mp4"));
    fs::copy(fixture, app.media.join("film.mp4")).unwrap();
    library::scan(&app.db, &Library::new(&app.media), &app.media, ann.id, &ProgressRules::default(), app.now(), |_| {})
        .await
        .unwrap();
    let file = fs::OpenOptions::new().write(true).open(app.media.join("film.mp4")).unwrap();
    file.set_len(200 * 1024 * 1024).unwrap();
    let list: Value = app.get("/api/v1/videos").await.json().await.unwrap();
    list[0]["stream_url"].as_str().unwrap().to_owned()
}

on_both! {
    async fn a_draining_server_says_so_and_still_answers(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for path in ["/health", "/health/live", "/health/ready"] {
            let healthy = app.get(path).await;
            assert!(!healthy.headers().contains_key("connection"));
            assert_eq!(healthy.json::<Value>().await.unwrap(), json!({"status": "healthy"}));
        }
        let began = Instant::now();
        app.end(ShutdownMode::Graceful);
        while app.get("/health").await.status() == StatusCode::OK {
            assert!(began.elapsed() < LONGEST, "the server does not drain");
        }
        for path in ["/health", "/health/ready"] {
            let answer = app.get(path).await;
            assert_eq!(answer.headers()["retry-after"], "1");
            crate::app::problem(answer, 503, "shutting_down").await;
        }
        let me = app.ask(&ann, Method::GET, "/api/v1/auth/me", None).await;
        assert_eq!(me.status(), StatusCode::OK);
        assert_eq!(me.headers().get("connection").map(|value| value.to_str().unwrap()), Some("close"));
        assert_eq!(app.get("/health/live").await.status(), StatusCode::OK);
        app.wait_for_end();
        assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
        assert!(app.request(Method::GET, "/health").send().await.is_err(), "nobody listens any more");
    }

    async fn running_saves_are_answered_and_stored(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let mut saves = Vec::new();
        for n in 0..30 {
            let film = app.add_video(&ann, &format!("film {n}"), Some(600)).await;
            saves.push(
                app.request(Method::POST, &history(film)).bearer_auth(&ann.token).json(&json!({"watch_position": 60})),
            );
        }
        let running: Vec<_> = saves.into_iter().map(|save| tokio::spawn(send(save))).collect();
        while !running.iter().any(|save| save.is_finished()) {
            tokio::task::yield_now().await;
        }
        app.end(ShutdownMode::Graceful);
        for save in running {
            assert_eq!(save.await.unwrap().status(), StatusCode::OK);
        }
        app.wait_for_end();
        let db = sea_orm::Database::connect(&app.database.url).await.unwrap();
        assert_eq!(watch_history::Entity::find().count(&db).await.unwrap(), 30);
        db.close().await.unwrap();
    }
}

/// Stops a server while a stream is running that would take far longer.
async fn assert_stops_during_a_stream(how: ShutdownMode) {
    let mut app = TestApp::start(Engine::Sqlite).await;
    let film = large_film(&app).await;
    let mut stream = app.get(&film).await;
    assert_eq!(stream.status(), StatusCode::OK);
    let mut received = stream.chunk().await.unwrap().unwrap().len();
    let began = Instant::now();
    app.end(how);
    app.wait_for_end();
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    let cut = loop {
        match stream.chunk().await {
            Ok(Some(more)) => received += more.len(),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(cut && received < 200 * 1024 * 1024, "the stream is cut, and the client can tell");
}

#[tokio::test]
async fn a_running_stream_does_not_delay_a_graceful_stop() {
    assert_stops_during_a_stream(ShutdownMode::Graceful).await;
}

#[tokio::test]
async fn a_running_stream_does_not_delay_an_immediate_stop() {
    assert_stops_during_a_stream(ShutdownMode::Immediate).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_delay_the_stop() {
    let mut app = TestApp::start(Engine::Sqlite).await;
    let film = large_film(&app).await;
    let stalled = app.get(&film).await;
    let began = Instant::now();
    app.end(ShutdownMode::Immediate);
    app.wait_for_end();
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    drop(stalled);
}
