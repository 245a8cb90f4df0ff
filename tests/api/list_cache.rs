//! Lists that processes share in a Redis that comes and goes.

use crate::app::{Person, SECRET, TestApp};
use crate::redis_server::RedisServer;
use reqwest::Method;
use serde_json::json;
use service::auth::Tokens;
use service::progress::ProgressRules;
use service::relay::RedisAddress;
use service::storage::{Database, Durability};
use service::watch_history::{self, History, Save, edit};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// A process that shares its lists.
struct Process {
    db: Database,
    history: History,
    /// How many statements read lists from the database.
    statements: Arc<AtomicUsize>,
}

impl Process {
    async fn start(app: &TestApp, redis: &RedisServer) -> Self {
        let statements = Arc::new(AtomicUsize::new(0));
        let mut db = Database::connect(&app.database.url, Durability::Normal).await.unwrap();
        let counted = statements.clone();
        db.observe(move |sql| {
            if sql.contains("\"watched_hour\" DESC") {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        let (address, tokens) = (RedisAddress::parse(&redis.url()).unwrap(), Tokens::new(SECRET, Duration::MAX));
        let history = History::open_with_list_cache(&db, ProgressRules::default(), None, address, &tokens).unwrap();
        Self { db, history, statements }
    }

    async fn save(&self, app: &TestApp, person: &Person, video: i64, position: i32) {
        let save: Save = serde_json::from_value(json!({"watch_position": position})).unwrap();
        watch_history::save(&self.history, person.id, video, save, app.now()).await.unwrap();
    }

    /// The position in the first entry of the list.
    async fn listed(&self, app: &TestApp, person: &Person) -> i32 {
        let list = watch_history::continue_watching(&self.history, person.id, 10, None, app.now()).await.unwrap();
        list.first().map_or(0, |item| item.watch_position)
    }

    /// Whether a list comes from Redis.
    async fn is_from_redis(&self, app: &TestApp, person: &Person) -> bool {
        let before = self.statements.load(Ordering::Relaxed);
        self.listed(app, person).await;
        self.statements.load(Ordering::Relaxed) == before
    }

    async fn wait_for_redis(&self, app: &TestApp, person: &Person) {
        let begun = Instant::now();
        while !self.is_from_redis(app, person).await {
            assert!(begun.elapsed() < Duration::from_secs(15), "lists never come from Redis");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Two processes, and a viewer whose list both take from Redis.
async fn two_processes(app: &TestApp, redis: &RedisServer) -> ([Process; 2], Person, i64) {
    let ann = app.sign_up("ann").await;
    let film = app.add_video(&ann, "film", Some(100_000)).await;
    let processes = [Process::start(app, redis).await, Process::start(app, redis).await];
    processes[0].save(app, &ann, film, 1).await;
    for process in &processes {
        process.wait_for_redis(app, &ann).await;
    }
    (processes, ann, film)
}

/// Saves in one process and lists in both, again and again, while others list too.
async fn save_and_list(app: &TestApp, [here, there]: &[Process; 2], ann: &Person, film: i64, saves: i32) {
    let first = here.listed(app, ann).await;
    for position in first + 1..=first + saves {
        let begun = Instant::now();
        here.save(app, ann, film, position).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "a save waits no longer");
        let (one, two, three) = tokio::join!(there.listed(app, ann), here.listed(app, ann), there.listed(app, ann));
        assert_eq!([one, two, three], [position; 3]);
    }
}

with_redis! {
    async fn a_list_in_redis_is_never_older_than_an_answered_save(app: TestApp, redis: RedisServer) {
        let (processes, ann, film) = two_processes(&app, &redis).await;
        save_and_list(&app, &processes, &ann, film, 300).await;
        let [here, there] = &processes;
        for process in &processes {
            process.wait_for_redis(&app, &ann).await;
        }
        // What is not a save.
        let (now, rules) = (app.now(), ProgressRules::default());
        let by_ann = edit::Edit { user_id: ann.id, rules, history_max_days: None, now };
        here.db.transaction(async |tx| edit::hide(tx, &by_ann, film, edit::Hiding::default()).await).await.unwrap();
        assert_eq!(there.listed(&app, &ann).await, 0);
        here.save(&app, &ann, film, 70).await;
        assert_eq!(there.listed(&app, &ann).await, 70);
        watch_history::forget(&here.history, ann.id, film, app.now()).await.unwrap();
        assert_eq!(there.listed(&app, &ann).await, 0);
    }

    async fn lists_are_right_while_redis_is_killed_and_back(app: TestApp, redis: RedisServer) {
        let (processes, ann, film) = two_processes(&app, &redis).await;
        redis.kill();
        save_and_list(&app, &processes, &ann, film, 30).await;
        redis.start_again();
        save_and_list(&app, &processes, &ann, film, 30).await;
        for process in &processes {
            process.wait_for_redis(&app, &ann).await;
        }
        save_and_list(&app, &processes, &ann, film, 30).await;
    }

    async fn lists_are_right_while_redis_is_frozen_and_wakes(app: TestApp, redis: RedisServer) {
        let (processes, ann, film) = two_processes(&app, &redis).await;
        for _ in 0..2 {
            redis.signal("STOP");
            save_and_list(&app, &processes, &ann, film, 5).await;
            redis.signal("CONT");
            save_and_list(&app, &processes, &ann, film, 30).await;
        }
        for process in &processes {
            process.wait_for_redis(&app, &ann).await;
        }
        save_and_list(&app, &processes, &ann, film, 30).await;
    }

    async fn a_deleted_video_leaves_lists_in_redis_within_a_second(app: TestApp, redis: RedisServer) {
        let ([here, there], ann, film) = two_processes(&app, &redis).await;
        app.ask(&ann, Method::DELETE, &format!("/api/v1/videos/{film}"), None).await;
        let begun = Instant::now();
        while here.listed(&app, &ann).await + there.listed(&app, &ann).await > 0 {
            assert!(begun.elapsed() < Duration::from_secs(1));
            sleep(Duration::from_millis(5)).await;
        }
    }
}
