//! The order of saves, and batches of a device that was offline.

use crate::app::{Person, TestApp, fields, history, problem, send};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

const BATCH: &str = "/api/v1/watch-history/batch";
const MINUTE: u64 = 60_000;

/// Sends a save with this body and returns the entry.
async fn save(app: &TestApp, person: &Person, video: i64, body: Value) -> Value {
    let saved = app.ask(person, Method::POST, &history(video), Some(body)).await;
    assert_eq!(saved.status(), StatusCode::OK);
    saved.json().await.unwrap()
}

/// The position of an entry, and whether the save was applied.
fn position_and_applied(entry: &Value) -> (i64, bool) {
    (entry["watch_position"].as_i64().unwrap(), entry["applied"].as_bool().unwrap())
}

async fn read(app: &TestApp, person: &Person, video: i64) -> Value {
    app.ask(person, Method::GET, &history(video), None).await.json().await.unwrap()
}

/// Sends a batch and returns its results.
async fn send_batch(app: &TestApp, person: &Person, saves: &Value) -> Vec<Value> {
    let brought = app.ask(person, Method::POST, BATCH, Some(json!({"saves": saves}))).await;
    assert_eq!(brought.status(), StatusCode::OK);
    let mut body: Value = brought.json().await.unwrap();
    serde_json::from_value(body["results"].take()).unwrap()
}

