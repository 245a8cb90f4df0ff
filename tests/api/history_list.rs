//! The history: its order, states, search, pages, and what is left out.

use crate::app::{Person, TestApp, history, problem};
use crate::databases::Engine;
use crate::listing::{fill, items_of_all_pages, next};
use entity::{user, video, watch_history};
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DatabaseBackend, EntityTrait, QueryFilter, Statement};
use serde_json::{Value, json};
use std::time::Duration;

const HISTORY: &str = "/api/v1/watch-history";

/// The titles of a page of the history.
async fn titles(app: &TestApp, person: &Person, query: &str) -> Vec<String> {
    let page = app.ask(person, Method::GET, &format!("{HISTORY}?{query}"), None).await;
    assert_eq!(page.status(), StatusCode::OK, "{query}");
    titles_of(&page.json::<Vec<Value>>().await.unwrap())
}

fn titles_of(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["video"]["title"].as_str().unwrap().to_owned()).collect()
}

/// Adds a video of 600 seconds, saves a position in it, and lets a minute pass.
async fn watch(app: &TestApp, person: &Person, title: &str, position: i32) -> i64 {
    let film = app.add_video(person, title, Some(600)).await;
    app.save(person, film, position).await;
    app.pass(Duration::from_secs(60));
    film
}

/// Saves a position of some minutes ago, and returns the entry.
async fn save_late(app: &TestApp, person: &Person, film: i64, position: i32, minutes: i64) -> Value {
    let body = json!({"watch_position": position, "age_ms": minutes * 60_000});
    let saved = app.ask(person, Method::POST, &history(film), Some(body)).await;
    assert_eq!(saved.status(), StatusCode::OK);
    saved.json().await.unwrap()
}

/// Writes a column of entries, as another process would.
async fn set(app: &TestApp, column: watch_history::Column, value: impl Into<Expr>, of: Condition) {
    let update = watch_history::Entity::update_many().col_expr(column, value.into()).filter(of);
    update.exec(app.db.writer().await.unwrap().1).await.unwrap();
}

