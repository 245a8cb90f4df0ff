//! Data for a database of v0.9: rows with unusual values, the reference's other tables, and extra
//! objects.

use super::{TestDatabase, run};
use sea_orm::DatabaseConnection;

/// The tables of v0.9 that Playhead keeps.
pub(crate) const MANAGED_TABLES: [&str; 3] = ["users", "videos", "watch_history"];

/// Tables that Playhead does not change.
pub(crate) const OTHER_TABLES: [&str; 6] = ["categories", "tags", "video_tags", "video_thumbnails", "ratings", "audit"];

/// Inserts rows with values of every kind in every column.
pub(crate) async fn insert_rows(db: &DatabaseConnection) {
    run(db, ROWS).await;
}

/// Adds the reference's other tables, extra columns, indexes, triggers and views, and rows in all
/// of them.
pub(crate) async fn add_extra_objects(test: &TestDatabase, db: &DatabaseConnection) {
    run(db, EXTRA_TABLES).await;
    run(db, test.either(SQLITE_EXTRAS, POSTGRES_EXTRAS)).await;
    insert_rows(db).await;
    run(db, EXTRA_ROWS).await;
}

/// Adds database defaults. On SQLite the tables are as SQLAlchemy and the reference's documentation
/// write them.
pub(crate) async fn give_defaults(test: &TestDatabase, db: &DatabaseConnection) {
    run(db, test.either(SQLITE_DEFAULTS, POSTGRES_DEFAULTS)).await;
}

const ROWS: &str = "
INSERT INTO users (id, email, username, hashed_password, full_name, role, is_active, is_verified, created_at, updated_at,
    last_login) VALUES
(1, 'Ann@Example.org', 'Ann', '$2b$12$x', 'Ann O''Neil; -- \"quoted\"', 'ADMIN', TRUE, TRUE,
    '2024-02-29 23:59:59.999999', '2025-01-31 12:00:00.000000', '2025-01-31 12:00:00.500000'),
(3, 'ann@example.org', 'ANN', '$2b$12$x', NULL, 'USER', TRUE, FALSE,
    '2024-03-01 00:00:00.000001', '2024-03-01 00:00:00.120000', NULL),
(7, 'ÄRGER@example.org', 'Zoë Ångström', '$2b$12$x', '名前 🎬', 'PREMIUM', FALSE, FALSE,
    '1999-12-31 23:59:59.000000', '2024-03-01 00:00:00.120000', NULL),
(8, 'ärger@example.org', 'zoë ångström', '$2b$12$x', '', 'USER', TRUE, FALSE,
    '2024-03-01 00:00:00.100000', '2024-03-01 00:00:00.010000', NULL);
INSERT INTO videos (id, user_id, title, description, file_path, file_size, duration, width, height, fps, codec, bitrate,
    status, view_count, created_at, updated_at, published_at, thumbnail_path) VALUES
(2, 1, 'Ein Film: \"Ö\" / 100 %', 'two\nlines', 'a/b c.mp4', 9000000000, 5400, 1920, 1080, 23.976, 'h264', 800000,
    'READY', 12, '2024-03-01 00:00:00.000001', '2024-03-01 00:00:01.000000', '2024-03-02 00:00:00.250000', '/t/2.jpg'),
(5, 7, 'No duration', NULL, 'c.mp4', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    'PROCESSING', 0, '2024-03-01 00:00:00.000000', '2024-03-01 00:00:00.000000', NULL, NULL),
(6, 8, '', '', 'd.mp4', 0, 0, 0, 0, 25.0, '', 0,
    'DELETED', 1, '2024-03-01 00:00:00.000000', '2024-03-01 00:00:00.000000', NULL, NULL);
INSERT INTO watch_history (id, user_id, video_id, watch_position, watch_duration, completed, last_watched_at, created_at,
    updated_at) VALUES
(10, 1, 2, 5399, 9999, TRUE, '2025-06-01 10:00:00.123456', '2025-06-01 09:00:00.000000', '2025-06-01 10:00:00.123456'),
(11, 3, 5, 0, 0, FALSE, '2025-06-01 10:00:00.000000', '2025-06-01 10:00:00.000000', '2025-06-01 10:00:00.000000'),
(20, 8, 2, 1, 2147483647, FALSE, '2025-06-01 10:00:00.100000', '2025-06-01 10:00:00.001000', '2025-06-01 10:00:00.000100')";

const EXTRA_TABLES: &str = "
CREATE TABLE categories (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL);
CREATE TABLE tags (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL);
CREATE TABLE video_tags (video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tags(id) ON DELETE CASCADE, PRIMARY KEY (video_id, tag_id));
CREATE TABLE video_thumbnails (id INTEGER PRIMARY KEY, video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE);
CREATE TABLE ratings (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE, stars INTEGER);
CREATE TABLE audit (what TEXT);
ALTER TABLE videos ADD COLUMN category_id INTEGER REFERENCES categories(id) ON DELETE SET NULL;
ALTER TABLE videos ADD COLUMN note TEXT DEFAULT 'it''s, (so)' CHECK (note <> ',');
ALTER TABLE users ADD COLUMN \"Odd, \"\"name\" VARCHAR(20) DEFAULT 'x';
CREATE INDEX ix_videos_status_view_count ON videos (status, view_count);
CREATE INDEX \"of mine\" ON users (full_name) WHERE is_active;
CREATE VIEW shelf AS SELECT v.id, v.title, u.username, u.created_at, v.status FROM videos v JOIN users u ON u.id = v.user_id;
CREATE VIEW top_shelf AS SELECT title, username FROM shelf WHERE id > 1";

