//! Events between processes, through a Redis that comes and goes.

use crate::app::{Person, SECRET, TestApp, TestOptions, history};
use crate::databases::Engine;
use crate::redis_server::RedisServer;
use reqwest::Method;
use serde_json::{Value, json};
use service::Database;
use service::auth::Tokens;
use service::progress::ProgressRules;
use service::relay::{EventRelay, RedisAddress, RelayedChange};
use service::storage::{Durability, Event};
use service::watch_history::{self, History, Save};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Another process on the same database and the same Redis.
struct Process {
    db: Database,
    history: History,
    relay: EventRelay,
    heard: Arc<Mutex<Vec<RelayedChange>>>,
}

impl Process {
    /// Starts it and waits until Redis is connected.
    async fn start(app: &TestApp, redis: &RedisServer) -> Self {
        let db = Database::connect(&app.database.url, Durability::Normal).await.unwrap();
        let history = History::open(&db, ProgressRules::default(), None).unwrap();
        let (address, tokens) = (RedisAddress::parse(&redis.url()).unwrap(), Tokens::new(SECRET, Duration::MAX));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let receive = {
            let heard = heard.clone();
            move |change| heard.lock().unwrap().push(change)
        };
        let relay = EventRelay::start(address, &db, &tokens, receive);
        let process = Self { db, history, relay, heard };
        wait_until("Redis is connected", || process.relay.status().is_connected()).await;
        process.wait_for(&RelayedChange::Missed).await;
        process.forget_heard();
        process
    }

    async fn save(&self, app: &TestApp, person: &Person, video: i64) {
        let save: Save = serde_json::from_value(json!({"watch_position": 60})).unwrap();
        let begun = Instant::now();
        watch_history::save(&self.history, person.id, video, save, app.now()).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "a save waits for nothing but the database");
    }

    fn has_heard(&self, change: &RelayedChange) -> bool {
        self.heard.lock().unwrap().contains(change)
    }

    fn forget_heard(&self) {
        self.heard.lock().unwrap().clear();
    }

    async fn wait_for(&self, change: &RelayedChange) {
        wait_until(&format!("{change:?} is heard"), || self.has_heard(change)).await;
    }
}

/// Waits for at most five seconds, as long as the contract allows.
async fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(Duration::from_secs(5), waiting).await.is_ok(), "not in time: {what}");
}

fn changed(person: &Person, video_id: i64) -> RelayedChange {
    RelayedChange::Event(Event::EntryChanged { user_id: person.id, video_id })
}

async fn redis_health(app: &TestApp) -> Value {
    let health = app.get("/health/ready").await;
    assert_eq!(health.status(), 200);
    health.json::<Value>().await.unwrap()["redis"].clone()
}

