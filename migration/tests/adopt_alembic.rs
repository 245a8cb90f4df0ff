//! `adopt`: databases that Alembic and SQLAlchemy created, with a few thousand rows, are taken over
//! without loss.

#![cfg(test)]

mod support;

use ::entity::{user, video, watch_history};
use migration::PROJECT;
use sea_orm::EntityTrait;
use sea_orm::prelude::DateTimeUtc;
use sea_orm_revisions::{AdoptOptions, AdoptReport, RunOptions, Target};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{TestDatabase, texts};

const V09: &str = "2f1e7b15dd7f";
const LATER: &str = "a1b2c3d4e5f6";

/// The tables of the reference, and Alembic's own.
const TABLES: [&str; 9] = [
    "alembic_version",
    "categories",
    "ratings",
    "tags",
    "users",
    "video_tags",
    "video_thumbnails",
    "videos",
    "watch_history",
];

/// One test body on both databases.
macro_rules! on_both_with_python {
    ($(async fn $name:ident($db:ident: TestDatabase) $body:block)+) => { $(
        mod $name {
            use super::*;
            async fn body($db: TestDatabase) $body

            #[tokio::test]
            #[ignore = "needs Python with Alembic and SQLAlchemy"]
            async fn sqlite() {
                body(TestDatabase::sqlite()).await;
            }

            #[tokio::test]
            #[ignore = "needs PostgreSQL, and Python with Alembic and SQLAlchemy"]
            async fn postgres() {
                body(TestDatabase::postgres().await).await;
            }
        }
    )+ };
}

on_both_with_python! {
    async fn v09_without_defaults_loses_nothing(db: TestDatabase) {
        assert_adopts_everything(&db, &[V09]).await;
    }

    async fn v09_with_defaults_loses_nothing(db: TestDatabase) {
        assert_adopts_everything(&db, &[V09, "--defaults"]).await;
    }

    async fn the_later_revision_loses_nothing_and_keeps_its_indexes(db: TestDatabase) {
        assert_adopts_everything(&db, &[LATER]).await;
        let indexes = db.either(
            "SELECT name FROM sqlite_master WHERE type = 'index'",
            "SELECT indexname::text FROM pg_indexes",
        );
        let indexes = texts(&db.connect().await, indexes).await;
        let lists = ["ix_videos_view_count", "ix_videos_status_view_count", "ix_videos_status_created_at"];
        for name in lists.into_iter().chain(["ix_ratings_video_id"]) {
            assert!(indexes.iter().any(|index| index == name), "{name}: {indexes:?}");
        }
    }

    async fn the_later_revision_with_defaults_loses_nothing(db: TestDatabase) {
        assert_adopts_everything(&db, &[LATER, "--defaults"]).await;
    }

    async fn entities_read_the_old_rows(db: TestDatabase) {
        python("build.py", &[&db.url, V09]);
        python("fill.py", &[&db.url]);
        let before = dump(&db);
        adopted(&db, true).await;
        let connection = db.connect().await;

        let users = user::Entity::find().all(&connection).await.unwrap();
        assert_eq!(users.len(), before["users"].len());
        for user in users {
            let old = row(&before, "users", user.id);
            let (word, role) = (old["role"].as_str().unwrap(), user.role);
            assert_eq!(format!("{role:?}").to_lowercase(), word);
            assert_eq!((old["email"].as_str(), old["full_name"].as_str()), (Some(&*user.email), user.full_name.as_deref()));
            assert_eq!(time(&old["created_at"]), Some(user.created_at));
            assert_eq!(time(&old["updated_at"]), Some(user.updated_at));
            assert_eq!(time(&old["last_login"]), user.last_login);
        }
        let videos = video::Entity::find().all(&connection).await.unwrap();
        assert_eq!(videos.len(), before["videos"].len());
        for video in videos {
            let old = row(&before, "videos", video.id);
            assert_eq!(old["title"].as_str(), Some(&*video.title));
            assert_eq!((old["duration"].as_i64(), old["fps"].as_f64()), (video.duration.map(i64::from), video.fps));
            assert_eq!(Some(format!("{:?}", video.status).to_lowercase().as_str()), old["status"].as_str());
            assert_eq!((time(&old["created_at"]), time(&old["published_at"])), (Some(video.created_at), video.published_at));
        }
        let entries = watch_history::Entity::find().all(&connection).await.unwrap();
        assert_eq!(entries.len(), before["watch_history"].len());
        for entry in entries {
            let old = row(&before, "watch_history", entry.id);
            assert_eq!((old["user_id"].as_i64(), old["video_id"].as_i64()), (Some(entry.user_id), Some(entry.video_id)));
            assert_eq!((old["watch_position"].as_i64(), time(&old["last_watched_at"])),
                (Some(entry.watch_position.into()), Some(entry.last_watched_at)));
        }
    }

    async fn the_old_program_works_until_the_upgrade(db: TestDatabase) {
        python("build.py", &[&db.url, V09]);
        adopted(&db, false).await;
        assert!(alembic(&db, "current").contains(V09));
        python("fill.py", &[&db.url]);
        assert_eq!(adopted(&db, true).await.pending, [""; 0]);
        assert!(alembic(&db, "current").contains(V09));
    }

    async fn an_older_revision_is_refused_with_the_alembic_command(db: TestDatabase) {
        python("build.py", &[&db.url, "41fff3752bb2"]);
        let error = PROJECT.adopt(&db.url, &AdoptOptions::default(), &RunOptions::default()).await.unwrap_err().to_string();
        assert!(error.contains("41fff3752bb2, which is before v0.9: run `alembic upgrade 2f1e7b15dd7f`"), "{error}");
        if db.is_postgres() {
            alembic(&db, "upgrade 2f1e7b15dd7f");
            assert_eq!(adopted(&db, true).await.pending, [""; 0]);
        }
    }
}

