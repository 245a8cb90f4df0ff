//! `revision` writes migrations: empty ones, and ones that remove the differences between entities
//! and database.

#![cfg(test)]

#[path = "support/changed_entities.rs"]
mod changed_entities;
mod support;

use migration::{Migrator, PROJECT};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sea_orm_migration::MigratorTrait;
use sea_orm_revisions::check::Drift;
use sea_orm_revisions::{Project, Target, expected, schema};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{TestDatabase, rows, run, texts};

/// Playhead with changed entities.
const CHANGED: Project = Project { entities: changed_entities::entities, ..PROJECT };

#[test]
fn an_empty_migration_is_added_after_the_last_one() {
    let folder = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("versions/src");
    fs::copy(sources.join("lib.rs"), folder.path().join("lib.rs")).unwrap();
    let first = PROJECT.revision("Count likes", Some(folder.path())).unwrap();
    let second = PROJECT.revision("don't count likes.", Some(folder.path())).unwrap();
    assert!(first.name.ends_with("_count_likes") && second.name.ends_with("_dont_count_likes"), "{second:?}");
    let list = fs::read_to_string(folder.path().join("lib.rs")).unwrap();
    for (line, before) in [("mod {};", "mod {};"), ("            Box::new({}::Migration),", "Box::new({}::Migration),")]
    {
        let (line, before) = (line.replace("{}", &second.name), before.replace("{}", &first.name));
        let lines: Vec<&str> = list.lines().collect();
        let at = lines.iter().position(|other| *other == line).unwrap_or_else(|| panic!("no {line} in {list}"));
        assert_eq!(lines[at - 1].trim(), before);
    }
    let text = fs::read_to_string(&first.files[0]).unwrap();
    assert!(text.starts_with("//! Count likes.\n\nuse sea_orm_migration::prelude::*;\n"), "{text}");
}

#[test]
fn without_a_folder_of_sources_the_error_names_dir() {
    let folder = tempfile::tempdir().unwrap();
    let error = PROJECT.revision("add likes", Some(folder.path())).unwrap_err().to_string();
    assert!(error.starts_with("nothing was written: the sources of the migrations are not in "), "{error}");
    assert!(error.contains("--dir"), "{error}");
    let error = PROJECT.revision("…", None).unwrap_err().to_string();
    assert_eq!(error, "nothing was written: describe the migration with -m, in letters that can name a file");
}

