//! Thumbnail addresses that clients set and every viewer's browser loads.

use crate::app::{Person, TestApp, problem};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const VIDEOS: &str = "/api/v1/videos";
const FOREIGN: &str = "https://pictures.example/a.jpg";

async fn set_thumbnail(app: &TestApp, person: &Person, address: &str) -> reqwest::Response {
    app.ask(person, Method::POST, VIDEOS, Some(json!({"title": "film", "thumbnail_path": address}))).await
}

/// Stores an address as an older version or another program did.
async fn store_address(app: &TestApp, video: i64, address: &str) {
    let address = address.replace('\'', "''");
    app.change_videos(&format!("UPDATE videos SET thumbnail_path = '{address}' WHERE id = {video}")).await;
}

/// The address in the three responses that have it: the video, the list, and continue watching.
async fn returned_addresses(app: &TestApp, ann: &Person, video: i64) -> [Value; 3] {
    let read = async |path: &str| app.ask(ann, Method::GET, path, None).await.json::<Value>().await.unwrap();
    let list = read(VIDEOS).await;
    let listed = list.as_array().unwrap().iter().find(|other| other["id"] == video).unwrap();
    let going_on = read("/api/v1/videos/continue-watching").await;
    let item = going_on.as_array().unwrap().iter().find(|item| item["video_id"] == video).unwrap();
    [
        read(&format!("{VIDEOS}/{video}")).await["thumbnail_path"].clone(),
        listed["thumbnail_path"].clone(),
        item["video_thumbnail_path"].clone(),
    ]
}

on_both! {
    async fn a_thumbnail_is_a_path_of_the_site_or_an_https_url(app: TestApp) {
        let admin = app.sign_up("admin").await;
        for good in ["/a.jpg", "/api/v1/videos/1/thumbnail?v=2", "thumbs/1.webp", FOREIGN, "https://example.org:8443"] {
            let made = set_thumbnail(&app, &admin, good).await;
            assert_eq!(made.status(), StatusCode::CREATED, "{good}");
            assert_eq!(made.json::<Value>().await.unwrap()["thumbnail_path"], good);
        }
        for bad in [
            "//evil.example/a.jpg", "/\\evil.example", "/\t/evil.example", "/\r\n/evil.example", " //evil.example",
            "https:evil.example", "https:/evil.example", "https:\\\\evil.example", "https://ann@evil.example",
            "https://evil.exam\tple/", "http://evil.example", "HTTP://evil.example", "JaVaScRiPt:alert(1)",
            "data:image/svg+xml,x", "blob:https://evil.example/1", "file:///etc/passwd", "/%2F..", "/%5Cevil.example",
            "/..//evil.example", "/a%0d%0ax", "https://", "https://evil .example",
        ] {
            let refused = problem(set_thumbnail(&app, &admin, bad).await, 422, "validation_failed").await;
            assert_eq!(refused["errors"][0]["field"], "thumbnail_path", "{bad:?} {refused}");
        }
        let empty: Value = set_thumbnail(&app, &admin, "").await.json().await.unwrap();
        assert_eq!(empty["thumbnail_path"], Value::Null);
    }

    async fn only_videos_of_administrators_may_name_other_hosts(app: TestApp) {
        let (admin, ann) = (app.sign_up("admin").await, app.sign_up("ann").await);
        problem(set_thumbnail(&app, &ann, FOREIGN).await, 422, "validation_failed").await;
        assert_eq!(set_thumbnail(&app, &ann, "/a.jpg").await.status(), StatusCode::CREATED);
        let (own, other) = (app.add_video(&ann, "film", None).await, app.add_video(&admin, "film", None).await);
        let change = json!({"thumbnail_path": FOREIGN});
        let at = |video: i64| format!("{VIDEOS}/{video}");
        problem(app.ask(&ann, Method::PATCH, &at(own), Some(change.clone())).await, 422, "validation_failed").await;
        problem(app.ask(&admin, Method::PATCH, &at(own), Some(change.clone())).await, 422, "validation_failed").await;
        assert_eq!(app.ask(&admin, Method::PATCH, &at(other), Some(change)).await.status(), StatusCode::OK);
    }

    async fn stored_addresses_that_break_the_rules_are_not_returned(app: TestApp) {
        let (admin, ann) = (app.sign_up("admin").await, app.sign_up("ann").await);
        let (own, other) = (app.add_video(&ann, "film", None).await, app.add_video(&admin, "film", None).await);
        for video in [own, other] {
            app.save(&ann, video, 42).await;
        }
        for (address, of_ann, of_admin) in [
            (FOREIGN, false, true),
            ("http://pictures.example/a.jpg", false, false),
            ("/\t/evil.example", false, false),
            ("//evil.example", false, false),
            ("javascript:alert(1)", false, false),
            ("uploads/my film.jpg", true, true),
        ] {
            for (video, is_returned) in [(own, of_ann), (other, of_admin)] {
                store_address(&app, video, address).await;
                let expected = if is_returned { json!(address) } else { Value::Null };
                assert!(returned_addresses(&app, &ann, video).await.iter().all(|returned| *returned == expected), "{address} of {video}");
            }
        }
    }

    async fn a_client_may_send_the_stored_address_back_unchanged(app: TestApp) {
        let (_admin, ann) = (app.sign_up("admin").await, app.sign_up("ann").await);
        let film = app.add_video(&ann, "film", None).await;
        store_address(&app, film, FOREIGN).await;
        let change = json!({"title": "Harbour", "thumbnail_path": FOREIGN});
        let changed = app.ask(&ann, Method::PATCH, &format!("{VIDEOS}/{film}"), Some(change)).await;
        assert_eq!(changed.status(), StatusCode::OK);
        assert_eq!(changed.json::<Value>().await.unwrap()["title"], "Harbour");
    }
}

#[tokio::test]
async fn the_page_loads_no_thumbnail_without_tls() {
    let app = TestApp::start(crate::databases::Engine::Sqlite).await;
    let page = app.get("/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("img-src 'self' https:;"), "{policy}");
    assert_eq!(page.headers()["referrer-policy"], "same-origin");
}
