//! The statistics of a viewer: over HTTP, and against a plain model with random plays.

use crate::app::{Person, TestApp, fields, history, problem};
use crate::viewing_model::{World, expected};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use service::caller::{Caller, UserRole};
use service::viewing;
use std::time::Duration;

const STATISTICS: &str = "/api/v1/users/me/statistics";
/// Worlds of random plays in one run of the property test, and the questions about each.
const WORLDS: u32 = 6;
const QUESTIONS: u32 = 20;

async fn statistics(app: &TestApp, person: &Person, query: &str) -> Value {
    let answer = app.ask(person, Method::GET, &format!("{STATISTICS}{query}"), None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// Sends saves that are `pause` seconds apart, and returns the seconds that the statistics then
/// count.
async fn watched_after(app: &TestApp, person: &Person, film: i64, pause: u64, saves: &[Value]) -> i64 {
    for save in saves {
        app.pass(Duration::from_secs(pause));
        let answer = app.ask(person, Method::POST, &history(film), Some(save.clone())).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    statistics(app, person, "").await["watched_seconds"].as_i64().unwrap()
}

on_both! {
    async fn the_length_of_the_film_as_watch_duration_gains_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(5400)).await;
        let save = |position: i32| json!({"watch_position": position, "watch_duration": 5400});
        assert_eq!(watched_after(&app, &ann, film, 10, &[save(0), save(10), save(20)]).await, 20);
        assert_eq!(watched_after(&app, &ann, film, 10, &[save(20), save(20)]).await, 20, "a pause");
        assert_eq!(watched_after(&app, &ann, film, 600, &[save(620)]).await, 50, "30 s at most between two saves");
    }

    async fn jumping_about_gains_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(5400)).await;
        let save = |position: i32| json!({"watch_position": position});
        let jumps: Vec<_> = [0, 5000, 30, 4000, 5399, 10, 2000].map(save).into();
        assert!(watched_after(&app, &ann, film, 1, &jumps).await <= 6, "no more than the time that passed");
        let other = app.add_video(&ann, "other", Some(5400)).await;
        let before = statistics(&app, &ann, "").await["watched_seconds"].as_i64().unwrap();
        let save = |position: i32, played: i32| {
            json!({"watch_position": position, "session_id": "one", "played_seconds": played, "watch_duration": 5400})
        };
        let claims = [save(0, 5400), save(5000, 5400), save(10, 2_147_483_647)];
        let after = watched_after(&app, &ann, other, 5, &claims).await;
        assert_eq!(after - before, 20, "10 s since the start, and 10 s of slack");
        let all = statistics(&app, &ann, "").await;
        assert_eq!((&all["plays"], &all["videos_started"]), (&json!(2), &json!(2)));
        assert_eq!(all["top_videos"][0]["video_title"], "other");
    }

    async fn nothing_is_counted_while_only_positions_are_kept(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for mode in ["positions", "off"] {
            let body = json!({"history": mode});
            app.ask(&ann, Method::PATCH, "/api/v1/users/me/preferences", Some(body)).await;
            for position in [10, 20, 599] {
                app.pass(Duration::from_secs(10));
                let body = json!({"watch_position": position});
                assert!(app.ask(&ann, Method::POST, &history(film), Some(body)).await.status().is_success());
            }
        }
        let all = statistics(&app, &ann, "").await;
        assert_eq!((&all["plays"], &all["watched_seconds"], &all["videos_started"]), (&json!(0), &json!(0), &json!(0)));
    }

    async fn sums_over_any_range_and_zone_are_those_of_a_plain_model(app: TestApp) {
        let mut runner = TestRunner::deterministic();
        let worlds = (Config::default().cases / Config::default().cases.min(256)) * WORLDS;
        let mut draw = async |app: &TestApp, number: u32| {
            let world = crate::viewing_model::world().new_tree(&mut runner).unwrap().current();
            let ids = world.store(&app.db, number).await;
            for _ in 0..QUESTIONS {
                let query = crate::viewing_model::query().new_tree(&mut runner).unwrap().current();
                let caller = Caller { id: ids.viewer, role: UserRole::User, history_since: None };
                let now = world.now;
                let actual = viewing::statistics(&app.db, caller, query.clone(), world.max_days, now).await.unwrap();
                assert_eq!(actual, expected(&world, &ids, &query), "{query:?} of {:?}", world.plays);
            }
        };
        for number in 0..worlds {
            draw(&app, number).await;
        }
    }

    async fn statistics_have_every_documented_field(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let world = World::small(&app, &ann).await;
        let all = statistics(&app, &ann, "?tz=Asia/Seoul").await;
        let contract = [
            "current_streak_days", "days", "devices", "from", "hours", "longest_streak_days", "plays", "to",
            "top_uploaders", "top_videos", "tz", "videos_completed", "videos_started", "watched_seconds", "weekdays",
        ];
        assert_eq!(fields(&all), contract);
        assert_eq!(all["tz"], "Asia/Seoul");
        assert_eq!(all["days"].as_array().unwrap().len(), 30);
        assert_eq!((&all["days"][0]["date"], &all["days"][29]["date"]), (&all["from"], &all["to"]));
        assert_eq!(fields(&all["days"][0]), ["completed", "date", "plays", "watched_seconds"]);
        assert_eq!(all["devices"], json!([{"device": "Living room", "watched_seconds": 60}, {"device": null, "watched_seconds": 30}]));
        assert_eq!(all["top_videos"], json!([{"video_id": world, "video_title": "film", "watched_seconds": 90, "plays": 2}]));
        assert_eq!(all["top_uploaders"], json!([{"username": "ann", "watched_seconds": 90}]));
        let figures = ["plays", "videos_started", "videos_completed", "longest_streak_days", "current_streak_days"];
        assert_eq!(figures.map(|name| all[name].as_i64().unwrap()), [2, 1, 1, 1, 1]);
        let sum = |list: &Value| list.as_array().unwrap().iter().map(|seconds| seconds.as_i64().unwrap()).sum::<i64>();
        assert_eq!((sum(&all["weekdays"]), sum(&all["hours"])), (90, 90));
        assert_eq!((all["weekdays"].as_array().unwrap().len(), all["hours"].as_array().unwrap().len()), (7, 24));
    }

    async fn a_viewer_without_plays_has_a_zero_for_every_day(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        World::small(&app, &ann).await;
        let none = statistics(&app, &bob, "?from=2024-01-01&to=2024-12-31").await;
        assert_eq!((&none["from"], &none["to"], &none["tz"]), (&json!("2024-01-01"), &json!("2024-12-31"), &json!("UTC")));
        assert_eq!(none["days"].as_array().unwrap().len(), 366);
        assert!(none["days"].as_array().unwrap().iter().all(|day| day["plays"] == 0 && day["watched_seconds"] == 0));
        assert_eq!((&none["watched_seconds"], &none["top_videos"], &none["devices"]), (&json!(0), &json!([]), &json!([])));
        assert_eq!((&none["longest_streak_days"], &none["current_streak_days"]), (&json!(0), &json!(0)));
    }

    async fn a_bad_range_or_zone_names_its_field(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for (query, field, part) in [
            ("tz=Mars/Olympus", "tz", "must be a time zone"),
            ("tz=", "tz", "must be a time zone"),
            ("tz=asia/seoul%00", "tz", "U+0000"),
            ("from=2026-11-30&to=2026-11-29", "from", "must not be after `to`"),
            ("from=2025-10-26&to=2026-11-29", "from", "at most 366 days"),
            ("from=2025-11-28&to=2026-11-29", "from", "at most 366 days"),
            ("from=0000-01-01", "from", "at most 366 days"),
            ("from=9999-12-31", "from", "must not be after `to`"),
            ("from=2026-02-29", "from", "must be a date"),
            ("from=2026-2-1", "from", "must be a date"),
            ("to=tomorrow", "to", "must be a date"),
            ("to=", "to", "must be a date"),
            ("to=%2B12026-01-01", "to", "must be a date"),
        ] {
            let refused = app.ask(&ann, Method::GET, &format!("{STATISTICS}?{query}"), None).await;
            let refusal = problem(refused, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], field, "{query}: {refusal}");
            assert!(refusal["errors"][0]["message"].as_str().unwrap().contains(part), "{query}: {refusal}");
        }
        for edge in ["to=0000-01-01", "from=9999-12-31&to=9999-12-31", "from=2025-11-29&to=2026-11-29"] {
            statistics(&app, &ann, &format!("?{edge}&tz=Pacific/Kiritimati")).await;
        }
        problem(app.get(STATISTICS).await, 401, "unauthenticated").await;
    }
}
