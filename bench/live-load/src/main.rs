//! The load of `bench/live`: live sockets that listen, and connections that save.
//!
//! It opens one socket for each of the first users, prints `ready`, and then obeys lines on its
//! standard input: `save RATE SECONDS` sends so many saves a second, spread over the users, and
//! prints how late their messages came; `end` prints how the sockets were closed, and ends.

mod sockets;
mod watch;
mod writer;

use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use watch::Watch;

/// Connections that send saves. The saves of one user all go over one of them.
const WRITERS: usize = 32;
/// How long messages may take after the last save before they count as lost.
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main(worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, save, tokens, sockets, videos] = &arguments[..] else {
        panic!("live-load LISTEN_ADDRESSES SAVE_ADDRESS TOKEN_FILE SOCKETS VIDEOS");
    };
    let sockets: usize = sockets.parse().expect("a number of sockets");
    let videos: usize = videos.parse().expect("a number of videos");
    let tokens = std::fs::read_to_string(tokens).expect("a file of tokens");
    let tokens: Arc<[String]> = tokens.lines().take(sockets.max(1)).map(str::to_owned).collect();
    let addresses: Vec<String> = listen.split(',').map(str::to_owned).collect();
    let watches: Arc<[Watch]> = tokens.iter().map(|_| Watch::default()).collect();

    let began = Instant::now();
    let open = sockets::open_all(&addresses, &tokens[..sockets.min(tokens.len())], &watches).await;
    println!("{}", json!({"ready": open.len(), "seconds": began.elapsed().as_secs_f64()}));
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["save", rate, seconds] => {
                let (rate, seconds) = (rate.parse().expect("a rate"), seconds.parse().expect("seconds"));
                let sent = writer::save_all(save, &tokens, &watches, videos, rate, seconds, WRITERS).await;
                println!("{}", report(&sent, &watches).await);
            }
            ["end"] => break,
            _ => panic!("{line} is no command"),
        }
    }
    let (mut closes, last) = (BTreeMap::new(), tokio::time::Instant::now() + PATIENCE);
    for socket in open {
        let code = tokio::time::timeout_at(last, socket).await;
        *closes.entry(code.map_or("open".into(), |code| code.unwrap_or_default())).or_insert(0) += 1;
    }
    println!("{}", json!({"closes": closes}));
}

/// How late the messages came, in milliseconds after the answer of their save.
async fn report(sent: &writer::Sent, watches: &[Watch]) -> serde_json::Value {
    let began = Instant::now();
    while began.elapsed() < PATIENCE && watches.iter().any(|watch| watch.waiting() > 0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut late: Vec<f64> = watches.iter().flat_map(Watch::take_latencies).collect();
    let lost: usize = watches.iter().map(Watch::give_up).sum();
    late.sort_by(f64::total_cmp);
    let mut saves = sent.milliseconds.clone();
    saves.sort_by(f64::total_cmp);
    json!({
        "saves": saves.len(), "failed": sent.failed, "per_second": saves.len() as f64 / sent.seconds,
        "save_p50_ms": share(&saves, 0.5), "save_p99_ms": share(&saves, 0.99),
        "delivered": late.len(), "lost": lost, "messages": watches.iter().map(Watch::messages).sum::<u64>(),
        "p50_ms": share(&late, 0.5), "p99_ms": share(&late, 0.99), "max_ms": share(&late, 1.0),
    })
}

fn share(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * part) as usize).copied().unwrap_or(f64::NAN)
}
