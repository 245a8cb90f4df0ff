//! Limits on memory and file descriptors.

use crate::program::Program;
use reqwest::{Client, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A number of `/proc/PID/status`, such as the peak memory in KiB.
pub fn state(program: &Program, name: &str) -> u64 {
    let state = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = state.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Sends a body of this many MiB and returns the status line.
fn send_large(program: &Program, head: &str, mebibytes: usize) -> String {
    let address = program.url("").replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    let length = mebibytes * 1024 * 1024;
    let mut answers = stream.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        let _ = answers.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    });
    let is_chunked = head.contains("chunked");
    let length_header = if is_chunked { String::new() } else { format!("content-length: {length}\r\n") };
    stream.write_all(format!("{head}host: x\r\n{length_header}\r\n").as_bytes()).unwrap();
    let letters = "a".repeat(1024 * 1024);
    let piece = if is_chunked { format!("100000\r\n{letters}\r\n") } else { letters };
    for _ in 0..mebibytes {
        if stream.write_all(piece.as_bytes()).is_err() {
            break;
        }
    }
    reader.join().unwrap()
}

#[test]
fn a_body_of_hundreds_of_mebibytes_takes_no_memory() {
    let program = Program::start();
    let form = "content-type: multipart/form-data; boundary=seam\r\n";
    send_large(&program, &format!("POST /api/v1/auth/login HTTP/1.1\r\n{form}"), 1);
    let before = state(&program, "VmHWM");
    for (head, status) in [
        (format!("POST /api/v1/auth/login HTTP/1.1\r\n{form}"), "413"),
        (format!("POST /api/v1/auth/login HTTP/1.1\r\n{form}transfer-encoding: chunked\r\n"), "413"),
        ("POST /api/v1/auth/register HTTP/1.1\r\ncontent-type: application/json\r\n".into(), "413"),
        ("GET /api/v1/videos HTTP/1.1\r\n".into(), "413"),
        ("GET /api/v1/videos HTTP/1.1\r\ntransfer-encoding: chunked\r\n".into(), "200"),
        ("DELETE /api/v1/users/me HTTP/1.1\r\ntransfer-encoding: chunked\r\n".into(), "401"),
        ("POST /nothing HTTP/1.1\r\ntransfer-encoding: chunked\r\n".into(), "404"),
    ] {
        let answer = send_large(&program, &head, 300);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
    }
    // The system counts in steps, so the peak may even be lower.
    let grown = state(&program, "VmHWM").saturating_sub(before);
    assert!(grown < 20 * 1024, "{grown} KiB more");
}

#[tokio::test]
async fn without_a_free_descriptor_a_stream_is_a_503_and_no_404() {
    let program = Program::start();
    program.create_user("ann");
    program.scan();
    // One connection, opened before the descriptors run out.
    let client = Client::new();
    let list = client.get(program.url("/api/v1/videos")).send().await.unwrap();
    let list: Value = list.json().await.unwrap();
    for name in ["stream_url", "thumbnail_path"] {
        let address = program.url(list[0][name].as_str().unwrap());
        let get = async || {
            let answer = client.get(&address).send().await.unwrap();
            (answer.status(), answer.headers().contains_key("retry-after"), answer.bytes().await.unwrap())
        };
        assert_eq!(get().await.0, StatusCode::OK);
        let server = Pid::from_raw(program.id().try_into().unwrap());
        let limit = |limit| prlimit(server, Resource::Nofile, limit).unwrap();
        let all = limit(rustix::process::getrlimit(Resource::Nofile));
        let is_open = |number: &u64| fs::symlink_metadata(format!("/proc/{}/fd/{number}", program.id())).is_ok();
        let mut attempts = 0;
        loop {
            let first_free = (0..).find(|number| !is_open(number)).unwrap();
            limit(Rlimit { current: Some(first_free), ..all });
            let (status, says_when, body) = get().await;
            limit(all);
            let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
            let answer = (status.as_u16(), says_when, problem["code"].as_str());
            if answer == (503, true, Some("file_unavailable")) {
                break;
            }
            // A background job has opened or closed something meanwhile.
            attempts += 1;
            assert!(status != StatusCode::NOT_FOUND && attempts < 20, "{answer:?}");
        }
        assert_eq!(get().await.0, StatusCode::OK);
    }
}

#[test]
fn the_server_raises_its_limit_of_descriptors() {
    let program = Program::start();
    let limits = fs::read_to_string(format!("/proc/{}/limits", program.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[3], words[4], "{line}");
}
