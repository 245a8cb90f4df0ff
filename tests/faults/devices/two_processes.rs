//! Two processes of the program on one PostgreSQL and one Redis, and what happens to them.

use super::copy::HistoryCopy;
use super::device::DeviceHandle;
use crate::any;
use crate::databases::{Engine, TestDatabase};
use crate::program::{PASSWORD, Program};
use crate::redis_server::RedisServer;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

/// The videos that a story begins with.
const ENTRIES: usize = 8;

pub struct TwoProcesses {
    programs: [Program; 2],
    redis: RedisServer,
    /// Where the processes listen; a restarted one listens elsewhere.
    pub addresses: Arc<Mutex<[String; 2]>>,
    pub token: String,
    client: Client,
    videos: Vec<i64>,
    sessions: u64,
    // Dropped last.
    _database: TestDatabase,
}

/// What happens next.
#[derive(Debug)]
pub enum Step {
    Save { video: usize, position: u64, age_ms: Option<u64> },
    Forget { video: usize },
    ForgetMany,
    Mark { video: usize },
    Unmark { video: usize },
    Hide { video: usize },
    Clear,
    DeleteVideo { video: usize },
    ChangeDuration { video: usize, duration: u64 },
    CutDevice { device: usize },
    RestartProcess { process: usize },
    KillRedis,
    StartRedis,
    Wait { ms: u64 },
}

impl Step {
    /// A random step. Saves are the most frequent.
    pub fn any() -> Self {
        let video = usize::try_from(any(0..ENTRIES as u64)).unwrap();
        match any(0..40) {
            0 | 1 => Self::Forget { video },
            2 => Self::ForgetMany,
            3 => Self::Mark { video },
            4 => Self::Unmark { video },
            5 => Self::Hide { video },
            6 => Self::Clear,
            7 => Self::DeleteVideo { video },
            8 => Self::ChangeDuration { video, duration: any(100..1000) },
            9..12 => Self::CutDevice { device: usize::try_from(any(0..3)).unwrap() },
            12 => Self::RestartProcess { process: usize::try_from(any(0..2)).unwrap() },
            13 => Self::KillRedis,
            14 | 15 => Self::StartRedis,
            16..20 => Self::Wait { ms: any(1..60) },
            _ => Self::Save { video, position: any(1..600), age_ms: (any(0..4) == 0).then(|| any(1..2000)) },
        }
    }
}

impl TwoProcesses {
    pub async fn start() -> Self {
        crate::allow_many_files();
        let (mut programs, redis) = ([Program::new(), Program::new()], RedisServer::start());
        let database = TestDatabase::new(Engine::Postgres, programs[0].folder.path()).await;
        for program in &mut programs {
            let secret = "x".repeat(32);
            let settings = [
                ("DATABASE_URL", database.url.as_str()),
                ("JWT_SECRET", &secret),
                ("REDIS_URL", &redis.url()),
                ("WRITES_PER_MINUTE", "0"),
                ("ADDRESS_WRITES_PER_MINUTE", "0"),
            ];
            program.environment.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
            program.serve();
        }
        let addresses = Arc::new(Mutex::new([address_of(&programs[0]), address_of(&programs[1])]));
        let mut site = Self {
            programs,
            redis,
            addresses,
            token: String::new(),
            client: Client::new(),
            videos: Vec::new(),
            sessions: 0,
            _database: database,
        };
        site.sign_up().await;
        while site.videos.len() < ENTRIES {
            site.add_video().await;
        }
        site
    }

    async fn sign_up(&mut self) {
        let new = json!({"username": "ann", "email": "ann@example.org", "password": PASSWORD});
        self.ask(0, Method::POST, "auth/register", Some(new)).await.unwrap();
        let login = json!({"username": "ann", "password": PASSWORD});
        let pair = self.ask(0, Method::POST, "auth/login", Some(login)).await.unwrap();
        self.token = pair["access_token"].as_str().unwrap().to_owned();
    }

    async fn add_video(&mut self) {
        let new = json!({"title": "film", "duration": 600});
        let made = self.ask(0, Method::POST, "videos", Some(new)).await.unwrap();
        self.videos.push(made["id"].as_i64().unwrap());
    }

