use super::Statements;
use crate::progress::ProgressRules;
use crate::storage::InputRow;
use crate::watch_history::save::SaveCommand;
use entity::{user, video, watch_history};
use rusqlite::Connection;
use sea_orm::DatabaseBackend::{Postgres, Sqlite};
use sea_orm::sea_query::SqliteQueryBuilder;
use sea_orm::{IdenStatic, Iterable, Schema};

#[test]
fn the_parameters_of_a_save_have_the_names_of_columns() {
    let columns = Vec::from_iter(watch_history::Column::iter().map(|column| column.as_str()));
    for (name, _) in SaveCommand::COLUMNS {
        assert!(columns.contains(&name) || name == "played_seconds", "{name}");
    }
}

#[test]
fn a_heartbeat_assigns_no_indexed_column() {
    for backend in [Sqlite, Postgres] {
        let statements = Statements::new(backend, &ProgressRules::default()).unwrap();
        for column in ["completed", "watched_hour"].map(|column| format!("\"{column}\" = ")) {
            let update =
                |sql: &str| sql.split_once(" DO UPDATE SET ").unwrap().1.split_once(" WHERE ").unwrap().0.to_owned();
            assert!(update(&statements.save).contains(&format!(" {column}")));
            assert!(!update(&statements.heartbeat).contains(&format!(" {column}")));
        }
    }
}

#[test]
fn the_list_is_read_by_its_index_on_sqlite() {
    let (db, schema) = (Connection::open_in_memory().unwrap(), Schema::new(Sqlite));
    let tables = [
        schema.create_table_from_entity(user::Entity),
        schema.create_table_from_entity(video::Entity),
        schema.create_table_from_entity(watch_history::Entity),
    ];
    for table in tables {
        db.execute_batch(&table.to_string(SqliteQueryBuilder)).unwrap();
    }
    db.execute_batch(&watch_history::list_index().to_string(SqliteQueryBuilder)).unwrap();
    let statements = Statements::new(Sqlite, &ProgressRules::default()).unwrap();
    let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {}", statements.list)).unwrap();
    let plan = explain.query_map([1, 10, 0], |row| row.get::<_, String>(3)).unwrap();
    let plan = plan.collect::<Result<Vec<_>, _>>().unwrap().join("\n");
    assert!(plan.contains("USING INDEX ix_watch_history_list"), "{plan}");
}
