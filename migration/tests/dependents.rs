//! Objects of users that block the migrations of an adopted database: the plan names each of them
//! and its fix.

#![cfg(test)]

mod support;

use migration::PROJECT;
use sea_orm::DatabaseConnection;
use sea_orm_revisions::{AdoptOptions, AdoptReport, RunOptions, Target, schema};
use support::v09_data::{add_extra_objects, insert_rows};
use support::{TestDatabase, run, texts};

const PLAN: AdoptOptions = AdoptOptions { plan: true, upgrade: false };
const UPGRADE: AdoptOptions = AdoptOptions { plan: false, upgrade: true };

/// A statement that creates a blocker, the parts of the line that names it, and the statement that
/// fixes it.
const BLOCKERS: [(&str, &[&str], &str); 18] = [
    (
        "CREATE POLICY own ON users USING (id > 0)",
        &["policy own on table users reads users.id, whose type changes: DROP POLICY own ON users"],
        "DROP POLICY own ON users",
    ),
    (
        "CREATE POLICY by_role ON videos USING (EXISTS (SELECT FROM users WHERE role = 'ADMIN' AND users.id = user_id))",
        &["policy by_role on table videos reads users.id and ", "DROP POLICY by_role ON videos"],
        "DROP POLICY by_role ON videos",
    ),
    (
        "ALTER TABLE videos ADD day date GENERATED ALWAYS AS (created_at::date) STORED",
        &["generated column day of table videos reads videos.created_at", "ALTER TABLE videos DROP COLUMN day"],
        "ALTER TABLE videos DROP COLUMN day",
    ),
    (
        "CREATE FUNCTION last_seen(integer) RETURNS timestamp BEGIN ATOMIC SELECT last_login FROM users WHERE id = $1; END",
        &["function last_seen(integer) reads users.id and users.last_login", "DROP FUNCTION last_seen(integer)"],
        "DROP FUNCTION last_seen(integer)",
    ),
    (
        "CREATE PROCEDURE tidy() BEGIN ATOMIC DELETE FROM watch_history WHERE video_id = 0; END",
        &["tidy() reads watch_history.video_id", "DROP PROCEDURE tidy()"],
        "DROP PROCEDURE tidy()",
    ),
    (
        "CREATE PUBLICATION names FOR TABLE users (id, username)",
        &["publication names reads users.id", "ALTER PUBLICATION names DROP TABLE users"],
        "ALTER PUBLICATION names DROP TABLE users",
    ),
    (
        "CREATE PUBLICATION few FOR TABLE videos WHERE (id > 9)",
        &["publication few reads videos.id", "ALTER PUBLICATION few DROP TABLE videos"],
        "ALTER PUBLICATION few DROP TABLE videos",
    ),
    (
        "CREATE TABLE gone (id integer); CREATE RULE keep AS ON DELETE TO users DO ALSO INSERT INTO gone VALUES (old.id)",
        &["rule keep on table users reads users.id", "DROP RULE keep ON users"],
        "DROP RULE keep ON users",
    ),
    (
        "CREATE TABLE inbox (name text); CREATE RULE names AS ON INSERT TO inbox DO ALSO \
         UPDATE users SET last_login = now() WHERE username = new.name",
        &["rule names on table inbox reads users.last_login", "DROP RULE names ON inbox"],
        "DROP RULE names ON inbox",
    ),
    (
        "CREATE TABLE copies (copy users)",
        &["column copy of table copies holds rows of users, whose columns change"],
        "DROP TABLE copies",
    ),
    (
        "CREATE TABLE staff (role userrole)",
        &[
            "column role of table staff uses the type userrole, which is dropped",
            "ALTER TABLE staff ALTER role TYPE text USING role::text",
        ],
        "ALTER TABLE staff ALTER role TYPE text USING role::text",
    ),
    (
        "CREATE FUNCTION may(userrole) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = ''ADMIN'''",
        &["function may(userrole) uses the type userrole, which is dropped", "DROP FUNCTION may(userrole)"],
        "DROP FUNCTION may(userrole)",
    ),
    (
        "CREATE INDEX bosses ON users (id) WHERE role = 'ADMIN'",
        &["index bosses uses the type userrole, which is dropped", "DROP INDEX bosses"],
        "DROP INDEX bosses",
    ),
    (
        "CREATE VIEW admins AS SELECT username FROM users WHERE role = 'ADMIN'",
        &["view admins uses the type userrole, which is dropped", "DROP VIEW admins"],
        "DROP VIEW admins",
    ),
    (
        "CREATE INDEX days ON videos ((created_at::date))",
        &["functions in index expression must be marked IMMUTABLE", "index days"],
        "DROP INDEX days",
    ),
    (
        "ALTER TABLE videos ADD CONSTRAINT one_by_one EXCLUDE USING gist (tsrange(created_at, updated_at) WITH &&)",
        &[
            "tsrange(timestamp with time zone, timestamp with time zone) does not exist",
            "constraint one_by_one on table videos",
        ],
        "ALTER TABLE videos DROP CONSTRAINT one_by_one",
    ),
    (
        "CREATE VIEW ids AS SELECT id FROM users; CREATE FUNCTION one() RETURNS bigint BEGIN ATOMIC SELECT id FROM ids; END",
        &["function one() depends on"],
        "DROP FUNCTION one()",
    ),
    (
        "CREATE TABLE people (username varchar(100) NOT NULL); ALTER TABLE users INHERIT people; \
         CREATE TABLE ix_videos_user_id (id integer)",
        &["after the migrations, videos: index (user_id) in the entities, missing"],
        "DROP TABLE ix_videos_user_id",
    ),
];

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_plan_names_each_blocker_and_a_fix_that_works() {
    for (made, named, fix) in BLOCKERS {
        let db = TestDatabase::postgres().await;
        let connection = as_alembic_left_it(&db).await;
        run(&connection, made).await;
        let before = schema::read(&connection).await.unwrap();
        let plan = plan_of(&db).await;
        assert_eq!(plan.findings.len(), 1, "{made}: {plan}");
        let line = &plan.findings[0];
        assert!(named.iter().all(|part| line.contains(part)) && !line.contains('\n'), "{made}: {line}");
        assert_eq!(plan.pending, [""; 0], "{plan}");
        assert_eq!(before, schema::read(&connection).await.unwrap(), "{made}");
        run(&connection, fix).await;
        let plan = plan_of(&db).await;
        assert_eq!(plan.findings, [""; 0], "{fix}");
        connection.close().await.unwrap();
        let adoption = PROJECT.adopt(&db.url, &UPGRADE, &RunOptions::default()).await.unwrap();
        assert_eq!((adoption.applied, adoption.findings), (plan.pending, vec![]), "{fix}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn plan_and_adoption_name_all_blockers_at_once() {
    let db = TestDatabase::postgres().await;
    let connection = as_alembic_left_it(&db).await;
    for (made, ..) in &BLOCKERS[..14] {
        run(&connection, made).await;
    }
    let plan = plan_of(&db).await;
    assert!(plan.findings.len() >= 14, "{plan}");
    for (made, named, _) in &BLOCKERS[..14] {
        assert!(plan.findings.iter().any(|line| line.contains(named[0])), "{made}: {plan}");
    }
    let refused = PROJECT.adopt(&db.url, &UPGRADE, &RunOptions::default()).await.unwrap();
    assert_eq!(refused.findings, plan.findings);
    assert!(!refused.is_recorded());
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn an_upgrade_names_the_blocker_and_changes_nothing() {
    for (made, named, fix) in BLOCKERS.iter().take(17) {
        let db = TestDatabase::postgres().await;
        let connection = db.at_v09().await;
        run(&connection, made).await;
        let line = db.refusal(true).await;
        // Each migration names the blockers of its own columns.
        let object = named[0].split(" reads ").next().unwrap();
        assert!(line.contains(object) && line.contains("nothing was changed"), "{made}: {line}");
        run(&connection, fix).await;
        connection.close().await.unwrap();
        db.up(Target::End).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_sequence_of_another_name_is_widened() {
    let db = TestDatabase::postgres().await;
    let connection = as_alembic_left_it(&db).await;
    run(&connection, "ALTER SEQUENCE users_id_seq RENAME TO \"Old numbers\"; ALTER SEQUENCE videos_id_seq RENAME TO v")
        .await;
    assert_eq!(plan_of(&db).await.findings, [""; 0]);
    PROJECT.adopt(&db.url, &UPGRADE, &RunOptions::default()).await.unwrap();
    let drift = PROJECT.check(&db.url).await.unwrap();
    assert!(drift.is_clean(false), "{drift}");
    connection.close().await.unwrap();
    db.down_to_v09().await;
    let kinds = "SELECT seqtypid::regtype::text FROM pg_sequence WHERE seqrelid = '\"Old numbers\"'::regclass";
    assert_eq!(texts(&db.connect().await, kinds).await, ["integer"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_view_is_recreated_with_its_rules_defaults_and_grants() {
    let db = TestDatabase::postgres().await;
    let connection = as_alembic_left_it(&db).await;
    let view = "CREATE VIEW names AS SELECT id, username, role FROM users; \
         CREATE RULE rename AS ON UPDATE TO names DO INSTEAD UPDATE users SET username = new.username WHERE users.id = old.id; \
         COMMENT ON COLUMN names.username IS 'what''s in it'; GRANT SELECT (username) ON names TO PUBLIC; \
         ALTER VIEW names ALTER username SET DEFAULT 'nobody'";
    run(&connection, view).await;
    let definitions = "SELECT concat_ws(' ', attname, attacl::text, col_description(attrelid, attnum), \
         (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum)) \
         FROM pg_attribute WHERE attrelid = 'names'::regclass AND attnum > 0 \
         UNION ALL SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = 'names'::regclass AND rulename <> '_RETURN' ORDER BY 1";
    let before = texts(&connection, definitions).await;
    assert!(before.len() == 4 && before.concat().contains("DO INSTEAD"), "{before:?}");
    PROJECT.adopt(&db.url, &UPGRADE, &RunOptions::default()).await.unwrap();
    assert_eq!(texts(&connection, definitions).await, before);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_plan_on_a_table_in_use_says_that_it_was_not_rehearsed() {
    use sea_orm::TransactionTrait;
    let db = TestDatabase::postgres().await;
    let connection = as_alembic_left_it(&db).await;
    let reader = connection.begin().await.unwrap();
    texts(&reader, "SELECT username FROM users").await;
    let plan = plan_of(&db).await;
    assert!(plan.findings.is_empty() && !plan.pending.is_empty(), "{plan}");
    assert!(plan.to_string().contains("not rehearsed, because a table is in use"), "{plan}");
}

on_both! {
    async fn a_plan_is_rehearsed_and_leaves_nothing_behind(db: TestDatabase) {
        let connection = as_alembic_left_it(&db).await;
        add_extra_objects(&db, &connection).await;
        let before = schema::read(&connection).await.unwrap();
        let plan = plan_of(&db).await;
        assert!(plan.findings.is_empty() && plan.to_string().contains("rehearsed in "), "{plan}");
        assert_eq!(before, schema::read(&connection).await.unwrap());
        if !db.is_postgres() {
            let file = std::path::Path::new(db.url.trim_start_matches("sqlite://").trim_end_matches("?mode=rwc"));
            let names = std::fs::read_dir(file.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
            let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
            assert!(names.iter().all(|name| name.starts_with("play head.db") && !name.contains("rehearsal")), "{names:?}");
        }
    }
}

#[tokio::test]
async fn a_blocker_of_a_sqlite_rebuild_is_found_on_a_copy() {
    let db = TestDatabase::sqlite();
    let connection = as_alembic_left_it(&db).await;
    insert_rows(&connection).await;
    // The name of this table is that of an index that a migration creates.
    run(&connection, "CREATE TABLE ix_videos_user_id (id integer)").await;
    let plan = plan_of(&db).await;
    assert!(plan.findings[0].contains("ix_videos_user_id"), "{plan}");
    assert_eq!(PROJECT.status(&db.url).await.unwrap().applied, [""; 0]);
}

async fn plan_of(db: &TestDatabase) -> AdoptReport {
    PROJECT.adopt(&db.url, &PLAN, &RunOptions::default()).await.unwrap()
}

/// Tables of v0.9 with the table of Alembic instead of `seaql_migrations`.
async fn as_alembic_left_it(db: &TestDatabase) -> DatabaseConnection {
    let connection = db.at_v09().await;
    let record = "DROP TABLE seaql_migrations; CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY); \
                  INSERT INTO alembic_version VALUES ('2f1e7b15dd7f')";
    run(&connection, record).await;
    connection
}
