//! Streams and thumbnails: the files of videos, requested as a browser does.

use crate::app::{TestApp, problem, send};
use entity::video;
use reqwest::{Method, Response, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;
use service::library::{self, Library};
use service::progress::ProgressRules;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(FIXTURES).join(name)).unwrap()
}

/// Registers a media folder with these copies of fixtures, and returns the id of the first video.
async fn library(app: &TestApp, files: &[(&str, &str)]) -> i64 {
    fs::create_dir_all(&app.media).unwrap();
    for (fixture, name) in files {
        fs::copy(Path::new(FIXTURES).join(fixture), app.media.join(name)).unwrap();
    }
    let ann = app.sign_up("ann").await;
    library::scan(&app.db, &Library::new(&app.media), &app.media, ann.id, &ProgressRules::default(), app.now(), |_| {})
        .await
        .unwrap();
    video::Entity::find().one(app.db.reader()).await.unwrap().unwrap().id
}

fn stream(video: i64) -> String {
    format!("/api/v1/videos/{video}/stream")
}

fn thumbnail(video: i64) -> String {
    format!("/api/v1/videos/{video}/thumbnail")
}

async fn get_with(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = app.request(Method::GET, path);
    send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Checks that the response has the bytes from `start` to `end` (inclusive) of the file.
async fn holds(answer: Response, film: &[u8], start: usize, end: usize) {
    assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&answer, "content-range"), format!("bytes {start}-{end}/{}", film.len()));
    assert_eq!(header(&answer, "content-length"), (end - start + 1).to_string());
    assert_eq!(answer.bytes().await.unwrap(), film[start..=end]);
}

/// Sets this path in every video.
pub async fn set_file(app: &TestApp, column: video::Column, path: &str) {
    let update = video::Entity::update_many().col_expr(column, Expr::value(path));
    update.filter(video::Column::Id.gt(0)).exec(app.db.writer().await.unwrap().1).await.unwrap();
}

