//! What caches between the server and the viewer may keep.

use crate::app::{TestApp, history, send};
use crate::document::operations;
use reqwest::{Method, Response};
use service::library::{self, Library};
use service::progress::ProgressRules;
use std::fs;

fn header(answer: &Response, name: &str) -> String {
    let values = answer.headers().get_all(name).into_iter().map(|value| value.to_str().unwrap());
    values.collect::<Vec<_>>().join(", ").to_lowercase()
}

/// Registers a video with a thumbnail and returns its id.
async fn film(app: &TestApp, owner: i64) -> i64 {
    fs::create_dir_all(&app.media).unwrap();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/two-seconds.mp4");
    fs::copy(fixture, app.media.join("film.mp4")).unwrap();
    fs::write(app.media.join("film.jpg"), "a picture").unwrap();
    let library = Library::new(&app.media);
    library::scan(&app.db, &library, &app.media, owner, &ProgressRules::default(), app.now(), |_| {}).await.unwrap();
    let list: serde_json::Value = app.get("/api/v1/videos").await.json().await.unwrap();
    list[0]["id"].as_i64().unwrap()
}

/// Checks that no cache may keep the response, and that it varies by caller.
fn assert_not_cacheable(what: &str, answer: &Response) {
    assert_eq!(header(answer, "cache-control"), "no-store", "{what} {}", answer.status());
    assert!(header(answer, "vary").contains("authorization"), "{what} {}", answer.status());
}

on_both! {
    async fn no_cache_keeps_what_belongs_to_one_person(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = film(&app, ann.id).await;
        app.save(&ann, film, 1).await;
        for operation in operations().iter().filter(|operation| operation.method != Method::DELETE) {
            if operation.path.ends_with("/stream") || operation.path.ends_with("/thumbnail") {
                continue;
            }
            let request = app.request(operation.method.clone(), &operation.at(film)).bearer_auth(&ann.token);
            let answer = send(operation.example().into_iter().fold(request, |request, body| request.json(&body))).await;
            assert_not_cacheable(operation.id(), &answer);
            let anonymous = send(app.request(operation.method.clone(), &operation.at(film))).await;
            assert_not_cacheable(operation.id(), &anonymous);
        }
        let forgotten = app.ask(&ann, Method::DELETE, &history(film), None).await;
        assert_not_cacheable("204", &forgotten);
    }

    async fn no_cache_keeps_a_failure(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let id = film(&app, ann.id).await;
        for end in ["stream", "thumbnail"] {
            let path = format!("/api/v1/videos/{id}/{end}");
            for (name, value, status) in [
                ("if-match", "\"another\"", 412),
                ("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT", 412),
                ("range", "bytes=99999999-", 416),
            ] {
                let answer = send(app.request(Method::GET, &path).header(name, value)).await;
                assert_eq!(answer.status().as_u16(), status, "{path} {name}");
                assert_not_cacheable(&path, &answer);
            }
            assert_not_cacheable("405", &send(app.request(Method::PUT, &path)).await);
        }
        fs::remove_file(app.media.join("film.jpg")).unwrap();
        for path in [
            format!("/api/v1/videos/{id}/thumbnail"), "/api/v1/videos/99/thumbnail".into(), "/nothing.js".into(), "/x".into()
        ] {
            let answer = app.get(&path).await;
            assert_eq!(answer.status(), 404, "{path}");
            assert_not_cacheable(&path, &answer);
        }
    }

    async fn public_files_are_cacheable_once_they_exist(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let id = film(&app, ann.id).await;
        for (end, kept) in [("stream", "public, no-cache"), ("thumbnail", "public, max-age=3600")] {
            let path = format!("/api/v1/videos/{id}/{end}");
            let whole = app.get(&path).await;
            let tag = header(&whole, "etag");
            let part = send(app.request(Method::GET, &path).header("range", "bytes=0-1")).await;
            let same = send(app.request(Method::GET, &path).header("if-none-match", &tag)).await;
            for (answer, status) in [(whole, 200), (part, 206), (same, 304)] {
                assert_eq!((answer.status().as_u16(), header(&answer, "cache-control").as_str()), (status, kept));
                assert_eq!(header(&answer, "etag"), tag);
                assert!(!header(&answer, "vary").contains("authorization"), "{path}");
            }
        }
    }
}
