//! The list of videos: pages, search and order.

use crate::app::{Person, TestApp, problem};
use crate::databases::Engine;
use crate::videos::{VIDEOS, titles};
use entity::video;
use reqwest::{Method, Response, StatusCode};

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseBackend, EntityTrait, PaginatorTrait, QueryFilter,
    Statement,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// The URL in the `Link` header.
pub fn next(response: &Response) -> Option<String> {
    let link = response.headers().get("link")?.to_str().unwrap();
    let address = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
    Some(address.unwrap_or_else(|| panic!("{link}")).to_owned())
}

/// The titles of all pages from this path on, and how many pages there were.
async fn follow(app: &TestApp, first: &str) -> (Vec<String>, usize) {
    let (mut address, mut all, mut pages) = (Some(first.to_owned()), Vec::new(), 0);
    while let Some(page) = address.take() {
        let page = app.get(&page).await;
        address = next(&page);
        all.extend(titles(page).await);
        pages += 1;
        assert!(pages < 1000, "the last page has no next link");
    }
    (all, pages)
}

/// The items of all pages from this path on, as `person` gets them.
pub async fn items_of_all_pages(app: &TestApp, person: &Person, first: &str) -> Vec<Value> {
    let (mut address, mut all) = (Some(first.to_owned()), Vec::new());
    while let Some(page) = address.take() {
        let page = app.ask(person, Method::GET, &page, None).await;
        assert_eq!(page.status(), StatusCode::OK);
        address = next(&page);
        all.extend(page.json::<Vec<Value>>().await.unwrap());
        assert!(all.len() < 10_000, "the last page has no next link");
    }
    all
}

