//! A site below a path of a reverse proxy.

use crate::app::{TestApp, TestOptions, send};
use crate::files::set_file;
use entity::video;
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};

const VIDEOS: &str = "/api/v1/videos";

fn below(path: &str) -> TestOptions {
    TestOptions { public_path: path.parse().unwrap(), ..TestOptions::default() }
}

/// Every string of a JSON document.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

on_both! {
    async fn every_path_in_a_response_begins_with_the_public_path(app: TestApp = below("/ph")) {
        let ann = app.sign_up("ann").await;
        for (title, front) in [("one", ""), ("two", "/ph")] {
            let picture = format!("{front}/api/v1/videos/1/thumbnail");
            let body = json!({"title": title, "thumbnail_path": picture});
            let made = app.ask(&ann, Method::POST, VIDEOS, Some(body)).await;
            let location = made.headers()["location"].to_str().unwrap().to_owned();
            let film: Value = made.json().await.unwrap();
            assert_eq!(location, format!("/ph/api/v1/videos/{}", film["id"]));
            assert_eq!(film["thumbnail_path"], "/ph/api/v1/videos/1/thumbnail");
            assert_eq!(app.get(&location).await.json::<Value>().await.unwrap(), film);
            app.save(&ann, film["id"].as_i64().unwrap(), 9).await;
        }
        set_file(&app, video::Column::FilePath, "film.mp4").await;
        let film: Value = app.get("/api/v1/videos/1").await.json().await.unwrap();
        assert_eq!(film["stream_url"], "/ph/api/v1/videos/1/stream");
        let page = app.get("/ph/api/v1/videos?limit=1").await;
        let link = page.headers()["link"].to_str().unwrap().to_owned();
        assert!(link.starts_with("</ph/api/v1/videos?"), "{link}");
        let next = link.trim_start_matches('<').split('>').next().unwrap();
        assert_eq!(app.get(next).await.json::<Value>().await.unwrap()[0]["title"], "one");

        // This covers later additions too: no response has a path of the API without the public
        // path.
        let document: Value = app.get("/openapi.json").await.json().await.unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            if item.get("get").is_none() {
                continue;
            }
            let path = path.replace("{video_id}", "1");
            let Ok(answer) = app.ask(&ann, Method::GET, &path, None).await.json::<Value>().await else { continue };
            let strays: Vec<_> = texts(&answer).into_iter().filter(|text| text.starts_with("/api/")).collect();
            assert!(strays.is_empty(), "{path}: {strays:?}");
        }
    }
}

#[tokio::test]
async fn a_request_is_answered_with_and_without_the_public_path() {
    for path in ["/ph", "/playhead", "/a/views"] {
        let app = TestApp::start_with(crate::databases::Engine::Sqlite, below(path)).await;
        for front in [path, ""] {
            for inner in
                ["/", "/app.js", "/playhead/queue.js", "/views/card.js", "/health/", "/api/v1/videos/", "/docs/"]
            {
                let answer = app.get(&format!("{front}{inner}")).await;
                assert_eq!(answer.status(), StatusCode::OK, "{front}{inner}");
            }
            let docs = app.get(&format!("{front}/docs")).await;
            assert_eq!(docs.headers()["location"].to_str().unwrap(), format!("{path}/docs/"));
            let missing = app.get(&format!("{front}/nothing")).await;
            assert_eq!(missing.status(), StatusCode::NOT_FOUND);
            let options = send(app.request(Method::DELETE, &format!("{front}/api/v1/videos"))).await;
            assert_eq!(options.status(), StatusCode::METHOD_NOT_ALLOWED);
        }
        assert_eq!(app.get(path).await.status(), StatusCode::OK);
        assert_eq!(app.get(&format!("{path}x/app.js")).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_page_and_the_document_know_the_public_path() {
    let app = TestApp::start_with(crate::databases::Engine::Sqlite, below("ph/")).await;
    let page = app.get("/ph/").await;
    let tag = page.headers()["etag"].to_str().unwrap().to_owned();
    let page = page.text().await.unwrap();
    assert!(
        page.contains("src=\"/ph/app.js\"") && !page.contains("=\"/app.js") && !page.contains("=\"/style"),
        "{page}"
    );
    let elsewhere = TestApp::start(crate::databases::Engine::Sqlite).await;
    assert_ne!(elsewhere.get("/").await.headers()["etag"], tag.as_str(), "another page has another tag");

    let document: Value = app.get("/ph/openapi.json").await.json().await.unwrap();
    assert_eq!(document["servers"], json!([{"url": "/ph"}]));
    for scheme in document["components"]["securitySchemes"].as_object().unwrap().values() {
        if let Some(url) = scheme.pointer("/flows/password/tokenUrl").and_then(Value::as_str) {
            let base = Url::parse("https://example.org/ph/openapi.json").unwrap();
            assert!(base.join(url).unwrap().path().starts_with("/ph/api/v1/auth/"), "{url}");
        }
    }
    let initializer = app.get("/ph/docs/swagger-initializer.js").await.text().await.unwrap();
    assert!(initializer.contains("\"../openapi.json\""), "it is beside the folder of the page: {initializer}");
}
