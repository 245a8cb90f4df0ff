//! Starting: in an empty folder, on existing files, and with bad settings.

use crate::program::{Program, run};
use sea_orm::{ConnectionTrait, Database};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

#[tokio::test]
async fn a_first_start_creates_database_key_and_media_folder_with_sample() {
    let mut program = Program::new();
    program.serve();
    let folder = program.folder.path();
    let key = folder.join("playhead.db.jwt-secret");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(folder.join("media/Sample clip.webm").is_file());
    program.create_user("ann");
    let videos: Vec<serde_json::Value> =
        reqwest::get(program.url("/api/v1/videos")).await.unwrap().json().await.unwrap();
    assert_eq!(videos[0]["title"], "Sample clip");
    let clip = reqwest::get(program.url(videos[0]["stream_url"].as_str().unwrap())).await.unwrap();
    assert_eq!(clip.headers()["content-type"], "video/webm");

    let before = fs::read(&key).unwrap();
    program.signal("INT");
    assert!(program.wait().success());
    program.serve();
    assert_eq!(fs::read(&key).unwrap(), before, "the key stays, or everybody would be signed out");
}

#[test]
fn an_existing_media_folder_is_not_changed() {
    let mut program = Program::new();
    let media = program.folder.path().join("media");
    fs::create_dir(&media).unwrap();
    program.serve();
    assert_eq!(fs::read_dir(media).unwrap().count(), 0);
}

#[test]
fn a_bad_setting_stops_the_start_with_one_line_that_names_it() {
    let program = Program::new();
    for (name, value, fix) in [
        ("ACCESS_TOKEN_MINUTES", "soon", "must be a whole number"),
        ("DATABASE_URL", "oracle://x", "the scheme is unknown"),
        ("DATABASE_URL", "sqlite://no/such/folder/x.db", "make its folder"),
        ("DATABASE_URL", "postgres://ann:hunter2@127.0.0.1:1/x", "JWT_SECRET: is not set, and PostgreSQL needs one"),
        ("BIND_ADDRESS", "somewhere", "must be an address and a port"),
        ("METRICS_ADDRESS", "somewhere", "must be an address and a port"),
        ("JWT_SECRET", "short", "needs 32"),
        ("MEDIA_DIR", "/proc/nowhere", "create the folder"),
    ] {
        let (started, said) = run(program.command(&[]).env(name, value).env("RUST_LOG", "error"), "");
        assert!(!started && said.lines().count() == 1 && said.contains(fix), "{name}={value} said: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn an_unreachable_server_is_named_without_its_password() {
    let program = Program::new();
    let mut command = program.command(&[]);
    command.env("DATABASE_URL", "postgres://ann:hunter2@127.0.0.1:1/x").env("JWT_SECRET", "x".repeat(32));
    let (started, said) = run(&mut command, "");
    assert!(!started && said.contains("cannot be reached") && said.contains("127.0.0.1:1/x"), "{said}");
    assert!(said.lines().count() == 1 && !said.contains("hunter2"), "{said}");
}

#[test]
fn the_message_names_a_port_that_is_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (started, said) = run(Program::new().command(&[]).env("BIND_ADDRESS", &address), "");
    assert!(!started && said.contains(&address) && said.contains("choose another port"), "{said}");
}

#[test]
fn a_burst_of_connections_to_a_busy_server_is_queued() {
    let program = Program::start();
    // The stopped server accepts nothing, so all connections wait.
    program.signal("STOP");
    let address = program.url("").replace("http://", "").parse().unwrap();
    let burst = (0..500).map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(900)));
    let burst: Vec<_> = burst.collect::<Result<_, _>>().expect("every connection is queued");
    program.signal("CONT");
    drop(burst);
}

#[test]
fn a_file_that_is_no_database_is_not_changed() {
    let program = Program::new();
    let file = program.folder.path().join("playhead.db");
    let text = "dear diary, ".repeat(100);
    fs::write(&file, &text).unwrap();
    let (started, said) = program.run(&[], "");
    assert!(!started && said.contains("is not a SQLite database") && said.lines().count() == 1, "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_read_only_database_stops_the_start() {
    let mut program = Program::new();
    program.serve();
    program.signal("INT");
    program.wait();
    let (started, said) = run(program.command(&[]).env("DATABASE_URL", "sqlite://playhead.db?mode=ro"), "");
    assert!(!started && said.contains("read-only"), "{said}");
}

#[tokio::test]
async fn a_database_locked_by_another_process_stops_the_start() {
    let program = Program::new();
    let file = program.folder.path().join("playhead.db");
    let holder = Database::connect(format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
    holder.execute_unprepared("BEGIN EXCLUSIVE").await.unwrap();
    let command = program.command(&[]);
    let (started, said) = tokio::task::spawn_blocking(|| run(&mut { command }, "")).await.unwrap();
    assert!(!started && said.contains("locked by another process"), "{said}");
    holder.close().await.unwrap();
}

#[test]
fn an_old_schema_stops_a_start_without_auto_migrate() {
    let program = Program::new();
    let (started, said) = run(program.command(&[]).env("AUTO_MIGRATE", "false"), "");
    assert!(!started && said.contains("playhead migrate up"), "{said}");
    assert!(program.run(&["migrate", "up"], "").0);
    let mut command = program.command(&["user", "create", "ann", "ann@example.org"]);
    assert!(run(command.env("AUTO_MIGRATE", "false"), crate::program::PASSWORD).0);
}
