//! A project from nothing: what a lesson about Alembic does with the camshafts, by the commands of
//! the lesson.
//!
//! The migrations that `revision --autogenerate` writes here are those of the example, which are
//! compiled with it.

use crate::camshaft_project::PROJECT;
use crate::{camshafts, server};
use clap::FromArgMatches;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Schema, Statement};
use sea_orm_migration::MigrationTrait;
use sea_orm_revisions::cli::{self, Arguments, CommandOutput, Environment};
use sea_orm_revisions::entities::EntityTables;
use sea_orm_revisions::{Project, environment};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/camshaft_project/src");
const FIRST: &str = "Create users, projects and cams";
const SECOND: &str = "Give users a phone number";

/// Before the first migration.
const NEW: Project = Project { chain: Vec::new, entities: first_tables, ..PROJECT };
/// With the first migration, and the entities that it was written from.
const BEGUN: Project = Project { chain: first_migration, ..NEW };
/// With the first migration, and the changed entities.
const CHANGED: Project = Project { chain: first_migration, ..PROJECT };

fn first_tables(backend: DbBackend) -> EntityTables {
    let tables = Schema::new(backend).builder().register(camshafts::user::Entity);
    tables.register(camshafts::project::Entity).register(camshafts::cam::Entity).into()
}

fn first_migration() -> Vec<Box<dyn MigrationTrait>> {
    (PROJECT.chain)().into_iter().take(1).collect()
}

#[tokio::test]
async fn a_new_project_runs_the_alembic_lesson_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    run_lesson(&format!("sqlite://{}/cams.db?mode=rwc", folder.path().display())).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_new_project_runs_the_alembic_lesson_on_postgres() {
    let name = format!("playhead_lesson_{}", std::process::id());
    let (host, _) = server().rsplit_once('/').map(|(host, name)| (host.to_owned(), name.to_owned())).unwrap();
    let db = Database::connect(server()).await.unwrap();
    db.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let lesson = tokio::spawn(async move { run_lesson(&format!("{host}/{name}")).await });
    let ended = lesson.await;
    let drop = format!("DROP DATABASE playhead_lesson_{} WITH (FORCE)", std::process::id());
    db.execute_unprepared(&drop).await.unwrap();
    ended.unwrap();
}

async fn run_lesson(url: &str) {
    let sources = new_sources();
    let revision = |message| ["revision", "--autogenerate", "-m", message, "--dir", sources.path().to_str().unwrap()];

    let written = run(&NEW, url, &revision(FIRST)).await.text;
    assert!(written.contains("found    cams: table in the entities, missing in the database"), "{written}");
    let [first, second] = names(&PROJECT);
    assert_is_in_the_example(&sources, &first);

    let applied = run(&BEGUN, url, &["upgrade", "head"]).await.text;
    assert_eq!(applied, format!("applied       {first}\n"));
    assert_eq!(run(&BEGUN, url, &["check"]).await.code, 0);
    let db = Database::connect(url).await.unwrap();
    db.execute_unprepared(ROWS).await.unwrap();

    let written = run(&CHANGED, url, &revision(SECOND)).await.text;
    assert!(
        written.contains("found    users.phone: varchar(20) in the entities, missing in the database"),
        "{written}"
    );
    assert_is_in_the_example(&sources, &second);
    let list = fs::read_to_string(sources.path().join("mod.rs")).unwrap();
    let listed = fs::read_to_string(format!("{SOURCES}/migrations/mod.rs")).unwrap();
    assert_eq!(list.replace(&today(&list), &today(&listed)), listed);

    assert!(run(&PROJECT, url, &["upgrade"]).await.text.contains(&format!("applied       {second}\n")));
    assert_eq!(run(&PROJECT, url, &["check"]).await.code, 0);
    db.execute_unprepared("UPDATE users SET phone = '+49 30 1234'").await.unwrap();
    let refused = db.execute_unprepared("UPDATE users SET subscription_status = 'gold'").await;
    assert!(refused.unwrap_err().to_string().to_lowercase().contains("check constraint"));
    assert_eq!(cams(&db).await, 1, "a rebuilt table keeps what refers to it");

    let reverted = run(&PROJECT, url, &["downgrade", "-1", "--yes"]).await.text;
    assert!(reverted.ends_with(&format!("{second}\n")), "{reverted}");
    assert_eq!(run(&BEGUN, url, &["check"]).await.code, 0);
    assert_eq!(cams(&db).await, 1);

    let history = run(&PROJECT, url, &["history"]).await.text;
    let lines: Vec<&str> = history.lines().collect();
    assert!(lines[0].starts_with(&second) && lines[0].ends_with("pending"), "{history}");
    assert!(lines[1].starts_with(&first) && lines[1].contains("applied  20"), "{history}");
    assert_eq!(lines.len(), 2);
    db.close().await.unwrap();
}

