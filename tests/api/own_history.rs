//! What every operation of the history has in common: bad input changes nothing, and no request
//! touches the history of another viewer.
//!
//! The operations are read from the API document, so that a new one is tested too.

use crate::app::{Person, TestApp, TestOptions, history, problem, send};
use crate::document::{Operation, operations};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use entity::{forgotten_entry, play, user, watch_history};
use reqwest::{Method, Response, StatusCode};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};
use service::limit::LimitSettings;

/// The rows of all viewers that belong to a history, as text.
async fn stored(app: &TestApp) -> Vec<String> {
    let db = app.db.reader();
    let entries = watch_history::Entity::find().order_by_asc(watch_history::Column::Id).all(db).await.unwrap();
    let plays = play::Entity::find().order_by_asc(play::Column::EntryId).order_by_asc(play::Column::Number);
    let tombstones = forgotten_entry::Entity::find().order_by_asc(forgotten_entry::Column::VideoId);
    let users = user::Entity::find().order_by_asc(user::Column::Id).all(db).await.unwrap();
    let rows = entries.iter().map(|row| format!("{} {row:?}", row.user_id));
    let plays = plays.all(db).await.unwrap();
    let tombstones = tombstones.all(db).await.unwrap();
    rows.chain(plays.iter().map(|row| format!("{} {row:?}", row.user_id)))
        .chain(tombstones.iter().map(|row| format!("{} {row:?}", row.user_id)))
        .chain(users.iter().map(|row| format!("{} {row:?}", row.id)))
        .collect()
}

/// The rows of one viewer.
async fn stored_of(app: &TestApp, person: &Person) -> Vec<String> {
    let of_person = format!("{} ", person.id);
    stored(app).await.into_iter().filter(|row| row.starts_with(&of_person)).collect()
}

/// A video that `person` watched twice, and the id of the first play.
async fn watched_twice(app: &TestApp, person: &Person) -> (i64, i64) {
    let film = app.add_video(person, "film", Some(600)).await;
    for (session, position) in [("one", 100), ("two", 300)] {
        let body = json!({"watch_position": position, "session_id": session, "played_seconds": 5});
        let saved = app.ask(person, Method::POST, &history(film), Some(body)).await;
        assert_eq!(saved.status(), StatusCode::OK);
    }
    let plays: Value = app.ask(person, Method::GET, "/api/v1/plays", None).await.json().await.unwrap();
    (film, plays.as_array().unwrap().last().unwrap()["id"].as_i64().unwrap())
}

/// Whether the operation reads or changes a history.
fn is_of_history(operation: &Operation) -> bool {
    let parts = ["/watch-history", "/watched", "/plays", "/preferences", "/users/me/statistics"];
    parts.iter().any(|part| operation.path.contains(part)) || operation.path.ends_with("/continue-watching")
}

/// The path of an operation for this video and this play.
fn path_of(operation: &Operation, video: i64, play: i64) -> String {
    operation.at(if operation.path.contains("{play_id}") { play } else { video })
}