const EXTRA_ROWS: &str = "
INSERT INTO categories VALUES (1, 'Films');
UPDATE videos SET category_id = 1, note = 'kept' WHERE id = 2;
INSERT INTO tags VALUES (1, 'old');
INSERT INTO video_tags VALUES (2, 1), (5, 1);
INSERT INTO video_thumbnails VALUES (1, 2), (2, 6);
INSERT INTO ratings VALUES (1, 1, 2, 5), (2, 8, 2, 1)";

const SQLITE_EXTRAS: &str = "
ALTER TABLE videos ADD COLUMN shouted TEXT GENERATED ALWAYS AS (upper(title)) VIRTUAL;
CREATE TRIGGER told_users AFTER UPDATE ON users BEGIN INSERT INTO audit VALUES ('user ' || new.id); END;
CREATE TRIGGER told_videos AFTER DELETE ON videos BEGIN INSERT INTO audit VALUES ('gone ' || old.id); END;
CREATE TRIGGER told_ratings AFTER INSERT ON ratings BEGIN
    UPDATE videos SET view_count = view_count + 1 WHERE id = new.video_id; END";

const POSTGRES_EXTRAS: &str = "
ALTER TABLE videos ADD COLUMN shouted TEXT GENERATED ALWAYS AS (upper(title)) STORED;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO audit VALUES (TG_TABLE_NAME || ' ' || TG_OP); RETURN NULL; END $$;
CREATE TRIGGER told_users AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER told_times AFTER UPDATE OF created_at, id ON users FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER told_never AFTER UPDATE ON videos FOR EACH ROW EXECUTE FUNCTION tell();
ALTER TABLE videos DISABLE TRIGGER told_never;
CREATE MATERIALIZED VIEW counted AS SELECT user_id, count(*) AS videos FROM videos GROUP BY user_id;
CREATE UNIQUE INDEX counted_user ON counted (user_id);
GRANT SELECT ON shelf TO PUBLIC;
COMMENT ON VIEW shelf IS 'what''s there';
ALTER VIEW shelf SET (security_barrier = true)";

const POSTGRES_DEFAULTS: &str = "
ALTER TABLE users ALTER role SET DEFAULT 'USER'::userrole, ALTER is_active SET DEFAULT TRUE, ALTER created_at SET DEFAULT now();
ALTER TABLE videos ALTER status SET DEFAULT 'PROCESSING'::videostatus, ALTER view_count SET DEFAULT 7;
ALTER TABLE watch_history ALTER watch_position SET DEFAULT 0, ALTER watch_duration SET DEFAULT 0,
    ALTER completed SET DEFAULT FALSE, ALTER updated_at SET DEFAULT (now() AT TIME ZONE 'utc')";

const SQLITE_DEFAULTS: &str = "
DROP TABLE watch_history; DROP TABLE videos; DROP TABLE users;
CREATE TABLE users (
\tid INTEGER NOT NULL, \n\temail VARCHAR(255) NOT NULL, \n\tusername VARCHAR(100) NOT NULL, \n\thashed_password VARCHAR(255) NOT NULL,
\tfull_name VARCHAR(255), \n\trole VARCHAR(7) DEFAULT 'USER' NOT NULL, \n\tis_active BOOLEAN DEFAULT 1 NOT NULL,
\tis_verified BOOLEAN NOT NULL, \n\tcreated_at DATETIME DEFAULT (CURRENT_TIMESTAMP) NOT NULL, \n\tupdated_at DATETIME NOT NULL,
\tlast_login DATETIME, \n\tPRIMARY KEY (id)\n);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE UNIQUE INDEX ix_users_username ON users (username);
CREATE INDEX ix_users_id ON users (id);
CREATE TABLE videos (
\tid INTEGER NOT NULL, \n\tuser_id INTEGER NOT NULL, \n\ttitle VARCHAR(255) NOT NULL, \n\tdescription TEXT,
\tfile_path VARCHAR(500) NOT NULL, \n\tfile_size BIGINT, \n\tduration INTEGER, \n\twidth INTEGER, \n\theight INTEGER, \n\tfps FLOAT,
\tcodec VARCHAR(50), \n\tbitrate INTEGER, \n\tstatus VARCHAR(10) DEFAULT 'PROCESSING' NOT NULL, \n\tview_count INTEGER NOT NULL,
\tcreated_at DATETIME NOT NULL, \n\tupdated_at DATETIME NOT NULL, \n\tpublished_at DATETIME, \n\tthumbnail_path VARCHAR(500),
\tPRIMARY KEY (id), \n\tFOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE\n);
CREATE INDEX ix_videos_created_at ON videos (created_at);
CREATE INDEX ix_videos_id ON videos (id);
CREATE INDEX ix_videos_status ON videos (status);
CREATE INDEX ix_videos_title ON videos (title);
CREATE TABLE watch_history (
    id INTEGER PRIMARY KEY,                                   -- SERIAL, on PostgreSQL
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    video_id INTEGER NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    watch_position INTEGER NOT NULL DEFAULT 0,                -- seconds
    watch_duration INTEGER NOT NULL DEFAULT 0,
    completed BOOLEAN NOT NULL DEFAULT FALSE,                 /* at 90 %, or more */
    last_watched_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT uq_user_video_watch_history UNIQUE (user_id, video_id)
);
CREATE INDEX ix_watch_history_id ON watch_history(id)";
