//! The address of the metrics, as an operator sets it.

use crate::program::{Program, run};
use std::net::TcpListener;

#[tokio::test]
async fn metrics_are_shown_at_their_own_address_only() {
    let mut program = Program::start_with(&[("METRICS_ADDRESS", "127.0.0.1:0")]);
    let named = || {
        let logged = program.logged.lock().unwrap();
        logged.iter().find_map(|line| line.split_once("its metrics are at ").map(|(_, url)| url.to_owned()))
    };
    let ready = reqwest::get(program.url("/health/ready")).await.unwrap();
    assert!(ready.status().is_success());
    let url = std::iter::repeat_with(named).flatten().next().unwrap();
    let shown = reqwest::get(&url).await.unwrap().text().await.unwrap();
    assert!(shown.contains("playhead_queue_limit_requests{queue=\"writes\"}"), "{shown}");
    assert!(shown.contains("process_resident_memory_bytes"), "{shown}");
    assert_eq!(reqwest::get(program.url("/metrics")).await.unwrap().status(), 404);
    program.signal("TERM");
    assert!(program.wait().success());
}

#[test]
fn an_address_of_metrics_that_is_in_use_stops_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let program = Program::new();
    let (started, said) = run(program.command(&[]).env("METRICS_ADDRESS", &address), "");
    assert!(!started && said.lines().count() == 1, "{said}");
    assert!(said.contains(&format!("METRICS_ADDRESS={address}")) && said.contains("choose another port"), "{said}");
    assert!(!program.folder.path().join("playhead.db").exists(), "nothing was begun");
}

#[test]
fn the_metrics_cannot_have_the_public_address() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let program = Program::new();
    let mut command = program.command(&[]);
    command.env("BIND_ADDRESS", &free).env("METRICS_ADDRESS", &free);
    let (started, said) = run(&mut command, "");
    assert!(!started && said.lines().count() == 1 && said.contains("METRICS_ADDRESS"), "{said}");
}
