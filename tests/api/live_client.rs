//! A client of live sockets.

use crate::app::{Person, TestApp};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Response;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a test waits for a message. It comes sooner, or never.
const PATIENCE: Duration = Duration::from_secs(10);

/// A live socket, as a program opens it.
pub struct LiveClient {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The change token of the last message that had one.
    pub token: String,
}

/// How the server closed a socket.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    /// The code of the close frame.
    pub status: u16,
    /// The code of the error message before it.
    pub code: String,
}

/// Shorthand for [`Closed`].
pub fn closed(status: u16, code: &str) -> Closed {
    Closed { status, code: code.to_owned() }
}

impl TestApp {
    /// Opens a live socket with these headers.
    pub async fn open_live(&self, headers: &[(&'static str, &str)]) -> Result<LiveClient, Response<Option<Vec<u8>>>> {
        let mut request = format!("ws://{}/api/v1/live", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((stream, _)) => Ok(LiveClient { stream, token: String::new() }),
            Err(Error::Http(response)) => Err(*response),
            Err(error) => panic!("no connection: {error}"),
        }
    }

    /// Opens a live socket and says nothing.
    pub async fn silent_live(&self) -> LiveClient {
        self.open_live(&[("sec-websocket-protocol", "playhead.v1")]).await.unwrap()
    }

    /// Opens a live socket of `person` and waits until it is ready.
    pub async fn live(&self, person: &Person) -> LiveClient {
        let mut client = self.silent_live().await;
        client.hello(&person.token, None).await;
        assert_eq!(client.next().await["type"], "ready");
        client
    }
}

impl LiveClient {
    pub async fn send(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    pub async fn hello(&mut self, token: &str, since: Option<&str>) {
        let mut hello = json!({"type": "hello", "token": token});
        if let Some(since) = since {
            hello["since"] = since.into();
        }
        self.send(Message::text(hello.to_string())).await;
    }

    /// The next frame that is no ping; `None` at the end of the connection.
    pub async fn frame(&mut self) -> Option<Message> {
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("a message or the end") {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next message.
    pub async fn next(&mut self) -> Value {
        let frame = self.frame().await.expect("a message");
        let message: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
        if let Some(token) = message["token"].as_str() {
            self.token = token.to_owned();
        }
        message
    }

    /// The next message, which has this type.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        let message = self.next().await;
        assert_eq!(message["type"], kind, "{message}");
        message
    }

    /// How the server closes. Other messages before that are skipped.
    pub async fn closing(&mut self) -> Closed {
        let mut code = String::new();
        loop {
            match self.frame().await.expect("a close frame") {
                Message::Close(frame) => return Closed { status: frame.unwrap().code.into(), code },
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == "error" {
                        assert!(!message["detail"].as_str().unwrap().is_empty());
                        code = message["code"].as_str().unwrap().to_owned();
                    }
                }
                other => panic!("the server sent {other}"),
            }
        }
    }

    /// Fails when there is a message before `other` has one, which happens later.
    pub async fn is_quiet(&mut self) -> bool {
        timeout(Duration::from_millis(300), self.stream.next()).await.is_err()
    }
}
