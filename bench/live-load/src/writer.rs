//! The connections that save.

use crate::watch::Watch;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the writers did.
pub struct Sent {
    /// How long each save took.
    pub milliseconds: Vec<f64>,
    pub failed: usize,
    pub seconds: f64,
}

/// Sends `rate` saves a second for so many seconds, as far as the server answers them.
pub async fn save_all(
    address: &str,
    tokens: &Arc<[String]>,
    watches: &Arc<[Watch]>,
    videos: usize,
    rate: f64,
    seconds: f64,
    writers: usize,
) -> Sent {
    let began = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (address, tokens, watches) = (address.to_owned(), tokens.clone(), watches.clone());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(&address).await.expect("a connection");
                stream.set_nodelay(true).expect("a socket");
                let users: Vec<usize> = (writer..tokens.len()).step_by(writers).collect();
                let pause = Duration::from_secs_f64(writers as f64 / rate);
                let (mut milliseconds, mut failed) = (Vec::new(), 0);
                // The marks of a later run go on where those of an earlier one ended.
                let first = began_at_second();
                let mut due = began + pause.mul_f64(writer as f64 / writers as f64);
                for n in 0_u64.. {
                    if users.is_empty() || began.elapsed().as_secs_f64() >= seconds {
                        break;
                    }
                    tokio::time::sleep_until(due.into()).await;
                    due = (due + pause).max(Instant::now() - pause);
                    let user = users[n as usize % users.len()];
                    let mark = first + n / users.len() as u64;
                    let sent = Instant::now();
                    if save(&mut stream, &address, &tokens[user], user % videos + 1, mark).await {
                        watches[user].saved(mark);
                        milliseconds.push(sent.elapsed().as_secs_f64() * 1000.0);
                    } else {
                        failed += 1;
                    }
                }
                (milliseconds, failed)
            })
        })
        .collect();
    let (mut milliseconds, mut failed) = (Vec::new(), 0);
    for task in tasks {
        let (more, failures) = task.await.expect("a writer ends");
        milliseconds.extend(more);
        failed += failures;
    }
    Sent { milliseconds, failed, seconds: began.elapsed().as_secs_f64() }
}

/// A mark that grows with time.
fn began_at_second() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    (now % 100_000) * 10_000
}

/// Sends a save and reads its answer; false if it is not 200.
async fn save(stream: &mut TcpStream, host: &str, token: &str, video: usize, mark: u64) -> bool {
    // The time watched only grows, so it tells one save from another.
    let body = format!("{{\"watch_position\":{},\"watch_duration\":{mark}}}", 6 + mark % 50);
    let request = format!(
        "POST /api/v1/videos/{video}/watch-history HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    if stream.write_all(request.as_bytes()).await.is_err() {
        return false;
    }
    let mut answer = Vec::with_capacity(2048);
    loop {
        match stream.read_buf(&mut answer).await {
            Ok(0) | Err(_) => return false,
            Ok(_) if is_complete(&answer) => return answer.starts_with(b"HTTP/1.1 200"),
            Ok(_) => {}
        }
    }
}

fn is_complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.to_ascii_lowercase().split_once("content-length: ").map(|(_, rest)| rest.to_owned());
    let length = length.and_then(|rest| rest.split("\r\n").next().and_then(|length| length.parse::<usize>().ok()));
    body.len() >= length.unwrap_or(0)
}
