//! A process is killed after a commit that it has not published: the sockets of the others are told
//! to read the changes.

use crate::databases::{Engine, TestDatabase};
use crate::freezing_proxy::FreezingProxy;
use crate::program::Program;
use crate::redis_server::RedisServer;
use crate::{MACHINE, measure};
use futures_util::{SinkExt, StreamExt};
use reqwest::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How soon the sockets of the others hear of it.
const SOON: Duration = Duration::from_secs(5);

/// A live socket that says hello and is told what changed.
struct LiveSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    token: String,
    /// The change token of the last message that had one.
    since: Option<String>,
}

impl LiveSocket {
    async fn open(program: &Program, token: &str) -> Self {
        let address = program.url("/api/v1/live").replace("http://", "ws://");
        let (stream, _) = connect_async(address).await.unwrap();
        let mut socket = Self { stream, token: token.to_owned(), since: None };
        socket.say_hello().await;
        socket.next_of("ready").await;
        socket
    }

    async fn say_hello(&mut self) {
        let mut hello = json!({"type": "hello", "token": self.token});
        if let Some(since) = &self.since {
            hello["since"] = since.as_str().into();
        }
        self.stream.send(Message::text(hello.to_string())).await.unwrap();
    }

    /// The next message of this type. Others are skipped.
    async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let Message::Text(text) = self.stream.next().await.unwrap().unwrap() else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if let Some(token) = message["token"].as_str() {
                self.since = Some(token.to_owned());
            }
            if message["type"] == kind {
                return message;
            }
        }
    }
}

/// Two processes on one PostgreSQL. The second one reaches Redis through a proxy.
struct Site {
    programs: [Program; 2],
    proxy: FreezingProxy,
    token: String,
    video: i64,
    _redis: RedisServer,
    _database: TestDatabase,
}

impl Site {
    async fn start() -> Self {
        let (mut programs, redis) = ([Program::new(), Program::new()], RedisServer::start());
        let database = TestDatabase::new(Engine::Postgres, programs[0].folder.path()).await;
        let proxy = FreezingProxy::to(redis.url().strip_prefix("redis://").unwrap()).await;
        let ways = [redis.url(), format!("redis://{}", proxy.address)];
        for (program, redis) in programs.iter_mut().zip(ways) {
            let settings =
                [("DATABASE_URL", database.url.clone()), ("JWT_SECRET", "x".repeat(32)), ("REDIS_URL", redis)];
            program.environment.extend(settings.map(|(name, value)| (name.to_owned(), value)));
        }
        programs[0].serve();
        let mut site = Self { programs, proxy, token: String::new(), video: 0, _redis: redis, _database: database };
        site.programs[0].create_user("ann");
        site.token = site.programs[0].token("ann").await;
        let video = site.post(0, "videos", &json!({"title": "film", "duration": 600})).await;
        site.video = video["id"].as_i64().unwrap();
        site
    }

    async fn post(&self, process: usize, path: &str, body: &Value) -> Value {
        let url = self.programs[process].url(&format!("/api/v1/{path}"));
        let answer = Client::new().post(url).bearer_auth(&self.token).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// A process starts, saves this position while nothing of it reaches Redis, and is killed.
    async fn save_and_be_killed(&mut self, position: i64) {
        self.programs[1].serve();
        self.proxy.freeze();
        let path = format!("videos/{}/watch-history", self.video);
        let entry = self.post(1, &path, &json!({"watch_position": position})).await;
        assert_eq!(entry["watch_position"], position);
        self.programs[1].signal("KILL");
        self.programs[1].wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and redis-server"]
async fn the_last_commit_of_a_killed_process_is_told_by_the_others() {
    let _machine = MACHINE.lock().await;
    let mut site = Site::start().await;
    let mut socket = LiveSocket::open(&site.programs[0], &site.token).await;
    for round in 0..measure(10, 3) {
        site.save_and_be_killed(100 + round).await;
        let killed = Instant::now();
        timeout(SOON, socket.next_of("resync")).await.expect("the socket is told in time");
        println!("told {:?} after the kill", killed.elapsed());
        socket.say_hello().await;
        let told = timeout(SOON, socket.next_of("entry")).await.expect("the change is told");
        assert_eq!(told["entry"]["watch_position"], 100 + round);
    }
}
