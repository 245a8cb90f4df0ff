//! A device: it keeps a live socket to one of the processes, and comes back when it is cut off.

use super::copy::HistoryCopy;
use super::two_processes::{TwoProcesses, get, get_changes};
use crate::any;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How a device learns what it missed while it was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// By its change token.
    ByToken,
    /// By the time of the last change that it knows, as many programs do.
    ByTime,
}

/// What the story knows of a device.
pub struct DeviceHandle {
    copy: Arc<Mutex<HistoryCopy>>,
    /// Cuts the connection.
    cut: Arc<Notify>,
    task: JoinHandle<()>,
}

impl DeviceHandle {
    /// Cuts the connection of the device.
    pub fn cut(&self) {
        self.cut.notify_one();
    }

    /// The copy of the device, as soon as it equals the database, or as it is after a while.
    pub async fn catch_up_with(self, site: &TwoProcesses, patience: Duration) -> HistoryCopy {
        let begun = Instant::now();
        loop {
            let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if copy == site.entries().await || begun.elapsed() > patience {
                self.task.abort();
                return copy;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The state of a device, in its own task.
pub struct Device {
    addresses: Arc<Mutex<[String; 2]>>,
    access_token: String,
    change_token: Option<String>,
    catch_up: CatchUp,
    copy: Arc<Mutex<HistoryCopy>>,
    cut: Arc<Notify>,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Device {
    /// Starts a device without a copy.
    pub fn start(site: &TwoProcesses, number: usize, catch_up: CatchUp) -> DeviceHandle {
        let (copy, cut) = (Arc::default(), Arc::new(Notify::new()));
        let device = Self {
            addresses: site.addresses.clone(),
            access_token: site.token.clone(),
            change_token: None,
            catch_up,
            copy: Arc::clone(&copy),
            cut: cut.clone(),
        };
        DeviceHandle { copy, cut, task: tokio::spawn(device.run(number)) }
    }

    async fn run(mut self, number: usize) {
        let mut process = number;
        loop {
            let address = self.addresses.lock().unwrap()[process % 2].clone();
            let cut = self.cut.clone();
            tokio::select! {
                // It ends when the process is away, or closes the socket.
                _ = self.visit(&address) => {}
                () = cut.notified() => {}
            }
            process += usize::from(any(0..2) == 0);
            sleep(Duration::from_millis(any(5..50))).await;
        }
    }

    /// Keeps a socket to the process at this address.
    async fn visit(&mut self, address: &str) -> Option<()> {
        if self.change_token.is_none() {
            self.read_all(address).await?;
        } else if self.catch_up == CatchUp::ByTime {
            self.read_newer(address).await?;
        }
        let mut socket = open(address).await?;
        self.say_hello(&mut socket).await?;
        let mut is_ready = false;
        loop {
            let message = next(&mut socket).await?;
            match message["type"].as_str()? {
                "ready" => is_ready = true,
                // The change token is too old: what the device has is no good.
                "resync" if !is_ready => {
                    self.change_token = None;
                    return None;
                }
                "resync" => {
                    is_ready = false;
                    self.say_hello(&mut socket).await?;
                    continue;
                }
                "error" => return None,
                _ => self.apply(&message),
            }
            if let Some(token) = message["token"].as_str() {
                self.change_token = Some(token.to_owned());
            }
        }
    }

    async fn say_hello(&mut self, socket: &mut Socket) -> Option<()> {
        let since = self.change_token.as_ref().filter(|_| self.catch_up == CatchUp::ByToken);
        let hello = json!({"type": "hello", "token": self.access_token, "since": since});
        socket.send(Message::text(hello.to_string())).await.ok()
    }

    /// Forgets the copy, and reads the whole history.
    async fn read_all(&mut self, address: &str) -> Option<()> {
        let (mut all, mut since) = (HistoryCopy::default(), None);
        loop {
            let page = get_changes(address, &self.access_token, since.as_deref()).await?;
            page["changes"].as_array()?.iter().for_each(|change| all.apply(change));
            since = Some(page["token"].as_str()?.to_owned());
            if page["more"] == false {
                break;
            }
        }
        *self.copy.lock().unwrap() = all;
        self.change_token = since;
        Some(())
    }

    /// Reads the entries that were changed after the newest one of the copy.
    async fn read_newer(&self, address: &str) -> Option<()> {
        let known = self.copy.lock().unwrap().clone();
        let newest = known.0.values().filter_map(|entry| entry["updated_at"].as_str()).max().unwrap_or_default();
        let entries = get(address, &self.access_token, "watch-history?limit=100").await?;
        let is_newer = |entry: &&Value| entry["updated_at"].as_str() > Some(newest);
        for entry in entries.as_array()?.iter().filter(is_newer) {
            let mut entry = entry.clone();
            entry.as_object_mut()?.remove("video");
            self.apply(&json!({"type": "entry", "entry": entry}));
        }
        Some(())
    }

    fn apply(&self, message: &Value) {
        self.copy.lock().unwrap().apply(message);
    }
}

async fn open(address: &str) -> Option<Socket> {
    let mut request = format!("ws://{address}/api/v1/live").into_client_request().ok()?;
    request.headers_mut().insert("sec-websocket-protocol", "playhead.v1".parse().ok()?);
    let opened = timeout(Duration::from_secs(5), connect_async(request)).await.ok()?;
    opened.ok().map(|(socket, _)| socket)
}

/// The next message; `None` at the end of the connection.
async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => return serde_json::from_str(&text).ok(),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}
