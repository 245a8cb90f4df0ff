//! The commands of the operator.

use crate::program::{PASSWORD, Program};
use reqwest::{Client, StatusCode};
use serde_json::json;
use std::fs;
use std::path::Path;

async fn sign_in(program: &Program, name: &str, password: &str) -> StatusCode {
    let body = json!({"username": name, "password": password});
    Client::new().post(program.url("/api/v1/auth/login")).json(&body).send().await.unwrap().status()
}

#[tokio::test]
async fn accounts_are_created_get_a_password_and_are_deactivated() {
    let mut program = Program::new();
    program.serve();
    let (done, said) = program.run(&["user", "create", "ann", "ann@example.org"], PASSWORD);
    assert!(done && said.contains("created ann (admin)"), "the first one is an administrator: {said}");
    let (done, said) = program.run(&["user", "create", "bob", "bob@example.org"], PASSWORD);
    assert!(done && said.contains("created bob (user)"), "{said}");
    let (done, said) = program.run(&["user", "create", "cyd", "cyd@example.org", "--admin"], PASSWORD);
    assert!(done && said.contains("created cyd (admin)"), "{said}");

    assert!(program.run(&["user", "set-password", "bob"], "battery staple").0);
    assert_eq!(sign_in(&program, "bob", PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&program, "BOB@example.org", "battery staple").await, StatusCode::OK);
    assert!(program.run(&["user", "deactivate", "bob"], "").0);
    assert_eq!(sign_in(&program, "bob", "battery staple").await, StatusCode::FORBIDDEN);
}

#[test]
fn a_command_that_fails_says_why_in_one_line() {
    let program = Program::new();
    program.create_user("ann");
    for (arguments, input, why) in [
        (&["user", "create", "ann", "other@example.org"][..], PASSWORD, "is taken"),
        (&["user", "create", "other", "ANN@example.org"], PASSWORD, "is taken"),
        (&["user", "create", "a@b", "ab@example.org"], PASSWORD, "username: must not contain @"),
        (&["user", "create", "bob", "nowhere"], PASSWORD, "email: must be an e-mail address"),
        (&["user", "create", "bob", "bob@example.org"], "short", "password: must have 8 to 100 characters"),
        (&["user", "set-password", "nobody"], PASSWORD, "there is no such user"),
        (&["user", "set-password", "ann"], "short", "password: must have 8 to 100 characters"),
        (&["user", "deactivate", "ann"], "", "the last administrator cannot leave"),
        (&["scan", "--owner", "nobody"], "", "--owner nobody: there is no such user"),
        (&["scan", "no-such-folder"], "", "no-such-folder"),
    ] {
        let (done, said) = program.run(arguments, input);
        assert!(!done && said.contains(why) && said.lines().count() == 1, "{arguments:?} said: {said}");
    }
}

#[test]
fn a_scan_before_the_first_account_says_how_to_create_one() {
    let program = Program::new();
    fs::create_dir(program.folder.path().join("media")).unwrap();
    let (done, said) = program.run(&["scan"], "");
    assert!(!done && said.contains("playhead user create NAME EMAIL --admin"), "{said}");
}

#[tokio::test]
async fn a_scan_registers_what_it_can_read_and_skips_the_rest() {
    let mut program = Program::new();
    fs::create_dir(program.folder.path().join("media")).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let elsewhere = program.folder.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("more")).unwrap();
    for (from, to) in [
        ("two-seconds.mp4", "First film.mp4"),
        ("two-seconds.mkv", "more/Second film.MKV"),
        ("not-a-video.mp4", "Third film.mp4"),
        ("empty.mkv", "Fourth film.mkv"),
    ] {
        fs::copy(fixtures.join(from), elsewhere.join(to)).unwrap();
    }
    program.create_user("ann");
    let (done, said) = program.run(&["scan", "elsewhere"], "");
    assert!(done && said.contains("2 added, 0 updated, 0 unchanged, 2 skipped"), "{said}");
    assert!(said.contains("Third film.mp4: ") && said.contains("Fourth film.mkv: "), "{said}");
    let (_, said) = program.run(&["scan", "elsewhere"], "");
    assert!(said.contains("0 added, 0 updated, 2 unchanged"), "{said}");

    program.serve();
    let videos: Vec<serde_json::Value> =
        reqwest::get(program.url("/api/v1/videos")).await.unwrap().json().await.unwrap();
    let mut titles: Vec<_> = videos.iter().map(|video| video["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["First film", "Second film"]);
    for video in &videos {
        assert_eq!((&video["duration"], &video["width"]), (&json!(2), &json!(160)), "{video}");
        let film = reqwest::get(program.url(video["stream_url"].as_str().unwrap())).await.unwrap();
        assert_eq!(film.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_scan_reports_known_moved_and_missing_files() {
    let mut program = Program::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let films = program.folder.path().join("films");
    fs::create_dir_all(&films).unwrap();
    fs::create_dir(program.folder.path().join("media")).unwrap();
    for (from, to) in [("two-seconds.mp4", "First.mp4"), ("joined-late.mp4", "Second.mp4")] {
        fs::copy(fixtures.join(from), films.join(to)).unwrap();
    }
    std::os::unix::fs::symlink("First.mp4", films.join("Link.mp4")).unwrap();
    program.create_user("ann");
    let (done, said) = program.run(&["scan", "films"], "");
    assert!(done && said.contains("2 added, 0 updated, 0 unchanged, 0 skipped, 1 link not followed"), "{said}");
    assert!(said.contains("Link.mp4: is a link to First.mp4, which is not followed"), "{said}");
    fs::rename(films.join("First.mp4"), films.join("Third.mp4")).unwrap();
    fs::remove_file(films.join("Second.mp4")).unwrap();
    program.environment.push(("MEDIA_DIR".into(), "films".into()));
    let (_, said) = program.run(&["scan"], "");
    assert!(
        said.contains("0 added, 0 updated, 0 unchanged, 0 skipped, 1 moved, 1 missing, 1 link not followed"),
        "{said}"
    );
    assert!(said.contains("Third.mp4: moved here from ") && said.contains("Second.mp4: is missing; video "), "{said}");

    program.serve();
    let token = program.token("ann").await;
    let first = reqwest::Client::new().delete(program.url("/api/v1/videos/1")).bearer_auth(token);
    assert_eq!(first.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let (_, said) = program.run(&["scan"], "");
    assert!(said.contains("0 added") && said.contains("1 skipped, because the video was deleted"), "{said}");
    let (_, said) = program.run(&["scan", "--restore"], "");
    assert!(said.contains("1 added") && !said.contains("left out"), "{said}");
}

#[test]
fn the_openapi_command_prints_the_document() {
    let (done, said) = Program::new().run(&["openapi"], "");
    let document: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(done && document["openapi"] == "3.1.0", "{}", document["openapi"]);
}
