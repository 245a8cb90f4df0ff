//! Lists of plays: their order, filters, pages, and what is left out.

use crate::app::{Person, TestApp, history, problem};
use crate::listing::{fill, items_of_all_pages, next};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use entity::{play, user, video, watch_history};
use reqwest::{Method, StatusCode};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::time::Duration;

const PLAYS: &str = "/api/v1/plays";

/// What a test says about a play: video, number, and the minutes from now when it began and ended.
#[derive(Clone, Copy)]
struct Minutes {
    video_id: i64,
    number: i32,
    began: i64,
    ended: i64,
}

/// Makes an entry for each video, and writes the plays into the database: the last one of a video
/// runs in the entry.
async fn put(app: &TestApp, person: &Person, plays: &[Minutes]) -> DateTime<Utc> {
    let now = app.now();
    let at = |minutes: i64| now + TimeDelta::minutes(minutes);
    let mut ended = Vec::new();
    for play in plays {
        app.save(person, play.video_id, 60).await;
        let is_running = plays.iter().all(|other| other.video_id != play.video_id || other.number <= play.number);
        let entry = watch_history::Entity::find()
            .filter(watch_history::Column::VideoId.eq(play.video_id))
            .filter(watch_history::Column::UserId.eq(person.id));
        let entry = entry.one(app.db.reader()).await.unwrap().unwrap();
        if is_running {
            let running = watch_history::ActiveModel {
                play_number: Set(play.number),
                play_is_kept: Set(true),
                play_started_at: Set(Some(at(play.began))),
                play_start_position: Set(5),
                play_watched_ms: Set(61_999),
                play_completed: Set(true),
                device: Set(Some("TV".to_owned())),
                last_watched_at: Set(at(play.ended)),
                watched_hour: Set(i32::try_from(at(play.ended).timestamp().div_euclid(3600)).unwrap()),
                ..Default::default()
            };
            let update = watch_history::Entity::update_many().set(running);
            let update = update.filter(watch_history::Column::Id.eq(entry.id));
            update.exec(app.db.writer().await.unwrap().1).await.unwrap();
        } else {
            ended.push(play::ActiveModel {
                entry_id: Set(entry.id),
                number: Set(play.number),
                user_id: Set(person.id),
                player_session: Set(None),
                device: Set(None),
                started_at: Set(at(play.began)),
                ended_at: Set(at(play.ended)),
                start_position: Set(0),
                end_position: Set(30),
                watched_ms: Set(999),
                completed: Set(false),
            });
        }
    }
    if !ended.is_empty() {
        play::Entity::insert_many(ended).exec_without_returning(app.db.writer().await.unwrap().1).await.unwrap();
    }
    now
}

/// Video and number of the plays in a list.
async fn listed(app: &TestApp, person: &Person, path: &str) -> Vec<(i64, i64)> {
    let items = items_of_all_pages(app, person, path).await;
    items.iter().map(|play| (play["video_id"].as_i64().unwrap(), play["id"].as_i64().unwrap() % 1_048_576)).collect()
}

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn play(video_id: i64, number: i32, began: i64, ended: i64) -> Minutes {
    Minutes { video_id, number, began, ended }
}

