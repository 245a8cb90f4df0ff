//! The other requests of the reference's pages: numbered pages, views, statistics, and features
//! that do not exist yet.

use crate::app::{TestApp, fields, problem, send};
use crate::videos::{VIDEOS, titles};
use entity::video;
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::time::Duration;

async fn read(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

async fn views(app: &TestApp, film: i64) -> i64 {
    read(app, &format!("{VIDEOS}/{film}")).await["view_count"].as_i64().unwrap()
}

async fn set(app: &TestApp, film: i64, column: video::Column, value: impl Into<sea_orm::Value>) {
    let update = video::Entity::update_many().col_expr(column, Expr::value(value.into()));
    update.filter(video::Column::Id.eq(film)).exec(app.db.writer().await.unwrap().1).await.unwrap();
}

on_both! {
    async fn numbered_pages_hold_every_ready_video_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        assert_eq!(
            read(&app, &format!("{VIDEOS}/paginated")).await,
            json!({"items": [], "total": 0, "page": 1, "page_size": 20, "total_pages": 0})
        );
        let mut films = Vec::new();
        for n in 0..7 {
            films.push(app.add_video(&ann, &format!("film {n}"), None).await);
            app.pass(Duration::from_secs(1));
        }
        set(&app, films[6], video::Column::Status, "processing").await;
        let page = async |query: &str| -> (Vec<String>, Value) {
            let page = read(&app, &format!("{VIDEOS}/paginated?{query}")).await;
            let items = page["items"].as_array().unwrap().iter().map(|film| film["title"].as_str().unwrap()[5..].to_owned());
            (items.collect(), json!([page["total"], page["page"], page["page_size"], page["total_pages"]]))
        };
        assert_eq!(page("page_size=4").await, (["5", "4", "3", "2"].map(Into::into).into(), json!([6, 1, 4, 2])));
        assert_eq!(page("page_size=4&page=2").await, (["1", "0"].map(Into::into).into(), json!([6, 2, 4, 2])));
        assert_eq!(page("page_size=4&page=3").await, (vec![], json!([6, 3, 4, 2])));
        assert_eq!(page("page=2147483647&page_size=100").await, (vec![], json!([6, 2147483647, 100, 1])));
        assert_eq!(page("order=asc&page_size=2").await.0, ["0", "1"]);
        for (n, count) in [(0, 5), (1, 9), (2, 5)] {
            set(&app, films[n], video::Column::ViewCount, count).await;
        }
        assert_eq!(page("sort_by=view_count").await.0, ["1", "2", "0", "5", "4", "3"], "equal ones by id");
        assert_eq!(page("sort_by=view_count&order=asc").await.0, ["3", "4", "5", "0", "2", "1"]);
        assert_eq!(page("sort_by=rating").await.0, ["5", "4", "3", "2", "1", "0"]);
        assert_eq!(page("sort_by=created_at&order=desc&tag_ids=").await.0.len(), 6);
        assert_eq!(page("tag_ids=1,2").await, (vec![], json!([0, 1, 20, 0])), "no video has a tag");
        assert!(titles(app.get(&format!("{VIDEOS}/?tag_ids=3&limit=6")).await).await.is_empty());
        for (field, query) in [
            ("page", "page=0"), ("page", "page=x"), ("page_size", "page_size=0"), ("page_size", "page_size=101"),
            ("sort_by", "sort_by=title"), ("order", "order=up"), ("tag_ids", "tag_ids=1,x"),
        ] {
            let refusal = problem(app.get(&format!("{VIDEOS}/paginated?{query}")).await, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], field, "{refusal}");
        }
    }

    async fn my_videos_lists_all_own_videos_and_no_others(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let mut films = Vec::new();
        for status in ["ready", "processing", "failed", "deleted"] {
            films.push(app.add_video(&ann, status, None).await);
            app.pass(Duration::from_secs(1));
            set(&app, *films.last().unwrap(), video::Column::Status, status).await;
        }
        let path = format!("{VIDEOS}/my-videos");
        let mine = app.ask(&ann, Method::GET, &path, None).await;
        let mine: Value = mine.json().await.unwrap();
        assert_eq!(mine[0]["status"], "failed");
        assert_eq!((&mine[2]["title"], &mine[2]["uploader_username"]), (&json!("ready"), &json!("ann")));
        assert_eq!(titles(app.ask(&ann, Method::GET, &format!("{path}?skip=1&limit=1"), None).await).await, ["processing"]);
        assert_eq!(titles(app.ask(&bob, Method::GET, &path, None).await).await, [""; 0]);
        problem(app.get(&path).await, 401, "unauthenticated").await;
    }

    async fn a_viewer_counts_once_in_half_an_hour(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", None).await;
        let path = format!("{VIDEOS}/{film}/view");
        let before = read(&app, &format!("{VIDEOS}/{film}")).await;
        let by = async |person: Option<&crate::app::Person>| {
            let request = app.request(Method::POST, &path);
            let answer = send(person.into_iter().fold(request, |request, who| request.bearer_auth(&who.token))).await;
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        };
        for _ in 0..3 {
            by(Some(&ann)).await;
            by(Some(&bob)).await;
            by(None).await;
        }
        assert_eq!(views(&app, film).await, 3);
        app.pass(Duration::from_secs(29 * 60));
        by(Some(&bob)).await;
        assert_eq!(views(&app, film).await, 3);
        app.pass(Duration::from_secs(60));
        let fresh = app.ask(&bob, Method::POST, &path, None).await.status();
        // The first token has expired by now.
        assert!([StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED].contains(&fresh));
        let so_far = views(&app, film).await;
        by(None).await;
        assert_eq!(views(&app, film).await, so_far + 1);
        let after = read(&app, &format!("{VIDEOS}/{film}")).await;
        assert_eq!(after["updated_at"], before["updated_at"], "a view is no change of the video");
        set(&app, film, video::Column::ViewCount, i32::MAX).await;
        app.pass(Duration::from_secs(31 * 60));
        by(None).await;
        assert_eq!(views(&app, film).await, i64::from(i32::MAX));
    }

    async fn an_invisible_video_reveals_nothing(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", None).await;
        set(&app, film, video::Column::Status, "processing").await;
        let paths = ["hls/status", "qualities", "preview-clips", "thumbnails", "tags", "rating/stats"];
        for path in paths.map(|path| format!("{VIDEOS}/{film}/{path}")) {
            problem(app.get(&path).await, 404, "video_not_found").await;
            problem(app.ask(&bob, Method::GET, &path, None).await, 404, "video_not_found").await;
            assert_eq!(app.ask(&ann, Method::GET, &path, None).await.status(), StatusCode::OK, "{path}");
        }
        let view = format!("{VIDEOS}/{film}/view");
        problem(app.ask(&bob, Method::POST, &view, None).await, 404, "video_not_found").await;
        problem(send(app.request(Method::POST, &view)).await, 404, "video_not_found").await;
        problem(app.ask(&bob, Method::GET, &format!("{VIDEOS}/{film}/rating"), None).await, 404, "video_not_found").await;
        set(&app, film, video::Column::Status, "ready").await;
        assert_eq!(views(&app, film).await, 0);
    }

    async fn missing_features_answer_in_the_shape_of_the_reference(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", None).await;
        for (path, answer) in [
            (
                format!("{VIDEOS}/{film}/hls/status"),
                json!({"video_id": film, "hls_available": null, "available_qualities": [], "master_playlist_url": null}),
            ),
            (format!("{VIDEOS}/{film}/qualities"), json!({"video_id": film, "available_qualities": ["original"]})),
            (format!("{VIDEOS}/{film}/preview-clips"), json!({"available": false, "clips": []})),
            (format!("{VIDEOS}/{film}/thumbnails"), json!([])),
            (format!("{VIDEOS}/{film}/tags"), json!([])),
            (format!("{VIDEOS}/{film}/rating/stats"), json!({"avg_rating": 0.0, "rating_count": 0, "user_rating": null})),
            ("/api/v1/tags/".into(), json!([])),
            ("/api/v1/tags/?skip=0&limit=100&search=x".into(), json!([])),
            ("/api/v1/tags/popular?limit=50".into(), json!([])),
            ("/api/v1/tags/search?q=x".into(), json!([])),
            ("/api/v1/statistics/top-rated?min_ratings=1".into(), json!([])),
        ] {
            assert_eq!(read(&app, &path).await, answer, "{path}");
        }
        let rating = format!("{VIDEOS}/{film}/rating");
        problem(app.ask(&ann, Method::GET, &rating, None).await, 404, "rating_not_found").await;
        problem(app.get(&rating).await, 401, "unauthenticated").await;
        for path in ["/tags/popular?limit=51", "/tags/search", "/tags/search?q=", "/tags?limit=101", "/statistics/top-rated?min_ratings=0"] {
            problem(app.get(&format!("/api/v1{path}")).await, 422, "validation_failed").await;
        }
    }

    async fn popular_videos_and_statistics_count_ready_ones_only(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let mut films = Vec::new();
        for (title, count) in [("few", 2), ("most", 9), ("none", 0), ("hidden", 50)] {
            films.push(app.add_video(&ann, title, None).await);
            set(&app, *films.last().unwrap(), video::Column::ViewCount, count).await;
        }
        set(&app, films[3], video::Column::Status, "failed").await;
        assert_eq!(titles(app.get("/api/v1/statistics/popular").await).await, ["most", "few", "none"]);
        assert_eq!(titles(app.get("/api/v1/statistics/popular?skip=1&limit=1").await).await, ["few"]);
        let figures = json!({"total_videos": 3, "total_views": 11, "total_ratings": 0, "average_rating": 0.0});
        assert_eq!(read(&app, "/api/v1/statistics/summary").await, figures);
        let film = &read(&app, "/api/v1/statistics/popular").await[0];
        for field in ["id", "title", "description", "file_size", "thumbnail_path", "duration", "width", "height", "status", "view_count", "created_at", "uploader_username"] {
            assert!(fields(film).contains(&field), "{field}");
        }
    }

    async fn unwatched_videos_have_no_progress(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 0).await;
        let unknown = app.add_video(&ann, "of unknown length", None).await;
        app.save(&ann, unknown, 50).await;
        let list: Value = app.ask(&ann, Method::GET, VIDEOS, None).await.json().await.unwrap();
        assert!(list.as_array().unwrap().iter().all(|film| film.get("watch_progress").is_none()), "{list}");
        app.save(&ann, film, 6).await;
        for path in ["/videos", "/videos/search?q=film", "/videos/paginated?order=asc", "/videos/my-videos", "/statistics/popular"] {
            let list: Value = app.ask(&ann, Method::GET, &format!("/api/v1{path}"), None).await.json().await.unwrap();
            let list = list.get("items").unwrap_or(&list).as_array().unwrap();
            let film = list.iter().find(|video| video["id"] == film).unwrap();
            assert_eq!(film["watch_progress"], 1.0, "{path}");
        }
    }

    async fn everybody_is_verified_while_no_mail_is_sent(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let body = json!({"email": "other@example.org", "current_password": crate::app::PASSWORD});
        let changed: Value = app.ask(&ann, Method::PATCH, "/api/v1/users/me", Some(body)).await.json().await.unwrap();
        assert_eq!((&changed["email"], &changed["is_verified"]), (&json!("other@example.org"), &json!(true)));
        let me: Value = app.ask(&ann, Method::GET, "/api/v1/auth/me", None).await.json().await.unwrap();
        assert_eq!(me["is_verified"], true);
    }

    async fn an_invalid_video_id_blames_no_body_field(app: TestApp) {
        for path in ["nonsense", "nonsense/tags", "0", "-1", "99999999999999999999", "1e3/hls/status", "%00", "paginate"] {
            let refusal = problem(app.get(&format!("{VIDEOS}/{path}")).await, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], "path", "{path}: {refusal}");
            assert!(!refusal.to_string().contains("video_id"), "{refusal}");
        }
        let ann = app.sign_up("ann").await;
        for path in ["paginated", "search", "my-videos", "continue-watching"] {
            let refused = app.ask(&ann, Method::DELETE, &format!("{VIDEOS}/{path}"), None).await;
            let refusal = problem(refused, 405, "method_not_allowed").await;
            assert_eq!(refusal["detail"], "this path only takes GET, HEAD", "{path}");
        }
    }
}