on_both! {
    async fn an_item_is_the_entry_with_the_video_of_the_library(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let body = json!({"title": "one", "description": "long ".repeat(200), "duration": 600, "thumbnail_path": "/api/v1/videos/1/thumbnail"});
        app.ask(&ann, Method::POST, "/api/v1/videos", Some(body)).await;
        app.save(&ann, 1, 150).await;
        let items = items_of_all_pages(&app, &ann, HISTORY).await;
        let mut item = items[0].clone();
        let video = item.as_object_mut().unwrap().remove("video").unwrap();
        let entry: Value = app.ask(&ann, Method::GET, &history(1), None).await.json().await.unwrap();
        assert_eq!((items.len(), item), (1, entry));
        let listed = app.ask(&ann, Method::GET, "/api/v1/videos", None).await.json::<Value>().await.unwrap();
        assert_eq!(video, listed[0]);
        assert_eq!(video["watch_progress"], 25.0);
    }

    async fn each_state_lists_its_entries_in_its_order(app: TestApp) {
        let ann = app.sign_up("ann").await;
        watch(&app, &ann, "at the start", 0).await;
        let again = watch(&app, &ann, "again", 600).await;
        watch(&app, &ann, "begun", 60).await;
        watch(&app, &ann, "done", 600).await;
        assert_eq!(titles(&app, &ann, "").await, ["done", "begun", "again", "at the start"]);
        assert_eq!(titles(&app, &ann, "state=completed").await, ["done", "again"]);
        app.save(&ann, again, 30).await;
        assert_eq!(titles(&app, &ann, "state=all").await, ["again", "done", "begun", "at the start"]);
        assert_eq!(titles(&app, &ann, "state=in_progress").await, ["again", "begun"]);
        assert_eq!(titles(&app, &ann, "state=completed").await, ["done", "again"], "it was completed once, before");
        app.pass(Duration::from_secs(60));
        app.save(&ann, again, 600).await;
        assert_eq!(titles(&app, &ann, "state=completed").await, ["again", "done"]);
    }

    async fn pages_neither_skip_nor_repeat_while_entries_move(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 30).await;
        for film in 1..=30 {
            // Every third one is completed.
            save_late(&app, &ann, film, if film % 3 == 0 { 600 } else { 60 }, 1_000 - 20 * film).await;
        }
        for state in ["all", "in_progress", "completed"] {
            let path = format!("{HISTORY}?state={state}");
            let ids = |items: &[Value]| items.iter().map(|item| item["video_id"].as_i64().unwrap()).collect::<Vec<_>>();
            let mut expected = ids(&items_of_all_pages(&app, &ann, &path).await);
            // One of the last page is watched before its page is read.
            let late = expected.pop().unwrap();
            let (mut seen, mut address) = (Vec::new(), Some(format!("{path}&limit=4")));
            while let Some(page) = address.take() {
                let page = app.ask(&ann, Method::GET, &page, None).await;
                address = next(&page);
                seen.extend(ids(&page.json::<Vec<Value>>().await.unwrap()));
                // So is the last one of this page, which the cursor names.
                for film in [late, *seen.last().unwrap()] {
                    app.save(&ann, film, 90).await;
                    app.save(&ann, film, 600).await;
                }
            }
            assert_eq!(seen, expected, "{state}");
        }
    }

    async fn pages_cover_entries_with_equal_times(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 25).await;
        for film in 1..=25 {
            app.save(&ann, film, if film % 2 == 0 { 600 } else { 60 }).await;
        }
        let all = Condition::all();
        set(&app, watch_history::Column::LastWatchedAt, app.now(), all.clone()).await;
        set(&app, watch_history::Column::CompletedAt, app.now(), all.add(watch_history::Column::PlayCount.gt(0))).await;
        for (state, count) in [("all", 25), ("in_progress", 13), ("completed", 12)] {
            for limit in [1, 4, 12, 100] {
                let items = items_of_all_pages(&app, &ann, &format!("{HISTORY}?state={state}&limit={limit}")).await;
                let ids: Vec<_> = items.iter().map(|item| item["id"].as_i64().unwrap()).collect();
                assert_eq!(ids.len(), count, "{state} {limit}");
                assert!(ids.is_sorted_by(|one, other| one > other), "{state} {limit}: {ids:?}");
            }
        }
    }

    async fn a_search_finds_parts_of_titles_and_descriptions(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        for (title, description) in [("Harbour at Dawn", ""), ("한국 영화", ""), ("Ärger", "With STRASSE"), ("other", "")] {
            let body = json!({"title": title, "description": description, "duration": 600});
            app.ask(&ann, Method::POST, "/api/v1/videos", Some(body)).await;
        }
        for film in 1..=4 {
            app.save(&ann, film, if film == 3 { 600 } else { 60 }).await;
            app.pass(Duration::from_secs(60));
        }
        app.save(&bob, 4, 60).await;
        for (query, found) in [
            ("q=HARB", vec!["Harbour at Dawn"]),
            ("q=bour%20at", vec!["Harbour at Dawn"]),
            ("q=%ED%95%9C", vec!["한국 영화"]),
            ("q=%EC%98%81%ED%99%94", vec!["한국 영화"]),
            ("q=%C3%A4rger", vec!["Ärger"]),
            ("q=stra%C3%9Fe", vec!["Ärger"]),
            ("q=r&limit=100", vec!["other", "Ärger", "Harbour at Dawn"]),
            ("q=r&state=completed", vec!["Ärger"]),
            ("q=r&state=in_progress", vec!["other", "Harbour at Dawn"]),
            ("q=nowhere", vec![]),
            ("q=ann", vec![]),
            ("q=", vec!["other", "Ärger", "한국 영화", "Harbour at Dawn"]),
        ] {
            assert_eq!(titles(&app, &ann, query).await, found, "{query}");
        }
        assert_eq!(titles(&app, &bob, "q=r").await, ["other"]);
        let pages = items_of_all_pages(&app, &ann, &format!("{HISTORY}?q=r&limit=1&state=in_progress")).await;
        assert_eq!(titles_of(&pages), ["other", "Harbour at Dawn"], "the next page keeps the search");
    }

    async fn a_text_of_most_videos_is_found_in_a_short_history(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 1_200).await;
        for film in [3, 700, 1_200] {
            app.save(&ann, film, 60).await;
            app.pass(Duration::from_secs(60));
        }
        assert_eq!(titles(&app, &ann, "q=FILM").await, ["film 1199", "film 699", "film 2"]);
        let pages = items_of_all_pages(&app, &ann, &format!("{HISTORY}?q=ilm&limit=1")).await;
        assert_eq!(titles_of(&pages), ["film 1199", "film 699", "film 2"]);
        assert_eq!(titles(&app, &ann, "q=film%202").await, ["film 2"]);
    }

    async fn a_range_of_times_begins_with_its_start_and_ends_before_its_end(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 3).await;
        let mut times = Vec::new();
        for (film, minutes) in [(1, 200), (2, 100), (3, 90)] {
            let entry = save_late(&app, &ann, film, 600, minutes).await;
            assert_eq!(entry["last_watched_at"], entry["completed_at"]);
            times.push(entry["completed_at"].as_str().unwrap().to_owned());
        }
        let [one, two, three] = times.try_into().unwrap();
        for state in ["all", "completed"] {
            let found = |query: String| titles_in_range(&app, &ann, format!("state={state}&{query}"));
            assert_eq!(found(format!("since={two}")).await, ["film 2", "film 1"]);
            assert_eq!(found(format!("until={two}")).await, ["film 0"]);
            assert_eq!(found(format!("since={two}&until={three}")).await, ["film 1"]);
            assert_eq!(found(format!("since={one}&until={three}&limit=1")).await, ["film 1", "film 0"]);
            assert_eq!(found(format!("since={two}&until={two}")).await, [""; 0]);
        }
        assert_eq!(titles(&app, &ann, "since=1970-01-01T00:00:00Z&until=9999-12-31T23:59:59%2B14:00").await.len(), 3);
    }

    async fn another_viewer_sees_nothing_and_a_stranger_must_sign_in(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        watch(&app, &ann, "one", 60).await;
        for state in ["all", "in_progress", "completed"] {
            assert_eq!(titles(&app, &bob, &format!("state={state}")).await, [""; 0]);
        }
        assert_eq!(titles(&app, &bob, "q=one").await, [""; 0]);
        problem(app.get(HISTORY).await, 401, "unauthenticated").await;
        let head = app.ask(&ann, Method::HEAD, HISTORY, None).await;
        assert_eq!((head.status(), head.bytes().await.unwrap().len()), (StatusCode::OK, 0));
    }

    async fn videos_that_the_caller_may_not_see_leave_no_short_page(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        fill(&app, &ann, 30).await;
        for film in 1..=30 {
            save_late(&app, &bob, film, 60, 100 - film).await;
        }
        let hide = video::Entity::update_many()
            .col_expr(video::Column::Status, Expr::value("processing"))
            .filter(video::Column::Id.gt(5));
        hide.exec(app.db.writer().await.unwrap().1).await.unwrap();
        assert_eq!(titles(&app, &bob, "limit=3").await, ["film 4", "film 3", "film 2"]);
        assert_eq!(items_of_all_pages(&app, &bob, &format!("{HISTORY}?limit=2")).await.len(), 5);
        assert_eq!(titles(&app, &bob, "q=film&limit=100").await.len(), 5);
        app.ask(&ann, Method::DELETE, "/api/v1/videos/4", None).await;
        assert_eq!(titles(&app, &bob, "limit=3").await, ["film 4", "film 2", "film 1"]);
    }

    async fn hidden_entries_are_listed_as_hidden(app: TestApp) {
        let ann = app.sign_up("ann").await;
        watch(&app, &ann, "one", 60).await;
        watch(&app, &ann, "two", 60).await;
        set(&app, watch_history::Column::Hidden, true, watch_history::Column::VideoId.eq(1).into()).await;
        let items = items_of_all_pages(&app, &ann, &format!("{HISTORY}?state=in_progress")).await;
        assert_eq!(titles_of(&items), ["two", "one"]);
        assert_eq!((&items[0]["hidden"], &items[1]["hidden"]), (&json!(false), &json!(true)));
    }

    async fn what_has_expired_is_left_out_at_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let old = app.add_video(&ann, "old", Some(600)).await;
        save_late(&app, &ann, old, 600, 3 * 24 * 60).await;
        watch(&app, &ann, "new", 600).await;
        assert_eq!(titles(&app, &ann, "").await, ["new", "old"]);
        let keep = user::Entity::update_many().col_expr(user::Column::RetentionDays, Expr::value(2));
        keep.exec(app.db.writer().await.unwrap().1).await.unwrap();
        for query in ["", "state=completed", "q=o", "q=w", "since=1970-01-01T00:00:00Z"] {
            assert!(!titles(&app, &ann, query).await.contains(&"old".to_owned()), "{query}");
        }
        app.pass(Duration::from_secs(3 * 86_400));
        let ann = app.sign_in_again(&ann).await;
        assert_eq!(titles(&app, &ann, "").await, [""; 0]);
    }

    async fn an_invalid_query_names_its_parameter(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for (name, query) in [
            ("limit", "limit=0"),
            ("limit", "limit=101"),
            ("limit", "limit=x"),
            ("cursor", "cursor=x"),
            ("cursor", "cursor="),
            ("state", "state=begun"),
            ("state", "state="),
            ("q", "q=%00"),
            ("since", "since=yesterday"),
            ("since", "since="),
            ("since", "since=2026-02-30T00:00:00Z"),
            ("since", "since=1969-12-31T23:59:59Z"),
            ("until", "until=2026-11-20"),
            ("until", "until=99999-01-01T00:00:00Z"),
            ("since", "since=2026-11-20T00:00:01Z&until=2026-11-20T00:00:00Z"),
        ] {
            let refused = app.ask(&ann, Method::GET, &format!("{HISTORY}?{query}"), None).await;
            let refusal = problem(refused, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], name, "{query} {refusal}");
        }
        let long = format!("{HISTORY}?q={}", "a".repeat(201));
        problem(app.ask(&ann, Method::GET, &long, None).await, 422, "validation_failed").await;
    }

    async fn a_page_of_any_length_takes_three_statements(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 60).await;
        for film in 1..=60 {
            app.save(&ann, film, if film % 2 == 0 { 600 } else { 60 }).await;
        }
        for state in ["all", "in_progress", "completed"] {
            app.take_statements();
            let page = app.ask(&ann, Method::GET, &format!("{HISTORY}?state={state}&limit=50"), None).await;
            let statements = app.take_statements();
            // The account, how long its history is kept, and the page.
            assert_eq!(statements.len(), 3, "{statements:#?}");
            assert!(page.json::<Vec<Value>>().await.unwrap().len() >= 30);
        }
    }
}

/// The titles of all pages.
async fn titles_in_range(app: &TestApp, person: &Person, query: String) -> Vec<String> {
    titles_of(&items_of_all_pages(app, person, &format!("{HISTORY}?{query}")).await)
}

#[tokio::test]
async fn every_state_is_read_by_an_index() {
    let app = TestApp::start(Engine::Sqlite).await;
    let ann = app.sign_up("ann").await;
    for (state, index) in [
        ("all", "ix_watch_history_list (user_id=? AND completed=?)"),
        ("in_progress", "ix_watch_history_list (user_id=? AND completed=?)"),
        ("completed", "ix_watch_history_completed (user_id=? AND completed_at>?)"),
    ] {
        app.take_statements();
        assert_eq!(titles(&app, &ann, &format!("state={state}")).await, [""; 0]);
        let sql = app.take_statements().pop().unwrap();
        let explain = Statement::from_string(DatabaseBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = app.db.reader().query_all_raw(explain).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        let reads = plan.iter().filter(|step| step.starts_with("SEARCH watch_history"));
        assert!(reads.clone().count() > 0 && reads.clone().all(|step| step.contains(index)), "{plan:#?}");
    }
}
