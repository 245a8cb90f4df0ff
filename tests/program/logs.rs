//! What an operator reads: the log of the program and its access log.

use crate::program::{PASSWORD, Program};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Waits until `find` finds something in the lines of a log.
fn wait_for<T>(lines: impl Fn() -> Vec<String>, find: impl Fn(&[String]) -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        let lines = lines();
        if let Some(found) = find(&lines) {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "the log says {lines:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn access_lines(program: &Program) -> Vec<String> {
    std::fs::read_to_string(program.access_log()).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_access_log_has_a_json_line_for_each_request() {
    let program = Program::start_with(&[("ACCESS_LOG", "json")]);
    program.create_user("ann");
    program.scan();
    let token = program.token("ann").await;
    let save = Client::new().post(program.url("/api/v1/videos/1/watch-history")).bearer_auth(&token);
    let saved = save.json(&json!({"watch_position": 42})).send().await.unwrap();
    let id = saved.headers()["x-request-id"].to_str().unwrap().to_owned();
    let length = saved.text().await.unwrap().len();

    let line = wait_for(|| access_lines(&program), |lines| lines.iter().find(|line| line.contains(&id)).cloned());
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["method"], &line["status"]), (&json!("POST"), &json!(200)));
    assert_eq!(line["path"], "/api/v1/videos/1/watch-history");
    assert_eq!((&line["address"], &line["user"]), (&json!("127.0.0.1"), &json!(1)));
    assert_eq!((&line["bytes"], &line["request_id"]), (&json!(length), &json!(id)));
    assert!(line["milliseconds"].as_f64().unwrap() > 0.0 && line["time"].as_str().unwrap().ends_with('Z'), "{line}");
    for line in access_lines(&program) {
        assert!(serde_json::from_str::<Value>(&line).is_ok() && !line.contains(PASSWORD), "{line}");
    }
}

#[tokio::test]
async fn the_access_log_counts_the_bytes_of_a_stream_that_really_left() {
    let program = Program::start_with(&[("ACCESS_LOG", "text")]);
    program.create_user("ann");
    program.scan();
    let part = Client::new().get(program.url("/api/v1/videos/1/stream")).header("Range", "bytes=0-99");
    assert_eq!(part.send().await.unwrap().bytes().await.unwrap().len(), 100);
    Client::new().head(program.url("/api/v1/videos/1/stream")).send().await.unwrap();
    wait_for(
        || access_lines(&program),
        |lines| {
            let part = lines
                .iter()
                .any(|line| line.contains(" - GET /api/v1/videos/1/stream 206 ") && line.contains(" 100B "));
            let head =
                lines.iter().any(|line| line.contains(" HEAD /api/v1/videos/1/stream 200 ") && line.contains(" 0B "));
            (part && head).then_some(())
        },
    );
}

#[tokio::test]
async fn without_a_wish_for_it_there_is_no_access_log() {
    let program = Program::start();
    let answer = reqwest::get(program.url("/health")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(access_lines(&program), Vec::<String>::new());
}

#[test]
fn a_flood_of_malformed_requests_makes_few_lines() {
    let program = Program::start();
    let address = program.url("").replace("http://", "");
    let begun = Instant::now();
    for _ in 0..2000 {
        let mut connection = TcpStream::connect(&address).unwrap();
        connection.write_all(b"NO HTTP AT ALL\0\r\n\r\n").unwrap();
        let _ = connection.read(&mut [0; 64]);
    }
    let seconds = begun.elapsed().as_secs() as usize;
    let lines = program.logged.lock().unwrap().clone();
    assert!((1..=12 + seconds).contains(&lines.len()), "{} lines in {seconds} s: {lines:#?}", lines.len());
}
