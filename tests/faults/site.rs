//! A server with users and videos, and the checks of its database afterwards.

use crate::databases::{Engine, TestDatabase};
use crate::load::{Load, Row, Tally};
use crate::program::{PASSWORD, Program};
use entity::video;
use reqwest::{Client, StatusCode};
use sea_orm::{
    ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, EntityTrait, Set, Statement,
    TransactionTrait,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// A load has one connection for each row.
const USERS: usize = 4;
const VIDEOS: usize = 8;

/// The program with its own database and rows for players to write.
pub struct Site {
    pub program: Program,
    pub rows: Vec<Arc<Row>>,
    url: String,
    _database: Option<TestDatabase>,
}

impl Site {
    pub async fn start(engine: Engine) -> Self {
        crate::allow_many_files();
        let program = Program::new();
        let database = TestDatabase::new(engine, program.folder.path()).await;
        let url = database.url.clone();
        Self { _database: Some(database), ..Self::on(program, url).await }
    }

    /// Uses the database at `url` and migrates it first.
    pub async fn on(mut program: Program, url: String) -> Self {
        let settings = format!("DATABASE_URL={url}\nJWT_SECRET={}\nAUTO_MIGRATE=true\n", "x".repeat(32));
        std::fs::write(program.folder.path().join(".env"), settings).unwrap();
        program.serve();
        let mut site = Self { program, rows: Vec::new(), url, _database: None };
        site.populate().await;
        site
    }

    async fn populate(&mut self) {
        let client = Client::new();
        let mut people = Vec::new();
        for user in 0..USERS {
            let name = format!("user{user}");
            let new = json!({"username": name, "email": format!("{name}@example.org"), "password": PASSWORD});
            let user = self.post(&client, "auth/register", None, &new, StatusCode::CREATED).await;
            let pair = self.post(&client, "auth/login", None, &new_login(&name), StatusCode::OK).await;
            people.push((user["id"].as_i64().unwrap(), pair["access_token"].as_str().unwrap().to_owned()));
        }
        for video in 0..VIDEOS {
            let new = json!({"title": format!("film {video}")});
            let made = self.post(&client, "videos", Some(&people[0].1), &new, StatusCode::CREATED).await;
            let video = made["id"].as_i64().unwrap();
            self.rows.extend(people.iter().map(|(user, token)| {
                let (user, token) = (*user, token.clone());
                Arc::new(Row { user, video, token, sent: AtomicI32::new(0), acknowledged: AtomicI32::new(0) })
            }));
        }
    }

    async fn post(&self, client: &Client, path: &str, token: Option<&str>, body: &Value, status: StatusCode) -> Value {
        let request = client.post(self.program.url(&format!("/api/v1/{path}"))).json(body);
        let answer = token.into_iter().fold(request, |request, token| request.bearer_auth(token)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        answer.json().await.unwrap()
    }

    pub fn address(&self) -> String {
        self.program.url("").split_off("http://".len())
    }

    /// One player for each of the first rows.
    pub fn load(&self) -> Load {
        Load::start(&self.address(), &self.rows[..USERS * VIDEOS])
    }

    /// New rows of the first user, not written yet.
    pub async fn add_rows(&mut self, count: usize) -> Vec<Arc<Row>> {
        let db = self.database().await;
        let (user, token) = (self.rows[0].user, self.rows[0].token.clone());
        let now = service::time::Clock::System.now();
        let videos = Vec::from_iter((0..count).map(|number| video::ActiveModel {
            user_id: Set(user),
            title: Set(format!("new {number}")),
            status: Set(video::Status::Ready),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        }));
        let mut rows = Vec::new();
        for videos in videos.chunks(500) {
            let made = video::Entity::insert_many(videos.to_vec()).exec_with_returning(&db).await.unwrap();
            rows.extend(made.into_iter().map(|video| {
                let (sent, acknowledged) = (AtomicI32::new(0), AtomicI32::new(0));
                Arc::new(Row { user, video: video.id, token: token.clone(), sent, acknowledged })
            }));
        }
        db.close().await.unwrap();
        self.rows.extend(rows.iter().cloned());
        rows
    }

    /// Other connections, as another process would open them.
    pub async fn database(&self) -> DatabaseConnection {
        Database::connect(&self.url).await.unwrap()
    }

    /// Blocks all other writes of entries until it is rolled back.
    pub async fn hold_writers(&self) -> DatabaseTransaction {
        let transaction = self.database().await.begin().await.unwrap();
        // On SQLite a write locks the whole database; on PostgreSQL only its rows.
        let lock = if self.is_sqlite() { "" } else { "LOCK TABLE watch_history IN EXCLUSIVE MODE; " };
        let write = format!("{lock}DELETE FROM watch_history WHERE id = 0");
        transaction.execute_unprepared(&write).await.unwrap();
        transaction
    }

    pub fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// Checks that every acknowledged save or a later one of its row is stored, and nothing that
    /// was not sent.
    pub async fn assert_nothing_is_lost(&self) {
        assert_eq!(self.lost_in(&self.url).await, [""; 0]);
    }

    /// The rows of the database at `url` that are older than their last acknowledged save, or were
    /// not sent.
    pub async fn lost_in(&self, url: &str) -> Vec<String> {
        let db = Database::connect(url).await.unwrap();
        let sql = "SELECT user_id, video_id, watch_position FROM watch_history";
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        db.close().await.unwrap();
        let stored: BTreeMap<(i64, i64), i32> = rows
            .iter()
            .map(|row| {
                ((row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap()), row.try_get_by_index(2).unwrap())
            })
            .collect();
        let lost = self.rows.iter().filter_map(|row| {
            let (sent, acknowledged) = (row.sent.load(Ordering::SeqCst), row.acknowledged.load(Ordering::SeqCst));
            let stored = stored.get(&(row.user, row.video)).copied().unwrap_or_default();
            (!(acknowledged..=sent).contains(&stored)).then(|| {
                let (user, video) = (row.user, row.video);
                format!("user {user}, video {video}: {acknowledged} acknowledged, {sent} sent, {stored} stored")
            })
        });
        lost.collect()
    }

    /// Checks that SQLite's WAL was restarted while players saved; otherwise it would hold all
    /// saves.
    pub fn assert_the_log_is_bounded(&self) {
        if self.is_sqlite() {
            let mut log = service::storage::sqlite_file(&self.url).unwrap().into_os_string();
            log.push("-wal");
            let bytes = std::fs::metadata(&log).unwrap().len();
            println!("the log has {} MiB", bytes >> 20);
            assert!(bytes < 256 << 20, "the log has {bytes} bytes");
        }
    }

    /// Checks that tables and indexes agree.
    pub async fn assert_integrity(&self) {
        self.assert_integrity_of(&self.url).await;
    }

    /// As [`Site::assert_integrity`], for the database at `url`.
    pub async fn assert_integrity_of(&self, url: &str) {
        let db = Database::connect(url).await.unwrap();
        let texts = async |sql: &str| {
            let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
            Vec::from_iter(rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()))
        };
        if db.get_database_backend() == DatabaseBackend::Sqlite {
            assert_eq!(texts("PRAGMA integrity_check").await, ["ok"]);
            assert_eq!(texts("SELECT \"table\" FROM pragma_foreign_key_check").await, [""; 0]);
        } else {
            db.execute_unprepared("CREATE EXTENSION IF NOT EXISTS amcheck").await.unwrap();
            let checked = texts(
                "SELECT c.relname::text, bt_index_check(i.indexrelid, true) FROM pg_index i \
                 JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam \
                 WHERE i.indrelid = 'watch_history'::regclass AND a.amname = 'btree'",
            );
            assert!(checked.await.len() >= 3, "the key, the unique pair and the list have an index each");
            let broken = texts("SELECT msg FROM verify_heapam('watch_history')");
            assert_eq!(broken.await, [""; 0]);
        }
        db.close().await.unwrap();
    }

    /// Checks that the server left no transaction open: on SQLite another process can write,
    /// PostgreSQL shows none.
    pub async fn assert_no_open_transaction(&self) {
        let db = self.database().await;
        if self.is_sqlite() {
            db.execute_unprepared("PRAGMA busy_timeout = 100").await.unwrap();
            db.execute_unprepared("UPDATE users SET full_name = 'written by another process'").await.unwrap();
        } else {
            let sql =
                "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'";
            let open = db.query_all_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await.unwrap();
            let open = Vec::from_iter(open.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()));
            assert_eq!(open, [""; 0]);
        }
        db.close().await.unwrap();
    }
}

fn new_login(name: &str) -> Value {
    json!({"username": name, "password": PASSWORD})
}

/// Checks that there were only these statuses.
pub fn assert_only(tally: &Tally, statuses: &[u16]) {
    let fit = tally.statuses.keys().all(|status| statuses.contains(status));
    assert!(fit, "{:?} {:?}", tally.statuses, tally.unexpected);
}
