//! The first scan of a folder of video files.

use crate::app::{Person, TestApp, problem};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use service::library::{self, Library, ScanReport};
use service::progress::ProgressRules;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
const VIDEOS: &str = "/api/v1/videos";

/// Copies a fixture into the media folder under this name.
pub fn put(app: &TestApp, fixture: &str, name: &str) {
    let target = app.media.join(name);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::copy(Path::new(FIXTURES).join(fixture), target).unwrap();
}

pub async fn scan_folder(app: &TestApp, owner: &Person, folder: &Path) -> ScanReport {
    let library = Library::new(&app.media);
    library::scan(&app.db, &library, folder, owner.id, &ProgressRules::default(), app.now(), |_| {}).await.unwrap()
}

pub async fn scan(app: &TestApp, owner: &Person) -> ScanReport {
    scan_folder(app, owner, &app.media).await
}

pub fn counts(report: &ScanReport) -> (usize, usize, usize, usize) {
    (report.added, report.updated, report.unchanged, report.problems.len())
}

/// The library, sorted by title.
pub async fn videos(app: &TestApp) -> Vec<Value> {
    let mut list: Vec<Value> = app.get(&format!("{VIDEOS}?limit=100")).await.json().await.unwrap();
    list.sort_by_key(|video| video["title"].as_str().unwrap().to_owned());
    list
}

pub fn titles(videos: &[Value]) -> Vec<&str> {
    videos.iter().map(|video| video["title"].as_str().unwrap()).collect()
}

