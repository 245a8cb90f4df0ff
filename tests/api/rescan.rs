//! Scanning a folder again: what stays, what changes, and what was deleted.

use crate::app::{Person, TestApp};
use crate::library::{counts, put, scan, titles, videos};
use entity::video;
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use service::library::{self, Library, ScanReport, ScanRequest};
use service::progress::ProgressRules;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

const VIDEOS: &str = "/api/v1/videos";

pub fn address(video: &Value) -> String {
    format!("{VIDEOS}/{}", video["id"])
}

/// Scans with a media folder other than the server's.
pub async fn scan_with(app: &TestApp, owner: &Person, media: &Path, folder: impl Into<ScanRequest<'_>>) -> ScanReport {
    let library = Library::new(media);
    library::scan(&app.db, &library, folder, owner.id, &ProgressRules::default(), app.now(), |_| {}).await.unwrap()
}

async fn restore(app: &TestApp, owner: &Person) -> ScanReport {
    scan_with(app, owner, &app.media, ScanRequest { path: &app.media, restore: true }).await
}

pub async fn patch(app: &TestApp, owner: &Person, video: &Value, change: Value) {
    let answer = app.ask(owner, Method::PATCH, &address(video), Some(change)).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

async fn delete(app: &TestApp, owner: &Person, video: &Value) {
    assert_eq!(app.ask(owner, Method::DELETE, &address(video), None).await.status(), StatusCode::NO_CONTENT);
}

pub fn rename(app: &TestApp, from: &str, to: &str) {
    let to = app.media.join(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(app.media.join(from), to).unwrap();
}

/// Removes what newer scans store: sets every video's path and clears its file hash.
pub async fn clear_file_hashes(app: &TestApp, path: impl Fn(&str) -> String) {
    let writer = app.db.writer().await.unwrap().1;
    for row in video::Entity::find().all(app.db.reader()).await.unwrap() {
        video::Entity::update_many()
            .col_expr(video::Column::FilePath, Expr::value(path(&row.file_path.unwrap())))
            .col_expr(video::Column::FileHash, Expr::value(None::<String>))
            .filter(video::Column::Id.eq(row.id))
            .exec(writer)
            .await
            .unwrap();
    }
}

on_both! {
    async fn a_scan_keeps_values_that_the_container_does_not_have(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "live.webm", "live.webm");
        scan(&app, &ann).await;
        let live = videos(&app).await.remove(0);
        assert_eq!(live["duration"], Value::Null);
        patch(&app, &ann, &live, json!({"duration": 2})).await;
        assert_eq!(app.save(&ann, live["id"].as_i64().unwrap(), 2).await["completed"], true);
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 1, 0));
        // As an older scan left it, so the container is read once more. After that with other
        // content.
        clear_file_hashes(&app, str::to_owned).await;
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 1, 0));
        let mut longer = fs::read(app.media.join("live.webm")).unwrap();
        longer.extend([0xec, 0x80]);
        fs::write(app.media.join("live.webm"), longer).unwrap();
        assert_eq!(counts(&scan(&app, &ann).await), (0, 1, 0, 0));
        let after = videos(&app).await.remove(0);
        assert_eq!((&after["duration"], &after["width"], &after["height"]), (&json!(2), &json!(160), &json!(90)));
        let entry = app.ask(&ann, Method::GET, &format!("{}/watch-history", address(&live)), None).await;
        assert_eq!(entry.json::<Value>().await.unwrap()["completed"], true);
    }

    async fn values_set_by_hand_stay_until_the_content_changes(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "film.mp4");
        scan(&app, &ann).await;
        let by_hand = json!({"title": "Mine", "duration": 7, "thumbnail_path": "https://example.org/a.jpg"});
        patch(&app, &ann, &videos(&app).await[0], by_hand.clone()).await;
        put(&app, "upright.mp4", "film.jpg");
        // Touching a file or restoring it from a backup is no change.
        let content = fs::read(app.media.join("film.mp4")).unwrap();
        fs::write(app.media.join("film.mp4"), content).unwrap();
        scan(&app, &ann).await;
        let after = videos(&app).await.remove(0);
        for (field, value) in by_hand.as_object().unwrap() {
            assert_eq!(after[field], *value);
        }
        put(&app, "joined-late.mp4", "film.mp4");
        scan(&app, &ann).await;
        let after = videos(&app).await.remove(0);
        assert_eq!((&after["title"], &after["duration"]), (&json!("Mine"), &json!(60)));
        assert_eq!(after["thumbnail_path"], by_hand["thumbnail_path"]);
    }

    async fn a_file_that_replaces_one_of_equal_size_is_noticed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "film.mp4");
        scan(&app, &ann).await;
        put(&app, "upright.mp4", "film.mp4");
        assert_eq!(counts(&scan(&app, &ann).await), (0, 1, 0, 0));
        assert_eq!(videos(&app).await[0]["width"], 90);
        // Size and time identify a file only once it is older.
        let file = app.media.join("film.mp4");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_123_456_789);
        let set = || fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
        set();
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 1, 0));
        put(&app, "two-seconds.mp4", "film.mp4");
        set();
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 1, 0));
        assert_eq!(videos(&app).await[0]["width"], 90);
    }

    async fn a_deleted_video_returns_only_when_it_is_restored(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        put(&app, "two-seconds.mp4", "copy.mp4");
        scan(&app, &ann).await;
        let film = videos(&app).await.remove(0);
        app.save(&ann, film["id"].as_i64().unwrap(), 1).await;
        delete(&app, &ann, &film).await;
        for (from, to) in [("a.mp4", "a.mp4"), ("a.mp4", "deep/a.mp4"), ("deep/a.mp4", "other.mp4")] {
            rename(&app, from, to);
            let report = scan(&app, &ann).await;
            assert_eq!((counts(&report), report.deleted), ((0, 0, 1, 0), 1), "{to}: {report:?}");
        }
        assert_eq!(titles(&videos(&app).await), ["copy"]);
        let report = restore(&app, &ann).await;
        assert_eq!((counts(&report), report.deleted), ((1, 0, 1, 0), 0), "{report:?}");
        let restored = videos(&app).await.remove(1);
        assert_eq!(restored["title"], "other");
        assert_ne!(restored["id"], film["id"], "its history stays deleted");
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.deleted), ((0, 0, 2, 0), 0));
    }

    async fn another_file_in_place_of_a_deleted_one_is_new(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        delete(&app, &ann, &videos(&app).await[0]).await;
        put(&app, "joined-late.mp4", "a.mp4");
        assert_eq!(counts(&scan(&app, &ann).await), (1, 0, 0, 0));
        assert_eq!(videos(&app).await[0]["duration"], 60);
    }

    async fn a_video_that_was_deleted_before_a_newer_scan_stays_deleted(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        put(&app, "upright.mp4", "b.mp4");
        scan(&app, &ann).await;
        clear_file_hashes(&app, str::to_owned).await;
        let list = videos(&app).await;
        delete(&app, &ann, &list[0]).await;
        // As an older site marks it.
        let mark = video::Entity::update_many().col_expr(video::Column::Status, Expr::value("deleted"));
        mark.filter(video::Column::Title.eq("b")).exec(app.db.writer().await.unwrap().1).await.unwrap();
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.deleted), ((0, 0, 0, 0), 2), "{report:?}");
        rename(&app, "a.mp4", "c.mp4");
        assert_eq!(scan(&app, &ann).await.deleted, 2);
        assert!(videos(&app).await.is_empty());
        restore(&app, &ann).await;
        assert_eq!(titles(&videos(&app).await), ["b", "c"]);
    }

    async fn the_videos_of_a_deleted_account_do_not_return(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &bob).await;
        app.leave(&bob).await;
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.deleted), ((0, 0, 0, 0), 1), "{report:?}");
        assert_eq!(counts(&restore(&app, &ann).await), (1, 0, 0, 0));
    }

    async fn thumbnail_files_are_found_in_any_case(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let pictures = ["a.JPG", "b.jpeg", "c.PNG", "d.WebP", "E.Jpeg", "f\u{e9}.jpg", "g.PNG", "g.jpg", "H.jpg"];
        for name in ["a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4", "fe\u{301}.mp4", "g.mp4", "h.mp4", "H.mp4", "i.mp4"] {
            put(&app, "two-seconds.mp4", name);
        }
        for name in pictures {
            fs::write(app.media.join(name), name).unwrap();
        }
        scan(&app, &ann).await;
        let list = videos(&app).await;
        assert_eq!(list.len(), 10);
        for film in &list {
            let picture = match film["title"].as_str().unwrap() {
                "a" => "a.JPG",
                "b" => "b.jpeg",
                "c" => "c.PNG",
                "d" => "d.WebP",
                "e" => "E.Jpeg",
                "f\u{e9}" => "f\u{e9}.jpg",
                "g" => "g.jpg",
                "H" => "H.jpg",
                _ => "",
            };
            assert_eq!(film["thumbnail_path"].is_string(), !picture.is_empty(), "{film}");
            if !picture.is_empty() {
                let answer = app.get(film["thumbnail_path"].as_str().unwrap()).await;
                assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("image/"), "{film}");
                assert_eq!(answer.text().await.unwrap(), picture);
            }
        }
    }

    async fn blank_and_non_unicode_file_names_are_handled(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for name in [" .mp4", "__.mp4", "Holiday/-.mp4", "e\u{301}.mp4", "\u{e9}.mp4"] {
            put(&app, "two-seconds.mp4", name);
        }
        let no_text = app.media.join(std::ffi::OsStr::from_bytes(b"\xff.mp4"));
        fs::copy(app.media.join("__.mp4"), no_text).unwrap();
        let report = scan(&app, &ann).await;
        assert_eq!(counts(&report), (5, 0, 0, 1));
        assert!(report.problems[0].text.contains("not Unicode"), "{report:?}");
        assert_eq!(titles(&videos(&app).await), ["Holiday", "Untitled", "Untitled", "\u{e9}", "\u{e9}"]);
        rename(&app, "e\u{301}.mp4", "E\u{301}.mp4");
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.moved), ((0, 0, 4, 1), 1), "{report:?}");
    }

    async fn a_broken_file_of_a_known_video_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        let before = videos(&app).await;
        put(&app, "empty.mkv", "a.mp4");
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.missing), ((0, 0, 0, 1), 0), "{report:?}");
        assert_eq!(videos(&app).await, before);
        put(&app, "two-seconds.mp4", "a.mp4");
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 1, 0));
    }
}
