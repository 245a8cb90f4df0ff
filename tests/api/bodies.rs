//! Endless request bodies: each is refused or left unread, and the connection is closed.

use crate::app::{TestApp, problem};
use crate::document::operations;
use reqwest::Method;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const LIMIT: usize = 1024 * 1024;
const LONGEST: Duration = Duration::from_secs(30);

/// The request line of every operation and of some unknown paths.
fn first_lines(video: i64) -> Vec<String> {
    let operations = operations().into_iter().map(|operation| (operation.method.to_string(), operation.at(video)));
    let others = [("GET", "/"), ("GET", "/app.js"), ("POST", "/nothing"), ("PUT", "/api/v1/videos"), ("GET", "/docs/")];
    let others = others.map(|(method, path)| (method.to_owned(), path.to_owned()));
    operations.chain(others).map(|(method, path)| format!("{method} {path} HTTP/1.1\r\nhost: x\r\n")).collect()
}

/// Sends a head and then chunks until the server stops reading, and returns the response.
fn flood(app: &TestApp, head: &str) -> String {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    stream.set_write_timeout(Some(LONGEST)).unwrap();
    let mut answers = stream.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        // A connection that is closed while data is on its way is reset.
        let _ = answers.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let begun = Instant::now();
    let mut taken = stream.write_all(head.as_bytes());
    while taken.is_ok() {
        assert!(begun.elapsed() < LONGEST, "{head} is read on and on");
        taken = stream.write_all(chunk.as_bytes());
    }
    reader.join().unwrap()
}

on_both! {
    async fn a_body_with_a_content_length_above_the_limit_is_not_read(app: TestApp) {
        let ask = |first: String| {
            let answer = app.raw(format!("{first}content-length: 700000000\r\n\r\nxxxx").as_bytes());
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{first}: {answer}");
            assert!(answer.to_lowercase().contains("connection: close"), "{first}: {answer}");
        };
        std::thread::scope(|scope| first_lines(1).into_iter().for_each(|first| _ = scope.spawn(|| ask(first))));
    }

    async fn a_body_that_never_arrives_delays_no_response_that_does_not_need_it(app: TestApp) {
        let ask = |first: String| {
            // A media type that no operation reads, so that the server could only wait for the rest
            // of the body.
            let head = format!("{first}content-type: text/x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nxxxxx\r\n");
            let answer = String::from_utf8_lossy(&app.raw(head.as_bytes())).into_owned();
            assert!(answer.starts_with("HTTP/1.1 ") && !answer.starts_with("HTTP/1.1 408"), "{first}: {answer}");
        };
        // The framework keeps each connection open for a second.
        std::thread::scope(|scope| first_lines(1).into_iter().for_each(|first| _ = scope.spawn(|| ask(first))));
    }

    async fn an_endless_body_closes_the_connection(app: TestApp) {
        for (first, kind, status) in [
            ("POST /api/v1/auth/login", "multipart/form-data; boundary=seam", "413"),
            ("POST /api/v1/auth/login", "application/x-www-form-urlencoded", "413"),
            ("POST /api/v1/auth/login", "application/json", "413"),
            ("POST /api/v1/auth/register", "application/json", "413"),
            ("POST /api/v1/videos", "application/json", "401"),
            ("GET /api/v1/videos", "application/json", "200"),
            ("DELETE /api/v1/users/me", "application/json", "401"),
            ("GET /nothing", "text/plain", "404"),
        ] {
            let head = format!("{first} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
            let answer = flood(&app, &head);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{first} {kind}: {answer}");
        }
    }

    async fn a_multipart_form_is_read_up_to_the_limit(app: TestApp) {
        for (body, status, code) in [
            (vec![b'a'; LIMIT + 1], 413, "body_too_large"),
            (vec![b'a'; LIMIT], 400, "unreadable_body"),
            ("--seam\r\n".repeat(LIMIT / 8).into_bytes(), 400, "unreadable_body"),
            (Vec::new(), 400, "unreadable_body"),
        ] {
            let request = app.request(Method::POST, "/api/v1/auth/login");
            let request = request.header("content-type", "multipart/form-data; boundary=seam");
            problem(crate::app::send(request.body(body)).await, status, code).await;
        }
        let request = app.request(Method::POST, "/api/v1/auth/login").header("content-encoding", "gzip");
        let request = request.header("content-type", "multipart/form-data; boundary=seam").body("--seam--");
        problem(crate::app::send(request).await, 415, "unsupported_media_type").await;
    }

    async fn many_large_bodies_at_once_are_all_answered(app: TestApp) {
        let body = "x".repeat(LIMIT / 2);
        let posts = (0..150).map(|_| app.request(Method::POST, "/api/v1/auth/login").body(body.clone()));
        let posts: Vec<_> = posts.map(|post| tokio::spawn(post.header("content-type", "application/json").send())).collect();
        for post in posts {
            problem(post.await.unwrap().unwrap(), 400, "invalid_json").await;
        }
    }
}
