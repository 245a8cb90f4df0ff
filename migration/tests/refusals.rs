//! Rows that the other schema cannot hold stop a migration. One line says where they are and what
//! to do.

#![cfg(test)]

mod support;

use migration::PROJECT;
use sea_orm_revisions::Target;
use support::v09_data::{MANAGED_TABLES, insert_rows};
use support::{TestDatabase, V09, rows, run, texts};

on_both! {
    async fn a_video_without_a_file_stops_the_downgrade(db: TestDatabase) {
        db.at_v09().await;
        insert_rows(&db.connect().await).await;
        db.up(Target::End).await;
        let connection = db.connect().await;
        run(&connection, "UPDATE videos SET file_path = NULL WHERE id IN (2, 5)").await;
        let before = rows(&connection, "videos").await;
        let line = db.refusal(false).await;
        assert_eq!(
            line,
            "m20261101_000005_defaults_and_checks cannot run, nothing was changed: 2 rows of videos WHERE file_path IS NULL \
             cannot be kept: the older schema requires a file for every video; delete these videos or give them a path"
        );
        assert_eq!(rows(&connection, "videos").await, before);
        assert!(PROJECT.state(&connection).await.unwrap().pending.is_empty());
    }

    async fn an_id_of_more_than_32_bits_stops_the_downgrade(db: TestDatabase) {
        db.at_v09().await;
        insert_rows(&db.connect().await).await;
        db.up(Target::End).await;
        let connection = db.connect().await;
        run(&connection, "UPDATE watch_history SET id = 2147483648 WHERE id = 20").await;
        if db.is_postgres() {
            let line = db.refusal(false).await;
            assert!(line.contains("1 row of watch_history WHERE id > 2147483647 cannot be kept"), "{line}");
        } else {
            // On SQLite integers have 64 bits in the older schema too.
            db.down_to_v09().await;
            let largest = "SELECT CAST(max(id) AS TEXT) FROM watch_history";
            assert_eq!(texts(&connection, largest).await, ["2147483648"]);
        }
    }

    async fn a_negative_number_stops_the_upgrade(db: TestDatabase) {
        let connection = db.at_v09().await;
        insert_rows(&connection).await;
        run(&connection, "UPDATE watch_history SET watch_position = -1 WHERE id = 20").await;
        let line = db.refusal(true).await;
        assert!(line.contains("1 row of watch_history WHERE watch_position < 0 cannot be kept"), "{line}");
        run(&connection, "UPDATE watch_history SET watch_position = 0 WHERE watch_position < 0").await;
        db.up(Target::End).await;
    }

    async fn a_view_that_cannot_be_recreated_is_named(db: TestDatabase) {
        if !db.is_postgres() {
            return;
        }
        let connection = db.at_v09().await;
        run(&connection, "CREATE VIEW chiefs AS SELECT username FROM users WHERE role = 'ADMIN'").await;
        let line = db.refusal(true).await;
        assert!(line.contains("view chiefs uses the type userrole, which is dropped: DROP VIEW chiefs"), "{line}");
        assert_eq!(PROJECT.state(&connection).await.unwrap().applied.len(), V09);
    }
}

#[tokio::test]
async fn an_invalid_timestamp_stops_the_upgrade_and_changes_nothing() {
    for value in [
        "yesterday",
        "",
        "2024-02-30 00:00:00",
        "2024-02-29",
        "2024-02-29 24:00:00",
        "2024-02-29 23:59:59.",
        "2024-02-29 23:59:59.12x",
        "2024-02-29 23:59:59+02:00",
        "2024-02-29  23:59:59",
        "0",
    ] {
        let db = TestDatabase::sqlite();
        let connection = db.at_v09().await;
        insert_rows(&connection).await;
        run(&connection, &format!("UPDATE videos SET published_at = '{value}' WHERE id = 5")).await;
        let before = contents(&connection).await;
        let line = db.refusal(true).await;
        assert_eq!(
            line,
            format!(
                "m20261101_000003_give_times_a_zone cannot run, nothing was changed: videos.published_at of row 5 holds \
                 {:?}, which is not a valid timestamp: correct it (as in 2026-01-31 12:00:00) and migrate again",
                value
            )
        );
        assert_eq!(contents(&connection).await, before);
    }
}

#[tokio::test]
async fn an_unknown_role_stops_the_upgrade() {
    let db = TestDatabase::sqlite();
    let connection = db.at_v09().await;
    insert_rows(&connection).await;
    run(&connection, "UPDATE users SET role = 'KING' WHERE id = 1").await;
    let line = db.refusal(true).await;
    assert!(line.contains("1 row of users WHERE NOT (lower(role) IN ('user', 'premium', 'admin'))"), "{line}");
}

async fn contents(connection: &sea_orm::DatabaseConnection) -> Vec<String> {
    let mut all = texts(connection, "SELECT name || coalesce(sql, '') FROM sqlite_master").await;
    for table in MANAGED_TABLES.into_iter().chain(["seaql_migrations"]) {
        all.extend(rows(connection, table).await);
    }
    all
}