on_both! {
    async fn ended_and_running_plays_are_listed_with_their_numbers(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 2).await;
        let now = put(&app, &ann, &[play(2, 3, -60, -50), play(2, 4, -30, -10)]).await;
        let plays = items_of_all_pages(&app, &ann, PLAYS).await;
        let at = |minutes| text(now + TimeDelta::minutes(minutes));
        assert_eq!(plays, [
            json!({
                "id": 1_048_576 + 4, "video_id": 2, "video_title": "film 1", "device": "TV",
                "started_at": at(-30), "ended_at": at(-10), "start_position": 5, "end_position": 60,
                "watched_seconds": 61, "completed": true,
            }),
            json!({
                "id": 1_048_576 + 3, "video_id": 2, "video_title": "film 1", "device": null,
                "started_at": at(-60), "ended_at": at(-50), "start_position": 0, "end_position": 30,
                "watched_seconds": 0, "completed": false,
            }),
        ]);
        assert_eq!(items_of_all_pages(&app, &ann, "/api/v1/videos/2/plays").await, plays);
        assert!(items_of_all_pages(&app, &ann, "/api/v1/videos/1/plays").await.is_empty());
    }

    async fn the_saves_of_two_players_are_two_plays(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let mut times = Vec::new();
        for (session, position, played) in [("a", 100, 0), ("a", 120, 15), ("b", 300, 5)] {
            let body = json!({"watch_position": position, "session_id": session, "played_seconds": played, "device": session});
            app.ask(&ann, Method::POST, &history(film), Some(body)).await;
            let entry: Value = app.ask(&ann, Method::GET, &history(film), None).await.json().await.unwrap();
            times.push(entry["last_watched_at"].clone());
            app.pass(Duration::from_secs(20));
        }
        let plays = items_of_all_pages(&app, &ann, PLAYS).await;
        let shown = |play: &Value| {
            ["device", "started_at", "ended_at", "start_position", "end_position", "watched_seconds", "completed"]
                .map(|field| play[field].clone())
        };
        let expected = [
            [json!("b"), times[2].clone(), times[2].clone(), json!(300), json!(300), json!(5), json!(false)],
            [json!("a"), times[0].clone(), times[1].clone(), json!(100), json!(120), json!(15), json!(false)],
        ];
        assert_eq!(plays.iter().map(shown).collect::<Vec<_>>(), expected);
    }

    async fn plays_are_in_the_order_of_their_start_on_pages_of_any_length(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 12).await;
        // Some begin at the same time, and some run for days.
        let plays: Vec<_> = (0..48_i64).map(|n| {
            let began = -(n * 7_919 % 29) * 97;
            let video = n % 12 + 1;
            let is_last = n >= 36;
            let ended = if is_last && video % 4 == 0 { 0 } else { began + n };
            play(video, i32::try_from(n / 12).unwrap() + 1, began, ended)
        }).collect();
        put(&app, &ann, &plays).await;
        let mut sorted = plays.clone();
        let entry_ids = watch_history::Entity::find().all(app.db.reader()).await.unwrap();
        let entry_id = |video| entry_ids.iter().find(|entry| entry.video_id == video).unwrap().id;
        sorted.sort_by_key(|play| std::cmp::Reverse((play.began, entry_id(play.video_id), play.number)));
        let expected: Vec<_> = sorted.iter().map(|play| (play.video_id, i64::from(play.number))).collect();
        for limit in [1, 3, 7, 47, 48, 100] {
            assert_eq!(listed(&app, &ann, &format!("{PLAYS}?limit={limit}")).await, expected, "{limit}");
        }
        for video in 1..=12 {
            let expected: Vec<_> = expected.iter().copied().filter(|play| play.0 == video).collect();
            assert_eq!(listed(&app, &ann, &format!("/api/v1/videos/{video}/plays?limit=2")).await, expected);
            assert_eq!(listed(&app, &ann, &format!("{PLAYS}?video_id={video}&limit=3")).await, expected);
        }
    }

    async fn pages_neither_skip_nor_repeat_while_plays_begin_and_end(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 10).await;
        let plays: Vec<_> = (1..=10).flat_map(|film| [play(film, 1, -100 * film, -99 * film), play(film, 2, -film, 0)]).collect();
        put(&app, &ann, &plays).await;
        let (mut seen, mut address) = (Vec::new(), Some(format!("{PLAYS}?limit=3")));
        while let Some(page) = address.take() {
            let page = app.ask(&ann, Method::GET, &page, None).await;
            address = next(&page);
            let page: Vec<Value> = page.json().await.unwrap();
            seen.extend(page.iter().map(|play| play["id"].as_i64().unwrap()));
            // The running play of a video ends and becomes a row, and another one begins.
            let film = i64::try_from(seen.len()).unwrap() / 3 + 1;
            let closed = watch_history::Entity::find().filter(watch_history::Column::VideoId.eq(film));
            let Some(closed) = closed.one(app.db.reader()).await.unwrap() else { continue };
            let ended = play::ActiveModel {
                entry_id: Set(closed.id),
                number: Set(closed.play_number),
                user_id: Set(ann.id),
                player_session: Set(None),
                device: Set(closed.device),
                started_at: Set(closed.play_started_at.unwrap()),
                ended_at: Set(closed.last_watched_at),
                start_position: Set(closed.play_start_position),
                end_position: Set(closed.watch_position),
                watched_ms: Set(closed.play_watched_ms),
                completed: Set(false),
            };
            play::Entity::insert(ended).exec_without_returning(app.db.writer().await.unwrap().1).await.unwrap();
            app.pass(Duration::from_secs(1));
            let next_play = watch_history::ActiveModel {
                play_number: Set(closed.play_number + 1),
                play_started_at: Set(Some(app.now())),
                last_watched_at: Set(app.now()),
                ..Default::default()
            };
            let update = watch_history::Entity::update_many().set(next_play);
            let update = update.filter(watch_history::Column::Id.eq(closed.id));
            update.exec(app.db.writer().await.unwrap().1).await.unwrap();
        }
        let mut sorted = seen.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((sorted.len(), seen.len()), (20, 20), "{seen:?}");
    }

    async fn a_range_of_times_begins_with_its_start_and_ends_before_its_end(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 2).await;
        let now = put(&app, &ann, &[play(1, 1, -300, -290), play(1, 2, -200, -100), play(2, 1, -100, 0)]).await;
        let at = |minutes| text(now + TimeDelta::minutes(minutes));
        for (query, expected) in [
            (format!("since={}", at(-200)), vec![(2, 1), (1, 2)]),
            (format!("until={}", at(-200)), vec![(1, 1)]),
            (format!("since={}&until={}", at(-200), at(-100)), vec![(1, 2)]),
            (format!("since={}&limit=1", at(-300)), vec![(2, 1), (1, 2), (1, 1)]),
            (format!("since={}&video_id=1", at(-250)), vec![(1, 2)]),
            (format!("since={}&until={}", at(-300), at(-300)), vec![]),
            ("video_id=3".to_owned(), vec![]),
            ("video_id=9223372036854775807".to_owned(), vec![]),
        ] {
            assert_eq!(listed(&app, &ann, &format!("{PLAYS}?{query}")).await, expected, "{query}");
        }
    }

    async fn another_viewer_sees_nothing_and_a_stranger_must_sign_in(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        fill(&app, &ann, 1).await;
        put(&app, &ann, &[play(1, 1, -60, -50), play(1, 2, -30, -10)]).await;
        for path in [PLAYS, "/api/v1/plays?video_id=1", "/api/v1/videos/1/plays"] {
            assert!(items_of_all_pages(&app, &bob, path).await.is_empty(), "{path}");
            problem(app.get(path).await, 401, "unauthenticated").await;
            let head = app.ask(&ann, Method::HEAD, path, None).await;
            assert_eq!((head.status(), head.bytes().await.unwrap().len()), (StatusCode::OK, 0));
        }
    }

    async fn plays_of_videos_that_the_caller_may_not_see_are_left_out(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        fill(&app, &ann, 3).await;
        put(&app, &bob, &[play(1, 1, -60, -50), play(1, 2, -30, -10), play(2, 1, -9, -8), play(2, 2, -3, -1), play(3, 1, -2, 0)]).await;
        let hide = video::Entity::update_many().col_expr(video::Column::Status, Expr::value("failed"));
        hide.filter(video::Column::Id.eq(1)).exec(app.db.writer().await.unwrap().1).await.unwrap();
        assert_eq!(listed(&app, &bob, &format!("{PLAYS}?limit=1")).await, [(3, 1), (2, 2), (2, 1)]);
        assert!(listed(&app, &bob, "/api/v1/plays?video_id=1").await.is_empty());
        for video in [1, 99] {
            let refused = app.ask(&bob, Method::GET, &format!("/api/v1/videos/{video}/plays"), None).await;
            problem(refused, 404, "video_not_found").await;
        }
        app.ask(&ann, Method::DELETE, "/api/v1/videos/2", None).await;
        assert_eq!(listed(&app, &bob, PLAYS).await, [(3, 1)]);
    }

    async fn what_has_expired_is_left_out_at_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 2).await;
        let day = 24 * 60;
        put(&app, &ann, &[play(1, 1, -9 * day, -8 * day), play(1, 2, -4 * day, -day), play(2, 1, -7 * day, -6 * day)]).await;
        let keep = user::Entity::update_many().col_expr(user::Column::RetentionDays, Expr::value(3));
        keep.exec(app.db.writer().await.unwrap().1).await.unwrap();
        for path in [PLAYS, "/api/v1/videos/1/plays", "/api/v1/plays?since=1970-01-01T00:00:00Z"] {
            assert_eq!(listed(&app, &ann, path).await, [(1, 2)], "it began before, and ended later");
        }
        assert!(listed(&app, &ann, "/api/v1/videos/2/plays").await.is_empty());
    }

    async fn an_invalid_query_names_its_parameter(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 1).await;
        for (name, query) in [
            ("limit", "limit=0"),
            ("limit", "limit=101"),
            ("limit", "limit=1.5"),
            ("cursor", "cursor=x"),
            ("cursor", "cursor="),
            ("since", "since=yesterday"),
            ("until", "until=2026-11-20T25:00:00Z"),
            ("since", "since=2026-11-20T00:00:01Z&until=2026-11-20T00:00:00Z"),
            ("video_id", "video_id=0"),
            ("video_id", "video_id=x"),
        ] {
            let refused = app.ask(&ann, Method::GET, &format!("{PLAYS}?{query}"), None).await;
            let refusal = problem(refused, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], name, "{query} {refusal}");
            if name == "limit" || name == "cursor" {
                let of_video = format!("/api/v1/videos/1/plays?{query}");
                problem(app.ask(&ann, Method::GET, &of_video, None).await, 422, "validation_failed").await;
            }
        }
        let edges = ["gAAAAAAAAAAAAAAAAAAAAQ", "f_________8AAAAAAAAAAQ", "jAAAAAAAAAAAAAAAAAAAAQ", "cAAAAAAAAAAAAAAAAAAAAQ"];
        for path in [PLAYS, "/api/v1/watch-history", "/api/v1/watch-history?state=completed"] {
            let sign = if path.contains('?') { '&' } else { '?' };
            for cursor in edges {
                let status = app.ask(&ann, Method::GET, &format!("{path}{sign}cursor={cursor}"), None).await.status();
                assert!([StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY].contains(&status), "{cursor} {status}");
            }
        }
    }
}
