//! Changes of a database, and the lines by which `check` reports them.

/// A change, and the line by which it is reported.
pub(crate) const IGNORED: [(&str, &str); 8] = [
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

pub(crate) const SQLITE_TRIGGER: &str = "CREATE TRIGGER told AFTER DELETE ON users BEGIN SELECT 1; END";

pub(crate) const POSTGRES_TRIGGER: &str = "
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER told AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION tell()";

/// Changes on PostgreSQL that count as differences.
pub(crate) fn on_postgres() -> Vec<(String, &'static str)> {
    POSTGRES.iter().map(|(change, line)| ((*change).to_owned(), *line)).collect()
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
        "forgotten_entries: foreign key (video_id) to videos (id) on delete cascade in the entities, \
      foreign key (video_id) to videos (id) on delete cascade, not enforced in the database\n\
      related_videos: foreign key (related_id) to videos (id) on delete cascade in the entities, \
      foreign key (related_id) to videos (id) on delete cascade, not enforced in the database\n\
      related_videos: foreign key (video_id) to videos (id) on delete cascade in the entities, \
      foreign key (video_id) to videos (id) on delete cascade, not enforced in the database\n\
      video_search: foreign key (video_id) to videos (id) on delete cascade in the entities, \
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

/// The same on SQLite.
pub(crate) fn on_sqlite() -> Vec<(String, &'static str)> {
    let simple = SQLITE.iter().map(|(change, line)| ((*change).to_owned(), *line));
    let in_place = SQLITE_IN_PLACE.iter().map(|(table, from, to, line)| {
        let change = format!(
            "PRAGMA writable_schema = ON; \
             UPDATE sqlite_master SET sql = replace(sql, '{from}', '{to}') WHERE name = '{table}'; \
             PRAGMA schema_version = 1000; PRAGMA writable_schema = OFF"
        );
        (change, *line)
    });
    simple.chain(in_place).collect()
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

/// A table, a part of its definition, the part that replaces it, and the lines.
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
