//! How the migrations convert values: timestamps, roles, lower-case keys, ids.

#![cfg(test)]

mod support;

use ::entity::{user, video, watch_history};
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use sea_orm_revisions::Target;
use support::v09_data::insert_rows;
use support::{TestDatabase, run, texts};

on_both! {
    async fn the_entities_read_what_v09_wrote(db: TestDatabase) {
        let connection = db.at_v09().await;
        insert_rows(&connection).await;
        connection.close().await.unwrap();
        db.up(Target::End).await;
        let connection = db.connect().await;

        let ann = user::Entity::find_by_id(1_i64).one(&connection).await.unwrap().unwrap();
        assert_eq!((ann.role, ann.is_active), (user::Role::Admin, true));
        assert_eq!(ann.created_at, time("2024-02-29T23:59:59.999999Z"));
        assert_eq!(ann.last_login, Some(time("2025-01-31T12:00:00.5Z")));
        assert_eq!(ann.full_name.as_deref(), Some("Ann O'Neil; -- \"quoted\""));
        let film = video::Entity::find_by_id(2_i64).one(&connection).await.unwrap().unwrap();
        assert_eq!((film.status, film.file_size, film.fps), (video::Status::Ready, Some(9_000_000_000), Some(23.976)));
        assert_eq!(film.published_at, Some(time("2024-03-02T00:00:00.25Z")));
        let row = watch_history::Entity::find_by_id(10_i64).one(&connection).await.unwrap().unwrap();
        assert_eq!((row.watch_position, row.completed), (5399, true));
        // A video completed before the migration counts as watched once.
        assert_eq!((row.play_count, row.completed_at), (1, Some(row.last_watched_at)));
        assert_eq!(i64::from(row.watched_hour), row.last_watched_at.timestamp() / 3600);
        let begun = watch_history::Entity::find_by_id(11_i64).one(&connection).await.unwrap().unwrap();
        assert_eq!((begun.play_count, begun.completed_at), (0, None));
        assert_eq!(row.last_watched_at, time("2025-06-01T10:00:00.123456Z"));

        // A migrated timestamp equals the one that the service writes, so it is found by equality.
        for (id, at) in [(10, "2025-06-01T10:00:00.123456Z"), (11, "2025-06-01T10:00:00Z"), (20, "2025-06-01T10:00:00.1Z")] {
            let at = watch_history::Entity::find().filter(watch_history::Column::LastWatchedAt.eq(time(at)));
            assert_eq!(at.one(&connection).await.unwrap().map(|row| row.id), Some(id));
        }
    }

    async fn of_keys_that_collide_the_oldest_wins(db: TestDatabase) {
        let connection = db.at_v09().await;
        insert_rows(&connection).await;
        connection.close().await.unwrap();
        db.up(Target::End).await;
        let keys = "SELECT id || ' ' || coalesce(email_key, '-') || ' ' || coalesce(username_key, '-') FROM users ORDER BY id";
        let expected = ["1 ann@example.org ann", "3 - -", "7 ärger@example.org zoë ångström", "8 - -"];
        assert_eq!(texts(&db.connect().await, keys).await, expected);
    }

    async fn many_non_ascii_names_all_get_their_keys(db: TestDatabase) {
        let connection = db.at_v09().await;
        let numbers = db.either(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)",
            "WITH n (i) AS (SELECT generate_series(1, 2500))",
        );
        let role = db.either("'USER'", "'USER'::userrole");
        let columns = "id, email, username, hashed_password, role, is_active, is_verified, created_at, updated_at";
        let time = db.either("'2025-01-01 00:00:00'", "timestamp '2025-01-01 00:00:00'");
        let values = format!("i, 'Ö' || i || '@X.org', 'K' || i, 'x', {role}, TRUE, TRUE, {time}, {time}");
        run(&connection, &format!("INSERT INTO users ({columns}) {numbers} SELECT {values} FROM n")).await;
        connection.close().await.unwrap();
        db.up(Target::End).await;
        let good = "SELECT CAST(count(*) AS text) FROM users WHERE email_key = 'ö' || id || '@x.org' AND username_key = 'k' || id";
        assert_eq!(texts(&db.connect().await, good).await, ["2500"]);
    }

    async fn an_id_is_never_used_twice(db: TestDatabase) {
        let connection = db.at_v09().await;
        insert_rows(&connection).await;
        if db.is_postgres() {
            run(&connection, "SELECT setval('users_id_seq', 8)").await;
        }
        connection.close().await.unwrap();
        db.up(Target::End).await;
        let connection = db.connect().await;
        let ann = user::Entity::find_by_id(1_i64).one(&connection).await.unwrap().unwrap();
        let new = |name: &str| {
            let mut new = ann.clone().into_active_model().reset_all();
            new.id = sea_orm::ActiveValue::NotSet;
            (new.email, new.username) = (Set(format!("{name}@x.org")), Set(name.to_owned()));
            (new.email_key, new.username_key, new.username_skeleton) = (Set(None), Set(None), Set(None));
            new
        };
        assert_eq!(new("nine").insert(&connection).await.unwrap().id, 9);
        user::Entity::delete_by_id(9_i64).exec(&connection).await.unwrap();
        connection.close().await.unwrap();

        // Also not after another rebuild, which sees only the ids of existing rows.
        db.down(Target::Name("m20261101_000002_widen_ids".to_owned())).await;
        db.up(Target::End).await;
        assert_eq!(new("ten").insert(&db.connect().await).await.unwrap().id, 10);
    }
}

#[tokio::test]
async fn timestamps_on_sqlite_convert_to_the_text_of_sqlx_and_back() {
    let db = TestDatabase::sqlite();
    let connection = db.at_v09().await;
    insert_rows(&connection).await;
    let written = [
        ("2024-02-29 23:59:59", "2024-02-29T23:59:59+00:00", "2024-02-29 23:59:59.000000"),
        ("2024-02-29 23:59:59.000000", "2024-02-29T23:59:59+00:00", "2024-02-29 23:59:59.000000"),
        ("2024-02-29 23:59:59.120000", "2024-02-29T23:59:59.120+00:00", "2024-02-29 23:59:59.120000"),
        ("2024-02-29 23:59:59.5", "2024-02-29T23:59:59.500+00:00", "2024-02-29 23:59:59.500000"),
        ("2024-02-29 23:59:59.000001", "2024-02-29T23:59:59.000001+00:00", "2024-02-29 23:59:59.000001"),
        ("2024-02-29T23:59:59.123400Z", "2024-02-29T23:59:59.123400+00:00", "2024-02-29 23:59:59.123400"),
        ("2024-02-29T23:59:59+00:00", "2024-02-29T23:59:59+00:00", "2024-02-29 23:59:59.000000"),
    ];
    for (v09, head, back) in written {
        run(&connection, &format!("UPDATE users SET last_login = '{v09}' WHERE id = 1")).await;
        db.up(Target::End).await;
        let select = "SELECT last_login FROM users WHERE id = 1";
        assert_eq!(texts(&db.connect().await, select).await, [head], "{v09}");
        let server = db.connect().await;
        let ours = user::Entity::find_by_id(1_i64).one(&server).await.unwrap().unwrap();
        ours.into_active_model().reset_all().update(&server).await.unwrap();
        assert_eq!(texts(&server, select).await, [head], "{v09}: what we write is another text");
        db.down_to_v09().await;
        assert_eq!(texts(&connection, select).await, [back], "{v09}");
    }
}

fn time(text: &str) -> DateTimeUtc {
    text.parse().unwrap()
}
