//! Saves on PostgreSQL while another session deletes, locks or changes what they need.

use crate::app::{Person, TestApp, history, problem};
use crate::databases::Engine;
use futures_util::future::join_all;
use reqwest::{Method, Response, StatusCode};
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement, TransactionTrait};
use serde_json::{Value, json};
use std::time::Duration;

/// Waits until a statement in the database of the application waits for a lock.
async fn until_a_statement_is_blocked(app: &TestApp) {
    until_blocked(app, "").await;
}

/// As [`until_a_statement_is_blocked`], for a statement that meets a condition.
async fn until_blocked(app: &TestApp, condition: &str) {
    let blocked = format!(
        "SELECT FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock' {condition}"
    );
    let blocked = Statement::from_string(DbBackend::Postgres, blocked);
    let waiting = async {
        while app.db.reader().query_one_raw(blocked.clone()).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("a statement waits for a lock");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_save_during_a_deletion_says_whether_video_or_user_is_gone() {
    let app = TestApp::start(Engine::Postgres).await;
    let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
    let film = app.add_video(&ann, "film", Some(100)).await;
    let other = app.add_video(&ann, "other", Some(100)).await;
    for (gone, video, status, code) in [
        (format!("DELETE FROM videos WHERE id = {film}"), film, 404, "video_not_found"),
        (format!("DELETE FROM users WHERE id = {}", bob.id), other, 401, "unauthenticated"),
    ] {
        let deleting = app.db.writer().await.unwrap().1.begin().await.unwrap();
        deleting.execute_unprepared(&gone).await.unwrap();
        let body = json!({"watch_position": 5});
        let save = app.request(Method::POST, &history(video)).bearer_auth(&bob.token).json(&body).send();
        let save = tokio::spawn(save);
        until_a_statement_is_blocked(&app).await;
        deleting.commit().await.unwrap();
        problem(save.await.unwrap().unwrap(), status, code).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_migration_that_widens_a_column_does_not_disturb_viewers() {
    let app = TestApp::start(Engine::Postgres).await;
    let ann = app.sign_up("ann").await;
    let film = app.add_video(&ann, "film", Some(100)).await;
    app.save(&ann, film, 5).await;
    app.ask(&ann, Method::GET, &history(film), None).await;
    app.continue_watching(&ann).await;
    let (_guard, db) = app.db.writer().await.unwrap();
    db.execute_unprepared("ALTER TABLE watch_history ALTER device TYPE varchar(200)").await.unwrap();
    assert_eq!(app.save(&ann, film, 50).await["watch_position"], 50);
    let entry = app.ask(&ann, Method::GET, &history(film), None).await;
    assert_eq!(entry.status(), StatusCode::OK);
    assert_eq!(app.continue_watching(&ann).await, ["film"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_save_meets_503_on_a_standby_and_works_after_a_failover() {
    let app = TestApp::start(Engine::Postgres).await;
    let ann = app.sign_up("ann").await;
    let film = app.add_video(&ann, "film", Some(100)).await;
    let (_guard, db) = app.db.writer().await.unwrap();
    let switch = async |setting: &str| {
        let name = app.database.url.rsplit('/').next().unwrap();
        db.execute_unprepared(&format!("BEGIN READ WRITE; ALTER DATABASE {name} {setting}; COMMIT")).await.unwrap();
    };
    switch("SET default_transaction_read_only = on").await;
    let save = async || app.ask(&ann, Method::POST, &history(film), Some(json!({"watch_position": 5}))).await;
    // This is the worker's first connection: its server is a standby from the start.
    problem(save().await, 503, "database_away").await;
    switch("RESET default_transaction_read_only").await;
    assert_eq!(save().await.status(), StatusCode::OK);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_save_does_not_wait_for_locked_rows_of_other_videos() {
    let app = TestApp::start(Engine::Postgres).await;
    let ann = app.sign_up("ann").await;
    let mut films = Vec::new();
    for number in 0..6 {
        let film = app.add_video(&ann, &format!("film {number}"), Some(600)).await;
        app.save(&ann, film, 60).await;
        films.push(film);
    }
    let holder = Database::connect(&app.database.url).await.unwrap().begin().await.unwrap();
    let (free, held) = films.split_last().unwrap();
    holder.execute_unprepared(&format!("SELECT FROM watch_history WHERE video_id <> {free} FOR UPDATE")).await.unwrap();
    let save = async |film| app.ask(&ann, Method::POST, &history(film), Some(json!({"watch_position": 90}))).await;
    // The first save is a batch of its own and waits; the others are one batch then.
    let first = async { problem(save(held[0]).await, 503, "database_away").await };
    let others = async {
        until_a_statement_is_blocked(&app).await;
        let others =
            join_all(held[1..].iter().map(|film| async { problem(save(*film).await, 503, "database_away").await }));
        let (of_the_free, _) = tokio::join!(save(*free), others);
        assert_eq!(of_the_free.status(), StatusCode::OK);
    };
    tokio::join!(first, others);
    holder.rollback().await.unwrap();
    for film in films {
        app.save(&ann, film, 120).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_a_batch_wrote_is_answered_when_a_later_save_fails() {
    let app = TestApp::start(Engine::Postgres).await;
    let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
    let mut films = Vec::new();
    for number in 0..7 {
        films.push(app.add_video(&ann, &format!("film {number}"), Some(600)).await);
    }
    let (gone, watched) = films.split_last().unwrap();
    let save = |film: &i64, sequence: i32| json!({"video_id": film, "watch_position": 10 * sequence, "session_id": "tv", "sequence": sequence});
    let send = async |saves: Vec<Value>| {
        let batch = app.ask(&bob, Method::POST, "/api/v1/watch-history/batch", Some(json!({"saves": saves}))).await;
        assert_eq!(batch.status(), StatusCode::OK);
        batch.json::<Value>().await.unwrap()["results"].as_array().unwrap().clone()
    };
    send(watched.iter().map(|film| save(film, 1)).collect()).await;
    let deleting = app.db.writer().await.unwrap().1.begin().await.unwrap();
    deleting.execute_unprepared(&format!("DELETE FROM videos WHERE id = {gone}")).await.unwrap();
    let all = async { send(films.iter().map(|film| save(film, 2)).collect()).await };
    let committed = async {
        until_a_statement_is_blocked(&app).await;
        deleting.commit().await.unwrap();
    };
    let (results, ()) = tokio::join!(all, committed);
    let (last, others) = results.split_last().unwrap();
    assert_eq!(last["status"], 404);
    assert!(others.iter().all(|result| result["entry"]["applied"] == true), "{others:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn saves_in_rounds_lock_no_entry_before_the_account() {
    let app = TestApp::start(Engine::Postgres).await;
    let ann = app.sign_up("ann").await;
    let first = app.add_video(&ann, "first", Some(600)).await;
    let film = app.add_video(&ann, "film", Some(600)).await;
    app.save(&ann, first, 5).await;
    app.save(&ann, film, 5).await;
    let begin = async || Database::connect(&app.database.url).await.unwrap().begin().await.unwrap();
    let (holder, editing) = (begin().await, begin().await);
    let lock_first = format!("SELECT FROM watch_history WHERE video_id = {first} FOR UPDATE");
    holder.execute_unprepared(&lock_first).await.unwrap();
    let lock_account = format!("SELECT FROM users WHERE id = {} FOR NO KEY UPDATE", ann.id);
    editing.execute_unprepared(&lock_account).await.unwrap();
    // The first save may be a batch of its own. Two saves of one entry are two rounds.
    let save = |video_id: i64, sequence: i32| json!({"video_id": video_id, "watch_position": 10 * sequence, "session_id": "tv", "sequence": sequence});
    let saves = json!({"saves": [save(first, 1), save(film, 2), save(film, 3)]});
    let batch = app.request(Method::POST, "/api/v1/watch-history/batch").bearer_auth(&ann.token).json(&saves).send();
    let batch = tokio::spawn(batch);
    until_a_statement_is_blocked(&app).await;
    holder.rollback().await.unwrap();
    until_blocked(&app, "AND query LIKE '%FROM \"users\"%'").await;
    editing.execute_unprepared("SELECT FROM watch_history FOR UPDATE NOWAIT").await.unwrap();
    editing.commit().await.unwrap();
    let results = batch.await.unwrap().unwrap().json::<Value>().await.unwrap();
    assert_eq!(results["results"][2]["entry"]["watch_position"], 30, "{results}");
}

/// Deletes something of ann, who uploaded both films, while another session holds the entry that a
/// batch of saves locks first, then locks the entry that the batch locks second.
async fn assert_deletion_locks_entries_as_saves_do(
    delete: impl AsyncFnOnce(&TestApp, &Person, i64) -> Response,
    first_film: usize,
) {
    let app = TestApp::start(Engine::Postgres).await;
    app.sign_up("root").await;
    let (ann, bob, carol) = (app.sign_up("ann").await, app.sign_up("bob").await, app.sign_up("carol").await);
    let films = [app.add_video(&ann, "film", Some(600)).await, app.add_video(&ann, "other", Some(600)).await];
    // Stored first, so that the database would delete it first.
    app.save(&carol, films[0], 5).await;
    app.save(&bob, films[first_film], 5).await;
    let batch = Database::connect(&app.database.url).await.unwrap().begin().await.unwrap();
    let lock = |viewer: &Person| format!("SELECT FROM watch_history WHERE user_id = {} FOR UPDATE NOWAIT", viewer.id);
    batch.execute_unprepared(&lock(&bob)).await.unwrap();
    let saved = async {
        until_a_statement_is_blocked(&app).await;
        batch.execute_unprepared(&lock(&carol)).await.expect("the deletion has not locked it yet");
        batch.commit().await.unwrap();
    };
    let (deleted, ()) = tokio::join!(delete(&app, &ann, films[0]), saved);
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_deletion_of_a_video_locks_its_entries_as_saves_do() {
    let delete = async |app: &TestApp, ann: &Person, film: i64| {
        app.ask(ann, Method::DELETE, &format!("/api/v1/videos/{film}"), None).await
    };
    assert_deletion_locks_entries_as_saves_do(delete, 0).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_deletion_of_an_account_locks_entries_as_saves_do() {
    let delete = async |app: &TestApp, ann: &Person, _film: i64| app.leave(ann).await;
    assert_deletion_locks_entries_as_saves_do(delete, 1).await;
}
