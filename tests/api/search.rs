//! Search gives the same results on both databases, in every script and case.

use crate::app::{PASSWORD, Person, TestApp, problem};
use crate::videos::{VIDEOS, titles};
use chrono::{DateTime, TimeDelta, Utc};
use entity::video;
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseBackend, EntityTrait, FromQueryResult, QueryFilter,
    Statement,
};
use serde_json::{Value, json};
use std::time::Duration;

/// The title, description, views and age in seconds of a video.
type Row = (String, Option<String>, i32, DateTime<Utc>);

/// Inserts videos into the database, as another process would.
async fn put(app: &TestApp, person: &Person, videos: &[Row]) {
    for some in videos.chunks(500) {
        let rows = some.iter().map(|(title, description, views, moment)| video::ActiveModel {
            user_id: Set(person.id),
            title: Set(title.clone()),
            description: Set(description.clone()),
            view_count: Set(*views),
            created_at: Set(*moment),
            updated_at: Set(*moment),
            ..Default::default()
        });
        let writer = app.db.writer().await.unwrap();
        video::Entity::insert_many(rows).exec_without_returning(writer.1).await.unwrap();
    }
}

async fn put_titles(app: &TestApp, person: &Person, titles: &[&str]) {
    let now = app.now();
    let videos: Vec<_> = titles.iter().map(|title| ((*title).to_owned(), None, 0, now)).collect();
    put(app, person, &videos).await;
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The titles that both search operations find.
async fn found(app: &TestApp, text: &str) -> Vec<String> {
    let q = encoded(text);
    let listed = titles(app.get(&format!("{VIDEOS}?limit=100&q={q}")).await).await;
    let searched = titles(app.get(&format!("{VIDEOS}/search?limit=100&q={q}")).await).await;
    assert_eq!(listed, searched, "{text}");
    listed
}

async fn search(app: &TestApp, query: &str) -> Vec<String> {
    titles(app.get(&format!("{VIDEOS}/search?{query}")).await).await
}

on_both! {
    async fn a_search_ignores_case_and_unicode_composition(app: TestApp) {
        let ann = app.sign_up("nobody").await;
        let all = [
            "Ca\u{f1}on", "Cafe\u{301}", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}", "STRASSE", "Straße",
            "ΣΊΣΥΦΟΣ", "ПРИВЕТ", "ＦＵＬＬ", "\u{10400}x", "İstanbul", "東京",
        ];
        put_titles(&app, &ann, &all).await;
        for (text, titles) in [
            ("CAN\u{303}ON", vec!["Ca\u{f1}on"]),
            ("\u{f1}", vec!["Ca\u{f1}on"]),
            ("caf\u{e9}", vec!["Cafe\u{301}"]),
            ("É", vec!["Cafe\u{301}"]),
            ("한", vec![all[2]]),
            ("한국", vec![all[2]]),
            ("\u{1100}\u{116e}\u{11a8}", vec![all[2]]),
            ("strasse", vec!["Straße", "STRASSE"]),
            ("ẞE", vec!["Straße", "STRASSE"]),
            ("σίσυφος", vec!["ΣΊΣΥΦΟΣ"]),
            ("ς", vec!["ΣΊΣΥΦΟΣ"]),
            ("привет", vec!["ПРИВЕТ"]),
            ("и", vec!["ПРИВЕТ"]),
            ("ｕｌ", vec!["ＦＵＬＬ"]),
            ("\u{10428}", vec!["\u{10400}x"]),
            ("i\u{307}STAN", vec!["İstanbul"]),
            ("京", vec!["東京"]),
            ("東京", vec!["東京"]),
            ("京都", vec![]),
            ("cafe", vec![]),
        ] {
            // In NFC "cafe" is no part of "café", as on the screen.
            assert_eq!(found(&app, text).await, titles, "{text}");
        }
    }

    async fn videos_written_by_other_processes_are_found_at_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put_titles(&app, &ann, &["Harbour", "Lighthouse"]).await;
        assert_eq!(found(&app, "HARB").await, ["Harbour"]);
        put_titles(&app, &ann, &["The old harbour"]).await;
        assert_eq!(found(&app, "harb").await, ["The old harbour", "Harbour"]);
        let many: Vec<_> = (0..1100).map(|n| (format!("Harbour {n}"), None, 0, app.now())).collect();
        put(&app, &ann, &many).await;
        assert_eq!(found(&app, "harbour 777").await, ["Harbour 777"]);
    }

    async fn changed_videos_are_found_at_once_and_deleted_ones_are_not(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = format!("{VIDEOS}/{}", app.add_video(&ann, "Harbour", None).await);
        assert_eq!(found(&app, "harbour").await, ["Harbour"]);
        app.ask(&ann, Method::PATCH, &film, Some(json!({"title": "Lighthouse", "description": "by the sea"}))).await;
        assert!(found(&app, "harbour").await.is_empty());
        assert_eq!(found(&app, "THE S").await, ["Lighthouse"]);
        app.ask(&ann, Method::PATCH, &film, Some(json!({"description": null}))).await;
        assert!(found(&app, "the s").await.is_empty());
        app.ask(&ann, Method::DELETE, &film, None).await;
        assert!(found(&app, "lighthouse").await.is_empty());
        app.add_video(&ann, "Lighthouse", None).await;
        assert_eq!(found(&app, "lighthouse").await.len(), 1);
        let root = app.sign_up("root").await;
        app.add_video(&root, "Lighthouse of root", None).await;
        app.sign_up("another").await;
        let left = app.ask(&root, Method::DELETE, "/api/v1/users/me", Some(json!({"current_password": PASSWORD}))).await;
        assert_eq!(left.status(), StatusCode::NO_CONTENT);
        assert_eq!(found(&app, "lighthouse").await.len(), 1);
    }

    async fn a_search_uses_the_current_names_of_uploaders(app: TestApp) {
        let ann = app.sign_up("ann").await;
        app.add_video(&ann, "film", None).await;
        assert_eq!(search(&app, "q=ANN").await, ["film"]);
        assert!(titles(app.get(&format!("{VIDEOS}?q=ann")).await).await.is_empty(), "title and description only");
        let rename = json!({"username": "Bärbel", "current_password": PASSWORD});
        let renamed = app.ask(&ann, Method::PATCH, "/api/v1/users/me", Some(rename)).await;
        assert_eq!(renamed.status(), StatusCode::OK);
        assert_eq!(search(&app, &format!("q={}", encoded("BA\u{308}R"))).await, ["film"]);
        assert!(search(&app, "q=ann").await.is_empty());
    }

    async fn a_search_finds_the_same_as_a_full_scan(app: TestApp) {
        let ann = app.sign_up("nobody").await;
        // Few letters, so that every sequence occurs often; times and ids in no order; one word in
        // the oldest video only.
        let (mut seed, now) = (7_u64, app.now());
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let mut videos = Vec::new();
        for n in 0..1500_i64 {
            let mut word = || (0..next(6) + 1).map(|_| ['a', 'b', 'é', '한'][next(4) as usize]).collect::<String>();
            let (title, description) = (format!("{} {n}", word()), word());
            let age = TimeDelta::milliseconds((n * 7919) % 1501);
            let title = if age > TimeDelta::milliseconds(1480) { format!("{title} Zebra") } else { title };
            videos.push((title, Some(description), (n * 31 % 97) as i32, now - age));
        }
        put(&app, &ann, &videos).await;
        for text in ["a", "é", "한", "ab", "A한", "aba", "b é", "zebra", "zq", "1", "abab", "한한한", "aéb", "x", "99"] {
            let fold = |text: &str| text.to_lowercase();
            let mut expected: Vec<_> = videos
                .iter()
                .enumerate()
                .filter(|(_, (title, description, ..))| {
                    fold(title).contains(&fold(text)) || fold(description.as_ref().unwrap()).contains(&fold(text))
                })
                .collect();
            let q = encoded(text);
            let check = async |order: &str, expected: &[(usize, &Row)]| {
                for skip in [0, 5, 90] {
                    let found = search(&app, &format!("q={q}&limit=30&skip={skip}&sort_by={order}")).await;
                    let page: Vec<_> = expected.iter().skip(skip).take(30).map(|(_, video)| &video.0).collect();
                    assert_eq!(found.iter().collect::<Vec<_>>(), page, "{text} by {order} from {skip}");
                }
            };
            expected.sort_by_key(|(n, video)| std::cmp::Reverse((video.3, *n)));
            check("created_at", &expected).await;
            expected.sort_by_key(|(n, video)| std::cmp::Reverse((video.2, *n)));
            check("view_count", &expected).await;
            expected.sort_by_key(|(n, video)| (fold(&video.0), *n));
            check("title", &expected).await;
        }
    }

    async fn the_pages_of_a_search_follow_each_other_by_cursor(app: TestApp) {
        let ann = app.sign_up("nobody").await;
        let now = app.now();
        let videos: Vec<_> = (0..700_i64)
            .map(|n| (format!("{} {n}", if n % 50 == 0 { "rare" } else { "film" }), None, 0, now + TimeDelta::milliseconds(n)))
            .collect();
        put(&app, &ann, &videos).await;
        for (text, count) in [("rare", 14), ("film", 686)] {
            let (mut path, mut all) = (Some(format!("{VIDEOS}?q={text}&limit=9")), Vec::new());
            while let Some(page) = path.take() {
                let page = app.get(&page).await;
                let link = page.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
                path = link.map(|link| link.trim_start_matches('<').split('>').next().unwrap().to_owned());
                all.extend(titles(page).await);
            }
            let expected = videos.iter().rev().map(|video| video.0.clone()).filter(|title| title.starts_with(text));
            assert_eq!((all.len(), all), (count, expected.collect::<Vec<_>>()));
        }
    }

    async fn only_ready_videos_are_found(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "Harbour", None).await;
        for status in ["processing", "failed", "deleted"] {
            let update = video::Entity::update_many().col_expr(video::Column::Status, Expr::value(status));
            update.filter(video::Column::Id.eq(film)).exec(app.db.writer().await.unwrap().1).await.unwrap();
            for order in ["created_at", "view_count", "title"] {
                let found = app.ask(&ann, Method::GET, &format!("{VIDEOS}/search?q=harb&sort_by={order}"), None).await;
                assert!(titles(found).await.is_empty(), "{status} {order}");
            }
        }
    }

    async fn pattern_characters_are_searched_literally(app: TestApp) {
        let ann = app.sign_up("nobody").await;
        let all = ["100% sure", "snake_case", r"back\slash", "it's", "\"quoted\"", "a AND b", "x* NEAR(y)", "-minus", "{a}"];
        put_titles(&app, &ann, &all).await;
        for (text, title) in [
            ("%", all[0]), ("0%", all[0]), ("_", all[1]), ("E_C", all[1]), ("\\", all[2]), ("k\\s", all[2]), ("'", all[3]),
            ("\"", all[4]), ("\"QUOTED\"", all[4]), (" and ", all[5]), ("*", all[6]), ("near(", all[6]), ("-", all[7]),
            ("-MIN", all[7]), ("{", all[8]), ("{A}", all[8]),
        ] {
            assert_eq!(found(&app, text).await, [title], "{text}");
        }
    }

    async fn an_invalid_search_is_refused_with_its_parameter(app: TestApp) {
        for (field, query) in [
            ("q", ""), ("q", "q="), ("q", "q=%00"), ("q", &format!("q={}", "a".repeat(201))),
            ("skip", "q=a&skip=-1"), ("skip", "q=a&skip=10001"), ("limit", "q=a&limit=0"), ("limit", "q=a&limit=101"),
            ("sort_by", "q=a&sort_by=rating"), ("include_tags", "q=a&include_tags=x"), ("exclude_tags", "q=a&exclude_tags=1,x"),
        ] {
            let refusal = problem(app.get(&format!("{VIDEOS}/search?{query}")).await, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], field, "{query} {refusal}");
        }
        let far = problem(app.get(&format!("{VIDEOS}?q=a&skip=10001")).await, 422, "validation_failed").await;
        assert_eq!(far["errors"][0]["field"], "skip");
        let ann = app.sign_up("ann").await;
        app.add_video(&ann, "film", None).await;
        for (query, count) in [("q=film&include_tags=1", 0), ("q=film&exclude_tags=1,2", 1), ("q=film&include_tags=", 1)] {
            assert_eq!(search(&app, query).await.len(), count, "{query}");
        }
    }

    async fn a_view_does_not_touch_the_search_index(app: TestApp) {
        #[derive(Debug, PartialEq, FromQueryResult)]
        struct Row {
            video_id: i64,
            title: String,
            is_current: bool,
        }
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "Harbour", None).await;
        let version = if app.db.backend() == DatabaseBackend::Postgres { "s.xmin::text" } else { "''" };
        let read = async || {
            let sql = format!(
                "SELECT s.video_id, s.title || {version} AS title, s.video_updated_at = v.updated_at AS is_current \
                 FROM video_search s JOIN videos v ON v.id = s.video_id"
            );
            Row::find_by_statement(Statement::from_string(app.db.backend(), sql)).one(app.db.reader()).await.unwrap().unwrap()
        };
        let before = read().await;
        assert!(before.is_current && before.video_id == film);
        app.request(Method::POST, &format!("{VIDEOS}/{film}/view")).send().await.unwrap();
        assert_eq!(app.get(&format!("{VIDEOS}/{film}")).await.json::<Value>().await.unwrap()["view_count"], 1);
        assert_eq!(read().await, before);
    }

    async fn many_searches_at_once_do_not_block_other_requests(app: TestApp) {
        let ann = app.sign_up("nobody").await;
        let now = app.now();
        let videos: Vec<_> = (0..3000).map(|n| (format!("film {n}"), Some("the sea ".repeat(20)), n, now)).collect();
        put(&app, &ann, &videos).await;
        found(&app, "film").await;
        let searches = (0..50).map(|n| {
            let text = ["a", "the", "film 1", "zzz", "sea t"][n % 5];
            let request = app.request(Method::GET, &format!("{VIDEOS}/search?q={text}&sort_by=view_count&skip={n}"));
            tokio::spawn(async move { request.send().await.unwrap().status() })
        });
        let searches: Vec<_> = searches.collect();
        for _ in 0..20 {
            let others = tokio::time::timeout(Duration::from_secs(5), app.get(VIDEOS)).await.expect("others are served");
            assert_eq!(others.status(), StatusCode::OK);
        }
        for search in searches {
            assert_eq!(search.await.unwrap(), StatusCode::OK);
        }
    }
}

