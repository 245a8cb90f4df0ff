//! The sockets that listen.

use crate::watch::Watch;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Sockets that connect at the same time.
const CONNECTING: usize = 64;

/// Opens a socket for each token and waits until all are ready. A handle ends with its socket, with
/// the code of its close frame.
pub async fn open_all(addresses: &[String], tokens: &[String], watches: &Arc<[Watch]>) -> Vec<JoinHandle<String>> {
    let permits = Arc::new(Semaphore::new(CONNECTING));
    let mut opening = Vec::new();
    for (user, token) in tokens.iter().enumerate() {
        let address = addresses[user % addresses.len()].clone();
        let permit = permits.clone().acquire_owned().await.expect("it is not closed");
        let (ready, is_ready) = oneshot::channel();
        let (token, watches) = (token.clone(), watches.clone());
        let socket = tokio::spawn(async move { listen(&address, &token, &watches[user], ready).await });
        opening.push(tokio::spawn(async move {
            let _permit = permit;
            is_ready.await.expect("a socket is ready");
            socket
        }));
    }
    let mut open = Vec::new();
    for socket in opening {
        open.push(socket.await.expect("it connects"));
    }
    open
}

async fn listen(address: &str, token: &str, watch: &Watch, ready: oneshot::Sender<()>) -> String {
    let config = WebSocketConfig::default().read_buffer_size(2048).write_buffer_size(0);
    let url = format!("ws://{address}/api/v1/live");
    let (mut stream, _) = connect_async_with_config(url, Some(config), true).await.expect("a connection");
    let hello = json!({"type": "hello", "token": token}).to_string();
    stream.send(Message::text(hello)).await.expect("a hello is sent");
    let mut ready = Some(ready);
    while let Some(Ok(message)) = stream.next().await {
        match message {
            Message::Text(text) if text.starts_with(r#"{"type":"entry""#) => {
                watch.heard(number_after(&text, r#""watch_duration":"#));
            }
            Message::Text(text) if text.starts_with(r#"{"type":"ready""#) => {
                if let Some(ready) = ready.take() {
                    let _ = ready.send(());
                }
            }
            Message::Close(frame) => {
                return frame.map_or("none".into(), |frame| u16::from(frame.code).to_string());
            }
            _ => {}
        }
    }
    "broken".into()
}

fn number_after(text: &str, name: &str) -> u64 {
    let digits = text.split_once(name).map_or("", |(_, rest)| rest);
    digits.split(|letter: char| !letter.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
