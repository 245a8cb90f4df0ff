//! Requests as browsers and other clients really send them.

use crate::app::{PASSWORD, TestApp};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use service::library::{self, Library};
use service::progress::ProgressRules;
use std::fs;

const LOGIN: &str = "/api/v1/auth/login";

/// Registers a file of 1000 bytes that starts like a real video, and returns its stream path.
async fn add_file(app: &TestApp) -> String {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/two-seconds.mp4");
    fs::create_dir_all(&app.media).unwrap();
    fs::copy(fixture, app.media.join("film.mp4")).unwrap();
    let ann = app.sign_up("ann").await;
    let library = Library::new(&app.media);
    library::scan(&app.db, &library, &app.media, ann.id, &ProgressRules::default(), app.now(), |_| {}).await.unwrap();
    let videos: Vec<Value> = app.get("/api/v1/videos").await.json().await.unwrap();
    videos[0]["stream_url"].as_str().unwrap().to_owned()
}

fn multipart(fields: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!("--seam\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    fields.iter().map(part).collect::<String>() + "--seam--\r\n"
}

on_both! {
    async fn a_multipart_form_of_a_browser_signs_in(app: TestApp) {
        app.sign_up("ann").await;
        let long = "x".repeat(1024 * 1024);
        for (fields, status) in [
            (&[("username", "ann"), ("password", PASSWORD)][..], 200),
            (&[("username", "ann"), ("password", PASSWORD), ("grant_type", "password"), ("scope", "")], 200),
            (&[("username", "ann"), ("password", "battery staple")], 401),
            (&[("username", "ann")], 422),
            (&[("username", "ann"), ("password", PASSWORD), ("admin", "yes")], 422),
            (&[("username", "ann"), ("username", "bob"), ("password", PASSWORD)], 422),
            (&[("username", "ann"), ("password", "nul\0")], 422),
            (&[("username", "ann"), ("password", &long)], 413),
        ] {
            let request = app.request(Method::POST, LOGIN).header("content-type", "multipart/form-data; boundary=seam");
            let answer = request.body(multipart(fields)).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{}", answer.text().await.unwrap());
        }
    }

    async fn an_invalid_range_is_ignored_and_a_huge_one_is_open_ended(app: TestApp) {
        let film = add_file(&app).await;
        let size = app.get(&film).await.content_length().unwrap();
        for (range, status, length) in [
            ("bytes=abc", 200, size),
            ("bytes=10-5", 200, size),
            ("pages=1-2", 200, size),
            ("bytes=0-99", 206, 100),
            ("bytes=-100", 206, 100),
            ("bytes=100-", 206, size - 100),
            ("bytes=100-9999999999999999999999", 206, size - 100),
        ] {
            let answer = app.request(Method::GET, &film).header("range", range).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.content_length()), (status, Some(length)), "{range}");
        }
        let beyond = app.request(Method::GET, &film).header("range", format!("bytes={size}-")).send().await.unwrap();
        assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    }

    async fn a_head_response_has_no_body_even_before_a_pipelined_request(app: TestApp) {
        let ask = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD /health HTTP/1.1\r\nHost: x\r\n\r\n\
                   GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answers = String::from_utf8(app.raw(ask.as_bytes())).unwrap();
        assert!(!answers.contains("<html") && answers.starts_with("HTTP/1.1 200 OK"), "{answers}");
        // The bytes after the first response are the second response.
        for rest in answers.split("\r\n\r\n").skip(1) {
            assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 200 OK") || rest == "{\"status\":\"healthy\"}", "{rest}");
        }
    }
}