    /// The answer of one of the processes; `None` if it refuses, or is away.
    async fn ask(&self, process: usize, method: Method, path: &str, body: Option<Value>) -> Option<Value> {
        let address = self.addresses.lock().unwrap()[process].clone();
        let request = self.client.request(method, format!("http://{address}/api/v1/{path}")).bearer_auth(&self.token);
        let request = body.iter().fold(request, |request, body| request.json(body));
        let answer = request.timeout(Duration::from_secs(20)).send().await.ok()?;
        let status = answer.status();
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        if status.is_success() { Some(answer.json().await.unwrap_or_default()) } else { None }
    }

    pub async fn take(&mut self, step: Step, devices: &[DeviceHandle]) {
        let (get, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
        let of = |video: usize, path: &str| format!("videos/{}/{path}", self.videos[video]);
        let (method, path, body) = match step {
            Step::Save { video, position, age_ms } => {
                let (session, path) = (format!("player {}", self.sessions / 3), of(video, "watch-history"));
                self.sessions += 1;
                let save = json!({"watch_position": position, "session_id": session, "device": "Phone"});
                let mut save = save;
                if let Some(age_ms) = age_ms {
                    save["age_ms"] = age_ms.into();
                }
                (get, path, Some(save))
            }
            Step::Forget { video } => (delete, of(video, "watch-history"), None),
            Step::ForgetMany => (get, "watch-history/forget".to_owned(), Some(json!({"video_ids": self.videos[..3]}))),
            Step::Mark { video } => (put, of(video, "watched"), None),
            Step::Unmark { video } => (delete, of(video, "watched"), None),
            Step::Hide { video } => (put, of(video, "watch-history/hidden"), None),
            Step::Clear => (delete, "watch-history".to_owned(), None),
            Step::ChangeDuration { video, duration } => {
                (put, format!("videos/{}", self.videos[video]), Some(json!({"duration": duration})))
            }
            Step::DeleteVideo { video } => {
                let path = format!("videos/{}", self.videos.remove(video));
                self.ask(self.any_process(), delete, &path, None).await;
                return self.add_video().await;
            }
            Step::CutDevice { device } => return devices[device].cut(),
            Step::RestartProcess { process } => return self.restart(process),
            Step::KillRedis => return self.redis.kill(),
            Step::StartRedis => return self.start_redis(),
            Step::Wait { ms } => return sleep(Duration::from_millis(ms)).await,
        };
        self.ask(self.any_process(), method, &path, body).await;
    }

    fn any_process(&self) -> usize {
        usize::from(any(0..2) == 0)
    }

    fn restart(&mut self, process: usize) {
        self.programs[process].signal("KILL");
        self.programs[process].wait();
        self.programs[process].serve();
        self.addresses.lock().unwrap()[process] = address_of(&self.programs[process]);
    }

    fn start_redis(&mut self) {
        self.redis.kill();
        self.redis.start_again();
    }

    /// Starts what does not run.
    pub fn restore(&mut self) {
        self.start_redis();
    }

    /// The entries of the viewer, as the API shows them.
    pub async fn entries(&self) -> HistoryCopy {
        let mut copy = HistoryCopy::default();
        for entry in self.ask(0, Method::GET, "watch-history?limit=100", None).await.unwrap().as_array().unwrap() {
            let mut entry = entry.clone();
            entry.as_object_mut().unwrap().remove("video");
            copy.0.insert(entry["video_id"].as_i64().unwrap(), entry);
        }
        copy
    }
}

fn address_of(program: &Program) -> String {
    program.url("").split_off("http://".len())
}

/// A page of changes; `None` when the process is away, or the token has expired.
pub async fn get_changes(address: &str, token: &str, since: Option<&str>) -> Option<Value> {
    let since = since.map(|since| format!("&since={since}")).unwrap_or_default();
    get(address, token, &format!("watch-history/changes?limit=3{since}")).await
}

/// The answer of a process; `None` when it is away, or refuses.
pub async fn get(address: &str, token: &str, path: &str) -> Option<Value> {
    let request = Client::new().get(format!("http://{address}/api/v1/{path}")).bearer_auth(token);
    let answer = request.timeout(Duration::from_secs(20)).send().await.ok()?;
    if answer.status() == StatusCode::OK { answer.json().await.ok() } else { None }
}
