//! From v0.9 to the head and back, with rows, tables of other programs, and extra objects.

#![cfg(test)]

mod support;

use migration::PROJECT;
use sea_orm::DatabaseConnection;
use sea_orm_revisions::{RunOptions, Target};
use std::collections::BTreeSet;
use support::catalogue::{Names, differences, schema_lines};
use support::v09_data::{MANAGED_TABLES, OTHER_TABLES, add_extra_objects, give_defaults, insert_rows};
use support::{TestDatabase, rows, run, texts};

on_both! {
    async fn an_upgrade_and_a_downgrade_keep_all_of_v09(db: TestDatabase) {
        let connection = db.at_v09().await;
        add_extra_objects(&db, &connection).await;
        upgrade_and_downgrade(&db, connection).await;
    }

    async fn database_defaults_of_v09_do_no_harm(db: TestDatabase) {
        let connection = db.at_v09().await;
        give_defaults(&db, &connection).await;
        add_extra_objects(&db, &connection).await;
        upgrade_and_downgrade(&db, connection).await;

        // Now the schema is that of a database that never had defaults.
        let connection = db.connect().await;
        let fresh = if db.is_postgres() { TestDatabase::postgres().await } else { TestDatabase::sqlite() };
        let expected = schema_lines(&fresh.at_v09().await, &MANAGED_TABLES, Names::Shown).await;
        let actual = schema_lines(&connection, &MANAGED_TABLES, Names::Shown).await;
        assert_eq!(differences(&expected, &actual).iter().filter(|line| line.starts_with('-')).count(), 0);
    }

    async fn a_downgrade_to_the_base_and_an_upgrade_work(db: TestDatabase) {
        let connection = db.at_v09().await;
        insert_rows(&connection).await;
        connection.close().await.unwrap();
        let all = db.up(Target::End).await.len();
        let head = schema_lines(&db.connect().await, &MANAGED_TABLES, Names::Shown).await;
        assert_eq!(db.down(Target::End).await.len(), all + support::V09);
        let tables = db.either(
            "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' AND tbl_name <> 'seaql_migrations'",
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'seaql%' \
             UNION ALL SELECT typname::text FROM pg_type WHERE typtype = 'e'",
        );
        assert_eq!(texts(&db.connect().await, tables).await, [""; 0]);
        db.up(Target::End).await;
        assert_eq!(differences(&head, &schema_lines(&db.connect().await, &MANAGED_TABLES, Names::Shown).await), [""; 0]);
    }

    async fn a_downgrade_that_would_leave_orphans_changes_nothing(db: TestDatabase) {
        let connection = db.at_v09().await;
        add_extra_objects(&db, &connection).await;
        let before = everything(&connection).await;
        connection.close().await.unwrap();
        let error = PROJECT.downgrade(&db.url, &Target::End, &RunOptions::default()).await.unwrap_err();
        let named = db.either("rows would refer to rows that do not exist", "other objects depend on it");
        assert!(error.to_string().contains(named), "{error}");
        assert_eq!(everything(&db.connect().await).await, before);
    }

    async fn existing_orphans_do_not_stop_an_upgrade(db: TestDatabase) {
        if db.is_postgres() {
            return;
        }
        let connection = db.at_v09().await;
        insert_rows(&connection).await;
        run(&connection, "PRAGMA foreign_keys = OFF; DELETE FROM users WHERE id = 8").await;
        connection.close().await.unwrap();
        db.up(Target::End).await;
        assert_eq!(texts(&db.connect().await, "SELECT CAST(user_id AS TEXT) FROM videos WHERE id = 6").await, ["8"]);
    }
}

