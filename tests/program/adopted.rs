//! A database that Alembic built, adopted and served.

use crate::program::{PASSWORD, Program, run};
use migration::{PROJECT, RunOptions, Target};
use reqwest::{Client, StatusCode};
use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};

/// The old site's data: a bcrypt hash of [`PASSWORD`], times without a zone, enum values in upper
/// case, and an unknown table.
const LEFT: &str = "
    DROP TABLE seaql_migrations;
    CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('2f1e7b15dd7f');
    CREATE TABLE ratings (id INTEGER PRIMARY KEY, video_id INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE);
    INSERT INTO users (id, email, username, hashed_password, role, is_active, is_verified, created_at, updated_at) VALUES
        (7, 'Ann@Example.org', 'Ann Ünïcode', '$2b$05$UTqwLQzBVCxiTT0Az3cI7ucWn8cuW8WTR88QNQeISRE8N0UhlqzqO', 'ADMIN', 1, 1,
         '2024-03-01 10:00:00.123456', '2024-03-01 10:00:00.000000');
    INSERT INTO videos (id, user_id, title, file_path, duration, status, view_count, created_at, updated_at) VALUES
        (40, 7, 'Harbour 🎬', 'a/b.mp4', 600, 'READY', 3, '2024-03-02 10:00:00.000000', '2024-03-02 10:00:00.000000'),
        (41, 7, 'Hidden', 'c.mp4', NULL, 'DELETED', 0, '2024-03-03 10:00:00.000000', '2024-03-03 10:00:00.000000');
    INSERT INTO ratings VALUES (1, 40);
    INSERT INTO watch_history (id, user_id, video_id, watch_position, watch_duration, completed, last_watched_at, created_at,
        updated_at) VALUES (90, 7, 40, 150, 200, 0, '2024-03-04 10:00:00.500000', '2024-03-04 10:00:00.000000',
        '2024-03-04 10:00:00.000000');";

#[tokio::test]
async fn users_of_an_adopted_site_sign_in_and_resume_their_videos() {
    let mut program = Program::new();
    let url = format!("sqlite://{}?mode=rwc", program.folder.path().join("playhead.db").display());
    PROJECT.upgrade(&url, &Target::Steps(3), &RunOptions::default()).await.unwrap();
    let db = Database::connect(&url).await.unwrap();
    db.execute_unprepared(LEFT).await.unwrap();
    db.close().await.unwrap();

    let (started, said) = run(&mut program.command(&[]), "");
    assert!(!started && said.contains("playhead migrate adopt") && said.lines().count() == 1, "{said}");
    let (done, said) = program.run(&["migrate", "adopt", "--upgrade"], "");
    assert!(done, "{said}");
    let (done, said) = program.run(&["migrate", "check"], "");
    assert!(done, "{said}");

    program.serve();
    let client = Client::new();
    let body = json!({"username": "ANN ÜNÏCODE", "password": PASSWORD});
    let pair = client.post(program.url("/api/v1/auth/login")).json(&body).send().await.unwrap();
    assert_eq!(pair.status(), StatusCode::OK);
    let token = pair.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    let get = async |path: &str| -> Value {
        client.get(program.url(path)).bearer_auth(&token).send().await.unwrap().json().await.unwrap()
    };
    let me = get("/api/v1/users/me").await;
    assert_eq!(
        (&me["id"], &me["role"], &me["created_at"]),
        (&json!(7), &json!("admin"), &json!("2024-03-01T10:00:00.123Z"))
    );
    let videos = get("/api/v1/videos").await;
    assert_eq!(videos.as_array().unwrap().len(), 1, "what was deleted stays so: {videos}");
    assert_eq!((&videos[0]["title"], &videos[0]["watch_progress"]), (&json!("Harbour 🎬"), &json!(25.0)));
    let begun = get("/api/v1/videos/continue-watching").await;
    assert_eq!(
        (&begun[0]["resume_at"], &begun[0]["last_watched_at"]),
        (&json!(150), &json!("2024-03-04T10:00:00.500Z"))
    );
}