/// Creates and fills the database, adopts it, and compares every value before and after.
async fn assert_adopts_everything(db: &TestDatabase, how: &[&str]) {
    python("build.py", &[&[db.url.as_str()], how].concat());
    python("fill.py", &[&db.url]);
    let before = dump(db);
    assert_eq!(before.keys().map(String::as_str).collect::<Vec<_>>(), TABLES);
    let filled: usize = before.values().map(Vec::len).sum();
    assert!(filled > 5000 && before.values().all(|rows| !rows.is_empty()), "{filled} rows");

    let adoption = adopted(db, false).await;
    let mut marked = dump(db);
    marked.retain(|table, _| TABLES.contains(&table.as_str()));
    assert_eq!(marked, before, "the adoption alone changes nothing");
    let upgrade = adopted(db, true).await;
    assert_eq!((upgrade.applied, upgrade.recounted), (adoption.pending, vec![]));
    let after = dump(db);
    for table in TABLES {
        assert_eq!(narrowed(&after[table], &before[table][0]), before[table], "{table}");
    }
    let drift = PROJECT.check(&db.url).await.unwrap();
    assert!(drift.is_clean(false), "{drift}");

    adopted(db, true).await;
    assert_eq!(dump(db), after, "a second run changes nothing");

    // After a downgrade to the adoption and an upgrade, every value is as before.
    let v09 = Target::Name(adoption.at.clone());
    PROJECT.downgrade(&db.url, &v09, &RunOptions::default()).await.unwrap();
    let back = dump(db);
    for table in TABLES {
        assert_eq!(back[table], before[table], "{table}, back again");
    }
    PROJECT.upgrade(&db.url, &Target::End, &RunOptions::default()).await.unwrap();
    assert_eq!(narrowed(&dump(db)["users"], &before["users"][0]), before["users"]);
}

async fn adopted(db: &TestDatabase, upgrade: bool) -> AdoptReport {
    let adoption = PROJECT
        .adopt(&db.url, &AdoptOptions { upgrade, ..AdoptOptions::default() }, &RunOptions::default())
        .await
        .unwrap();
    assert_eq!(adoption.findings, [""; 0], "{adoption}");
    adoption
}

/// The rows of one table, sorted by their text.
type Rows = Vec<Map<String, Value>>;
type Dump = BTreeMap<String, Rows>;

/// Every row of every table, as SQLAlchemy reads it.
fn dump(db: &TestDatabase) -> Dump {
    let mut dump: Dump = serde_json::from_str(&python("dump.py", &[&db.url])).unwrap();
    dump.values_mut().for_each(sort);
    dump
}

/// The rows without the columns that `model` does not have.
fn narrowed(rows: &Rows, model: &Map<String, Value>) -> Rows {
    let mut rows = rows.clone();
    for row in &mut rows {
        row.retain(|column, _| model.contains_key(column));
    }
    sort(&mut rows);
    rows
}

fn sort(rows: &mut Rows) {
    rows.sort_by_cached_key(|row| Value::Object(row.clone()).to_string());
}

fn row<'a>(dump: &'a Dump, table: &str, id: i64) -> &'a Map<String, Value> {
    dump[table].iter().find(|row| row["id"] == id).unwrap()
}

fn time(value: &Value) -> Option<DateTimeUtc> {
    value.as_str().map(|text| text.parse().unwrap())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alembic")
}

fn python(script: &str, arguments: &[&str]) -> String {
    stdout_of(Command::new(program()).arg(folder().join(script)).args(arguments))
}

fn alembic(db: &TestDatabase, words: &str) -> String {
    let mut command = Command::new(program());
    command.args(["-m", "alembic", "-c"]).arg(folder().join("alembic.ini")).args(words.split(' '));
    stdout_of(command.env("DATABASE_URL", &db.url))
}

fn program() -> String {
    std::env::var("PLAYHEAD_TEST_PYTHON")
        .expect("PLAYHEAD_TEST_PYTHON names a Python with tests/alembic/requirements.txt")
}

/// Runs the command and returns its standard output.
fn stdout_of(command: &mut Command) -> String {
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
