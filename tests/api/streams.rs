//! Limits on the number and duration of streams.

use crate::app::{TestApp, TestOptions, problem, send};
use crate::databases::Engine;
use crate::shutdown::large_film;
use reqwest::{Method, Response, StatusCode};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(30);

/// Retries until the stream begins, and returns the last refusal.
async fn once_there_is_room(app: &TestApp, film: &str) -> Option<Response> {
    let begun = Instant::now();
    let mut refused = None;
    loop {
        let answer = app.get(film).await;
        if answer.status() == StatusCode::OK {
            return refused;
        }
        assert!(begun.elapsed() < LONGEST, "the streams before it never end");
        refused = Some(answer);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn from(app: &TestApp, film: &str, address: &str) -> Response {
    send(app.request(Method::GET, film).header("x-forwarded-for", address)).await
}

#[tokio::test]
async fn one_address_has_a_limit_of_streams_at_once() {
    let options = TestOptions {
        streams_per_address: 2,
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..TestOptions::default()
    };
    let app = TestApp::start_with(Engine::Sqlite, options).await;
    let film = large_film(&app).await;
    let first = from(&app, &film, "2001:db8::1").await;
    let second = from(&app, &film, "[2001:db8::2]:443").await;
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::OK));
    let third = from(&app, &film, "2001:db8::3").await;
    assert_eq!(third.headers()["retry-after"], "5");
    problem(third, 429, "too_many_streams").await;
    assert_eq!(from(&app, &film, "2001:db8:0:1::1").await.status(), StatusCode::OK, "another network");
    assert_eq!(app.get("/api/v1/videos").await.status(), StatusCode::OK, "what is no stream is not counted");
    drop((first, second));
    let begun = Instant::now();
    while from(&app, &film, "2001:db8::3").await.status() != StatusCode::OK {
        assert!(begun.elapsed() < LONGEST, "a stream that ended still counts");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_stream_whose_client_does_not_read_is_closed() {
    let options =
        TestOptions { streams_per_address: 1, idle_timeout: Duration::from_secs(1), ..TestOptions::default() };
    let app = TestApp::start_with(Engine::Sqlite, options).await;
    let film = large_film(&app).await;
    let mut stalled = app.get(&film).await;
    let refused = once_there_is_room(&app, &film).await.expect("the stalled one counts until it is closed");
    problem(refused, 429, "too_many_streams").await;
    let rest = async {
        while stalled.chunk().await?.is_some() {}
        Ok::<_, reqwest::Error>(())
    };
    assert!(rest.await.is_err(), "its client can tell that it did not get all");
}

/// Sends a request, then part of another one byte by byte, and returns how long the server kept
/// reading.
fn listened(app: &TestApp, beginning: &str) -> Duration {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    let whole = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(format!("{whole}{beginning}").as_bytes()).unwrap();
    let begun = Instant::now();
    let mut sender = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        while begun.elapsed() < LONGEST && sender.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let listened = begun.elapsed();
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "the first one is answered");
    drop(stream);
    sending.join().unwrap();
    listened
}

#[tokio::test]
async fn a_request_that_is_never_complete_is_dropped() {
    let app = TestApp::start_with(
        Engine::Sqlite,
        TestOptions { idle_timeout: Duration::from_secs(2), ..TestOptions::default() },
    )
    .await;
    for beginning in ["G", "GET /health HTTP/1.1\r\nhost: x\r\nx-long: "] {
        assert!(listened(&app, beginning) < LONGEST / 2, "{beginning}");
    }
}

#[tokio::test]
async fn finished_streams_do_not_count() {
    let options = TestOptions { streams_per_address: 1, ..TestOptions::default() };
    let app = TestApp::start_with(Engine::Sqlite, options).await;
    let film = large_film(&app).await;
    for _ in 0..5 {
        let part = send(app.request(Method::GET, &film).header("range", "bytes=0-9")).await;
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
        let tag = part.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(part.bytes().await.unwrap().len(), 10);
        assert_eq!(send(app.request(Method::HEAD, &film)).await.status(), StatusCode::OK);
        let same = send(app.request(Method::GET, &film).header("if-none-match", tag)).await;
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(send(app.request(Method::GET, &film).header("if-match", "\"x\"")).await.status(), 412);
    }
}