on_both! {
    async fn without_differences_nothing_is_written(db: TestDatabase) {
        let folder = sources();
        let all = Migrator::migrations().len();
        db.up(Target::Steps(all - 1)).await;
        let error = PROJECT.autogenerate(&db.url, "nothing", Some(folder.path())).await.unwrap_err().to_string();
        let last = Migrator::migrations()[all - 1].name().to_owned();
        assert!(error.contains(&format!("the database lacks {last}: run `up` first")), "{error}");
        db.up(Target::End).await;
        let strangers = "CREATE TABLE strangers (id integer PRIMARY KEY); CREATE VIEW shelf AS SELECT title FROM videos; \
             ALTER TABLE videos ADD COLUMN stray integer REFERENCES strangers (id) CHECK (stray > 0); \
             ALTER TABLE users ADD COLUMN kind varchar(20) NOT NULL DEFAULT 'x'; CREATE INDEX twice ON videos (title); \
             CREATE UNIQUE INDEX strays ON videos (stray); CREATE INDEX part ON videos (title DESC, lower(codec)) WHERE duration > 0";
        let connection = db.connect().await;
        run(&connection, strangers).await;
        if db.is_postgres() {
            let words = "CREATE INDEX words ON videos USING gin (to_tsvector('simple', title)); \
                 CREATE INDEX codecs ON videos (codec) INCLUDE (title)";
            run(&connection, words).await;
        }
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert!(drift.is_clean(false) && drift.extra.len() >= 9, "{drift}");
        let written = PROJECT.autogenerate(&db.url, "nothing", Some(folder.path())).await.unwrap();
        assert_eq!(written.to_string(), "no differences: nothing to write\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    async fn extra_objects_are_left_alone_and_listed(db: TestDatabase) {
        db.up(Target::End).await;
        let connection = db.connect().await;
        let strangers = "CREATE TABLE strangers (id integer); ALTER TABLE videos ADD COLUMN stray integer; \
             CREATE INDEX strays ON videos (stray); CREATE INDEX twice ON videos (title); DROP INDEX ix_videos_created_at";
        run(&connection, strangers).await;
        let source = PROJECT.source(&connection, "Back").await.unwrap().unwrap();
        assert_eq!(source.differences, ["videos: index (created_at) in the entities, missing in the database"]);
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert_eq!(source.left_alone, drift.extra.iter().map(ToString::to_string).collect::<Vec<_>>());
        let (comment, code) = source.text.split_once("\n\nuse ").unwrap();
        assert!(comment.contains("ignored:\n//! - videos.stray: integer in the database"), "{comment}");
        assert!(["strays", "stray", "twice", "strangers"].iter().all(|name| !code.contains(name)), "{code}");
    }

    async fn a_column_that_an_entity_lost_is_dropped_if_it_is_empty(db: TestDatabase) {
        db.up(Target::End).await;
        let connection = db.connect().await;
        run(&connection, "CREATE INDEX of_rate ON videos (bitrate); CREATE INDEX of_codec ON videos (codec)").await;
        let source = CHANGED.source(&connection, "Less").await.unwrap().unwrap();
        let up = source.text.split_once("async fn down").unwrap().0;
        assert!(up.contains("sql::refuse_rows(manager, \"videos WHERE bitrate IS NOT NULL\", \"bitrate is dropped;"), "{up}");
        assert!(up.contains(".drop_column(\"bitrate\")") && source.text.contains("\"of_rate\""), "{}", source.text);
        // A value that is the default is no loss.
        assert!(up.contains("\"watch_history WHERE play_count IS NOT NULL AND play_count <> 0\""), "{up}");
        assert_eq!(source.left_alone, ["videos: index of_codec (codec) in the database, unknown to the entities"]);
        // `check` compares with the unchanged entities, which have everything that the migrations
        // created.
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert_eq!((drift.differences.len(), drift.extra.len()), (0, 2), "{drift}");
    }

    async fn a_possible_rename_is_named_in_a_comment(db: TestDatabase) {
        db.up(Target::End).await;
        let connection = db.connect().await;
        run(&connection, "ALTER TABLE users RENAME COLUMN full_name TO whole_name").await;
        let source = PROJECT.source(&connection, "names").await.unwrap().unwrap();
        assert!(source.text.contains("If whole_name is renamed to full_name, rename the column"), "{}", source.text);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_downgrade_on_postgresql_restores_exact_definitions() {
    let db = TestDatabase::postgres().await;
    db.up(Target::End).await;
    let connection = db.connect().await;
    run(&connection, EXACT_OBJECTS).await;
    let source = CHANGED.source(&connection, "Less").await.unwrap().unwrap();
    let down = source.text.split_once("async fn down").unwrap().1;
    let before = texts(&connection, DEFINITIONS).await;
    assert_eq!(before.len(), 11, "{before:#?}");
    let drops = "ALTER TABLE videos DROP COLUMN bitrate, DROP COLUMN small, DROP COLUMN price, DROP COLUMN code, DROP COLUMN \"Odd\", \
         DROP CONSTRAINT later, DROP CONSTRAINT viewed; DROP INDEX ix_videos_title; DROP INDEX one";
    run(&connection, drops).await;
    for statement in raw_statements(down).iter().filter(|statement| !statement.contains("DROP ")) {
        // Statements for the other tables fail: those were not dropped.
        let _ = connection.execute_unprepared(statement).await;
    }
    assert_eq!(texts(&connection, DEFINITIONS).await, before, "{down}");
}

/// The texts of all `sql::execute(manager, "…")`.
fn raw_statements(code: &str) -> Vec<String> {
    let literals = code.split("sql::execute(manager, \"").skip(1).map(|rest| rest.split("\").await").next().unwrap());
    literals.map(|text| text.replace("\\\"", "\"").replace("\\n", "\n").replace("\\\\", "\\")).collect()
}

/// Objects that refuse rows, and objects that the migrations created and a user changed.
const EXACT_OBJECTS: &str = r#"
ALTER TABLE videos ALTER bitrate TYPE smallint, ALTER bitrate SET DEFAULT (2 + 3);
COMMENT ON COLUMN videos.bitrate IS 'kilobits, it''s said';
ALTER TABLE videos ADD COLUMN small smallint NOT NULL, ADD COLUMN price numeric(7,3) NOT NULL,
    ADD COLUMN code varchar(9) COLLATE "C" NOT NULL, ADD COLUMN "Odd" timestamp(3)[] NOT NULL;
DROP INDEX ix_videos_title;
CREATE INDEX ix_videos_title ON videos USING gin (to_tsvector('simple', title));
CREATE UNIQUE INDEX one ON videos (title text_pattern_ops DESC NULLS LAST, lower(codec) COLLATE "C")
    INCLUDE (duration) NULLS NOT DISTINCT WITH (fillfactor = 70) WHERE view_count > 3;
COMMENT ON INDEX one IS 'one "and" only';
ALTER TABLE videos ADD CONSTRAINT later FOREIGN KEY (view_count) REFERENCES users (id)
    ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID;
ALTER TABLE videos ADD CONSTRAINT viewed CHECK (view_count < 9) NOT VALID"#;

const DEFINITIONS: &str = "
SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation,
    pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = 'videos'::regclass AND attname IN ('bitrate', 'small', 'price', 'code', 'Odd')
UNION ALL
SELECT pg_get_indexdef(indexrelid) || coalesce(obj_description(indexrelid), '')
FROM pg_index WHERE indexrelid::regclass::text IN ('ix_videos_title', 'one')
UNION ALL
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'videos'::regclass AND conname IN ('later', 'viewed', 'videos_duration_check', 'videos_user_id_fkey') ORDER BY 1";

#[tokio::test]
async fn a_downgrade_on_sqlite_restores_exact_definitions() {
    let db = TestDatabase::sqlite();
    db.up(Target::End).await;
    let connection = db.connect().await;
    let odd = "ALTER TABLE videos DROP COLUMN bitrate; \
         ALTER TABLE videos ADD COLUMN bitrate smallint DEFAULT (2 + 3) COLLATE NOCASE CHECK (bitrate > 0); \
         CREATE UNIQUE INDEX one ON videos (title COLLATE NOCASE DESC, lower(codec)) WHERE view_count > 3";
    run(&connection, odd).await;
    let source = CHANGED.source(&connection, "Less").await.unwrap().unwrap();
    let words = "custom(\"smallint DEFAULT (2 + 3) COLLATE NOCASE CHECK (bitrate > 0)\")";
    assert!(source.text.contains(words), "{}", source.text);
    let down = source.text.split_once("async fn down").unwrap().1;
    let index = "sql::execute(manager, \"CREATE UNIQUE INDEX one ON videos (title COLLATE NOCASE DESC, lower(codec)) WHERE view_count > 3\")";
    assert!(down.contains(index), "{down}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL and compiles the migrations"]
async fn a_generated_migration_compiles_and_leaves_no_difference() {
    let (sqlite, postgres) = (TestDatabase::sqlite(), TestDatabase::postgres().await);
    let copy_of_workspace = WorkspaceCopy::new();
    let mut sources = Vec::new();
    for db in [&sqlite, &postgres] {
        db.up(Target::End).await;
        let connection = db.connect().await;
        run(&connection, ROWS).await;
        sources.push(CHANGED.source(&connection, "Change many things").await.unwrap().unwrap().text);
        connection.close().await.unwrap();
    }
    // Only the comment with the differences depends on the database; the code does not.
    let code: Vec<&str> = sources.iter().map(|text| text.split_once("\n\nuse ").unwrap().1).collect();
    let differing = code[0].lines().zip(code[1].lines()).find(|(one, other)| one != other);
    assert_eq!((differing, code[0].len()), (None, code[1].len()));

    let sources = copy_of_workspace.path("migration/versions/src");
    let written = CHANGED.autogenerate(&postgres.url, "Change many things", Some(&sources)).await.unwrap();
    let name = &written.name;
    assert!(name.ends_with("_change_many_things") && written.differences.len() == 49, "{written}");
    assert_eq!(written.left_alone.len(), 2, "{written}");
    copy_of_workspace.is_formatted(&written.files);
    let program = copy_of_workspace.build();

    for db in [&sqlite, &postgres] {
        let connection = db.connect().await;
        let (before, schema_before) = (contents(&connection).await, schema::read(&connection).await.unwrap());
        connection.close().await.unwrap();
        ask(&program, &["up", "--database-url", &db.url], name);
        let connection = db.connect().await;
        let drift = changed_drift(&connection).await;
        assert!(drift.is_clean(false) && drift.extra.len() == 2, "{drift}");
        let after = contents(&connection).await;
        assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), after.iter().map(Vec::len).collect::<Vec<_>>());
        let videos = "SELECT title || ' ' || width || ' ' || codec FROM videos WHERE id = 2";
        assert_eq!(texts(&connection, videos).await, ["Two 640 264"]);
        // The sequence continues: no id is used twice.
        run(
            &connection,
            "INSERT INTO videos (user_id, title, width, created_at, updated_at) \
            VALUES (1, 'Next', 1, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')",
        )
        .await;
        assert_eq!(texts(&connection, "SELECT CAST(id AS text) FROM videos WHERE title = 'Next'").await, ["4"]);
        run(&connection, "DELETE FROM videos WHERE id = 4").await;
        connection.close().await.unwrap();

        ask(&program, &["down", "-n", "1", "--yes", "--database-url", &db.url], name);
        let connection = db.connect().await;
        let schema_back = schema::read(&connection).await.unwrap();
        assert_eq!(schema::compare(&schema_before, &schema_back), []);
        let back = contents(&connection).await;
        assert_eq!(back, before);
        connection.close().await.unwrap();
        ask(&program, &["up", "--database-url", &db.url], name);
        let drift = changed_drift(&db.connect().await).await;
        assert!(drift.is_clean(false), "{drift}");
    }
}

/// Rows, an extra index and an extra column. The third video was deleted, so the next one has the
/// id 4.
const ROWS: &str = "
INSERT INTO users (id, email, username, hashed_password, created_at, updated_at) VALUES
    (1, 'a@example.org', 'ann', 'x', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00');
INSERT INTO videos (user_id, title, width, codec, created_at, updated_at) VALUES
    (1, 'One', 320, '1', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00'),
    (1, 'Two', 640, '264', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00'),
    (1, 'Three', 640, '264', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00');
DELETE FROM videos WHERE title = 'Three';
INSERT INTO watch_history (user_id, video_id, watch_position, last_watched_at, created_at, updated_at) VALUES
    (1, 1, 5, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00'),
    (1, 2, 6, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00');
INSERT INTO sessions (id, user_id, created_at) VALUES (1, 1, '2026-01-01 00:00:00+00:00');
CREATE INDEX part_of_videos ON videos (title DESC, lower(codec)) WHERE duration > 0;
ALTER TABLE users ADD COLUMN kind varchar(20) DEFAULT 'it''s'";

async fn contents(db: &DatabaseConnection) -> Vec<Vec<String>> {
    let mut contents = Vec::new();
    for table in ["users", "videos", "watch_history", "sessions"] {
        contents.push(rows(db, table).await);
    }
    contents
}

async fn changed_drift(db: &DatabaseConnection) -> Drift {
    let expected = expected::schema(db, changed_entities::entities).await.unwrap();
    Drift::between(&CHANGED, &expected, &schema::read(db).await.unwrap())
}

/// A folder that has only the list of the migrations.
fn sources() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("versions/src");
    fs::copy(sources.join("lib.rs"), folder.path().join("lib.rs")).unwrap();
    folder
}

fn ask(program: &Path, arguments: &[&str], expected: &str) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains(expected), "{arguments:?}: {said}{wrong}");
}

/// A copy of the whole workspace in a fixed folder, so that its dependencies are compiled once. It
/// has its own target folder: in that of this test it would replace crates that other tests use.
struct WorkspaceCopy {
    root: PathBuf,
}

impl WorkspaceCopy {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workspace-copy");
        let _ = fs::remove_dir_all(&root);
        copy(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), &root);
        fs::create_dir_all(root.join("migration/examples")).unwrap();
        let main = root.join("migration/src/main.rs");
        fs::copy(main, root.join("migration/examples/migration_with_changes.rs")).unwrap();
        Self { root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn is_formatted(&self, files: &[PathBuf]) {
        let rustfmt =
            Command::new("rustfmt").args(["--check", "--edition", "2024"]).args(&files[..1]).output().unwrap();
        assert!(rustfmt.status.success(), "{}", String::from_utf8_lossy(&rustfmt.stdout));
    }

    /// Builds the command line with the new migration.
    fn build(&self) -> PathBuf {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workspace-copy-target");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--workspace", "--locked", "--example", "migration_with_changes"]);
        cargo.env("CARGO_TARGET_DIR", &target).current_dir(&self.root);
        let output = cargo.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("warning"), "{said}");
        target.join("debug/examples/migration_with_changes")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && name != "target" && name != ".git" && !entry.path().ends_with("tests/fixtures") {
            copy(&entry.path(), &to.join(name));
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}