const ROWS: &str = "
INSERT INTO users (id, email, created_at, updated_at)
    VALUES ('ann', 'ann@example.org', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00');
INSERT INTO projects (user_id, name, created_at, updated_at)
    VALUES ('ann', 'Turbo', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00');
INSERT INTO cams (project_id, name, cam_type, lift, duration, profile_points, created_at, updated_at)
    VALUES (1, 'in', 'intake', 12.34, 260, '[]', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')";

async fn cams(db: &DatabaseConnection) -> i64 {
    let count = Statement::from_string(db.get_database_backend(), "SELECT count(*) FROM cams");
    db.query_one_raw(count).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Runs a command line of the project, which must not fail.
async fn run(project: &Project, url: &str, words: &[&str]) -> CommandOutput {
    let words = [project.command].into_iter().chain(words.iter().copied());
    let matches = cli::command(project).try_get_matches_from(words).unwrap();
    let arguments = Arguments::from_arg_matches(&matches).unwrap();
    let url = environment::resolve(url).map(|resolved| resolved.url).unwrap();
    let environment = Environment { database_url: &url, production: false };
    cli::execute(project, &arguments, &environment).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The folder of the migrations of a new project: an empty list.
fn new_sources() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let list = fs::read_to_string(format!("{SOURCES}/migrations/mod.rs")).unwrap();
    let is_of_migration = |line: &&str| line.starts_with("mod m") || line.contains("::Migration)");
    let list: Vec<&str> = list.lines().filter(|line| !is_of_migration(line)).collect();
    let list = list.join("\n").replace("vec![\n    ]", "vec![]").replace("\n\n\n", "\n\n") + "\n";
    assert!(list.contains("vec![]"), "{list}");
    fs::write(folder.path().join("mod.rs"), list).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/rustfmt.toml"), folder.path().join("rustfmt.toml")).unwrap();
    folder
}

fn names(project: &Project) -> [String; 2] {
    let names: Vec<String> = (project.chain)().iter().map(|migration| migration.name().to_owned()).collect();
    names.try_into().unwrap()
}

/// `20261130` of `m20261130_000001_…`.
fn today(list: &str) -> String {
    list.split_once("mod m").unwrap().1.split('_').next().unwrap().to_owned()
}

/// The code of the written migration is that of the example; its header names what was found in the
/// words of the database.
fn assert_is_in_the_example(sources: &TempDir, name: &str) {
    let subject = name.splitn(3, '_').nth(2).unwrap();
    let is_it = |path: &Path| path.file_stem().unwrap().to_str().unwrap().ends_with(subject);
    let paths = fs::read_dir(sources.path()).unwrap().map(|entry| entry.unwrap().path());
    let written = fs::read_to_string(paths.into_iter().find(|path| is_it(path)).unwrap()).unwrap();
    let committed = fs::read_to_string(format!("{SOURCES}/migrations/{name}.rs")).unwrap();
    let code = |text: &str| text.split_once("\n\nuse ").unwrap().1.to_owned();
    assert_eq!(code(&written), code(&committed));
    assert_eq!(written.lines().next(), committed.lines().next());
}

/// The lines of the README of the engine are those of the example.
#[test]
fn the_readme_of_the_engine_shows_the_example() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/migration/engine/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let read =
        |file| fs::read_to_string(format!("{SOURCES}/{file}")).unwrap().replace("/examples/camshaft_project", "");
    let example = ["main.rs", "migrations/mod.rs"].map(read);
    let example: Vec<&str> = example.iter().flat_map(|text| text.lines()).collect();
    let blocks = readme.split("```rust\n").skip(1).map(|block| block.split("```").next().unwrap());
    let shown: Vec<&str> = blocks.flat_map(str::lines).filter(|line| !line.is_empty()).collect();
    assert!(shown.len() >= 10, "{shown:?}");
    let is_known = |line: &&str| example.contains(line) || line.starts_with("//") || line.trim() == "vec![]";
    let other: Vec<&&str> = shown.iter().filter(|line| !is_known(line)).collect();
    assert!(other.is_empty(), "{other:#?}");
}