async fn upgrade_and_downgrade(db: &TestDatabase, connection: DatabaseConnection) {
    let before = everything(&connection).await;
    let extras_before = extras(db, &connection).await;
    let schema_before = without_defaults(schema_lines(&connection, &MANAGED_TABLES, Names::Shown).await);
    connection.close().await.unwrap();

    db.up(Target::End).await;
    let connection = db.connect().await;
    let head = everything(&connection).await;
    for (before, head) in before.iter().zip(&head) {
        assert_eq!(before.1.len(), head.1.len(), "{}", head.0);
        assert!(MANAGED_TABLES.contains(&head.0) || before == head, "{} was changed: {head:?}", head.0);
    }
    assert_eq!(extras(db, &connection).await, extras_before.replace(" timestamp without", " timestamp with"));
    // Foreign keys, triggers and views work with the rebuilt tables.
    run(&connection, "INSERT INTO ratings VALUES (3, 3, 5, 4)").await;
    run(&connection, "UPDATE users SET full_name = 'Ann' WHERE id = 1").await;
    assert_eq!(rows(&connection, "audit").await.len(), 1);
    assert_eq!(texts(&connection, "SELECT title FROM top_shelf WHERE username = 'Ann'").await.len(), 1);
    run(&connection, "DELETE FROM ratings WHERE id = 3; DELETE FROM audit").await;
    run(&connection, "UPDATE videos SET view_count = 0 WHERE id = 5").await;
    run(&connection, "UPDATE users SET full_name = 'Ann O''Neil; -- \"quoted\"' WHERE id = 1; DELETE FROM audit").await;
    assert_eq!(everything(&connection).await, head);
    connection.close().await.unwrap();

    db.down_to_v09().await;
    let connection = db.connect().await;
    assert_eq!(everything(&connection).await, before);
    assert_eq!(extras(db, &connection).await, extras_before);
    let schema_after = schema_lines(&connection, &MANAGED_TABLES, Names::Shown).await;
    assert_eq!(differences(&schema_before, &without_defaults(schema_after)), [""; 0]);
    connection.close().await.unwrap();

    db.up(Target::End).await;
    let connection = db.connect().await;
    assert_eq!(everything(&connection).await, head);
    run(&connection, "DELETE FROM users").await;
    for child in ["videos", "watch_history", "ratings", "video_tags", "video_thumbnails"] {
        assert_eq!(rows(&connection, child).await, [""; 0], "{child}");
    }
    connection.close().await.unwrap();
    db.down_to_v09().await;
}

async fn everything(connection: &DatabaseConnection) -> Vec<(&'static str, Vec<String>)> {
    let mut all = Vec::new();
    for table in MANAGED_TABLES.into_iter().chain(OTHER_TABLES) {
        all.push((table, rows(connection, table).await));
    }
    all
}

/// The lines without defaults of Playhead's columns, and with one name for types that hand-written
/// tables name otherwise.
fn without_defaults(schema: BTreeSet<String>) -> BTreeSet<String> {
    let ours = |fact: &str| !fact.contains(".note ") && !fact.contains(".Odd") && !fact.contains("shouted");
    let without_default = |fact: String| match fact.split_once(" default ") {
        Some((column, _)) if ours(&fact) => column.to_owned(),
        _ => fact,
    };
    let with_common_types = |fact: String| match fact.strip_suffix(" timestamp not null") {
        Some(column) => format!("{column} datetime not null"),
        None if fact == "watch_history.id integer" => "watch_history.id integer not null".to_owned(),
        None => fact,
    };
    schema.into_iter().map(without_default).map(with_common_types).collect()
}

/// The SQL of the extra objects on Playhead's tables.
async fn extras(db: &TestDatabase, connection: &DatabaseConnection) -> String {
    let extras = db.either(
        "SELECT sql FROM sqlite_master WHERE type IN ('trigger', 'view') \
            OR name IN ('of mine', 'ix_videos_status_view_count') \
         UNION ALL SELECT name || type || coalesce(dflt_value, '') || hidden FROM pragma_table_xinfo('videos') \
            WHERE name IN ('note', 'category_id', 'shouted') ORDER BY 1",
        "SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal \
         UNION ALL SELECT relname || coalesce(reloptions::text, '') || relowner || coalesce(relacl::text, '') \
            || coalesce(obj_description(oid, 'pg_class'), '') || pg_get_viewdef(oid) \
            FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace \
         UNION ALL SELECT indexdef FROM pg_indexes WHERE indexname IN ('of mine', 'counted_user') ORDER BY 1",
    );
    let extras = texts(connection, extras).await;
    assert!(extras.len() >= 7, "{extras:?}");
    extras.join("\n")
}