/// Inserts `count` videos with the same time.
pub async fn fill(app: &TestApp, person: &Person, count: usize) {
    let now = app.now();
    let row = |n| video::ActiveModel {
        user_id: Set(person.id),
        title: Set(format!("film {n}")),
        duration: Set(Some(600)),
        status: Set(video::Status::Ready),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let numbers: Vec<_> = (0..count).collect();
    for some in numbers.chunks(1000) {
        let rows = some.iter().map(|n| row(*n));
        video::Entity::insert_many(rows).exec_without_returning(app.db.writer().await.unwrap().1).await.unwrap();
    }
}

on_both! {
    async fn the_list_starts_with_the_newest_and_obeys_the_limit(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for title in ["one", "two", "three"] {
            app.add_video(&ann, title, None).await;
            app.pass(Duration::from_secs(1));
        }
        assert_eq!(titles(app.get(VIDEOS).await).await, ["three", "two", "one"]);
        assert_eq!(titles(app.get(&format!("{VIDEOS}?limit=2")).await).await, ["three", "two"]);
        assert_eq!(titles(app.get(&format!("{VIDEOS}?limit=1&skip=1")).await).await, ["two"]);
        assert!(titles(app.get(&format!("{VIDEOS}?skip=2147483647")).await).await.is_empty());
        fill(&app, &ann, 101).await;
        for (query, count) in [("", 20), ("?limit=1", 1), ("?limit=100", 100), ("?utm_source=x&_=1&limit=3", 3)] {
            assert_eq!(titles(app.get(&format!("{VIDEOS}{query}")).await).await.len(), count, "{query}");
        }
    }

    async fn an_invalid_query_is_refused_with_its_parameter(app: TestApp) {
        let edge = "_".repeat(22);
        for (name, value) in [
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "256"),
            ("limit", "-1"),
            ("limit", "abc"),
            ("limit", ""),
            ("limit", "1.5"),
            ("limit", "1&limit=2"),
            ("skip", "-1"),
            ("skip", "2147483648"),
            ("skip", "18446744073709551616"),
            ("cursor", ""),
            ("cursor", "x"),
            ("cursor", "%00"),
            ("cursor", "AAAAAAAAAAAAAAAAAAAAAA%3D%3D"),
            ("cursor", &edge),
            ("q", "%00"),
            ("q", &"a".repeat(201)),
        ] {
            let refused = app.get(&format!("{VIDEOS}?{name}={value}")).await;
            let refusal = problem(refused, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], name, "{name}={value} {refusal}");
        }
        // The first and the last time that a cursor can hold.
        for cursor in
            ["gAAAAAAAAAAAAAAAAAAAAQ", "f_________8AAAAAAAAAAQ", "jAAAAAAAAAAAAAAAAAAAAQ", "cAAAAAAAAAAAAAAAAAAAAQ"]
        {
            let status = app.get(&format!("{VIDEOS}?cursor={cursor}")).await.status();
            assert!([StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY].contains(&status), "{cursor} {status}");
        }
    }

    async fn pages_cover_videos_with_equal_times(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 50).await;
        for (limit, pages) in [(7, 8), (10, 5), (25, 2), (50, 1), (49, 2)] {
            let (all, count) = follow(&app, &format!("{VIDEOS}?limit={limit}")).await;
            assert_eq!((all.len(), count), (50, pages), "{limit}");
            assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 50);
            assert_eq!((&*all[0], &*all[49]), ("film 49", "film 0"), "the newest video comes first");
        }
    }

    async fn pages_skip_and_repeat_nothing_while_the_library_changes(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 30).await;
        let page = app.get(&format!("{VIDEOS}?limit=10")).await;
        let mut address = next(&page);
        let mut seen = titles(page).await;
        while let Some(page) = address.take() {
            app.pass(Duration::from_secs(1));
            app.add_video(&ann, "new", None).await;
            // The last video of the previous page, which the cursor names, and one of the next
            // page.
            let last: usize = seen.last().unwrap()[5..].parse().unwrap();
            for gone in [format!("film {last}"), format!("film {}", last.saturating_sub(3))] {
                let delete = video::Entity::delete_many().filter(video::Column::Title.eq(gone));
                delete.exec(app.db.writer().await.unwrap().1).await.unwrap();
            }
            let page = app.get(&page).await;
            address = next(&page);
            seen.extend(titles(page).await);
        }
        // 17 and 6 were deleted before their pages were read; 20 and 9, which the cursors name,
        // after that.
        let expected: Vec<_> = (0..30).rev().filter(|n| ![17, 6].contains(n)).map(|n| format!("film {n}")).collect();
        assert_eq!(seen, expected);
    }

    async fn the_next_page_keeps_the_search_and_the_limit(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for title in ["a & b 1", "a & b 2", "a & b 3", "other"] {
            app.add_video(&ann, title, None).await;
        }
        let (all, pages) = follow(&app, &format!("{VIDEOS}?limit=1&q=a%20%26%20b&skip=1")).await;
        assert_eq!((all, pages), (vec!["a & b 2".to_owned(), "a & b 1".to_owned()], 2));
    }

    async fn a_search_finds_titles_and_descriptions_in_any_case(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for (title, description) in [
            ("Harbour", Some("At dawn")),
            ("100% sure", None),
            ("100 sure", None),
            ("snake_case", None),
            ("snakeXcase", None),
            (r"back\slash", None),
            ("backslash", None),
            ("it's", None),
            ("ÄRGER", Some("[x] * ?")),
        ] {
            let body = json!({"title": title, "description": description});
            app.ask(&ann, Method::POST, VIDEOS, Some(body)).await;
        }
        for (search, found) in [
            ("harbour", "Harbour"),
            ("HARB", "Harbour"),
            ("dAWn", "Harbour"),
            ("100%25", "100% sure"),
            ("%25", "100% sure"),
            ("_", "snake_case"),
            ("E_C", "snake_case"),
            ("%5C", r"back\slash"),
            ("'", "it's"),
            ("ÄRG", "ÄRGER"),
            ("[X]", "ÄRGER"),
            ("*", "ÄRGER"),
            ("%3F", "ÄRGER"),
        ] {
            let list = app.get(&format!("{VIDEOS}?q={search}")).await;
            assert_eq!(titles(list).await, [found], "{search}");
        }
        assert_eq!(titles(app.get(&format!("{VIDEOS}?q=")).await).await.len(), 9);
        assert!(titles(app.get(&format!("{VIDEOS}?q=nothing")).await).await.is_empty());
        assert!(titles(app.get(&format!("{VIDEOS}?q=%F0%9F%A6%80")).await).await.is_empty());
    }

    async fn a_page_of_a_library_of_10_000_with_progress_takes_two_statements(app: TestApp) {
        let ann = app.sign_up("ann").await;
        fill(&app, &ann, 10_000).await;
        let newest = video::Entity::find().count(app.db.reader()).await.unwrap();
        assert_eq!(newest, 10_000);
        let list: Value = app.get(&format!("{VIDEOS}?limit=50")).await.json().await.unwrap();
        for film in list.as_array().unwrap() {
            app.save(&ann, film["id"].as_i64().unwrap(), 60).await;
        }
        app.take_statements();
        let page = app.ask(&ann, Method::GET, &format!("{VIDEOS}?limit=50"), None).await;
        let statements = app.take_statements();
        assert!(statements.len() <= 2, "{statements:#?}");
        let page: Vec<Value> = page.json().await.unwrap();
        assert!(page.len() == 50 && page.iter().all(|film| film["watch_progress"] == 10.0));
    }
}

#[tokio::test]
async fn a_page_reads_an_index_and_sorts_nothing() {
    let app = TestApp::start(Engine::Sqlite).await;
    let ann = app.sign_up("ann").await;
    fill(&app, &ann, 1000).await;
    app.take_statements();
    let first = app.get(&format!("{VIDEOS}?limit=50")).await;
    let next = next(&first).expect("there is more");
    app.get(&next).await;
    for sql in app.take_statements() {
        let explain = Statement::from_string(DatabaseBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = app.db.reader().query_all_raw(explain).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        assert!(plan.iter().any(|step| step.contains("ix_videos_created_at")), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
    }
}