on_both! {
    async fn a_whole_file_is_streamed_to_everybody(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        let film = fixture("two-seconds.mp4");
        let whole = app.get(&stream(id)).await;
        assert_eq!(whole.status(), StatusCode::OK);
        assert_eq!((header(&whole, "content-type"), header(&whole, "accept-ranges")), ("video/mp4", "bytes"));
        assert_eq!(header(&whole, "content-length"), film.len().to_string());
        assert!(!header(&whole, "etag").is_empty() && !header(&whole, "last-modified").is_empty());
        assert_eq!(header(&whole, "content-disposition"), "", "its name stays ours");
        assert_eq!(whole.bytes().await.unwrap(), film);
    }

    async fn a_range_returns_exactly_its_bytes(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        let film = fixture("two-seconds.mp4");
        let last = film.len() - 1;
        for (range, start, end) in [
            ("bytes=0-0", 0, 0),
            ("bytes=0-99", 0, 99),
            ("bytes=100-", 100, last),
            ("bytes=-100", last - 99, last),
            ("bytes=-999999", 0, last),
            ("bytes=0-999999999", 0, last),
            ("bytes=5000-5001", 5000, 5001),
            ("Bytes=1-2", 1, 2),
        ] {
            holds(get_with(&app, &stream(id), &[("range", range)]).await, &film, start, end).await;
        }
    }

    async fn a_range_after_the_end_is_a_problem_with_the_size(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        let size = fixture("two-seconds.mp4").len();
        for range in [format!("bytes={size}-"), "bytes=999999-1000000".into(), "bytes=-0".into()] {
            let answer = get_with(&app, &stream(id), &[("range", &range)]).await;
            assert_eq!(header(&answer, "content-range"), format!("bytes */{size}"), "{range}");
            problem(answer, 416, "range_not_satisfiable").await;
        }
    }

    async fn an_invalid_range_is_no_server_error(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        let other = get_with(&app, &stream(id), &[("range", "lines=1-2")]).await;
        assert_eq!(other.status(), StatusCode::OK, "an unknown unit is ignored");
        for range in
            ["bytes", "bytes=", "bytes=a-b", "bytes=5-2", "bytes=--1", "bytes=0-1,5-6", "bytes=99999999999999999999-"]
        {
            let status = get_with(&app, &stream(id), &[("range", range)]).await.status();
            let fine = [StatusCode::OK, StatusCode::PARTIAL_CONTENT, StatusCode::RANGE_NOT_SATISFIABLE];
            assert!(fine.contains(&status), "{range}: {status}");
        }
    }

    async fn if_range_returns_the_part_of_the_same_file_or_the_whole_new_one(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        let film = fixture("two-seconds.mp4");
        let whole = app.get(&stream(id)).await;
        let (tag, changed) = (header(&whole, "etag").to_owned(), header(&whole, "last-modified").to_owned());
        let with =
            async |value: &str| get_with(&app, &stream(id), &[("range", "bytes=0-9"), ("if-range", value)]).await;
        holds(with(&tag).await, &film, 0, 9).await;
        holds(with(&changed).await, &film, 0, 9).await;
        for other in ["\"another\"", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            let answer = with(other).await;
            assert_eq!(answer.status(), StatusCode::OK, "{other}");
            assert_eq!(answer.bytes().await.unwrap(), film);
        }
    }

    async fn head_ignores_a_range(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        let size = fixture("two-seconds.mp4").len().to_string();
        for range in ["bytes=0-1", "bytes=99999999-", "bytes=x"] {
            let answer = send(app.request(Method::HEAD, &stream(id)).header("range", range)).await;
            assert_eq!((answer.status(), header(&answer, "content-length")), (StatusCode::OK, &*size), "{range}");
            assert_eq!(header(&answer, "content-range"), "");
        }
    }

    async fn a_copy_of_a_file_has_the_same_etag_and_another_file_has_not(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        let (film, copy) = (app.media.join("film.mp4"), app.media.join("copy.mp4"));
        let tag = header(&app.get(&stream(id)).await, "etag").to_owned();
        // As another replica has it: another inode, with equal size and time.
        let changed = fs::metadata(&film).unwrap().modified().unwrap();
        fs::copy(&film, &copy).unwrap();
        fs::File::options().write(true).open(&copy).unwrap().set_modified(changed).unwrap();
        fs::rename(&copy, &film).unwrap();
        assert_eq!(header(&app.get(&stream(id)).await, "etag"), tag);
        let same = get_with(&app, &stream(id), &[("if-none-match", &tag)]).await;
        assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
        fs::File::options().write(true).open(&film).unwrap().set_modified(changed + Duration::from_nanos(1)).unwrap();
        assert_ne!(header(&app.get(&stream(id)).await, "etag"), tag, "it was written anew");
        let other = get_with(&app, &stream(id), &[("if-match", &tag)]).await;
        problem(other, 412, "precondition_failed").await;
    }

    async fn head_returns_the_size_without_the_file(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        let size = fixture("two-seconds.mp4").len();
        let request = format!("HEAD {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", stream(id));
        let answer = String::from_utf8(app.raw(request.as_bytes())).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains(&format!("content-length: {size}\r\n")), "{answer}");
        assert!(
            answer.contains("content-type: video/mp4\r\n") && answer.contains("accept-ranges: bytes\r\n"),
            "{answer}"
        );
        assert!(answer.ends_with("\r\n\r\n"), "no body");
    }

    async fn every_file_extension_has_its_content_type(app: TestApp) {
        let files = [
            ("two-seconds.mp4", "a.mp4"),
            ("two-seconds.m4v", "b.m4v"),
            ("two-seconds.mov", "c.mov"),
            ("two-seconds.webm", "d.webm"),
            ("two-seconds.mkv", "e.mkv"),
            ("two-seconds.mp4", "f.MP4"),
        ];
        let first = library(&app, &files).await;
        let kinds = ["video/mp4", "video/x-m4v", "video/quicktime", "video/webm", "video/x-matroska", "video/mp4"];
        for (id, kind) in (first..).zip(kinds) {
            let answer = app.get(&stream(id)).await;
            assert_eq!(header(&answer, "content-type"), kind);
            assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        }
    }

    async fn a_video_without_a_file_or_with_a_missing_one_is_not_found(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        fs::remove_file(app.media.join("film.mp4")).unwrap();
        problem(app.get(&stream(id)).await, 404, "file_not_found").await;
        fs::create_dir(app.media.join("film.mp4")).unwrap();
        problem(app.get(&stream(id)).await, 404, "file_not_found").await;
        problem(app.get(&stream(99)).await, 404, "video_not_found").await;
        problem(app.get(&thumbnail(99)).await, 404, "video_not_found").await;
    }

    async fn a_stored_path_that_leads_elsewhere_is_never_opened(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        fs::write(app.media.join("../secret.txt"), "secret").unwrap();
        symlink("../secret.txt", app.media.join("link.mp4")).unwrap();
        symlink("..", app.media.join("folder")).unwrap();
        for path in
            ["../secret.txt", "link.mp4", "folder/secret.txt", "x/../film.mp4", "", ".", "film.mp4/", "film.mp4\\"]
        {
            set_file(&app, video::Column::FilePath, path).await;
            let answer = app.get(&stream(id)).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            problem(answer, 404, "file_not_found").await;
            set_file(&app, video::Column::ThumbnailFile, path).await;
            problem(app.get(&thumbnail(id)).await, 404, "thumbnail_not_found").await;
        }
    }

    async fn a_path_with_dots_is_not_found(app: TestApp) {
        library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        for path in [
            "/api/v1/videos/../../../../etc/passwd",
            "/api/v1/videos/..%2f..%2fetc%2fpasswd/stream",
            "/api/v1/videos/%2e%2e/stream",
            "/api/v1/videos/1%2fstream",
            "/api/v1/videos/..;/stream",
            "/..%2f..%2fetc/passwd",
            "/../Cargo.toml",
            "/%2e%2e/web/app.js",
            "/docs/../../etc/passwd",
            "/api/v1/videos/1/stream/..%5c..%5cfilm.mp4",
            "//etc/passwd",
            "/views/..%2f..%2fCargo.js",
        ] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = String::from_utf8_lossy(&app.raw(request.as_bytes())).into_owned();
            assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {}", answer.lines().next().unwrap());
            assert!(answer.contains("content-type: application/problem+json\r\n"), "{path}: {answer}");
        }
    }

    async fn a_thumbnail_is_served_and_cached(app: TestApp) {
        for ending in ["jpg", "png", "webp"] {
            fs::create_dir_all(&app.media).unwrap();
            fs::write(app.media.join(format!("{ending}.{ending}")), "a picture").unwrap();
        }
        let files = [("two-seconds.mp4", "jpg.mp4"), ("two-seconds.mp4", "png.mp4"), ("two-seconds.mp4", "webp.mp4")];
        let first = library(&app, &files).await;
        for (id, kind) in (first..).zip(["image/jpeg", "image/png", "image/webp"]) {
            let film: Value = app.get(&format!("/api/v1/videos/{id}")).await.json().await.unwrap();
            assert_eq!(film["thumbnail_path"], thumbnail(id));
            let picture = app.get(&thumbnail(id)).await;
            assert_eq!((picture.status(), header(&picture, "content-type")), (StatusCode::OK, kind));
            assert!(header(&picture, "cache-control").contains("max-age="));
            let (tag, changed) = (header(&picture, "etag").to_owned(), header(&picture, "last-modified").to_owned());
            assert_eq!(picture.text().await.unwrap(), "a picture");
            for (name, value) in [("if-none-match", &tag), ("if-modified-since", &changed)] {
                let same = get_with(&app, &thumbnail(id), &[(name, value)]).await;
                assert_eq!((same.status(), header(&same, "etag")), (StatusCode::NOT_MODIFIED, &*tag));
                assert!(same.bytes().await.unwrap().is_empty());
            }
        }
    }

    async fn a_video_without_a_thumbnail_has_none(app: TestApp) {
        let id = library(&app, &[("two-seconds.mp4", "film.mp4")]).await;
        problem(app.get(&thumbnail(id)).await, 404, "thumbnail_not_found").await;
    }
}
