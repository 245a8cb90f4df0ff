//! The program's log and its access log.

use crate::program::{PASSWORD, Program};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Waits until `find` returns something for the lines of a log.
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
async fn the_access_log_counts_the_bytes_that_a_stream_really_sent() {
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
async fn the_access_log_is_off_by_default() {
    let program = Program::start();
    let answer = reqwest::get(program.url("/health")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(access_lines(&program), Vec::<String>::new());
}

#[test]
fn many_malformed_requests_write_few_log_lines() {
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

#[tokio::test]
async fn each_security_event_writes_one_line_without_a_secret() {
    let program = Program::start();
    program.create_user("ann");
    let (client, other) = (Client::new(), "another long passphrase");
    let post = |path: &str, body: Value| client.post(program.url(path)).json(&body).send();
    let sign_in = |name: &'static str, password: &'static str| {
        post("/api/v1/auth/login", json!({"username": name, "password": password}))
    };

    let bob = json!({"email": "bob@example.org", "username": "bob", "password": PASSWORD});
    post("/api/v1/auth/register", bob).await.unwrap();
    sign_in("nobody\nann", "a wrong guess").await.unwrap();
    let pair: Value = sign_in("bob", PASSWORD).await.unwrap().json().await.unwrap();
    let bob = pair["access_token"].as_str().unwrap().to_owned();
    let made = client.post(program.url("/api/v1/videos")).bearer_auth(&bob).json(&json!({"title": "Bob's"}));
    let video = made.send().await.unwrap().json::<Value>().await.unwrap()["id"].clone();
    let ann = program.token("ann").await;
    client.delete(program.url(&format!("/api/v1/videos/{video}"))).bearer_auth(&ann).send().await.unwrap();
    client.get(program.url("/api/v1/auth/me")).bearer_auth("no.such.token").send().await.unwrap();
    let me = |body: Value| client.patch(program.url("/api/v1/users/me")).bearer_auth(&bob).json(&body).send();
    me(json!({"password": other, "current_password": "a wrong guess"})).await.unwrap();
    me(json!({"password": other, "current_password": PASSWORD})).await.unwrap();
    post("/api/v1/auth/refresh", json!({"refresh_token": "nothing"})).await.unwrap();
    post("/api/v1/auth/logout", json!({"refresh_token": pair["refresh_token"]})).await.unwrap();
    let pair: Value = sign_in("bob", other).await.unwrap().json().await.unwrap();
    let bob = pair["access_token"].as_str().unwrap();
    let gone = client.delete(program.url("/api/v1/users/me")).bearer_auth(bob);
    let gone = gone.json(&json!({"current_password": other})).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);

    let id = gone.headers()["x-request-id"].to_str().unwrap().to_owned();
    let lines = wait_for(
        || program.logged.lock().unwrap().clone(),
        |lines| lines.iter().any(|line| line.contains(&id)).then(|| lines.to_vec()),
    );
    let lines: Vec<String> = lines.into_iter().filter(|line| line.contains(" security] ")).collect();
    for event in [
        r#"sign_up done account="bob""#,
        r#"sign_in wrong_credentials account="nobody\nann""#,
        r#"sign_in done account="ann""#,
        "foreign_video done account=1",
        "token unauthenticated account=unknown",
        "password_change wrong_password account=2",
        "password_change done account=2",
        "refresh wrong_refresh_token account=unknown",
        "sign_out done account=unknown",
        "account_deletion done account=2",
    ] {
        let of_event: Vec<_> = lines.iter().filter(|line| line.contains(event)).collect();
        assert_eq!(of_event.len(), 1, "{event}: {lines:#?}");
        assert!(of_event[0].contains(" address=127.0.0.1 request=0"), "{of_event:?}");
    }
    for line in lines {
        for secret in [PASSWORD, other, "a wrong guess", "no.such.token", pair["refresh_token"].as_str().unwrap()] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
