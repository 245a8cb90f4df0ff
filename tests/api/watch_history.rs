//! Watch history: saving, reading, listing and forgetting positions.

use crate::app::{TestApp, fields, history, problem};
use reqwest::{Method, StatusCode};
use sea_orm::DatabaseBackend;
use serde_json::{Value, json};
use std::time::Duration;

on_both! {
    async fn a_second_save_replaces_the_first(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let first = app.save(&ann, film, 100).await;
        app.pass(Duration::from_secs(10));
        let second = app.save(&ann, film, 50).await;
        assert_eq!(second["id"], first["id"]);
        assert_eq!(second["watch_position"], 50);
        assert_eq!(second["created_at"], first["created_at"]);
        assert!(second["last_watched_at"].as_str() > first["last_watched_at"].as_str());
        let read = app.ask(&ann, Method::GET, &history(film), None).await;
        let mut stored = second.clone();
        assert_eq!(stored.as_object_mut().unwrap().remove("applied"), Some(json!(true)));
        assert_eq!(read.json::<Value>().await.unwrap(), stored);
    }

    async fn an_entry_has_every_documented_field(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let entry = app.save(&ann, film, 150).await;
        let contract = [
            "applied",
            "completed",
            "completed_at",
            "created_at",
            "device",
            "hidden",
            "id",
            "last_watched_at",
            "play_count",
            "previous",
            "progress_percentage",
            "resume_at",
            "updated_at",
            "user_id",
            "video_id",
            "watch_duration",
            "watch_position",
        ];
        assert_eq!(fields(&entry), contract);
        assert_eq!((&entry["user_id"], &entry["video_id"]), (&json!(ann.id), &json!(film)));
        assert_eq!((&entry["progress_percentage"], &entry["resume_at"]), (&json!(25.0), &json!(150)));
        let written = entry["last_watched_at"].as_str().unwrap();
        assert!(written.len() == 24 && written.ends_with('Z'), "{written}");
    }

    async fn the_watch_duration_never_decreases(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for (sent, stored) in [(40, 40), (10, 40), (0, 40), (41, 41)] {
            let body = json!({"watch_position": 5, "watch_duration": sent});
            let entry = app.ask(&ann, Method::POST, &history(film), Some(body)).await;
            assert_eq!(entry.json::<Value>().await.unwrap()["watch_duration"], stored);
        }
    }

    async fn from_90_percent_on_a_video_is_completed_and_leaves_the_list(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(1000)).await;
        for (position, completed) in [(899, false), (900, true), (899, false), (2_147_483_647, true)] {
            assert_eq!(app.save(&ann, film, position).await["completed"], completed, "at {position}");
            assert_eq!(app.continue_watching(&ann).await.is_empty(), completed, "at {position}");
        }
    }

    async fn the_last_second_is_the_end_but_position_0_never_is(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for (duration, position, completed) in [
            (9, 7, false), (9, 8, true), (9, 9, true), (8, 7, true), (3, 1, false), (3, 2, true),
            (2, 0, false), (2, 1, true), (1, 0, false), (1, 1, true), (0, 0, false), (0, 5, false),
        ] {
            let film = app.add_video(&ann, "film", Some(duration)).await;
            let entry = app.save(&ann, film, position).await;
            assert_eq!(entry["completed"], completed, "{position} of {duration}");
            assert_eq!(entry["play_count"], i32::from(completed), "{position} of {duration}");
            if completed {
                assert_eq!(entry["resume_at"], 0, "{position} of {duration}");
            }
            let progress = f64::min(100.0 * f64::from(position) / f64::from(duration.max(1)), 100.0);
            let progress = if duration > 0 { progress } else { 0.0 };
            assert_eq!(entry["progress_percentage"].as_f64().unwrap(), progress, "{position} of {duration}");
        }
        let film = app.add_video(&ann, "film", None).await;
        assert_eq!(app.save(&ann, film, 8).await["completed"], false);
        let address = format!("/api/v1/videos/{film}");
        app.ask(&ann, Method::PATCH, &address, Some(json!({"duration": 9}))).await;
        let entry = app.ask(&ann, Method::GET, &history(film), None).await.json::<Value>().await.unwrap();
        assert_eq!((&entry["completed"], &entry["play_count"]), (&json!(true), &json!(1)));
    }

    async fn a_video_is_resumed_above_5_seconds_and_below_95_percent(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(1000)).await;
        for (position, resume_at) in [(0, 0), (5, 0), (6, 6), (949, 949), (950, 0), (5000, 0)] {
            assert_eq!(app.save(&ann, film, position).await["resume_at"], resume_at, "at {position}");
        }
    }

    async fn without_a_duration_there_is_no_progress_but_a_resume_position(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for duration in [None, Some(0)] {
            let film = app.add_video(&ann, "film", duration).await;
            let entry = app.save(&ann, film, 4000).await;
            assert_eq!((&entry["progress_percentage"], &entry["completed"]), (&json!(0.0), &json!(false)));
            assert_eq!(entry["resume_at"], 4000);
        }
    }

    async fn the_list_starts_with_the_video_watched_last(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        for title in ["one", "two", "three"] {
            let film = app.add_video(&ann, title, Some(600)).await;
            app.pass(Duration::from_secs(1));
            app.save(&bob, film, 60).await;
        }
        let unseen = app.add_video(&ann, "opened only", Some(600)).await;
        app.save(&bob, unseen, 0).await;
        assert_eq!(app.continue_watching(&bob).await, ["three", "two", "one"]);
        assert!(app.continue_watching(&ann).await.is_empty(), "everybody has a list of their own");
        let list = app.ask(&bob, Method::GET, "/api/v1/videos/continue-watching?limit=1", None).await;
        let [item] = &list.json::<Vec<Value>>().await.unwrap()[..] else { panic!("one item") };
        let contract = [
            "device",
            "last_watched_at",
            "play_count",
            "previous",
            "progress_percentage",
            "resume_at",
            "uploader_username",
            "video_description",
            "video_duration",
            "video_id",
            "video_thumbnail_path",
            "video_title",
            "watch_position",
        ];
        assert_eq!(fields(item), contract);
        assert_eq!((&item["uploader_username"], &item["progress_percentage"]), (&json!("ann"), &json!(10.0)));
    }

    async fn a_list_is_in_order_within_an_hour_and_across_hours(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 12).await;
        let (mut order, mut age) = (Vec::new(), 86_400_000);
        let saved = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 3, 9, 1, 8].map(|n| films[n]);
        for (film, minutes) in saved.into_iter().zip([1, 1, 50, 70].into_iter().cycle()) {
            age -= 60_000 * minutes;
            app.send_save(&ann, film, json!({"watch_position": 60, "age_ms": age})).await;
            order.retain(|other| *other != film);
            order.insert(0, film);
        }
        for limit in 1..=13 {
            let path = format!("/api/v1/videos/continue-watching?limit={limit}");
            let list = app.ask_json(&ann, Method::GET, &path, None).await;
            let list = list.as_array().unwrap();
            let listed = Vec::from_iter(list.iter().map(|item| item["video_id"].as_i64().unwrap()));
            assert_eq!(listed, order[..limit.min(12)]);
        }
    }

    async fn older_videos_take_the_place_of_hidden_ones_in_the_list(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        for title in ["one", "two", "three"].into_iter().chain(["hidden"; 12]) {
            let film = app.add_video(&ann, title, Some(600)).await;
            app.pass(Duration::from_secs(1));
            app.save(&bob, film, 60).await;
        }
        let hide = async |which: &str| {
            app.change_videos(&format!("UPDATE videos SET status = 'processing' WHERE {which}")).await;
        };
        let shown = async |limit: u8| {
            let path = format!("/api/v1/videos/continue-watching?limit={limit}");
            let list: Vec<Value> = app.ask(&bob, Method::GET, &path, None).await.json().await.unwrap();
            Vec::from_iter(list.iter().map(|item| item["video_title"].as_str().unwrap().to_owned()))
        };
        hide("title = 'hidden'").await;
        assert_eq!(shown(1).await, ["three"]);
        assert_eq!(shown(2).await, ["three", "two"]);
        assert_eq!(shown(10).await, ["three", "two", "one"]);
        assert_eq!(app.continue_watching(&ann).await, [""; 0], "ann has seen nothing");
        hide("title <> 'one'").await;
        assert_eq!(shown(1).await, ["one"]);
        hide("true").await;
        assert_eq!(shown(1).await, [""; 0]);
    }

    async fn a_forgotten_entry_is_gone_and_cannot_be_forgotten_twice(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 60).await;
        let forgotten = app.ask(&ann, Method::DELETE, &history(film), None).await;
        assert_eq!(forgotten.status(), StatusCode::NO_CONTENT);
        assert!(app.continue_watching(&ann).await.is_empty());
        for method in [Method::GET, Method::DELETE] {
            let nothing = app.ask(&ann, method, &history(film), None).await;
            problem(nothing, 404, "watch_history_not_found").await;
        }
    }

    async fn a_missing_video_has_no_history(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for method in [Method::POST, Method::GET, Method::DELETE] {
            let body = (method == Method::POST).then(|| json!({"watch_position": 1}));
            problem(app.ask(&ann, method, &history(99), body).await, 404, "video_not_found").await;
        }
    }

    async fn a_video_deleted_during_playback_refuses_saves_and_has_no_entries(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&bob, film, 60).await;
        app.ask(&ann, Method::DELETE, &format!("/api/v1/videos/{film}"), None).await;
        let late = app.ask(&bob, Method::POST, &history(film), Some(json!({"watch_position": 70}))).await;
        problem(late, 404, "video_not_found").await;
        assert!(app.continue_watching(&bob).await.is_empty());
    }

    async fn a_deleted_user_cannot_save_and_has_no_entries(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&bob, film, 60).await;
        app.leave(&bob).await;
        let body = json!({"watch_position": 70});
        problem(app.ask(&bob, Method::POST, &history(film), Some(body)).await, 401, "unauthenticated").await;
        problem(app.ask(&bob, Method::GET, &history(film), None).await, 401, "unauthenticated").await;
        let list = app.ask(&bob, Method::GET, "/api/v1/videos/continue-watching", None).await;
        problem(list, 401, "unauthenticated").await;
        let again = app.sign_up("bob").await;
        assert_ne!(again.id, bob.id, "an id is never used twice");
        assert!(app.continue_watching(&again).await.is_empty());
    }

    async fn saves_of_one_entry_at_once_leave_one_row(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let saves = (1..=20).map(|position| {
            let body = json!({"watch_position": position});
            app.request(Method::POST, &history(film)).bearer_auth(&ann.token).json(&body).send()
        });
        let running: Vec<_> = saves.map(tokio::spawn).collect();
        for save in running {
            assert_eq!(save.await.unwrap().unwrap().status(), StatusCode::OK);
        }
        assert_eq!(app.continue_watching(&ann).await.len(), 1);
    }

    async fn a_save_an_entry_and_a_list_are_few_statements(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.take_statements();
        app.save(&ann, film, 60).await;
        app.save(&ann, film, 70).await;
        let save = app.take_statements();
        // On SQLite a statement before each reads what is stored, and one raises the revision, once
        // for a batch; on PostgreSQL one takes ids ahead.
        let ([_, _, first, _, _, again] | [_, first, again]) = &save[..] else { panic!("{save:?}") };
        assert_eq!(save.len() == 6, app.db.backend() == DatabaseBackend::Sqlite);
        assert!(first.starts_with("INSERT INTO \"watch_history\""), "{first}");
        assert!(again.starts_with("UPDATE \"watch_history\" SET \"watch_position\" = "), "{again}");
        app.ask(&ann, Method::GET, &history(film), None).await;
        assert_eq!(app.take_statements().len(), 1);
        app.continue_watching(&ann).await;
        assert_eq!(app.take_statements().len(), 2, "what a list shows of a new video is read once");
        app.continue_watching(&ann).await;
        assert_eq!(app.take_statements().len(), 1);
    }

    async fn a_new_duration_updates_completed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(100)).await;
        app.save(&ann, film, 50).await;
        for (duration, completed) in [(json!(50), true), (json!(2_000_000_000), false), (json!(null), false)] {
            let change = json!({"duration": duration});
            app.ask(&ann, Method::PATCH, &format!("/api/v1/videos/{film}"), Some(change)).await;
            let entry: Value = app.ask(&ann, Method::GET, &history(film), None).await.json().await.unwrap();
            assert_eq!(entry["completed"], completed, "of {duration}");
        }
    }
}