async fn ask_example(app: &TestApp, person: &Person, operation: &Operation, path: &str) -> Response {
    let request = app.request(operation.method.clone(), path).bearer_auth(&person.token);
    send(operation.example().into_iter().fold(request, |request, body| request.json(&body))).await
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn ids(count: i64) -> Value {
    json!({"video_ids": (1..=count).collect::<Vec<_>>(), "watched": true})
}

on_both! {
    async fn bad_input_is_named_and_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let (film, _) = watched_twice(&app, &ann).await;
        let (past, future) = (text(app.now() - TimeDelta::days(1)), text(app.now() + TimeDelta::days(1)));
        let statistics = "/api/v1/users/me/statistics";
        let (mark, forget) = ("/api/v1/watch-history/mark", "/api/v1/watch-history/forget");
        let (watched, hidden) = (format!("/api/v1/videos/{film}/watched"), format!("{}/hidden", history(film)));
        let preferences = "/api/v1/users/me/preferences";
        let before = stored(&app).await;
        let get = |path: &str| (Method::GET, path.to_owned(), None);
        let of = |method: Method, path: &str, body: Value| (method, path.to_owned(), Some(body));
        let only = |ids: Value| json!({"video_ids": ids});
        for ((method, path, body), field) in [
            (get(&format!("{statistics}?tz=Mars/Olympus")), "tz"),
            (get(&format!("{statistics}?tz=")), "tz"),
            (get(&format!("{statistics}?from=2026-02-02&to=2026-02-01")), "from"),
            (get(&format!("{statistics}?from=2025-01-01&to=2026-02-04")), "from"),
            (get(&format!("{statistics}?from=2026-02-30")), "from"),
            (get("/api/v1/watch-history?state=hidden"), "state"),
            (get("/api/v1/watch-history?since=yesterday"), "since"),
            (get("/api/v1/watch-history?until=2026-11-30"), "until"),
            (get("/api/v1/watch-history?cursor=nonsense"), "cursor"),
            (get("/api/v1/watch-history?limit=101"), "limit"),
            (get(&format!("/api/v1/watch-history?q={}", "x".repeat(201))), "q"),
            (get("/api/v1/watch-history/changes?limit=0"), "limit"),
            (get("/api/v1/watch-history/changes?limit=1001"), "limit"),
            (get(&format!("/api/v1/watch-history/changes?since={}", "x".repeat(101))), "since"),
            (get("/api/v1/plays?limit=0"), "limit"),
            (get("/api/v1/plays?cursor=nonsense"), "cursor"),
            (get("/api/v1/plays?video_id=0"), "video_id"),
            (get("/api/v1/plays?video_id=9223372036854775808"), "video_id"),
            (get("/api/v1/videos/continue-watching?max_age_days=0"), "max_age_days"),
            (get("/api/v1/videos/continue-watching?max_age_days=3651"), "max_age_days"),
            (of(Method::POST, mark, ids(0)), "video_ids"),
            (of(Method::POST, mark, ids(501)), "video_ids"),
            (of(Method::POST, mark, json!({"video_ids": [film, 0], "watched": true})), "video_ids"),
            (of(Method::POST, mark, only(json!([film]))), "watched"),
            (of(Method::POST, mark, json!({"watched": true})), "video_ids"),
            (of(Method::POST, mark, json!({"video_ids": [film], "watched": true, "at": past})), "at"),
            (of(Method::POST, forget, only(json!([]))), "video_ids"),
            (of(Method::POST, forget, only(ids(501)["video_ids"].clone())), "video_ids"),
            (of(Method::POST, forget, only(json!([film, "2"]))), "video_ids"),
            (of(Method::POST, forget, only(json!([film, u64::MAX]))), "video_ids"),
            (of(Method::PUT, &watched, json!({"watched_at": future})), "watched_at"),
            (of(Method::PUT, &watched, json!({"watched_at": "now"})), "watched_at"),
            (of(Method::PUT, &watched, json!({"until": past})), "until"),
            (of(Method::PUT, &hidden, json!({"until": past})), "until"),
            (of(Method::PUT, &hidden, json!({"until": text(app.now())})), "until"),
            (of(Method::PUT, &hidden, json!({"until": 5})), "until"),
            ((Method::DELETE, format!("/api/v1/watch-history?before={future}"), None), "before"),
            ((Method::DELETE, "/api/v1/watch-history?before=never".into(), None), "before"),
            (of(Method::PATCH, preferences, json!({"history": "off", "retention_days": 0})), "retention_days"),
            (of(Method::PATCH, preferences, json!({"recommendations": true, "history": "no"})), "history"),
            (of(Method::POST, &history(film), json!({"watch_position": 9, "played_seconds": 5})), "played_seconds"),
            (
                of(Method::POST, &history(film), json!({"watch_position": 9, "session_id": "x", "played_seconds": -1})),
                "played_seconds",
            ),
            (
                of(Method::POST, &history(film), json!({
                    "watch_position": 9, "session_id": "x", "played_seconds": 1_u64 << 31
                })),
                "played_seconds",
            ),
        ] {
            let what = format!("{method} {path} {body:?}").chars().take(150).collect::<String>();
            let answer = app.ask(&ann, method, &path, body).await;
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{what}");
            let refused = problem(answer, 422, "validation_failed").await;
            let named = refused["errors"][0]["field"].as_str().unwrap();
            assert_eq!(named.split(['[', '.']).next(), Some(field), "{what}: {refused}");
            assert_eq!(stored(&app).await, before, "{what}");
        }
    }

    async fn an_id_that_is_listed_twice_counts_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let body = json!({"video_ids": [film, 999, film, 999], "watched": true});
        let marked = app.ask(&ann, Method::POST, "/api/v1/watch-history/mark", Some(body)).await;
        assert_eq!(marked.json::<Value>().await.unwrap(), json!({"changed": 1, "skipped": [999]}));
        let body = json!({"video_ids": [film, 999, film, 999]});
        let forgotten = app.ask(&ann, Method::POST, "/api/v1/watch-history/forget", Some(body)).await;
        assert_eq!(forgotten.json::<Value>().await.unwrap(), json!({"deleted": 1}));
    }

    async fn no_operation_touches_the_history_of_another_viewer(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let (film, play) = watched_twice(&app, &ann).await;
        let before = stored_of(&app, &ann).await;
        let mut others: Vec<_> = operations().into_iter().filter(is_of_history).collect();
        // Those that read come before bob has entries of his own.
        others.sort_by_key(|operation| operation.method != Method::GET);
        assert!(others.len() >= 18, "{} operations", others.len());
        for operation in others {
            let answer = ask_example(&app, &bob, &operation, &path_of(&operation, film, play)).await;
            let (status, body) = (answer.status(), answer.text().await.unwrap());
            assert!(status.as_u16() < 500 && status != StatusCode::UNAUTHORIZED, "{} {status}", operation.id());
            if operation.path.contains("{play_id}") {
                assert_eq!(status, StatusCode::NOT_FOUND, "{}", operation.id());
            }
            if operation.method == Method::GET && status == StatusCode::OK {
                assert!(!body.contains("\"film\""), "{}: {body}", operation.id());
            }
            assert_eq!(stored_of(&app, &ann).await, before, "{}", operation.id());
        }
    }

    async fn a_refused_token_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let (film, play) = watched_twice(&app, &ann).await;
        let before = stored(&app).await;
        for token in ["nonsense", &ann.refresh_token, ""] {
            let stranger = Person { token: token.to_owned(), ..ann.clone() };
            for operation in operations().into_iter().filter(is_of_history) {
                let path = path_of(&operation, film, play);
                problem(ask_example(&app, &stranger, &operation, &path).await, 401, "unauthenticated").await;
            }
        }
        assert_eq!(stored(&app).await, before);
    }

    async fn every_change_but_a_save_counts_against_the_limit(
        app: TestApp = TestOptions {
            rates: LimitSettings { writes_per_minute: 3, ..LimitSettings::default() }, ..TestOptions::default()
        }
    ) {
        let ann = app.sign_up("ann").await;
        let (film, play) = watched_twice(&app, &ann).await;
        let preferences = "/api/v1/users/me/preferences";
        for left in ["r=1;", "r=0;"] {
            let changed = app.ask(&ann, Method::PATCH, preferences, Some(json!({"recommendations": true}))).await;
            let rate_limit = changed.headers()["ratelimit"].to_str().unwrap();
            assert!(changed.status() == StatusCode::OK && rate_limit.contains(left), "{rate_limit}");
        }
        let before = stored(&app).await;
        let mut limited = Vec::new();
        for operation in operations().into_iter().filter(is_of_history) {
            if operation.codes("429").is_empty() {
                continue;
            }
            let path = path_of(&operation, film, play);
            problem(ask_example(&app, &ann, &operation, &path).await, 429, "too_many_requests").await;
            limited.push(operation.id().to_owned());
        }
        assert_eq!(stored(&app).await, before);
        limited.sort();
        assert_eq!(limited, [
            "change_my_preferences", "clear_watch_history", "delete_play", "forget_many", "hide_watch_history",
            "mark_many_watched", "mark_watched", "resume_play", "undo_watch_history", "unhide_watch_history",
            "unmark_watched",
        ]);
    }
}
