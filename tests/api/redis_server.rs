//! A Redis of a test's own, which the test may kill.

use api::LiveHub;
use service::Database;
use service::auth::Tokens;
use service::relay::{EventRelay, RedisAddress};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Connects the live sockets of a server with those of others, if there is an address of Redis.
pub fn start_relay(url: Option<String>, db: &Database, tokens: &Tokens, live: &LiveHub) -> Option<EventRelay> {
    let (address, live) = (RedisAddress::parse(&url?).unwrap(), live.clone());
    Some(EventRelay::start(address, db, tokens, move |change| live.receive(change)))
}

/// A Redis server on a free port. It is killed when this is dropped.
pub struct RedisServer {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { port, folder: tempfile::tempdir().unwrap(), process: None };
        server.start_again();
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it on the same port, with nothing of what it knew.
    pub fn start_again(&mut self) {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        command.arg(self.folder.path()).stdout(Stdio::null());
        self.process = Some(command.spawn().expect("redis-server is installed"));
        let begun = Instant::now();
        while !self.try_command("PING").is_some_and(|answer| answer.starts_with("+PONG")) {
            assert!(begun.elapsed() < Duration::from_secs(10), "Redis does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let id = self.process.as_ref().expect("Redis runs").id();
        assert!(Command::new("sh").args(["-c", &format!("kill -s {name} {id}")]).status().unwrap().success());
    }

    /// How many messages were published.
    pub fn published(&self) -> usize {
        let stats = self.try_command("INFO commandstats").expect("Redis answers");
        let calls = stats.split("cmdstat_publish:calls=").nth(1).and_then(|calls| calls.split(',').next());
        calls.map_or(0, |calls| calls.parse().unwrap())
    }

    fn try_command(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
