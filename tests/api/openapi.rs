//! The API document, and the page that shows it.

use crate::app::{TestApp, history, problem, send};
use crate::databases::Engine;
use crate::document::{document, example_of, operations, resolve};
use crate::schema::unfit;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;

#[tokio::test]
async fn the_served_document_is_that_of_the_program() {
    let app = TestApp::start(Engine::Sqlite).await;
    let served = app.get("/openapi.json").await;
    assert_eq!(served.headers()["content-type"], "application/json");
    assert_eq!(&served.json::<Value>().await.unwrap(), document());
    assert!(document()["openapi"].as_str().unwrap().starts_with("3.1."));
}

/// With `UPDATE_OPENAPI=1` it rewrites the file.
#[test]
fn the_committed_document_is_that_of_the_program() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let current = api::openapi::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some_and(|wish| wish == "1") {
        std::fs::write(&file, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == current,
        "the API has changed: run this test with UPDATE_OPENAPI=1 and look at the difference"
    );
}

#[test]
fn operation_ids_do_not_change() {
    let mut ids: Vec<_> = operations().iter().map(|operation| operation.id().to_owned()).collect();
    ids.sort();
    let promised = [
        "change_my_account",
        "change_my_preferences",
        "change_video",
        "clear_watch_history",
        "continue_watching",
        "count_view",
        "create_video",
        "delete_my_account",
        "delete_play",
        "delete_video",
        "end_my_other_sessions",
        "end_my_session",
        "forget_many",
        "forget_watch_history",
        "health",
        "health_live",
        "health_ready",
        "hide_watch_history",
        "library_summary",
        "list_my_sessions",
        "list_my_videos",
        "list_plays",
        "list_plays_of_video",
        "list_preview_clips",
        "list_qualities",
        "list_recommendations",
        "list_tags",
        "list_thumbnails",
        "list_video_tags",
        "list_videos",
        "list_videos_in_pages",
        "list_watch_history",
        "list_watch_history_changes",
        "login",
        "logout",
        "mark_many_watched",
        "mark_watched",
        "me",
        "open_live_socket",
        "popular_tags",
        "popular_videos",
        "read_hls_status",
        "read_my_account",
        "read_my_preferences",
        "read_my_statistics",
        "read_rating",
        "read_rating_stats",
        "read_thumbnail",
        "read_video",
        "read_watch_history",
        "refresh",
        "register",
        "resume_play",
        "save_watch_history",
        "save_watch_history_batch",
        "search_tags",
        "search_videos",
        "stream_video",
        "top_rated_videos",
        "undo_watch_history",
        "unhide_watch_history",
        "unmark_watched",
    ];
    assert_eq!(ids, promised);
}

#[test]
fn every_failure_of_each_kind_of_operation_is_documented() {
    for operation in operations() {
        let responses = operation.description["responses"].as_object().unwrap();
        let failures: Vec<_> = responses.iter().filter(|(status, _)| status.as_str() >= "400").collect();
        let can_fail = operation.id() != "health_live";
        assert_eq!(failures.iter().any(|(status, _)| status.starts_with('5')), can_fail, "{}", operation.id());
        for (status, response) in failures {
            assert!(response["content"].as_object().unwrap().len() == 1, "{} {status}", operation.id());
        }
        let expected: &[(bool, &str)] = &[
            (operation.needs_token() || operation.takes_token(), "401"),
            (!operation.bodies().is_empty(), "400"),
            (!operation.bodies().is_empty(), "413"),
            (!operation.bodies().is_empty(), "415"),
            (!operation.bodies().is_empty() || operation.description.get("parameters").is_some(), "422"),
            (operation.path.contains("{video_id}"), "404"),
        ];
        for (possible, status) in expected {
            assert!(!possible || responses.contains_key(*status), "{} {status}", operation.id());
        }
    }
}

#[test]
fn exactly_the_operations_that_need_a_token_say_so() {
    let open = [
        "health",
        "health_live",
        "health_ready",
        "library_summary",
        "list_tags",
        "login",
        "logout",
        "open_live_socket",
        "popular_tags",
        "read_thumbnail",
        "refresh",
        "register",
        "search_tags",
        "stream_video",
        "top_rated_videos",
    ];
    let optional = [
        "count_view",
        "list_preview_clips",
        "list_qualities",
        "list_thumbnails",
        "list_video_tags",
        "list_videos",
        "list_videos_in_pages",
        "popular_videos",
        "read_hls_status",
        "read_rating_stats",
        "read_video",
        "search_videos",
    ];
    for operation in operations() {
        let id = operation.id();
        assert!(operation.description["security"].is_array(), "{id} leaves it open");
        assert_eq!(operation.takes_token(), !open.contains(&id), "{id}");
        assert_eq!(operation.needs_token(), !open.contains(&id) && !optional.contains(&id), "{id}");
    }
    let schemes = document()["components"]["securitySchemes"].as_object().unwrap();
    let flow = &schemes["bearer"]["flows"]["password"];
    assert_eq!((schemes.len(), &flow["tokenUrl"]), (1, &json!("/api/v1/auth/login")));
}

#[test]
fn every_operation_and_field_has_a_description() {
    for operation in operations() {
        for field in ["summary", "tags"] {
            assert!(operation.description.get(field).is_some(), "{} {field}", operation.id());
        }
        for (_, schema) in operation.bodies() {
            for (name, property) in schema["properties"].as_object().unwrap() {
                assert!(
                    property["description"].is_string() && !example_of(property).is_null(),
                    "{} {name}",
                    operation.id()
                );
            }
        }
    }
}

