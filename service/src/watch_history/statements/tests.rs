use super::{HEARTBEAT, PgStatements, ReadStatements, SqliteStatements, updated_columns};
use crate::progress::ProgressRules;
use crate::storage::InputRow;
use crate::watch_history::save::SaveCommand;
use entity::{forgotten_entry, play, user, video, video_revision, watch_history};
use rusqlite::Connection;
use sea_orm::DatabaseBackend::Sqlite;
use sea_orm::sea_query::SqliteQueryBuilder;
use sea_orm::{IdenStatic, Iterable, Schema};

/// The columns with an index that a save may change.
const INDEXED: [watch_history::Column; 4] = [
    watch_history::Column::Completed,
    watch_history::Column::WatchedHour,
    watch_history::Column::CompletedAt,
    watch_history::Column::PlayCount,
];

fn database() -> Connection {
    let (db, schema) = (Connection::open_in_memory().unwrap(), Schema::new(Sqlite));
    let tables = [
        schema.create_table_from_entity(user::Entity),
        schema.create_table_from_entity(video::Entity),
        schema.create_table_from_entity(watch_history::Entity),
        schema.create_table_from_entity(play::Entity),
        schema.create_table_from_entity(forgotten_entry::Entity),
        schema.create_table_from_entity(video_revision::Entity),
    ];
    for table in tables {
        db.execute_batch(&table.to_string(SqliteQueryBuilder)).unwrap();
    }
    let mut indexes = schema.create_index_from_entity(watch_history::Entity);
    indexes.extend([watch_history::list_index(), watch_history::completed_index()]);
    for index in indexes {
        db.execute_batch(&index.to_string(SqliteQueryBuilder)).unwrap();
    }
    db
}

fn plan(db: &Connection, sql: &str) -> String {
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let plan = explain.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
    plan.unwrap().join("\n")
}

#[test]
fn the_parameters_of_a_save_have_the_names_of_columns() {
    let columns = Vec::from_iter(watch_history::Column::iter().map(|column| column.as_str()));
    for (name, _) in SaveCommand::COLUMNS {
        assert!(columns.contains(&name) || name == "played_seconds", "{name}");
    }
}

#[test]
fn a_heartbeat_assigns_no_indexed_column() {
    for column in INDEXED {
        assert!(updated_columns().iter().any(|updated| updated.as_str() == column.as_str()));
        assert!(HEARTBEAT.iter().all(|updated| updated.as_str() != column.as_str()));
    }
}

#[test]
fn the_list_is_read_by_its_index_on_sqlite() {
    let plan = plan(&database(), &ReadStatements::new(Sqlite).list);
    assert!(plan.contains("USING INDEX ix_watch_history_list"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN users"), "{plan}");
}

#[test]
fn the_summaries_of_videos_are_read_by_their_keys_on_sqlite() {
    let plan = plan(&database(), &ReadStatements::new(Sqlite).summaries);
    assert!(!plan.contains("SCAN videos") && !plan.contains("SCAN users"), "{plan}");
}

#[test]
fn no_statement_of_a_save_on_sqlite_scans_or_sorts_a_table() {
    let (db, statements) = (database(), SqliteStatements::new().unwrap());
    let all = [
        &statements.state,
        &statements.tombstone,
        &statements.ended_plays,
        &statements.write_tombstone,
        &statements.delete_entry,
        &statements.delete_play,
        &statements.insert_play,
        &statements.insert_entry,
        &statements.update_entry,
        &statements.heartbeat,
    ];
    for sql in all {
        let plan = plan(&db, sql);
        for table in ["users", "videos", "watch_history", "plays", "forgotten_entries"] {
            assert!(!plan.contains(&format!("SCAN {table}")), "{sql}\n{plan}");
        }
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

#[test]
fn the_limit_of_days_is_part_of_the_statements_only_if_it_is_set() {
    let rules = ProgressRules::default();
    let save = |max_days| PgStatements::new(&rules, max_days).unwrap().heartbeat.to_string();
    assert!(save(Some(77)).contains("77") && !save(None).contains("LEAST(\"users\""));
}