on_both! {
    async fn an_older_save_that_arrives_late_is_not_applied(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        save(&app, &ann, film, json!({"watch_position": 300, "device": "television"})).await;
        let before = read(&app, &ann, film).await;
        let late = json!({"watch_position": 60, "age_ms": MINUTE, "device": "telephone", "watch_duration": 500});
        let mut refused = save(&app, &ann, film, late).await;
        assert_eq!(refused.as_object_mut().unwrap().remove("applied"), Some(json!(false)));
        assert_eq!(refused, before);
        assert_eq!(read(&app, &ann, film).await, before);
    }

    async fn a_rewind_is_newer_and_wins(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        save(&app, &ann, film, json!({"watch_position": 300, "age_ms": 0})).await;
        app.pass(Duration::from_secs(10));
        assert_eq!(position_and_applied(&save(&app, &ann, film, json!({"watch_position": 20, "age_ms": 5000})).await), (20, true));
        // A save without an age is as of now, and is never too old.
        assert_eq!(position_and_applied(&save(&app, &ann, film, json!({"watch_position": 10})).await), (10, true));
    }

    async fn the_time_of_an_entry_is_that_of_its_position_and_never_decreases(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let first = save(&app, &ann, film, json!({"watch_position": 10, "age_ms": MINUTE})).await;
        assert!(first["last_watched_at"].as_str() < first["created_at"].as_str());
        // Within one player session the sequence decides, whatever the age; the stored time does
        // not go back.
        let counted = json!({"watch_position": 20, "session_id": "a", "sequence": 1});
        let now = save(&app, &ann, film, counted).await;
        let older = json!({"watch_position": 30, "session_id": "a", "sequence": 2, "age_ms": 10 * MINUTE});
        let taken = save(&app, &ann, film, older).await;
        assert_eq!((position_and_applied(&taken), &taken["last_watched_at"]), ((30, true), &now["last_watched_at"]));
    }

    async fn within_one_player_session_the_sequence_alone_decides(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let at = |position: i64, sequence: i64| json!({"watch_position": position, "session_id": "a", "sequence": sequence});
        for (position, sequence, stored, applied) in
            [(100, 5, 100, true), (90, 4, 100, false), (110, 5, 100, false), (0, 6, 0, true), (50, 2_147_483_647, 50, true)]
        {
            assert_eq!(position_and_applied(&save(&app, &ann, film, at(position, sequence)).await), (stored, applied), "{sequence}");
        }
        // A save without a player session keeps the stored sequence.
        assert_eq!(position_and_applied(&save(&app, &ann, film, json!({"watch_position": 70})).await), (70, true));
        assert_eq!(position_and_applied(&save(&app, &ann, film, at(60, 2_147_483_647)).await), (70, false));
    }

    async fn a_failed_start_does_not_overwrite_the_position_of_another_player(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let of = |position: i64, session: &str| json!({"watch_position": position, "session_id": session});
        save(&app, &ann, film, of(300, "a")).await;
        for position in [0, 3, 5] {
            assert_eq!(position_and_applied(&save(&app, &ann, film, of(position, "b")).await), (300, false));
        }
        assert_eq!(position_and_applied(&save(&app, &ann, film, of(0, "a")).await), (0, true), "its own player session may go to the start");
        save(&app, &ann, film, of(300, "a")).await;
        assert_eq!(position_and_applied(&save(&app, &ann, film, of(6, "b")).await), (6, true));
        save(&app, &ann, film, of(300, "b")).await;
        assert_eq!(position_and_applied(&save(&app, &ann, film, json!({"watch_position": 0})).await), (0, true), "start over");
    }

    async fn a_completed_video_watched_again_is_listed_again_and_counts_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(100)).await;
        let of = |position: i64, session: &str| json!({"watch_position": position, "session_id": session});
        let completed_and_plays = |entry: &Value| (entry["completed"].as_bool().unwrap(), entry["play_count"].as_i64().unwrap());
        let finished = save(&app, &ann, film, of(95, "a")).await;
        assert_eq!((completed_and_plays(&finished), &finished["completed_at"]), ((true, 1), &finished["last_watched_at"]));
        app.pass(Duration::from_secs(60));
        let again = save(&app, &ann, film, of(40, "a")).await;
        assert_eq!((completed_and_plays(&again), &again["completed_at"]), ((false, 1), &finished["completed_at"]));
        let list = app.ask(&ann, Method::GET, "/api/v1/videos/continue-watching", None).await;
        let list: Value = list.json().await.unwrap();
        assert_eq!((&list[0]["video_title"], &list[0]["play_count"]), (&json!("film"), &json!(1)));
        assert_eq!(completed_and_plays(&save(&app, &ann, film, of(95, "a")).await), (true, 1), "one player session counts once");
        save(&app, &ann, film, of(40, "b")).await;
        let second = save(&app, &ann, film, of(100, "b")).await;
        assert_eq!((completed_and_plays(&second), &second["completed_at"]), ((true, 2), &second["last_watched_at"]));
        save(&app, &ann, film, of(40, "a")).await;
        assert_eq!(completed_and_plays(&save(&app, &ann, film, of(95, "a")).await), (true, 2), "also after another player session");
    }

    async fn a_new_duration_that_completes_a_video_counts_one_play(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(100)).await;
        save(&app, &ann, film, json!({"watch_position": 50, "session_id": "a"})).await;
        for (duration, plays) in [(50, 1), (100, 1), (50, 1)] {
            let change = json!({"duration": duration});
            app.ask(&ann, Method::PATCH, &format!("/api/v1/videos/{film}"), Some(change)).await;
            assert_eq!(read(&app, &ann, film).await["play_count"], plays);
        }
        let finished = save(&app, &ann, film, json!({"watch_position": 50, "session_id": "a"})).await;
        assert_eq!(finished["play_count"], 1);
    }

    async fn a_whole_number_may_be_written_as_any_json_number(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let numbers = r#"{"watch_position": 1e2, "watch_duration": 50.0, "age_ms": -0, "session_id": "a", "sequence": 1.0}"#;
        let request = app.request(Method::POST, &history(film)).bearer_auth(&ann.token);
        let entry = send(request.header("content-type", "application/json").body(numbers)).await;
        let entry: Value = entry.json().await.unwrap();
        assert_eq!((&entry["watch_position"], &entry["watch_duration"]), (&json!(100), &json!(50)));
        let save = json!([{"video_id": f64::from(i32::try_from(film).unwrap()), "watch_position": 101.0}]);
        assert_eq!(position_and_applied(&send_batch(&app, &ann, &save).await[0]["entry"]), (101, true));
    }

    async fn a_position_after_the_end_is_stored_as_the_end(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let entry = save(&app, &ann, film, json!({"watch_position": i32::MAX})).await;
        assert_eq!((&entry["watch_position"], &entry["progress_percentage"]), (&json!(600), &json!(100.0)));
    }

    async fn the_device_is_that_of_the_last_applied_save(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        save(&app, &ann, film, json!({"watch_position": 10, "device": "Wohnzimmer 📺 \"groß\"\n"})).await;
        let list = app.ask(&ann, Method::GET, "/api/v1/videos/continue-watching", None).await;
        assert_eq!(list.json::<Value>().await.unwrap()[0]["device"], "Wohnzimmer 📺 \"groß\"\n");
        let silent = save(&app, &ann, film, json!({"watch_position": 20})).await;
        assert_eq!(silent["device"], Value::Null);
    }

    async fn invalid_ordering_fields_are_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for (field, value) in [
            ("age_ms", json!(-1)), ("age_ms", json!(2_592_000_001_i64)), ("session_id", json!("")),
            ("session_id", json!("a b")), ("session_id", json!("é")), ("session_id", json!("a".repeat(65))),
            ("sequence", json!(0)), ("sequence", json!(2_147_483_648_i64)), ("sequence", json!(1)),
            ("device", json!("")), ("device", json!("ü".repeat(101))), ("device", json!("a\u{0}")),
        ] {
            let body = json!({"watch_position": 1, field: value});
            let refused = app.ask(&ann, Method::POST, &history(film), Some(body)).await;
            let refusal = problem(refused, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], field, "{refusal}");
        }
        let widest = json!({"watch_position": 1, "age_ms": 2_592_000_000_i64, "session_id": "~".repeat(64),
            "sequence": i32::MAX, "device": "ü".repeat(100)});
        assert_eq!(position_and_applied(&save(&app, &ann, film, widest).await), (1, true));
    }

    async fn a_batch_is_applied_in_order_and_one_bad_item_affects_no_other(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let (film, other) = (app.add_video(&ann, "film", Some(600)).await, app.add_video(&ann, "other", None).await);
        let results = send_batch(&app, &ann, &json!([
            {"video_id": film, "watch_position": 10, "age_ms": 3 * MINUTE, "session_id": "a", "sequence": 1},
            {"video_id": film, "watch_position": 20, "age_ms": 2 * MINUTE, "session_id": "a", "sequence": 2},
            {"video_id": 99, "watch_position": 20},
            {"video_id": other, "watch_position": -1},
            {"video_id": other, "watch_position": 5, "colour": "red"},
            {"watch_position": 5},
            [1, 2],
            {"video_id": 0, "watch_position": 5},
            {"video_id": film, "watch_position": 15, "age_ms": MINUTE, "session_id": "a", "sequence": 2},
            {"video_id": other, "watch_position": 5, "age_ms": 0},
        ])).await;
        let statuses: Vec<_> = results.iter().map(|result| result["status"].as_i64().unwrap()).collect();
        assert_eq!(statuses, [200, 200, 404, 422, 422, 422, 422, 422, 200, 200]);
        assert_eq!([0, 1, 8, 9].map(|at: usize| position_and_applied(&results[at]["entry"])), [(10, true), (20, true), (20, false), (5, true)]);
        let named = [3, 4, 5, 7].map(|at: usize| &results[at]["problem"]["errors"][0]["field"]);
        assert_eq!(named, ["watch_position", "colour", "video_id", "video_id"]);
        for result in &results {
            let expected = if result["status"] == 200 { "entry" } else { "problem" };
            assert_eq!(fields(result), [expected, "status"]);
        }
        assert_eq!(results[2]["problem"]["code"], "video_not_found");
        let unknown = results[4]["problem"]["detail"].as_str().unwrap();
        assert!(unknown.contains("expected one of `video_id`, `watch_position`"), "{unknown}");
    }

    async fn each_item_of_a_batch_is_validated_like_a_single_save(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        // As JSON text, because some items are no valid JSON value.
        let odd = [
            "\"watch_position\": 1e400",
            "\"watch_position\": 7, \"age_ms\": -1e400",
            "\"watch_position\": 7, \"device\": \"\\ud83d\"",
            "\"watch_position\": 7, \"watch_position\": 8",
            &format!("\"watch_position\": {deep}"),
        ];
        let mut saves = odd.map(|fields| format!("{{\"video_id\": {film}, {fields}}}")).to_vec();
        saves.push(format!("{{\"video_id\": {film}, \"video_id\": {film}, \"watch_position\": 7}}"));
        saves.push(format!("{{\"watch_position\": 20, \"video_id\": {film}}}"));
        let post = |path: &str, body: String| {
            let request = app.request(Method::POST, path).bearer_auth(&ann.token);
            send(request.header("content-type", "application/json").body(body))
        };
        for fields in odd {
            problem(post(&history(film), format!("{{{fields}}}")).await, 422, "validation_failed").await;
        }
        let brought: Value = post(BATCH, format!("{{\"saves\": [{}]}}", saves.join(", "))).await.json().await.unwrap();
        let statuses = Vec::from_iter(brought["results"].as_array().unwrap().iter().map(|result| &result["status"]));
        assert_eq!(statuses, [422, 422, 422, 422, 422, 422, 200]);
        assert_eq!(read(&app, &ann, film).await["watch_position"], 20);
    }

    async fn a_batch_that_is_sent_again_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let (film, other) = (app.add_video(&ann, "film", Some(100)).await, app.add_video(&ann, "other", Some(100)).await);
        let batch = |waited: u64| json!([
            {"video_id": film, "watch_position": 50, "age_ms": 5 * MINUTE + waited, "session_id": "a", "sequence": 1},
            {"video_id": film, "watch_position": 95, "age_ms": 4 * MINUTE + waited, "session_id": "a", "sequence": 2},
            {"video_id": film, "watch_position": 30, "age_ms": 3 * MINUTE + waited, "session_id": "b", "sequence": 1},
            {"video_id": other, "watch_position": 10, "age_ms": 2 * MINUTE + waited},
            {"video_id": other, "watch_position": 20, "age_ms": MINUTE + waited, "watch_duration": 20, "device": "tablet"},
        ]);
        let now = app.now();
        send_batch(&app, &ann, &batch(0)).await;
        let before = (read(&app, &ann, film).await, read(&app, &ann, other).await);
        assert_eq!((&before.0["watch_position"], &before.0["play_count"]), (&json!(30), &json!(1)));
        app.pass(Duration::from_secs(600));
        let since = u64::try_from((app.now() - now).num_milliseconds()).unwrap();
        // Slightly older than sent, because the requests take time.
        send_batch(&app, &ann, &batch(since + 50)).await;
        assert_eq!((read(&app, &ann, film).await, read(&app, &ann, other).await), before);
    }

    async fn a_batch_that_is_not_a_list_of_saves_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let many: Vec<_> = (0..501).map(|_| json!({"video_id": 1, "watch_position": 1})).collect();
        for body in [json!({}), json!({"saves": []}), json!({"saves": {}}), json!({"saves": many}), json!({"saves": [], "x": 1})] {
            problem(app.ask(&ann, Method::POST, BATCH, Some(body)).await, 422, "validation_failed").await;
        }
        app.leave(&ann).await;
        let bob = app.sign_up("bob").await;
        app.deactivate("bob").await;
        let saves = json!({"saves": [{"video_id": 1, "watch_position": 1}]});
        problem(app.ask(&bob, Method::POST, BATCH, Some(saves)).await, 401, "unauthenticated").await;
    }

    async fn the_largest_batch_may_have_several_saves_of_one_row(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(100_000)).await;
        let saves: Vec<_> = (0..500).map(|at| json!({
            "video_id": film, "watch_position": at, "watch_duration": at, "age_ms": (500 - at) * 10_000,
            "session_id": "~".repeat(64), "sequence": at + 1, "device": "\u{1f4fa}".repeat(100),
        })).collect();
        let results = send_batch(&app, &ann, &json!(saves)).await;
        for (at, result) in (0..).zip(&results) {
            assert_eq!(position_and_applied(&result["entry"]), (at, true));
        }
        assert_eq!(read(&app, &ann, film).await["watch_position"], 499);
    }

}
