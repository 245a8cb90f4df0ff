//! Creating, changing and deleting videos.

use crate::app::{TestApp, fields, history, problem, send};
use entity::{user, video, video_revision, watch_history};
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use serde_json::{Value, json};
use std::time::Duration;

pub const VIDEOS: &str = "/api/v1/videos";

fn at(video: i64) -> String {
    format!("{VIDEOS}/{video}")
}

/// The titles of a page.
pub async fn titles(response: reqwest::Response) -> Vec<String> {
    assert_eq!(response.status(), StatusCode::OK);
    let list: Vec<Value> = response.json().await.unwrap();
    list.iter().map(|video| video["title"].as_str().unwrap().to_owned()).collect()
}

/// The requests for a video and its history that need permission to see the video.
fn requests(film: i64) -> [(Method, String, Option<Value>); 6] {
    [
        (Method::GET, at(film), None),
        (Method::PATCH, at(film), Some(json!({"title": "x"}))),
        (Method::DELETE, at(film), None),
        (Method::GET, history(film), None),
        (Method::DELETE, history(film), None),
        (Method::POST, history(film), Some(json!({"watch_position": 1}))),
    ]
}

/// Sets the status, and tells the lists of it as every writer of videos does.
async fn set_status(app: &TestApp, video: i64, status: video::Status) {
    let (_guard, db) = app.db.writer().await.unwrap();
    let update = video::Entity::update_many().col_expr(video::Column::Status, Expr::value(status));
    update.filter(video::Column::Id.eq(video)).exec(db).await.unwrap();
    let latest = video_revision::Column::Latest;
    let raise = OnConflict::column(video_revision::Column::Id).value(latest, latest.into_expr().add(1)).to_owned();
    let first = video_revision::ActiveModel { id: Set(video_revision::ID), latest: Set(1) };
    video_revision::Entity::insert(first).on_conflict(raise).exec_without_returning(db).await.unwrap();
}