async fn wait_for_health(app: &TestApp, expected: &str) {
    let waiting = async {
        while redis_health(app).await != expected {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(Duration::from_secs(5), waiting).await.is_ok(), "not in time: Redis is {expected}");
}

with_redis! {
    async fn what_one_process_commits_is_heard_by_the_other_one(app: TestApp, redis: RedisServer) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        let other = Process::start(&app, &redis).await;
        app.save(&bob, film, 60).await;
        other.wait_for(&changed(&bob, film)).await;
        other.forget_heard();
        app.ask(&bob, Method::DELETE, &history(film), None).await;
        other.wait_for(&changed(&bob, film)).await;
        app.ask(&bob, Method::DELETE, "/api/v1/watch-history", None).await;
        app.ask(&bob, Method::PATCH, "/api/v1/users/me/preferences", Some(json!({"history": "positions"}))).await;
        app.ask(&ann, Method::DELETE, &format!("/api/v1/videos/{film}"), None).await;
        app.leave(&bob).await;
        for event in [
            Event::PreferencesChanged { user_id: bob.id },
            Event::VideoDeleted { video_id: film, user_id: ann.id },
            Event::UserDeleted { user_id: bob.id },
        ] {
            other.wait_for(&RelayedChange::Event(event)).await;
        }
        let is_clear = |change: &RelayedChange| {
            matches!(change, RelayedChange::Event(Event::HistoryCleared { user_id, .. }) if *user_id == bob.id)
        };
        wait_until("the clear is heard", || other.heard.lock().unwrap().iter().any(is_clear)).await;
    }

    async fn a_process_does_not_hear_itself(app: TestApp, redis: RedisServer) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (one, other) = (Process::start(&app, &redis).await, Process::start(&app, &redis).await);
        one.save(&app, &ann, film).await;
        other.wait_for(&changed(&ann, film)).await;
        other.save(&app, &ann, film).await;
        // Messages come in their order: the own one would have been heard before.
        one.wait_for(&changed(&ann, film)).await;
        assert_eq!(one.heard.lock().unwrap().len(), 1);
    }

    async fn many_saves_are_few_messages_and_none_is_lost(app: TestApp, redis: RedisServer) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 500).await;
        let (one, other) = (Process::start(&app, &redis).await, Process::start(&app, &redis).await);
        let before = redis.published();
        let save: Save = serde_json::from_value(json!({"watch_position": 60})).unwrap();
        let saves = films.iter().map(|film| (*film, save.clone())).collect();
        watch_history::save_all(&one.history, ann.id, saves, app.now()).await.unwrap();
        let expected = BTreeSet::from_iter(films);
        let heard = || {
            let heard = other.heard.lock().unwrap();
            let videos = heard.iter().filter_map(|change| match change {
                RelayedChange::Event(Event::EntryChanged { video_id, .. }) => Some(*video_id),
                _ => None,
            });
            BTreeSet::from_iter(videos) == expected
        };
        wait_until("all saves are heard", heard).await;
        let published = redis.published() - before;
        assert!(published < 100, "{published} messages for 500 saves");
    }

    async fn after_redis_was_away_all_processes_are_told(app: TestApp, redis: RedisServer) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (one, other) = (Process::start(&app, &redis).await, Process::start(&app, &redis).await);
        wait_for_health(&app, "connected").await;
        redis.kill();
        one.save(&app, &ann, film).await;
        wait_for_health(&app, "away").await;
        assert!(!other.has_heard(&changed(&ann, film)));
        other.forget_heard();
        redis.start_again();
        other.wait_for(&RelayedChange::Missed).await;
        wait_for_health(&app, "connected").await;
        wait_until("both are connected", || one.relay.status().is_connected() && other.relay.status().is_connected()).await;
        other.forget_heard();
        one.save(&app, &ann, film).await;
        other.wait_for(&changed(&ann, film)).await;
    }

    async fn a_frozen_redis_delays_no_save_and_is_used_again_when_it_wakes(app: TestApp, redis: RedisServer) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (one, other) = (Process::start(&app, &redis).await, Process::start(&app, &redis).await);
        redis.signal("STOP");
        wait_for_health(&app, "away").await;
        for _ in 0..50 {
            one.save(&app, &ann, film).await;
        }
        wait_until("it is noticed", || !one.relay.status().is_connected()).await;
        other.forget_heard();
        redis.signal("CONT");
        other.wait_for(&RelayedChange::Missed).await;
        wait_until("both are connected", || one.relay.status().is_connected() && other.relay.status().is_connected()).await;
        other.forget_heard();
        one.save(&app, &ann, film).await;
        other.wait_for(&changed(&ann, film)).await;
        wait_for_health(&app, "connected").await;
    }

    async fn a_process_that_vanishes_may_have_left_something_unpublished(app: TestApp, redis: RedisServer) {
        let ann = app.sign_up("ann").await;
        let (one, other) = (Process::start(&app, &redis).await, Process::start(&app, &redis).await);
        let (leaving, vanishing) = (Process::start(&app, &redis).await, Process::start(&app, &redis).await);
        other.forget_heard();
        for process in [&leaving, &vanishing] {
            let film = app.add_video(&ann, "film", Some(600)).await;
            process.save(&app, &ann, film).await;
            other.wait_for(&changed(&ann, film)).await;
        }
        leaving.relay.close().await;
        leaving.db.close().await;
        assert!(!other.has_heard(&RelayedChange::Missed));
        drop(vanishing.relay);
        other.wait_for(&RelayedChange::Missed).await;
        drop(one);
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn health_names_redis_only_where_it_is_used() {
    let app = TestApp::start(Engine::Sqlite).await;
    assert_eq!(app.get("/health/ready").await.json::<Value>().await.unwrap(), json!({"status": "healthy"}));
    let options = TestOptions { redis_url: Some("redis://127.0.0.1:1".into()), ..TestOptions::default() };
    let app = TestApp::start_with(Engine::Sqlite, options).await;
    assert_eq!(redis_health(&app).await, "away");
    assert_eq!(app.get("/health/live").await.json::<Value>().await.unwrap(), json!({"status": "healthy"}));
}