on_both! {
    async fn every_format_is_registered_with_its_duration_and_size(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for ending in ["mp4", "m4v", "mov", "webm", "mkv"] {
            put(&app, &format!("two-seconds.{ending}"), &format!("{ending}.{ending}"));
        }
        put(&app, "live.webm", "live.WebM");
        put(&app, "fragmented.mp4", "fragmented.MP4");
        put(&app, "upright.mp4", "upright.mp4");
        assert_eq!(counts(&scan(&app, &ann).await), (8, 0, 0, 0));
        let list = videos(&app).await;
        assert_eq!(titles(&list), ["fragmented", "live", "m4v", "mkv", "mov", "mp4", "upright", "webm"]);
        for video in &list {
            let title = video["title"].as_str().unwrap();
            let duration = if title == "live" { Value::Null } else { json!(2) };
            let size = if title == "upright" { (90, 160) } else { (160, 90) };
            assert_eq!(video["duration"], duration, "{title}");
            assert_eq!((&video["width"], &video["height"]), (&json!(size.0), &json!(size.1)), "{title}");
            assert_eq!((&video["status"], &video["uploader_username"]), (&json!("ready"), &json!("ann")));
            assert!(video["file_size"].as_i64().unwrap() > 10_000);
            assert_eq!(video["stream_url"], format!("{VIDEOS}/{}/stream", video["id"]));
            assert_eq!(video["thumbnail_path"], Value::Null);
            assert!(!video.to_string().contains(app.media.to_str().unwrap()), "no path of the disk: {video}");
        }
    }

    async fn a_broken_file_is_reported_and_skipped(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for broken in ["empty.mkv", "not-a-video.mp4", "sound-only.mp4", "truncated.mp4"] {
            put(&app, broken, broken);
        }
        put(&app, "two-seconds.mp4", "good.mp4");
        let report = scan(&app, &ann).await;
        assert_eq!(counts(&report), (1, 0, 0, 4));
        for (problem, name) in
            report.problems.iter().zip(["empty.mkv", "not-a-video.mp4", "sound-only.mp4", "truncated.mp4"])
        {
            assert!(problem.path.ends_with(name) && !problem.text.is_empty(), "{problem:?}");
        }
        assert_eq!(titles(&videos(&app).await), ["good"]);
    }

    async fn subfolders_are_scanned_and_hidden_or_other_files_are_ignored(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for name in ["a/b/c/deep.mp4", "Ünïcode 🦀.mp4", "b/.hidden.mp4", ".trash/gone.mp4", "a/notes.txt", "mp4"] {
            put(&app, "two-seconds.mp4", name);
        }
        fs::create_dir_all(app.media.join("folder.mp4")).unwrap();
        assert_eq!(counts(&scan(&app, &ann).await), (2, 0, 0, 0));
        assert_eq!(titles(&videos(&app).await), ["deep", "Ünïcode 🦀"]);
    }

    async fn symbolic_links_are_not_followed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "film.mp4");
        put(&app, "two-seconds.mp4", "../outside/secret.mp4");
        symlink("../outside/secret.mp4", app.media.join("link.mp4")).unwrap();
        symlink("../outside", app.media.join("folder")).unwrap();
        symlink(".", app.media.join("round")).unwrap();
        symlink("nowhere", app.media.join("broken")).unwrap();
        symlink("film.mp4", app.media.join("notes.txt")).unwrap();
        let report = scan(&app, &ann).await;
        assert_eq!(counts(&report), (1, 0, 0, 0));
        assert_eq!(titles(&videos(&app).await), ["film"]);
        let said: Vec<_> = report.notes.iter().map(|note| note.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!((said, report.links), (vec!["broken", "folder", "link.mp4", "round"], 4));
        assert!(report.notes[2].text.contains("../outside/secret.mp4, which is not followed"), "{:?}", report.notes);
    }

    async fn a_second_scan_adds_nothing_and_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for n in 0..60 {
            put(&app, "two-seconds.mp4", &format!("{n}.mp4"));
        }
        assert_eq!(counts(&scan(&app, &ann).await), (60, 0, 0, 0));
        let before = videos(&app).await;
        app.pass(Duration::from_secs(60));
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 60, 0));
        assert_eq!(videos(&app).await, before);
    }

    async fn two_scans_at_once_register_each_file_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for n in 0..20 {
            put(&app, "two-seconds.mp4", &format!("{n}.mp4"));
        }
        let (one, two) = tokio::join!(scan(&app, &ann), scan(&app, &ann));
        assert_eq!((one.added + two.added, one.unchanged + two.unchanged), (20, 20));
        assert_eq!(videos(&app).await.len(), 20);
    }

    async fn a_title_that_its_owner_changed_survives_the_next_scan(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "film.mp4");
        scan(&app, &ann).await;
        let id = videos(&app).await[0]["id"].as_i64().unwrap();
        let change = json!({"title": "Harbour", "description": "At dawn."});
        app.ask(&ann, Method::PATCH, &format!("{VIDEOS}/{id}"), Some(change)).await;
        scan(&app, &ann).await;
        assert_eq!(titles(&videos(&app).await), ["Harbour"]);
    }

    async fn a_file_or_picture_that_changed_updates_its_video(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "film.mp4");
        scan(&app, &ann).await;
        let before = videos(&app).await.remove(0);
        for (change, has_picture, duration) in [
            (("upright.mp4", "film.jpg"), true, json!(2)),
            (("joined-late.mp4", "film.mp4"), true, json!(60)),
            (("", "film.jpg"), false, json!(60)),
            (("upright.mp4", "film.webp"), true, json!(60)),
        ] {
            match change {
                ("", name) => fs::remove_file(app.media.join(name)).unwrap(),
                (fixture, name) => put(&app, fixture, name),
            }
            app.pass(Duration::from_secs(1));
            assert_eq!(counts(&scan(&app, &ann).await), (0, 1, 0, 0), "{change:?}");
            let after = videos(&app).await.remove(0);
            assert_eq!((&after["id"], &after["created_at"]), (&before["id"], &before["created_at"]));
            assert!(before["updated_at"].as_str() < after["updated_at"].as_str());
            let address = format!("{VIDEOS}/{}/thumbnail", before["id"]);
            let picture = if has_picture { json!(address) } else { Value::Null };
            assert_eq!((&after["thumbnail_path"], &after["duration"]), (&picture, &duration), "{change:?}");
            let status = app.get(&address).await.status();
            assert_eq!(status == StatusCode::OK, has_picture, "{change:?}");
        }
    }

    async fn a_folder_outside_the_media_folder_is_streamed_in_place(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "../elsewhere/film.mp4");
        let elsewhere = app.media.parent().unwrap().join("elsewhere");
        assert_eq!(counts(&scan_folder(&app, &ann, &elsewhere).await), (1, 0, 0, 0));
        let film = videos(&app).await.remove(0);
        assert!(!film.to_string().contains("elsewhere"), "no path of the disk: {film}");
        assert_eq!(app.get(film["stream_url"].as_str().unwrap()).await.status(), StatusCode::OK);
        let nowhere = app.media.join("nowhere");
        let library = Library::new(&app.media);
        assert!(library::scan(&app.db, &library, &nowhere, ann.id, &ProgressRules::default(), app.now(), |_| {}).await.is_err());
    }

    async fn the_first_account_gets_the_sample_clip_and_the_second_no_other(app: TestApp) {
        assert!(library::write_sample(&Library::new(&app.media)).unwrap());
        let ann = app.sign_up("ann").await;
        app.sign_up("bob").await;
        let [clip] = &videos(&app).await[..] else { panic!("one clip") };
        assert_eq!((&clip["title"], &clip["user_id"]), (&json!("Sample clip"), &json!(ann.id)));
        assert!(clip["duration"].as_i64().unwrap() >= 1);
        let stream = app.get(clip["stream_url"].as_str().unwrap()).await;
        assert_eq!(
            (stream.status(), stream.headers()["content-type"].to_str().unwrap()),
            (StatusCode::OK, "video/webm")
        );
        let picture = app.get(clip["thumbnail_path"].as_str().unwrap()).await;
        assert_eq!(picture.headers()["content-type"], "image/jpeg");
        assert!(!library::write_sample(&Library::new(&app.media)).unwrap(), "an existing folder is not changed");
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 1, 0));
    }

    async fn without_a_sample_clip_the_library_of_the_first_account_is_empty(app: TestApp) {
        app.sign_up("ann").await;
        assert!(videos(&app).await.is_empty());
    }

    async fn a_broken_sample_clip_does_not_prevent_the_first_account(app: TestApp) {
        fs::create_dir_all(&app.media).unwrap();
        fs::write(app.media.join(library::SAMPLE_NAME), "no video").unwrap();
        app.sign_up("ann").await;
        problem(app.get(&format!("{VIDEOS}/1")).await, 404, "video_not_found").await;
    }
}