on_both! {
    async fn a_video_has_every_documented_field_and_a_location(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let body = json!({
            "title": "Harbour", "description": "At dawn.", "duration": 600,
            "thumbnail_path": "https://example.org/a.jpg",
        });
        let made = app.ask(&ann, Method::POST, VIDEOS, Some(body)).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        let location = made.headers()["location"].to_str().unwrap().to_owned();
        let film: Value = made.json().await.unwrap();
        assert_eq!(location, at(film["id"].as_i64().unwrap()));
        let contract = [
            "created_at",
            "description",
            "duration",
            "file_size",
            "height",
            "id",
            "published_at",
            "status",
            "thumbnail_path",
            "title",
            "updated_at",
            "uploader_username",
            "user_id",
            "view_count",
            "width",
        ];
        assert_eq!(fields(&film), contract, "stream_url and watch_progress are absent");
        assert_eq!((&film["title"], &film["description"]), (&json!("Harbour"), &json!("At dawn.")));
        assert_eq!((&film["duration"], &film["thumbnail_path"]), (&json!(600), &json!("https://example.org/a.jpg")));
        assert_eq!((&film["status"], &film["view_count"]), (&json!("ready"), &json!(0)));
        assert_eq!((&film["user_id"], &film["uploader_username"]), (&json!(ann.id), &json!("ann")));
        for nothing in ["width", "height", "file_size"] {
            assert_eq!(film[nothing], Value::Null);
        }
        assert_eq!((&film["published_at"], &film["updated_at"]), (&film["created_at"], &film["created_at"]));
        assert_eq!(app.get(&location).await.json::<Value>().await.unwrap(), film);
        assert_eq!(app.get(VIDEOS).await.json::<Value>().await.unwrap(), json!([film]));
    }

    async fn a_title_is_all_that_a_video_needs(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let made = app.ask(&ann, Method::POST, VIDEOS, Some(json!({"title": "x"}))).await;
        let film: Value = made.json().await.unwrap();
        for nothing in ["description", "duration", "thumbnail_path"] {
            assert_eq!(film[nothing], Value::Null);
        }
        let (title, description) = ("🦀".repeat(255), "🦀".repeat(10_000));
        let long = json!({"title": title, "description": description, "duration": 2_147_483_647});
        let made = app.ask(&ann, Method::POST, VIDEOS, Some(long)).await;
        assert_eq!(made.status(), StatusCode::CREATED);
    }

    async fn invalid_values_are_refused_with_their_field(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", None).await;
        for (field, value) in [
            ("title", json!("")),
            ("title", json!("  \n")),
            ("title", json!("a".repeat(256))),
            ("title", json!("\u{0}a")),
            ("description", json!("a".repeat(10_001))),
            ("description", json!("\u{0}")),
            ("duration", json!(-1)),
            ("thumbnail_path", json!("a".repeat(501))),
            ("thumbnail_path", json!("\u{0}")),
            ("status", json!("failed")),
            ("file_path", json!("/etc/passwd")),
            ("user_id", json!(1)),
        ] {
            for (method, path) in [(Method::POST, VIDEOS.to_owned()), (Method::PATCH, at(film))] {
                let mut body = json!({"title": "film"});
                body[field] = value.clone();
                let refusal = problem(app.ask(&ann, method, &path, Some(body)).await, 422, "validation_failed").await;
                assert_eq!(refusal["errors"][0]["field"], field, "{refusal}");
            }
        }
        let missing = app.ask(&ann, Method::POST, VIDEOS, Some(json!({}))).await;
        assert_eq!(problem(missing, 422, "validation_failed").await["errors"][0]["field"], "title");
    }

    async fn a_signed_in_viewer_sees_their_own_progress(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 150).await;
        let read = async |path: &str, person: &crate::app::Person| -> Value {
            app.ask(person, Method::GET, path, None).await.json().await.unwrap()
        };
        assert_eq!(read(VIDEOS, &ann).await[0]["watch_progress"], 25.0);
        assert_eq!(read(&at(film), &ann).await["watch_progress"], 25.0);
        assert!(read(VIDEOS, &bob).await[0].get("watch_progress").is_none());
        assert!(read(&at(film), &bob).await.get("watch_progress").is_none());
        app.save(&ann, film, 2_147_483_647).await;
        assert_eq!(read(VIDEOS, &ann).await[0]["watch_progress"], 100.0);
    }

    async fn each_field_of_a_video_changes_by_itself_and_null_removes_it(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = at(app.add_video(&ann, "film", Some(600)).await);
        let mut now: Value = app.get(&film).await.json().await.unwrap();
        for (field, value) in [
            ("title", json!("Harbour")),
            ("description", json!("At dawn.")),
            ("duration", json!(0)),
            ("thumbnail_path", json!("https://example.org/a.jpg")),
            ("description", Value::Null),
            ("duration", Value::Null),
            ("thumbnail_path", Value::Null),
        ] {
            app.pass(Duration::from_secs(1));
            let changed = app.ask(&ann, Method::PATCH, &film, Some(json!({field: value}))).await;
            let after: Value = changed.json().await.unwrap();
            assert!(now["updated_at"].as_str().unwrap() < after["updated_at"].as_str().unwrap(), "{field}");
            now[field] = value;
            now["updated_at"] = after["updated_at"].clone();
            assert_eq!(after, now);
        }
        app.pass(Duration::from_secs(1));
        for nothing in [json!({}), json!({"title": "Harbour", "duration": null})] {
            let same = app.ask(&ann, Method::PATCH, &film, Some(nothing)).await;
            assert_eq!(same.json::<Value>().await.unwrap(), now);
        }
    }

    async fn a_changed_duration_changes_the_progress_at_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 150).await;
        app.ask(&ann, Method::PATCH, &at(film), Some(json!({"duration": 300}))).await;
        let entry = app.ask(&ann, Method::GET, &history(film), None).await;
        assert_eq!(entry.json::<Value>().await.unwrap()["progress_percentage"], 50.0);
    }

    async fn only_the_uploader_and_an_administrator_change_or_delete_a_video(app: TestApp) {
        let root = app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let film = at(app.add_video(&ann, "film", None).await);
        let premium = user::Entity::update_many().col_expr(user::Column::Role, Expr::value("premium"));
        premium.filter(user::Column::Id.eq(bob.id)).exec(app.db.writer().await.unwrap().1).await.unwrap();
        let title = || Some(json!({"title": "mine now"}));
        problem(app.ask(&bob, Method::PATCH, &film, title()).await, 403, "forbidden").await;
        problem(app.ask(&bob, Method::DELETE, &film, None).await, 403, "forbidden").await;
        assert_eq!(app.ask(&root, Method::PATCH, &film, title()).await.status(), StatusCode::OK);
        assert_eq!(app.ask(&ann, Method::PATCH, &film, title()).await.status(), StatusCode::OK);
        assert_eq!(app.ask(&root, Method::DELETE, &film, None).await.status(), StatusCode::NO_CONTENT);
        for (method, body) in [(Method::PATCH, title()), (Method::DELETE, None), (Method::GET, None)] {
            problem(app.ask(&ann, method, &film, body).await, 404, "video_not_found").await;
        }
    }

    async fn deleting_a_video_deletes_all_its_entries_and_retires_its_id(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let film = app.add_video(&ann, "film", None).await;
        app.save(&ann, film, 60).await;
        app.save(&bob, film, 60).await;
        assert_eq!(app.ask(&ann, Method::DELETE, &at(film), None).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(watch_history::Entity::find().count(app.db.reader()).await.unwrap(), 0);
        assert!(app.add_video(&ann, "another", None).await > film);
    }

    async fn only_its_uploader_and_administrators_see_a_video_not_yet_ready(app: TestApp) {
        let root = app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&bob, film, 60).await;
        for status in [video::Status::Processing, video::Status::Failed] {
            set_status(&app, film, status).await;
            for person in [&root, &ann] {
                let seen = app.ask(person, Method::GET, &at(film), None).await;
                assert_eq!(seen.status(), StatusCode::OK);
                app.save(person, film, 60).await;
                assert_eq!(app.continue_watching(person).await, ["film"]);
                assert!(titles(app.ask(person, Method::GET, VIDEOS, None).await).await.is_empty(), "ready ones only");
            }
            problem(app.get(&at(film)).await, 404, "video_not_found").await;
            for (method, path, body) in requests(film) {
                problem(app.ask(&bob, method, &path, body).await, 404, "video_not_found").await;
            }
            assert!(app.continue_watching(&bob).await.is_empty());
        }
        set_status(&app, film, video::Status::Ready).await;
        assert_eq!(app.continue_watching(&bob).await, ["film"], "nothing was lost");
    }

    async fn a_video_marked_as_deleted_is_hidden_from_everybody(app: TestApp) {
        let root = app.sign_up("root").await;
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        for person in [&root, &ann] {
            app.save(person, film, 60).await;
        }
        set_status(&app, film, video::Status::Deleted).await;
        for person in [&root, &ann] {
            let files = ["stream", "thumbnail"].map(|file| (Method::GET, format!("{}/{file}", at(film)), None));
            for (method, path, body) in requests(film).into_iter().chain(files) {
                problem(app.ask(person, method, &path, body).await, 404, "video_not_found").await;
            }
            assert!(app.continue_watching(person).await.is_empty());
            assert!(titles(app.ask(person, Method::GET, VIDEOS, None).await).await.is_empty());
        }
    }

    async fn a_bad_token_is_refused_even_where_none_is_needed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", None).await;
        for path in [VIDEOS.to_owned(), at(film)] {
            let request = app.request(Method::GET, &path).bearer_auth("x");
            problem(send(request).await, 401, "unauthenticated").await;
        }
    }

    async fn a_server_file_named_as_a_thumbnail_is_never_opened(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for named in ["/etc/passwd", "../../etc/passwd", "thumbnail"] {
            let body = json!({"title": "film", "thumbnail_path": named});
            let film: Value = app.ask(&ann, Method::POST, VIDEOS, Some(body)).await.json().await.unwrap();
            assert_eq!(film["thumbnail_path"], named, "it is handed out as it came");
            let film = at(film["id"].as_i64().unwrap());
            problem(app.get(&format!("{film}/thumbnail")).await, 404, "thumbnail_not_found").await;
            problem(app.get(&format!("{film}/stream")).await, 404, "file_not_found").await;
        }
    }
}
