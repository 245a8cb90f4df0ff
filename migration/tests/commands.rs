//! The command line: commands, exit codes, confirmation.

#![cfg(test)]

mod support;

use migration::{Migrator, PROJECT};
use sea_orm_migration::MigratorTrait;
use sea_orm_revisions::{RunOptions, Target};
use std::fs;
use std::path::Path;
use support::program::{program, run_program, succeed};
use support::v09_data::insert_rows;
use support::{TestDatabase, V09, rows, run, texts};

/// The name of the newest migration.
fn head() -> String {
    Migrator::migrations().last().unwrap().name().to_owned()
}

/// The number of migrations.
fn all() -> usize {
    Migrator::migrations().len()
}

on_both! {
    async fn reading_commands_create_no_file_and_no_table(db: TestDatabase) {
        for words in [
            &["current"][..], &["history"], &["heads"], &["status"], &["show", "head"], &["up", "--plan"],
            &["down", "base", "--plan"], &["up", "--sql"], &["down", "base", "--sql"],
        ] {
            succeed(&db, words);
        }
        assert_eq!(run_program(program(&db, &["status", "--check"])).code, Some(2));
        assert_eq!(run_program(program(&db, &["doctor"])).code, Some(2));
        if db.is_postgres() {
            let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace";
            assert_eq!(texts(&db.connect().await, tables).await, [""; 0]);
        } else {
            assert!(!file(&db).exists());
        }
    }

    async fn both_sets_of_command_names_work(db: TestDatabase) {
        assert_eq!(succeed(&db, &["upgrade", "+2"]).lines().count(), 2);
        assert_eq!(succeed(&db, &["up", "-n", "1"]), "applied       m20250101_000003_create_watch_history_v09\n");
        assert_eq!(succeed(&db, &["current"]), "m20250101_000003_create_watch_history_v09\n");
        assert_eq!(succeed(&db, &["up", "m20261101_000002"]).lines().count(), 2);
        assert_eq!(succeed(&db, &["upgrade", "head"]).lines().count(), all() - 5);
        assert_eq!(succeed(&db, &["up"]), "nothing to do\n");
        assert_eq!(succeed(&db, &["current"]), format!("{} (head)\n", head()));
        assert_eq!(succeed(&db, &["status", "--check"]).lines().last(), Some("nothing is pending"));
        assert_eq!(succeed(&db, &["downgrade", "-1", "--yes"]), format!("reverted      {}\n", head()));
        assert_eq!(succeed(&db, &["down", "-n", "2", "-y"]).lines().count(), 2);
        assert_eq!(succeed(&db, &["down", "m20250101_000003", "-y"]).lines().count(), all() - 6);
        assert_eq!(succeed(&db, &["down", "base", "-y"]).lines().count(), 3);
        assert_eq!(succeed(&db, &["current"]), "base\n");
        for (words, said) in [
            (["up", "m2026"], "begin with m2026: write more of the name"),
            (["up", "m1"], "there is no migration m1"),
            (["down", "head"], "there is no migration head"),
        ] {
            let output = run_program(program(&db, &words));
            assert_eq!(output.code, Some(1));
            assert!(output.err.contains(said) && output.err.trim().lines().count() == 1, "{}", output.err);
        }
    }

    async fn dropping_data_without_yes_is_refused_at_once(db: TestDatabase) {
        succeed(&db, &["up"]);
        for words in [&["down"][..], &["down", "base"], &["reset"], &["refresh"], &["fresh"]] {
            for production in [false, true] {
                let mut command = program(&db, words);
                if production {
                    command.env("PLAYHEAD_ENV", "production");
                }
                let output = run_program(command);
                assert_eq!(output.code, Some(1));
                assert!(output.err.contains("this drops data, and") && output.err.contains("--yes"), "{}", output.err);
                assert_eq!(output.err.contains("PLAYHEAD_ENV is production"), production, "{}", output.err);
            }
        }
        assert_eq!(succeed(&db, &["current"]), format!("{} (head)\n", head()));
        let mut command = program(&db, &["down", "--yes"]);
        command.env("PLAYHEAD_ENV", "production");
        assert_eq!(run_program(command).code, Some(0));
        // Without anything to drop there is no question.
        succeed(&db, &["down", "base", "--yes"]);
        assert_eq!(succeed(&db, &["down", "base"]), "nothing to do\n");
    }

    async fn fresh_reset_and_refresh_keep_tables_of_others(db: TestDatabase) {
        succeed(&db, &["up"]);
        let connection = db.connect().await;
        run(&connection, "CREATE TABLE notes (id INTEGER); INSERT INTO notes VALUES (1)").await;
        let account = "INSERT INTO users (email, username, hashed_password, created_at, updated_at) \
                       VALUES ('a@b', 'a', 'x', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')";
        for (word, lines) in [("refresh", 2 * all()), ("fresh", all() + 1), ("reset", all())] {
            run(&connection, account).await;
            let said = succeed(&db, &[word, "--yes", "--no-backup"]);
            assert_eq!(said.lines().count(), lines, "{said}");
            assert_eq!(rows(&connection, "notes").await.len(), 1);
            if word == "reset" {
                assert_eq!(succeed(&db, &["current"]), "base\n");
            } else {
                assert_eq!(rows(&connection, "users").await, [""; 0]);
                assert!(PROJECT.check(&db.url).await.unwrap().differences.is_empty());
            }
        }
        // No applied migration created this table, so `fresh` must not drop it.
        run(&connection, "CREATE TABLE users (note TEXT); INSERT INTO users VALUES ('theirs')").await;
        assert_eq!(run_program(program(&db, &["fresh", "--yes"])).code, Some(1));
        assert_eq!(rows(&connection, "users").await.len(), 1);
    }

    async fn stamp_records_migrations_and_runs_none(db: TestDatabase) {
        db.up(Target::Steps(V09)).await;
        let newer = all() - V09;
        assert_eq!(succeed(&db, &["stamp", "head"]).lines().count(), newer);
        assert_eq!(succeed(&db, &["current"]), format!("{} (head)\n", head()));
        assert_eq!(run_program(program(&db, &["check"])).code, Some(2));
        assert_eq!(succeed(&db, &["stamp", &format!("-{newer}")]).lines().count(), newer);
        assert_eq!(succeed(&db, &["stamp", "m20250101_000003"]), "nothing to do\n");
        assert_eq!(succeed(&db, &["up"]).lines().count(), newer);
        assert!(PROJECT.check(&db.url).await.unwrap().is_clean(true));
    }

    async fn an_adopted_database_cannot_go_below_its_adoption(db: TestDatabase) {
        succeed(&db, &["up"]);
        run(&db.connect().await, "CREATE TABLE playhead_adoption (migration VARCHAR(255), alembic_revision VARCHAR(32), \
            adopted_at BIGINT); INSERT INTO playhead_adoption VALUES ('m20250101_000003_create_watch_history_v09', 'x', 0)").await;
        let newer = all() - V09;
        let one_more = format!("-{}", newer + 1);
        for words in [
            &["down", "base", "--yes"][..], &["down", &one_more, "--yes"], &["down", "m20250101_000002", "--yes"],
            &["reset", "--yes"], &["refresh", "--yes"], &["fresh", "--yes"], &["stamp", "base"],
        ] {
            let output = run_program(program(&db, words));
            assert_eq!(output.code, Some(1), "{words:?}");
            assert!(output.err.contains("cannot downgrade below m20250101_000003_create_watch_history_v09"), "{}", output.err);
        }
        assert_eq!(succeed(&db, &["down", &format!("-{newer}"), "--yes"]).lines().count(), newer);
    }

    async fn every_command_refuses_a_database_of_alembic(db: TestDatabase) {
        if !db.is_postgres() {
            fs::write(file(&db), "").unwrap();
        }
        run(&db.connect().await, "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY); \
            INSERT INTO alembic_version VALUES ('2f1e7b15dd7f')").await;
        for words in [&["up"][..], &["status"], &["current"], &["history"], &["stamp", "head"], &["fresh", "--yes"]] {
            let output = run_program(program(&db, words));
            assert_eq!(output.code, Some(1), "{words:?}");
            let line = "error: Alembic built this database (2f1e7b15dd7f); take it over first: `playhead migrate adopt`\n";
            assert_eq!(output.err, line);
        }
        let doctor = run_program(program(&db, &["doctor"]));
        assert_eq!(doctor.code, Some(2));
        assert!(doctor.out.contains("playhead migrate adopt --upgrade"), "{}", doctor.out);
    }

    async fn a_database_ahead_of_the_program_can_be_read(db: TestDatabase) {
        succeed(&db, &["up"]);
        let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)";
        run(&db.connect().await, later).await;
        assert!(succeed(&db, &["status", "--check"]).contains("unknown  m20990101_000001_later"));
        assert_eq!(succeed(&db, &["current"]), "m20990101_000001_later\n");
        assert!(succeed(&db, &["history"]).starts_with("m20990101_000001_later "));
        for words in [&["up"][..], &["down", "--yes"], &["fresh", "--yes"], &["stamp", "head"]] {
            let output = run_program(program(&db, words));
            assert_eq!(output.code, Some(1));
            assert!(output.err.contains("ahead of this program, which does not know m20990101_000001_later"), "{}", output.err);
        }
        assert_eq!(run_program(program(&db, &["doctor"])).code, Some(2));
    }

    async fn every_command_prints_one_json_document(db: TestDatabase) {
        let json = |words: &[&str]| {
            let output = run_program(program(&db, &[words, &["--json"]].concat()));
            serde_json::from_str::<serde_json::Value>(&output.out).unwrap_or_else(|error| panic!("{words:?}: {error}: {output:?}"))
        };
        assert_eq!(json(&["up", "--plan"])["apply"].as_array().unwrap().len(), Migrator::migrations().len());
        assert_eq!(json(&["up"])["applied"][0], "m20250101_000001_create_users_v09");
        assert_eq!(json(&["current"])["head"], true);
        assert_eq!(json(&["heads"])["heads"][0], head());
        assert_eq!(json(&["history"])["migrations"][0]["state"], "applied");
        assert_eq!(json(&["status"])["pending"].as_array().unwrap().len(), 0);
        assert_eq!(json(&["show", &head()])["number"], all());
        assert_eq!(json(&["stamp", "head"])["marked"].as_array().unwrap().len(), 0);
        assert!(json(&["check"]).is_object());
        assert_eq!(json(&["doctor"])["findings"][0]["mend"], serde_json::Value::Null);
        assert!(json(&["up", "--sql"])["sql"].as_str().unwrap().contains("CREATE TABLE"));
        assert_eq!(json(&["refresh", "--yes"])["taken_back"][0], head());
        assert_eq!(json(&["fresh", "--yes"])["dropped"].as_array().unwrap().len(), all());
        assert_eq!(json(&["reset", "--yes"])["taken_back"].as_array().unwrap().len(), all());
    }

    async fn doctor_finds_no_problems_in_a_sound_database(db: TestDatabase) {
        succeed(&db, &["up"]);
        let said = succeed(&db, &["doctor"]);
        assert!(said.ends_with("\nno problems found\n") && !said.contains("FIX"), "{said}");
        run(&db.connect().await, "DROP INDEX ix_users_email_key").await;
        let output = run_program(program(&db, &["doctor"]));
        assert_eq!(output.code, Some(2));
        assert!(output.out.contains("FIX   the tables are not those of the entities"), "{}", output.out);
    }

    async fn a_sqlite_file_with_rows_is_backed_up_before_a_rebuild(db: TestDatabase) {
        let connection = db.at_v09().await;
        insert_rows(&connection).await;
        let before = rows(&connection, "users").await;
        connection.close().await.unwrap();
        let said = succeed(&db, &["up"]);
        if db.is_postgres() {
            assert!(!said.contains("backed up"));
            return;
        }
        let backup = said.lines().next().unwrap().strip_prefix("backed up to  ").unwrap();
        assert!(backup.starts_with(&format!("{}.20", file(&db).display())) && backup.ends_with(".backup"), "{backup}");
        let copy = sea_orm::Database::connect(format!("sqlite://{backup}?mode=ro")).await.unwrap();
        assert_eq!(rows(&copy, "users").await, before);
        assert_eq!(PROJECT.state(&copy).await.unwrap().applied.len(), V09);

        assert!(!succeed(&db, &["down", "-1", "--yes", "--no-backup"]).contains("backed up"));
        // This upgrade rebuilds and drops no table.
        assert!(!succeed(&db, &["up"]).contains("backed up"));
        let partial = format!("{}.backup.partial", file(&db).display());
        fs::create_dir(&partial).unwrap();
        let refused = run_program(program(&db, &["down", "-2", "--yes"]));
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains("cannot back up to") && refused.err.contains("--no-backup"), "{}", refused.err);
        assert_eq!(succeed(&db, &["current"]), format!("{} (head)\n", head()));
    }
}

#[tokio::test]
async fn a_backup_has_the_permissions_of_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let db = TestDatabase::sqlite();
    insert_rows(&db.at_v09().await).await;
    fs::set_permissions(file(&db), fs::Permissions::from_mode(0o600)).unwrap();
    let report = PROJECT.upgrade(&db.url, &Target::End, &RunOptions::default()).await.unwrap();
    let mode = fs::metadata(report.backup.unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_password_in_the_address_is_never_printed() {
    let db = TestDatabase::nowhere("postgres://ann:geheim@127.0.0.1:1/name");
    for word in ["up", "status", "doctor"] {
        let output = run_program(program(&db, &[word]));
        assert_ne!(output.code, Some(0));
        assert!(!output.err.contains("geheim") && !output.out.contains("geheim"), "{output:?}");
    }
}

fn file(db: &TestDatabase) -> &Path {
    Path::new(db.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc"))
}
