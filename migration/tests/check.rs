//! `check` names every difference between the entities and a live database, and none where there is none.

#![cfg(test)]

mod support;

use migration::PROJECT;
use sea_orm::TransactionTrait;
use sea_orm_revisions::check::Drift;
use sea_orm_revisions::{Target, schema};
use support::{TestDatabase, run};

on_both! {
    async fn every_difference_made_by_hand_is_named(db: TestDatabase) {
        let tamperings: Vec<(String, &str)> = if db.is_postgres() { on_postgres() } else { on_sqlite() };
        assert!(tamperings.len() >= 20);
        for (tampering, named) in tamperings {
            let drift = tampered(&db, &tampering).await;
            let lines: Vec<String> = drift.differences.iter().map(ToString::to_string).collect();
            assert_eq!(lines, named.split('\n').collect::<Vec<_>>(), "{tampering}");
            assert!(drift.extra.is_empty() && !drift.is_clean(false), "{drift}");
        }
    }

    async fn what_can_be_lived_with_counts_only_to_a_strict_eye(db: TestDatabase) {
        for (tampering, named) in TOLERATED {
            let tampering = tampering.replace("{trigger}", db.either(SQLITE_TRIGGER, POSTGRES_TRIGGER));
            let drift = tampered(&db, &tampering).await;
            let lines: Vec<String> = drift.extra.iter().map(ToString::to_string).collect();
            let named: Vec<&str> = named.split('\n').collect();
            assert_eq!(lines, named, "{tampering}");
            assert!(drift.is_clean(false) && !drift.is_clean(true), "{drift}");
        }
    }

    async fn what_would_refuse_our_rows_is_not_tolerated(db: TestDatabase) {
        let refusing = [
            ("CREATE TABLE kinds (id integer PRIMARY KEY); \
              ALTER TABLE users ADD COLUMN kind integer NOT NULL DEFAULT 1; CREATE UNIQUE INDEX a ON users (kind)",
             "users: unique index a (kind) in the database, unknown to the entities"),
            ("CREATE UNIQUE INDEX a ON videos (title)",
             "videos: unique index a (title) in the database, unknown to the entities"),
        ];
        for (tampering, named) in refusing {
            let drift = tampered(&db, tampering).await;
            assert_eq!(drift.differences.iter().map(ToString::to_string).collect::<Vec<_>>(), [named], "{tampering}");
        }
    }

    async fn down_to_the_base_and_up_again_leaves_no_difference(db: TestDatabase) {
        db.up(Target::End).await;
        let tables = schema::read(&db.connect().await).await.unwrap().tables;
        db.down(Target::End).await;
        let missing = PROJECT.check(&db.url).await.unwrap();
        let lines: Vec<String> = missing.differences.iter().map(ToString::to_string).collect();
        let ours = tables.iter().filter(|(table, _)| *table != "seaql_migrations");
        let named = ours.map(|(name, table)| format!("{name}: {} in the entities, missing in the database", table.kind));
        assert_eq!(lines, named.collect::<Vec<_>>());
        db.up(Target::End).await;
        let drift = PROJECT.check(&db.url).await.unwrap();
        assert!(drift.is_clean(true), "{drift}");
        assert_eq!(drift.to_string(), "no differences: the database has the tables of the entities\n");
    }

    async fn a_check_leaves_nothing_behind_and_reads_inside_of_a_transaction(db: TestDatabase) {
        db.up(Target::End).await;
        let connection = db.connect().await;
        let before = schema::read(&connection).await.unwrap();
        let txn = connection.begin().await.unwrap();
        run(&txn, "DROP INDEX ix_videos_title").await;
        let drift = PROJECT.check_on(&txn).await.unwrap();
        assert_eq!(drift.differences.len(), 1, "{drift}");
        // What was done before the check is still done, and what is done after it can be.
        run(&txn, "CREATE INDEX ix_videos_title ON videos (title)").await;
        assert!(PROJECT.check_on(&txn).await.unwrap().is_clean(true));
        txn.commit().await.unwrap();
        let after = schema::read(&connection).await.unwrap();
        assert_eq!(schema::compare(&before, &after), []);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_live_tables_are_those_of_the_search_path() {
    let db = TestDatabase::postgres().await;
    db.up(Target::End).await;
    let connection = db.connect().await;
    // Without `users` and the migrations' own.
    let others = schema::read(&connection).await.unwrap().tables.len() - 2;
    run(&connection, "ALTER SCHEMA public RENAME TO elsewhere; CREATE SCHEMA public; CREATE TABLE users (id text)")
        .await;
    // The other tables, and of `users` 13 columns, the type of the id, the key, 5 indexes and a check.
    assert_eq!(PROJECT.check(&db.url).await.unwrap().differences.len(), others + 13 + 1 + 1 + 5 + 1);
    let elsewhere = format!("{}?options=-csearch_path%3Delsewhere", db.url);
    let drift = PROJECT.check(&elsewhere).await.unwrap();
    assert!(drift.is_clean(true), "{drift}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_role_that_may_make_no_schema_can_check() {
    let db = TestDatabase::postgres().await;
    db.up(Target::End).await;
    let role = format!("reader_{}", std::process::id());
    let connection = db.connect().await;
    run(&connection, &format!("CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")).await;
    let url = db.url.replacen("postgres@", &format!("{role}@"), 1);
    let drift = PROJECT.check(&url).await;
    run(&connection, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    let drift = drift.unwrap();
    assert!(drift.is_clean(true), "{drift}");
}

/// A database after these statements: on PostgreSQL they are taken back afterwards, on SQLite the database is a new one.
async fn tampered(db: &TestDatabase, tampering: &str) -> Drift {
    if db.is_postgres() {
        db.up(Target::End).await;
        let txn = db.connect().await.begin().await.unwrap();
        run(&txn, tampering).await;
        return PROJECT.check_on(&txn).await.unwrap();
    }
    let db = TestDatabase::sqlite();
    db.up(Target::End).await;
    let connection = db.connect().await;
    run(&connection, tampering).await;
    connection.close().await.unwrap();
    PROJECT.check(&db.url).await.unwrap()
}

const TOLERATED: [(&str, &str); 8] = [
    ("ALTER TABLE users ADD COLUMN stray integer", "users.stray: integer in the database, unknown to the entities"),
    (
        "ALTER TABLE users ADD COLUMN stray integer NOT NULL DEFAULT 7 CONSTRAINT few CHECK (stray > 3)",
        "users.stray: integer, NOT NULL, default 7 in the database, unknown to the entities\n\
         users: check few (stray > 3) in the database, unknown to the entities",
    ),
    (
        "CREATE INDEX another ON videos (codec)",
        "videos: index another (codec) in the database, unknown to the entities",
    ),
    ("CREATE INDEX twice ON videos (title)", "videos: index twice (title) in the database, unknown to the entities"),
    (
        "CREATE INDEX part ON videos (title DESC) WHERE duration > 0",
        "videos: index part (title DESC) where duration > 0 in the database, unknown to the entities",
    ),
    ("CREATE TABLE ratings (id integer)", "ratings: table in the database, unknown to the entities"),
    ("CREATE VIEW shelf AS SELECT title FROM videos", "shelf: view in the database, unknown to the entities"),
    ("{trigger}", "users: trigger told in the database, unknown to the entities"),
];

const SQLITE_TRIGGER: &str = "CREATE TRIGGER told AFTER DELETE ON users BEGIN SELECT 1; END";

const POSTGRES_TRIGGER: &str = "
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER told AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION tell()";

fn on_postgres() -> Vec<(String, &'static str)> {
    POSTGRES.iter().map(|(tampering, line)| ((*tampering).to_owned(), *line)).collect()
}

const POSTGRES: [(&str, &str); 27] = [
    (
        "ALTER TABLE users ADD COLUMN stray integer NOT NULL",
        "users.stray: integer, NOT NULL in the database, unknown to the entities",
    ),
    ("ALTER TABLE videos DROP COLUMN codec", "videos.codec: varchar(50) in the entities, missing in the database"),
    ("ALTER TABLE videos ALTER title TYPE text", "videos.title: varchar(255) in the entities, text in the database"),
    ("ALTER TABLE videos ALTER bitrate TYPE bigint", "videos.bitrate: integer in the entities, bigint in the database"),
    (
        "ALTER TABLE videos ALTER updated_at TYPE timestamp",
        "videos.updated_at: timestamp with time zone in the entities, timestamp without time zone in the database",
    ),
    (
        "ALTER TABLE videos ALTER title DROP NOT NULL",
        "videos.title: NOT NULL in the entities, may be NULL in the database",
    ),
    (
        "ALTER TABLE videos ALTER view_count SET DEFAULT 1",
        "videos.view_count: default 0 in the entities, default 1 in the database",
    ),
    (
        "ALTER TABLE users ALTER is_active DROP DEFAULT",
        "users.is_active: default true in the entities, no default in the database",
    ),
    (
        "ALTER TABLE users ALTER email TYPE varchar(255) COLLATE \"C\"",
        "users.email: no collation in the entities, collation C in the database",
    ),
    (
        "ALTER SEQUENCE videos_id_seq AS integer",
        "videos.id: auto-increment (bigint) in the entities, auto-increment (integer) in the database",
    ),
    (
        "ALTER TABLE videos ALTER id DROP DEFAULT",
        "videos.id: auto-increment (bigint) in the entities, no auto-increment in the database",
    ),
    (
        "ALTER TABLE refresh_tokens DROP CONSTRAINT refresh_tokens_pkey",
        "refresh_tokens: primary key (id) in the entities, missing in the database",
    ),
    (
        "ALTER TABLE videos DROP CONSTRAINT videos_user_id_fkey, ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE RESTRICT",
        "videos: foreign key (user_id) to users (id) on delete cascade in the entities, \
      foreign key (user_id) to users (id) on delete restrict in the database",
    ),
    (
        "ALTER TABLE videos DROP CONSTRAINT videos_user_id_fkey",
        "videos: foreign key (user_id) to users (id) on delete cascade in the entities, missing in the database",
    ),
    (
        "ALTER TABLE videos DROP CONSTRAINT videos_user_id_fkey, \
      ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID",
        "videos: foreign key (user_id) to users (id) on delete cascade in the entities, \
      foreign key (user_id) to users (id) on delete cascade, not valid in the database",
    ),
    (
        "ALTER TABLE videos DISABLE TRIGGER ALL",
        "video_search: foreign key (video_id) to videos (id) on delete cascade in the entities, \
      foreign key (video_id) to videos (id) on delete cascade, not enforced in the database\n\
      videos: foreign key (user_id) to users (id) on delete cascade in the entities, \
      foreign key (user_id) to users (id) on delete cascade, not enforced in the database\n\
      watch_history: foreign key (video_id) to videos (id) on delete cascade in the entities, \
      foreign key (video_id) to videos (id) on delete cascade, not enforced in the database",
    ),
    (
        "ALTER TABLE videos ADD FOREIGN KEY (view_count) REFERENCES users ON DELETE SET NULL",
        "videos: foreign key (view_count) to users (id) on delete set null in the database, unknown to the entities",
    ),
    ("DROP INDEX ix_users_email_key", "users: unique index (email_key) in the entities, missing in the database"),
    (
        "DROP INDEX ix_users_email; CREATE UNIQUE INDEX ix_users_email ON users (email) WHERE is_active",
        "users: unique index (email) in the entities, missing in the database\n\
      users: unique index ix_users_email (email) where is_active in the database, unknown to the entities",
    ),
    ("DROP INDEX ix_videos_title", "videos: index (title) in the entities, missing in the database"),
    (
        "ALTER TABLE watch_history DROP CONSTRAINT uq_user_video_watch_history",
        "watch_history: unique index (user_id, video_id) in the entities, missing in the database",
    ),
    (
        "ALTER TABLE videos DROP CONSTRAINT videos_duration_check",
        "videos: check (duration >= 0) in the entities, missing in the database",
    ),
    (
        "ALTER TABLE videos ADD CONSTRAINT few CHECK (view_count < 9)",
        "videos: check few (view_count < 9) in the database, unknown to the entities",
    ),
    (
        "ALTER TABLE videos ADD EXCLUDE USING btree (codec WITH =)",
        "videos: index videos_codec_excl (codec), exclusion in the database, unknown to the entities",
    ),
    ("DROP TABLE refresh_tokens", "refresh_tokens: table in the entities, missing in the database"),
    (
        "ALTER TABLE refresh_tokens SET UNLOGGED",
        "refresh_tokens: table in the entities, unlogged table in the database",
    ),
    (
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "users: table in the entities, table with row level security in the database",
    ),
];

fn on_sqlite() -> Vec<(String, &'static str)> {
    let plain = SQLITE.iter().map(|(tampering, line)| ((*tampering).to_owned(), *line));
    let in_place = SQLITE_IN_PLACE.iter().map(|(table, from, to, line)| {
        let tampering = format!(
            "PRAGMA writable_schema = ON; \
             UPDATE sqlite_master SET sql = replace(sql, '{from}', '{to}') WHERE name = '{table}'; \
             PRAGMA schema_version = 1000; PRAGMA writable_schema = OFF"
        );
        (tampering, *line)
    });
    plain.chain(in_place).collect()
}

const SQLITE: [(&str, &str); 5] = [
    ("ALTER TABLE videos DROP COLUMN codec", "videos.codec: varchar(50) in the entities, missing in the database"),
    ("DROP INDEX ix_users_email_key", "users: unique index (email_key) in the entities, missing in the database"),
    ("DROP INDEX ix_videos_title", "videos: index (title) in the entities, missing in the database"),
    ("DROP TABLE refresh_tokens", "refresh_tokens: table in the entities, missing in the database"),
    (
        "DROP INDEX ix_users_email; CREATE UNIQUE INDEX ix_users_email ON users (email) WHERE is_active",
        "users: unique index (email) in the entities, missing in the database\n\
      users: unique index ix_users_email (email) where is_active in the database, unknown to the entities",
    ),
];

/// A table, a part of its definition, and what is put there.
const SQLITE_IN_PLACE: [(&str, &str, &str, &str); 18] = [
    (
        "users",
        "\"full_name\" varchar(255)",
        "\"full_name\" varchar(255), stray integer NOT NULL",
        "users.stray: integer, NOT NULL in the database, unknown to the entities",
    ),
    (
        "videos",
        "\"title\" varchar(255)",
        "\"title\" text",
        "videos.title: varchar(255) in the entities, text in the database",
    ),
    ("videos", "\"fps\" double", "\"fps\" float", "videos.fps: double in the entities, float in the database"),
    (
        "videos",
        "\"updated_at\" timestamp_with_timezone_text",
        "\"updated_at\" datetime_text",
        "videos.updated_at: timestamp_with_timezone_text in the entities, datetime_text in the database",
    ),
    (
        "videos",
        "\"title\" varchar(255) NOT NULL",
        "\"title\" varchar(255)",
        "videos.title: NOT NULL in the entities, may be NULL in the database",
    ),
    (
        "videos",
        "\"view_count\" integer NOT NULL DEFAULT 0",
        "\"view_count\" integer NOT NULL DEFAULT 1",
        "videos.view_count: default 0 in the entities, default 1 in the database",
    ),
    (
        "users",
        "\"is_active\" boolean NOT NULL DEFAULT TRUE",
        "\"is_active\" boolean NOT NULL",
        "users.is_active: default TRUE in the entities, no default in the database",
    ),
    (
        "users",
        "\"email\" varchar(255) NOT NULL",
        "\"email\" varchar(255) NOT NULL COLLATE NOCASE",
        "users.email: no collation in the entities, collation NOCASE in the database",
    ),
    (
        "videos",
        " AUTOINCREMENT",
        "",
        "videos.id: auto-increment (autoincrement) in the entities, no auto-increment in the database",
    ),
    (
        "sessions",
        " PRIMARY KEY AUTOINCREMENT",
        "",
        "sessions.id: auto-increment (autoincrement) in the entities, no auto-increment in the database\n\
      sessions: primary key (id) in the entities, missing in the database",
    ),
    (
        "videos",
        "ON DELETE CASCADE",
        "ON DELETE RESTRICT",
        "videos: foreign key (user_id) to users (id) on delete cascade in the entities, \
      foreign key (user_id) to users (id) on delete restrict in the database",
    ),
    (
        "videos",
        "ON DELETE CASCADE",
        "ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
        "videos: foreign key (user_id) to users (id) on delete cascade in the entities, \
      foreign key (user_id) to users (id) on delete cascade, initially deferred in the database",
    ),
    (
        "videos",
        ", FOREIGN KEY (\"user_id\") REFERENCES \"users\" (\"id\") ON DELETE CASCADE",
        "",
        "videos: foreign key (user_id) to users (id) on delete cascade in the entities, missing in the database",
    ),
    (
        "videos",
        "\"width\" integer",
        "\"width\" integer REFERENCES users",
        "videos: foreign key (width) to users (id) on delete no action in the database, unknown to the entities",
    ),
    ("videos", " CHECK (duration >= 0)", "", "videos: check (duration >= 0) in the entities, missing in the database"),
    (
        "videos",
        ", FOREIGN KEY",
        ", CONSTRAINT few CHECK (view_count < 9), FOREIGN KEY",
        "videos: check few (view_count < 9) in the database, unknown to the entities",
    ),
    (
        "users",
        "\"full_name\" varchar(255)",
        "\"full_name\" varchar(255) AS (email)",
        "users.full_name: not generated in the entities, generated as email in the database",
    ),
    (
        "sessions",
        "AUTOINCREMENT, \"user_id\" integer NOT NULL, \"created_at\" timestamp_with_timezone_text NOT NULL",
        "AUTOINCREMENT, \"user_id\" integer NOT NULL, \"created_at\" timestamp_with_timezone_text NOT NULL CHECK (created_at LIKE ''2%'')",
        "sessions: check (created_at LIKE '2%') in the database, unknown to the entities",
    ),
];
