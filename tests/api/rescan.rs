//! The scan again: what stays, what is known again, and what is gone.

use crate::app::{Person, TestApp, problem};
use crate::library::{counts, put, scan, scan_folder, titles, videos};
use entity::video;
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use service::library::{self, Folder, Library, Report};
use service::progress::ProgressRules;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

const VIDEOS: &str = "/api/v1/videos";

fn address(video: &Value) -> String {
    format!("{VIDEOS}/{}", video["id"])
}

/// Scans with another media folder than that of the server.
async fn scan_with(app: &TestApp, owner: &Person, media: &Path, folder: impl Into<Folder<'_>>) -> Report {
    let library = Library::new(media);
    library::scan(&app.db, &library, folder, owner.id, &ProgressRules::default(), app.now(), |_| {}).await.unwrap()
}

async fn restore(app: &TestApp, owner: &Person) -> Report {
    scan_with(app, owner, &app.media, Folder { path: &app.media, restore: true }).await
}

async fn patch(app: &TestApp, owner: &Person, video: &Value, change: Value) {
    let answer = app.ask(owner, Method::PATCH, &address(video), Some(change)).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

async fn delete(app: &TestApp, owner: &Person, video: &Value) {
    assert_eq!(app.ask(owner, Method::DELETE, &address(video), None).await.status(), StatusCode::NO_CONTENT);
}

fn rename(app: &TestApp, from: &str, to: &str) {
    let to = app.media.join(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::rename(app.media.join(from), to).unwrap();
}

/// Brings every video into the state in which an older scan or another program left it.
async fn forget_content(app: &TestApp, path: impl Fn(&str) -> String) {
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
    async fn what_the_container_does_not_say_is_no_news(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "live.webm", "live.webm");
        scan(&app, &ann).await;
        let live = videos(&app).await.remove(0);
        assert_eq!(live["duration"], Value::Null);
        patch(&app, &ann, &live, json!({"duration": 2})).await;
        assert_eq!(app.save(&ann, live["id"].as_i64().unwrap(), 2).await["completed"], true);
        assert_eq!(counts(&scan(&app, &ann).await), (0, 0, 1, 0));
        // As an older scan left it, which reads the container once more; and then with other content.
        forget_content(&app, str::to_owned).await;
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

    async fn what_was_set_by_hand_stays_until_the_content_changes(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "film.mp4");
        scan(&app, &ann).await;
        let by_hand = json!({"title": "Mine", "duration": 7, "thumbnail_path": "https://example.org/a.jpg"});
        patch(&app, &ann, &videos(&app).await[0], by_hand.clone()).await;
        put(&app, "upright.mp4", "film.jpg");
        // Touching a file, or copying it back from a backup, is no news either.
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

    async fn a_film_in_the_place_of_another_of_its_size_is_noticed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "film.mp4");
        scan(&app, &ann).await;
        put(&app, "upright.mp4", "film.mp4");
        assert_eq!(counts(&scan(&app, &ann).await), (0, 1, 0, 0));
        assert_eq!(videos(&app).await[0]["width"], 90);
        // Only what was not touched for a while is known by its size and its time alone.
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

    async fn one_file_is_one_video_whatever_its_address(app: TestApp) {
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

    async fn a_path_that_another_program_stored_is_the_same_file(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        symlink("media", app.media.with_file_name("link")).unwrap();
        let parent = app.media.parent().unwrap().to_str().unwrap().to_owned();
        for detour in ["{}/link/a.mp4", "{}/media/./a.mp4", "{}/media/../media/a.mp4", "./a.mp4", "../media/a.mp4"] {
            forget_content(&app, |_| detour.replace("{}", &parent)).await;
            let report = scan(&app, &ann).await;
            assert_eq!((report.added, report.missing), (0, 0), "{detour}");
            let film = videos(&app).await.remove(0);
            assert_eq!(app.get(film["stream_url"].as_str().unwrap()).await.status(), StatusCode::OK, "{detour}");
        }
        // A path that leads out of the folder stays closed, as long as nobody scans what it leads to.
        put(&app, "upright.mp4", "../outside/secret.mp4");
        fs::remove_file(app.media.join("a.mp4")).unwrap();
        forget_content(&app, |_| "../outside/secret.mp4".into()).await;
        let report = scan(&app, &ann).await;
        assert_eq!((report.added, report.missing), (0, 1));
        let film = videos(&app).await.remove(0);
        problem(app.get(&format!("{}/stream", address(&film))).await, 404, "file_not_found").await;
    }

    async fn a_film_that_left_a_link_behind_is_found_where_it_went(app: TestApp) {
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

    async fn a_second_name_of_a_file_is_no_second_video(app: TestApp) {
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

    async fn a_moved_file_keeps_its_video_and_its_history(app: TestApp) {
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

    async fn films_that_exchange_their_names_keep_their_videos(app: TestApp) {
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

    async fn what_an_older_scan_registered_is_known_after_a_move_by_name_and_size(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        forget_content(&app, str::to_owned).await;
        rename(&app, "a.mp4", "deep/a.mp4");
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.moved, report.missing), ((0, 0, 0, 0), 1, 0), "{report:?}");
    }

    async fn a_vanished_file_is_told_of_and_has_no_stream_until_it_is_back(app: TestApp) {
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
        assert_eq!((again.missing, again.notes.len()), (1, 0), "it is told of once, and counted every time");
        // Whatever is scanned, what is back is back.
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

    async fn a_deleted_video_does_not_come_back_unless_it_is_restored(app: TestApp) {
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

    async fn another_film_in_the_place_of_a_deleted_one_is_new(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        delete(&app, &ann, &videos(&app).await[0]).await;
        put(&app, "joined-late.mp4", "a.mp4");
        assert_eq!(counts(&scan(&app, &ann).await), (1, 0, 0, 0));
        assert_eq!(videos(&app).await[0]["duration"], 60);
    }

    async fn a_video_that_was_deleted_before_it_was_scanned_again_stays_deleted_too(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        put(&app, "upright.mp4", "b.mp4");
        scan(&app, &ann).await;
        forget_content(&app, str::to_owned).await;
        let list = videos(&app).await;
        delete(&app, &ann, &list[0]).await;
        // As an older site leaves it.
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

    async fn the_videos_of_a_deleted_account_do_not_come_back(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let bob = app.sign_up("bob").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &bob).await;
        app.leave(&bob).await;
        let report = scan(&app, &ann).await;
        assert_eq!((counts(&report), report.deleted), ((0, 0, 0, 0), 1), "{report:?}");
        assert_eq!(counts(&restore(&app, &ann).await), (1, 0, 0, 0));
    }

    async fn a_picture_is_found_whatever_the_case_of_its_name(app: TestApp) {
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

    async fn names_that_show_nothing_or_are_no_text_are_no_trouble(app: TestApp) {
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

    async fn a_broken_copy_of_a_known_film_changes_nothing_and_is_not_missing(app: TestApp) {
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

    async fn two_scans_at_once_from_two_addresses_make_no_doubles(app: TestApp) {
        let ann = app.sign_up("ann").await;
        for n in 0..20 {
            put(&app, "two-seconds.mp4", &format!("{n}.mp4"));
        }
        let (elsewhere, whole) = (app.media.with_file_name("elsewhere"), Folder::from(&app.media));
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