/// SQLite's query plans for the statements of `path`.
async fn plans(app: &TestApp, path: &str) -> Vec<String> {
    app.get(path).await;
    app.take_statements();
    assert_eq!(app.get(path).await.status(), StatusCode::OK);
    let mut plans = Vec::new();
    for sql in app.take_statements() {
        let explain = Statement::from_string(DatabaseBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"));
        let rows = app.db.reader().query_all_raw(explain).await.unwrap();
        plans.extend(rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap()));
    }
    plans
}

#[tokio::test]
async fn no_list_and_no_search_reads_all_videos() {
    let app = TestApp::start(crate::databases::Engine::Sqlite).await;
    let ann = app.sign_up("ann").await;
    let now = app.now();
    let videos: Vec<_> = (0..2000).map(|n| (format!("film {n}"), None, n, now)).collect();
    put(&app, &ann, &videos).await;
    for path in [
        "/videos?skip=50",
        "/videos?skip=1500",
        "/videos?q=film",
        "/videos?q=1&skip=100",
        "/videos/search?q=a",
        "/videos/search?q=film%201&sort_by=view_count",
        "/videos/search?q=zzz&sort_by=title",
        "/videos/paginated",
        "/videos/paginated?page=70&sort_by=view_count&order=asc",
        "/videos/paginated?sort_by=rating",
        "/statistics/popular",
        "/statistics/popular?skip=1900",
        "/statistics/summary",
    ] {
        for step in plans(&app, &format!("/api/v1{path}")).await {
            let walks = [
                "USING INDEX ix_videos_",
                "USING COVERING INDEX",
                "VIRTUAL TABLE INDEX",
                "USING INDEX ix_video_search_",
            ];
            // Only one page is scanned, or an index until the page is full.
            let is_page = ["SCAN s", "SCAN v", "SCAN CONSTANT ROW"].contains(&step.as_str());
            let fits = !step.starts_with("SCAN") || is_page || walks.iter().any(|walk| step.contains(walk));
            assert!(fits, "{path}: {step}");
        }
    }
    let own = app.ask(&ann, Method::GET, "/api/v1/videos/my-videos?skip=1900", None).await;
    assert_eq!(titles(own).await.len(), 20);
}
