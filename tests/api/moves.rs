//! Which file a video has after files were moved, linked, copied or renamed.

use crate::app::{TestApp, problem};
use crate::library::{counts, put, scan, scan_folder, titles, videos};
use crate::rescan::{address, clear_file_hashes, patch, rename, scan_with};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use service::library::ScanRequest;
use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

on_both! {
    async fn one_file_is_one_video_under_any_path(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "../films/a.mp4");
        put(&app, "upright.mp4", "../films/deep/b.mp4");
        put(&app, "upright.mp4", "../films/deep/b.jpg");
        let films = app.media.with_file_name("films");
        symlink("films", films.with_file_name("link")).unwrap();
        assert_eq!(counts(&scan_folder(&app, &ann, &films).await), (2, 0, 0, 0));
        for (media, folder) in [
            (films.clone(), films.clone()),
            (films.join("../films/./"), films.join("deep/..")),
            (films.with_file_name("link"), films.with_file_name("link")),
            (films.join("deep"), films.clone()),
            (app.media.clone(), films.with_file_name("link/deep/../../films")),
        ] {
            assert_eq!(counts(&scan_with(&app, &ann, &media, &folder).await), (0, 0, 2, 0), "{folder:?}");
        }
        assert_eq!(titles(&videos(&app).await), ["a", "b"]);
        for film in videos(&app).await {
            assert_eq!(app.get(film["stream_url"].as_str().unwrap()).await.status(), StatusCode::OK);
        }
    }

    async fn a_path_stored_by_another_program_is_the_same_file(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        symlink("media", app.media.with_file_name("link")).unwrap();
        let parent = app.media.parent().unwrap().to_str().unwrap().to_owned();
        for detour in ["{}/link/a.mp4", "{}/media/./a.mp4", "{}/media/../media/a.mp4", "./a.mp4", "../media/a.mp4"] {
            clear_file_hashes(&app, |_| detour.replace("{}", &parent)).await;
            let report = scan(&app, &ann).await;
            assert_eq!((report.added, report.missing), (0, 0), "{detour}");
            let film = videos(&app).await.remove(0);
            assert_eq!(app.get(film["stream_url"].as_str().unwrap()).await.status(), StatusCode::OK, "{detour}");
        }
        // A path outside the folder is not served unless its target is scanned.
        put(&app, "upright.mp4", "../outside/secret.mp4");
        fs::remove_file(app.media.join("a.mp4")).unwrap();
        clear_file_hashes(&app, |_| "../outside/secret.mp4".into()).await;
        let report = scan(&app, &ann).await;
        assert_eq!((report.added, report.missing), (0, 1));
        let film = videos(&app).await.remove(0);
        problem(app.get(&format!("{}/stream", address(&film))).await, 404, "file_not_found").await;
    }

    async fn a_file_replaced_by_a_link_is_found_at_its_new_path(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "film.mp4");
        scan(&app, &ann).await;
        rename(&app, "film.mp4", "../disk/film.mp4");
        symlink("../disk/film.mp4", app.media.join("film.mp4")).unwrap();
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.missing, report.links), ((0, 0, 0, 0), 1, 1), "{report:?}");
        assert_eq!(videos(&app).await[0].get("stream_url"), None);
        let report = scan_folder(&app, &ann, &app.media.with_file_name("disk")).await;
        assert_eq!((counts(&report), report.returned, report.missing), ((0, 0, 0, 0), 1, 0), "{report:?}");
        let stream = videos(&app).await[0]["stream_url"].as_str().unwrap().to_owned();
        assert_eq!(app.get(&stream).await.status(), StatusCode::OK);
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 0, 0));
        assert_eq!(app.get(&stream).await.status(), StatusCode::OK);
    }

    async fn a_hard_link_is_no_second_video(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "b/film.mp4");
        scan(&app, &ann).await;
        fs::create_dir_all(app.media.join("a")).unwrap();
        fs::hard_link(app.media.join("b/film.mp4"), app.media.join("a/again.mp4")).unwrap();
        put(&app, "upright.mp4", "new.mp4");
        fs::hard_link(app.media.join("new.mp4"), app.media.join("newer.mp4")).unwrap();
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.links), ((1, 0, 1, 0), 2), "{report:?}");
        let report = scan_folder(&app, &ann, &app.media.join("a")).await;
        assert_eq!((counts(&report), report.missing), ((0, 0, 1, 0), 0), "{report:?}");
        assert_eq!(titles(&videos(&app).await), ["film", "new"]);
    }

    async fn two_copies_are_two_videos(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        put(&app, "two-seconds.mp4", "b.mp4");
        assert_eq!(counts(&scan(&app, &ann).await), (1, 0, 1, 0));
        assert_eq!(titles(&videos(&app).await), ["a", "b"]);
    }

    async fn a_moved_file_keeps_its_video_and_its_entries(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for (fixture, name) in [("two-seconds.mp4", "a.mp4"), ("joined-late.mp4", "b.mp4"), ("upright.mp4", "c.mp4")] {
            put(&app, fixture, name);
        }
        scan(&app, &ann).await;
        let before = videos(&app).await;
        patch(&app, &ann, &before[1], json!({"title": "By hand"})).await;
        app.save(&ann, before[0]["id"].as_i64().unwrap(), 1).await;
        rename(&app, "a.mp4", "deep/renamed.mp4");
        rename(&app, "b.mp4", "a.mp4");
        rename(&app, "c.mp4", "../elsewhere/c.mp4");
        put(&app, "two-seconds.mkv", "b.mp4");
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.moved, report.missing), ((1, 0, 0, 0), 2, 1), "{report:?}");
        let report = scan_folder(&app, &ann, &app.media.with_file_name("elsewhere")).await;
        assert_eq!((counts(&report), report.moved, report.missing), ((0, 0, 0, 0), 1, 0), "{report:?}");
        let after = videos(&app).await;
        assert_eq!(titles(&after), ["By hand", "b", "c", "renamed"]);
        let ids = [&after[3]["id"], &after[0]["id"], &after[2]["id"]];
        assert_eq!(ids, [&before[0]["id"], &before[1]["id"], &before[2]["id"]]);
        let entry = app.ask(&ann, Method::GET, &format!("{}/watch-history", address(&after[3])), None).await;
        assert_eq!(entry.status(), StatusCode::OK);
        for film in &after {
            assert_eq!(app.get(film["stream_url"].as_str().unwrap()).await.status(), StatusCode::OK);
        }
    }

    async fn files_that_exchange_their_names_keep_their_videos(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        put(&app, "joined-late.mp4", "b.mp4");
        scan(&app, &ann).await;
        let before = videos(&app).await;
        rename(&app, "a.mp4", "c");
        rename(&app, "b.mp4", "a.mp4");
        rename(&app, "c", "b.mp4");
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.moved), ((0, 0, 0, 0), 2), "{report:?}");
        let after = videos(&app).await;
        assert_eq!([&after[0]["id"], &after[1]["id"]], [&before[1]["id"], &before[0]["id"]]);
        assert_eq!([&after[0]["duration"], &after[1]["duration"]], [&json!(60), &json!(2)]);
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 2, 0));
    }

    async fn a_file_of_an_older_scan_is_found_by_name_and_size_after_a_move(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        clear_file_hashes(&app, str::to_owned).await;
        rename(&app, "a.mp4", "deep/a.mp4");
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.moved, report.missing), ((0, 0, 0, 0), 1, 0), "{report:?}");
    }

    async fn a_missing_file_is_reported_and_has_no_stream_until_it_returns(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a/film.mp4");
        put(&app, "upright.mp4", "a/film.jpg");
        put(&app, "upright.mp4", "b.mp4");
        scan(&app, &ann).await;
        let before = videos(&app).await;
        let film = address(&before[1]);
        rename(&app, "a", "../away");
        app.pass(Duration::from_secs(1));
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.missing, report.notes.len()), ((0, 0, 1, 0), 1, 1), "{report:?}");
        assert!(report.notes[0].text.starts_with("is missing"), "{report:?}");
        let missing: Value = app.get(&film).await.json().await.unwrap();
        assert_eq!((missing.get("stream_url"), &missing["thumbnail_path"]), (None, &Value::Null));
        assert_eq!(missing["status"], "ready");
        app.save(&ann, missing["id"].as_i64().unwrap(), 1).await;
        let again = scan(&app, &ann).await;
        assert_eq!((again.missing, again.notes.len()), (1, 0), "it is reported once and counted every time");
        // A scan of any folder restores the file that has returned.
        rename(&app, "../away", "a");
        put(&app, "two-seconds.mkv", "../elsewhere/c.mkv");
        let report = scan_folder(&app, &ann, &app.media.with_file_name("elsewhere")).await;
        assert_eq!((counts(&report), report.returned, report.missing), ((1, 0, 0, 0), 1, 0), "{report:?}");
        let back: Value = app.get(&film).await.json().await.unwrap();
        for field in ["id", "title", "stream_url", "thumbnail_path"] {
            assert_eq!(back[field], before[1][field]);
        }
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 2, 0));
    }

    async fn two_scans_at_once_through_two_paths_make_no_duplicates(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for n in 0..20 {
            put(&app, "two-seconds.mp4", &format!("{n}.mp4"));
        }
        let (elsewhere, whole) = (app.media.with_file_name("elsewhere"), ScanRequest::from(&app.media));
        let (one, two) = tokio::join!(scan(&app, &ann), scan_with(&app, &ann, &elsewhere, whole));
        assert_eq!((one.added + two.added, videos(&app).await.len()), (20, 20));
        for n in 0..20 {
            rename(&app, &format!("{n}.mp4"), &format!("moved/{n}.mp4"));
        }
        let (one, two) = tokio::join!(scan(&app, &ann), scan_with(&app, &ann, &app.media, &app.media));
        assert_eq!((one.moved + two.moved, one.added + two.added), (20, 0), "{one:?} {two:?}");
        assert_eq!(videos(&app).await.len(), 20);
    }
}
