//! The background deletion of what has expired, by one of several programs.

use crate::program::Program;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use std::time::{Duration, Instant};

const KEY: &str = "a key of the tests that is long enough for HS256";
const DONE: &str = "the background job sweep_history is done";
const NOT_DUE: &str = "the background job sweep_history is not due";

/// A program on this database that has not started.
fn program(url: &str) -> Program {
    let mut program = Program::new();
    let settings = [
        ("DATABASE_URL", url),
        ("JWT_SECRET", KEY),
        ("HISTORY_MAX_DAYS", "10"),
        ("RUST_LOG", "info,service::jobs=trace"),
    ];
    program.environment.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
    program
}

fn count_lines(program: &Program, part: &str) -> usize {
    program.logged.lock().unwrap().iter().filter(|line| line.contains(part)).count()
}

async fn count_entries(db: &DatabaseConnection) -> i64 {
    let query = Statement::from_string(db.get_database_backend(), "SELECT count(*) FROM watch_history");
    db.query_one_raw(query).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Adds 500 entries that were last watched 20 days ago, and one of now.
async fn add_entries(db: &DatabaseConnection) {
    for sql in [
        "INSERT INTO videos (user_id, title, status, created_at, updated_at)
         SELECT (SELECT min(id) FROM users), 'film ' || n, 'ready', now(), now() FROM generate_series(0, 500) n",
        "INSERT INTO watch_history (user_id, video_id, last_watched_at, watched_hour, created_at, updated_at)
         SELECT user_id, id, watched, (extract(epoch FROM watched) / 3600)::int, watched, watched
         FROM videos CROSS JOIN LATERAL (SELECT now() - CASE WHEN title = 'film 0' THEN interval '0 days'
         ELSE interval '20 days' END AS watched) AS times",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn of_two_programs_on_one_database_one_sweeps() {
    let server = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a PostgreSQL database");
    let name = format!("playhead_sweep_{}", std::process::id());
    let (host, _) = server.rsplit_once('/').unwrap();
    let (url, server) = (format!("{host}/{name}"), Database::connect(&server).await.unwrap());
    server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let mut programs = [program(&url), program(&url)];
    let (done, said) = programs[0].run(&["migrate", "upgrade"], "");
    assert!(done, "{said}");
    programs[0].create_user("ann");
    let db = Database::connect(&url).await.unwrap();
    add_entries(&db).await;

    programs.iter_mut().for_each(Program::serve);
    let begun = Instant::now();
    let has_tried = |program: &Program| count_lines(program, DONE) + count_lines(program, NOT_DUE) > 0;
    while !programs.iter().all(has_tried) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", programs[0].logged.lock().unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let count = |part: &str| programs.iter().map(|program| count_lines(program, part)).sum::<usize>();
    assert_eq!((count(DONE), count(NOT_DUE)), (1, 1), "one of them claims the job");
    assert_eq!(count("deleted 500 entries and 0 plays that had expired"), 1);
    assert_eq!(count_entries(&db).await, 1);

    db.close().await.unwrap();
    drop(programs);
    server.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
}
