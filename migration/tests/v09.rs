//! The first three migrations create the tables of the reference's v0.9, with the same names.

#![cfg(test)]

mod support;

use sea_orm_revisions::Target;
use support::catalogue::{Names, differences, schema_lines};
use support::{TestDatabase, V09, texts};

on_both! {
    async fn the_first_three_migrations_create_the_reference(db: TestDatabase) {
        db.up(Target::Steps(V09)).await;
        let connection = db.connect().await;
        let actual = schema_lines(&connection, &["users", "videos", "watch_history"], Names::Shown).await;
        let expected = db.either(SQLITE, POSTGRES).lines().map(str::to_owned).collect();
        assert_eq!(differences(&expected, &actual), Vec::<String>::new());
        if db.is_postgres() {
            let labels = "SELECT typname || ' ' || string_agg(enumlabel, ' ' ORDER BY enumsortorder) \
                          FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid GROUP BY typname ORDER BY typname";
            let expected = ["userrole USER ADMIN PREMIUM", "videostatus PROCESSING READY FAILED DELETED"];
            assert_eq!(texts(&connection, labels).await, expected);
            let keys = "SELECT conname::text FROM pg_constraint WHERE contype = 'p' AND connamespace = 'public'::regnamespace \
                        AND conname NOT LIKE 'seaql%' ORDER BY 1";
            assert_eq!(texts(&connection, keys).await, ["users_pkey", "videos_pkey", "watch_history_pkey"]);
        } else {
            let create = texts(&connection, "SELECT sql FROM sqlite_master WHERE name = 'watch_history'").await.concat();
            let unique = r#"CONSTRAINT "uq_user_video_watch_history" UNIQUE ("user_id", "video_id")"#;
            assert!(create.contains(unique), "{create}");
        }
    }

    async fn a_downgrade_to_v09_restores_the_tables_of_the_reference(db: TestDatabase) {
        db.up(Target::End).await;
        db.down_to_v09().await;
        let connection = db.connect().await;
        let actual = schema_lines(&connection, &["users", "videos", "watch_history"], Names::Shown).await;
        let expected = db.either(SQLITE, POSTGRES).lines().map(str::to_owned).collect();
        assert_eq!(differences(&expected, &actual), Vec::<String>::new());
        let others = "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('sessions', 'refresh_tokens')";
        let others = if db.is_postgres() {
            "SELECT relname::text FROM pg_class WHERE relname IN ('sessions', 'refresh_tokens')"
        } else {
            others
        };
        assert!(texts(&connection, others).await.is_empty());
    }
}

/// The tables as Alembic creates them.
const POSTGRES: &str = "\
users.id integer not null numbered by integer
users.email varchar(255) not null
users.username varchar(100) not null
users.hashed_password varchar(255) not null
users.full_name varchar(255)
users.role userrole not null
users.is_active boolean not null
users.is_verified boolean not null
users.created_at timestamp without time zone not null
users.updated_at timestamp without time zone not null
users.last_login timestamp without time zone
users primary key (id)
users index ix_users_id (id)
users unique index ix_users_email (email)
users unique index ix_users_username (username)
videos.id integer not null numbered by integer
videos.user_id integer not null
videos.title varchar(255) not null
videos.description text
videos.file_path varchar(500) not null
videos.file_size bigint
videos.duration integer
videos.width integer
videos.height integer
videos.fps double precision
videos.codec varchar(50)
videos.bitrate integer
videos.status videostatus not null
videos.view_count integer not null
videos.created_at timestamp without time zone not null
videos.updated_at timestamp without time zone not null
videos.published_at timestamp without time zone
videos.thumbnail_path varchar(500)
videos primary key (id)
videos videos_user_id_fkey foreign key (user_id) references users (id) on delete cascade on update no action
videos index ix_videos_id (id)
videos index ix_videos_created_at (created_at)
videos index ix_videos_status (status)
videos index ix_videos_title (title)
watch_history.id integer not null numbered by integer
watch_history.user_id integer not null
watch_history.video_id integer not null
watch_history.watch_position integer not null
watch_history.watch_duration integer not null
watch_history.completed boolean not null
watch_history.last_watched_at timestamp without time zone not null
watch_history.created_at timestamp without time zone not null
watch_history.updated_at timestamp without time zone not null
watch_history primary key (id)
watch_history watch_history_user_id_fkey foreign key (user_id) references users (id) on delete cascade on update no action
watch_history watch_history_video_id_fkey foreign key (video_id) references videos (id) on delete cascade on update no action
watch_history unique index uq_user_video_watch_history (user_id,video_id)
watch_history index ix_watch_history_id (id)";

/// The tables as SQLAlchemy's `create_all` creates them. SQLite's catalogue has no name for the
/// UNIQUE constraint.
const SQLITE: &str = "\
users.id integer not null
users.email varchar(255) not null
users.username varchar(100) not null
users.hashed_password varchar(255) not null
users.full_name varchar(255)
users.role varchar(7) not null
users.is_active boolean not null
users.is_verified boolean not null
users.created_at datetime not null
users.updated_at datetime not null
users.last_login datetime
users primary key (id)
users index ix_users_id (id)
users unique index ix_users_email (email)
users unique index ix_users_username (username)
videos.id integer not null
videos.user_id integer not null
videos.title varchar(255) not null
videos.description text
videos.file_path varchar(500) not null
videos.file_size bigint
videos.duration integer
videos.width integer
videos.height integer
videos.fps float
videos.codec varchar(50)
videos.bitrate integer
videos.status varchar(10) not null
videos.view_count integer not null
videos.created_at datetime not null
videos.updated_at datetime not null
videos.published_at datetime
videos.thumbnail_path varchar(500)
videos primary key (id)
videos foreign key (user_id) references users (id) on delete cascade on update no action
videos index ix_videos_id (id)
videos index ix_videos_created_at (created_at)
videos index ix_videos_status (status)
videos index ix_videos_title (title)
watch_history.id integer not null
watch_history.user_id integer not null
watch_history.video_id integer not null
watch_history.watch_position integer not null
watch_history.watch_duration integer not null
watch_history.completed boolean not null
watch_history.last_watched_at datetime not null
watch_history.created_at datetime not null
watch_history.updated_at datetime not null
watch_history primary key (id)
watch_history foreign key (user_id) references users (id) on delete cascade on update no action
watch_history foreign key (video_id) references videos (id) on delete cascade on update no action
watch_history unique index (user_id,video_id)
watch_history index ix_watch_history_id (id)";