#[test]
fn every_reference_has_a_target() {
    fn walk(value: &'static Value) {
        match value {
            Value::Object(fields) => {
                if fields.contains_key("$ref") {
                    resolve(value);
                }
                fields.values().for_each(walk);
            }
            Value::Array(items) => items.iter().for_each(walk),
            _ => {}
        }
    }
    walk(document());
}

on_both! {
    async fn a_body_made_of_the_examples_is_accepted(app: TestApp) {
        let ann = app.sign_up("joe").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let mut found = Vec::new();
        for operation in operations() {
            let Some(example) = operation.example() else { continue };
            let answer = app.ask(&ann, operation.method.clone(), &operation.at(film), Some(example.clone())).await;
            if [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].contains(&answer.status()) {
                found.push(format!("{} {example}: {}", operation.id(), answer.text().await.unwrap()));
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }

    async fn responses_fit_their_schemas(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.add_video(&ann, "bare", None).await;
        app.save(&ann, film, 60).await;
        let pair = json!({"username": "ann", "password": "correct horse"});
        let bob = json!({"username": "bob", "email": "bob@example.org", "password": "correct horse"});
        let mut found = Vec::new();
        for (id, status, body) in [
            ("register", "201", Some(bob)),
            ("login", "200", Some(pair)),
            ("me", "200", None),
            ("read_my_account", "200", None),
            ("read_my_preferences", "200", None),
            ("change_my_preferences", "200", Some(json!({"retention_days": 30}))),
            ("refresh", "200", Some(json!({"refresh_token": ann.refresh_token}))),
            ("list_videos", "200", None),
            ("create_video", "201", Some(json!({"title": "x"}))),
            ("list_videos_in_pages", "200", None),
            ("list_my_videos", "200", None),
            ("popular_videos", "200", None),
            ("top_rated_videos", "200", None),
            ("library_summary", "200", None),
            ("read_hls_status", "200", None),
            ("list_qualities", "200", None),
            ("list_preview_clips", "200", None),
            ("list_thumbnails", "200", None),
            ("list_video_tags", "200", None),
            ("list_tags", "200", None),
            ("read_rating_stats", "200", None),
            ("read_rating", "404", None),
            ("read_video", "200", None),
            ("continue_watching", "200", None),
            ("save_watch_history", "200", Some(json!({"watch_position": 7}))),
            ("read_watch_history", "200", None),
            ("health", "200", None),
            ("register", "422", Some(json!({}))),
            ("stream_video", "404", None),
        ] {
            let operation = operations().into_iter().find(|operation| operation.id() == id).unwrap();
            let answer = app.ask(&ann, operation.method.clone(), &operation.at(film), body).await;
            assert_eq!(answer.status().as_str(), status, "{id}");
            let content = operation.description["responses"][status]["content"].as_object().unwrap();
            let [schema] = &content.values().map(|kind| &kind["schema"]).collect::<Vec<_>>()[..] else {
                panic!("{id}")
            };
            unfit(schema, &answer.json().await.unwrap(), id, &mut found);
        }
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[tokio::test]
async fn the_docs_show_the_document() {
    let app = TestApp::start(Engine::Sqlite).await;
    let short = app.get("/docs").await;
    assert!(short.status().is_redirection());
    assert_eq!(short.headers()["location"], "/docs/");
    let page = app.get("/docs/").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().contains("swagger-ui"));
    let start = app.get("/docs/swagger-initializer.js").await.text().await.unwrap();
    assert!(start.contains("\"../openapi.json\"") && start.contains("validatorUrl: \"none\""), "{start}");
    assert!(start.contains("persistAuthorization: false"), "{start}");
    assert_eq!(app.get("/docs/swagger-ui-bundle.js").await.status(), StatusCode::OK);
    problem(app.get("/docs/nothing.js").await, 404, "not_found").await;
    problem(app.request(Method::GET, &history(1)).send().await.unwrap(), 401, "unauthenticated").await;
}

#[tokio::test]
async fn the_files_of_the_docs_are_compressed_and_cached() {
    let app = TestApp::start(Engine::Sqlite).await;
    for (path, what) in [
        ("/docs/", "swagger-ui"),
        ("/docs/index.css", "for=password_type"),
        ("/docs/swagger-ui.css", ".swagger-ui"),
        ("/docs/swagger-ui-bundle.js", "SwaggerUIBundle"),
        ("/docs/swagger-initializer.js", "SwaggerUIBundle"),
        ("/openapi.json", "\"openapi\""),
    ] {
        let ask = |encodings: &str| app.request(Method::GET, path).header("accept-encoding", encodings.to_owned());
        let packed = send(ask("gzip, deflate, br")).await;
        assert_eq!(
            (packed.status(), &packed.headers()["content-encoding"]),
            (StatusCode::OK, &"gzip".parse().unwrap())
        );
        assert_eq!(packed.headers()["vary"], "Accept-Encoding");
        let tag = packed.headers()["etag"].clone();
        let known = send(ask("gzip").header("if-none-match", tag.clone())).await;
        assert_eq!((known.status(), &known.headers()["etag"]), (StatusCode::NOT_MODIFIED, &tag));
        let packed = packed.bytes().await.unwrap();
        assert_eq!(packed[..2], [0x1f, 0x8b], "{path}");

        for encodings in ["identity", "br", "gzip;q=0"] {
            let plain = send(ask(encodings).header("if-none-match", tag.clone())).await;
            assert!(plain.status() == StatusCode::OK && !plain.headers().contains_key("content-encoding"), "{path}");
            assert_ne!(plain.headers()["etag"], tag, "{path}: two forms have two tags");
            let plain = plain.text().await.unwrap();
            assert!(plain.contains(what) && (plain.len() < 1000 || packed.len() < plain.len() / 2), "{path}");
        }
    }
}
