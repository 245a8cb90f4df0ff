//! Portable schemas, which describe a table for both databases: a migration generated from one
//! database runs on the other.
//!
//! In a portable schema, the type of a column is a call of sea-query's builder (`string_len(255)`),
//! and expressions are simplified.

use super::column_types;
use crate::entities::Entities;
use crate::expected::{postgres_ddl, sqlite_schema};
use crate::schema::{Check, Column, Schema, Table, same_check, same_foreign_key, same_index, simplify_expr, words};
use operations::create_table::{DefinitionSubject, definitions};
use sea_orm::DbErr;
use std::collections::BTreeMap;

/// The portable schema of the entities.
pub(super) async fn expected_schema(entities: Entities) -> Result<Schema, DbErr> {
    let mut schema = sqlite_schema(entities).await?;
    let types = postgres_types(&postgres_ddl(entities).await?);
    for (name, table) in &mut schema.tables {
        for column in &mut table.columns {
            let postgres = types.get(&(name.clone(), column.name.to_lowercase()));
            column.data_type = column_types::builder_call(postgres.map(String::as_str), Some(&column.data_type));
        }
        for key in &mut table.foreign_keys {
            key.name = format!("{name}_{}_fkey", key.columns.join("_"));
        }
        for index in &mut table.indexes {
            index.constraint = false;
            index.name = format!("ix_{name}_{}", index.columns.join("_"));
        }
        for check in &mut table.checks {
            check.name = format!("{name}_{}_check", check.columns.join("_"));
        }
        sort(table);
    }
    Ok(schema)
}

/// Sorts indexes, keys and checks, which each database lists in another order.
fn sort(table: &mut Table) {
    table.indexes.sort_by(|a, b| (&a.columns, &a.predicate).cmp(&(&b.columns, &b.predicate)));
    table.foreign_keys.sort_by(|a, b| (&a.columns, &a.parent).cmp(&(&b.columns, &b.parent)));
    table.checks.sort_by(|a, b| (&a.columns, &a.condition).cmp(&(&b.columns, &b.condition)));
}

/// The types of all columns by table and column, as `CREATE TABLE` writes them.
fn postgres_types(statements: &[String]) -> BTreeMap<(String, String), String> {
    let mut types = BTreeMap::new();
    for statement in statements.iter().filter(|statement| statement.starts_with("CREATE TABLE")) {
        let table = words(statement).find(|word| word.starts_with('"')).unwrap_or_default().trim_matches('"');
        for definition in definitions(statement) {
            let DefinitionSubject::Column(column) = definition.subject else { continue };
            let data_type: Vec<&str> =
                words(&definition.text).skip(1).take_while(|word| !KEYWORDS_AFTER_TYPE.contains(word)).collect();
            let data_type = data_type.join(" ").replace(" ( ", "(").replace(" )", ")").replace(" , ", ", ");
            types.insert((table.to_owned(), column), data_type);
        }
    }
    types
}

const KEYWORDS_AFTER_TYPE: [&str; 8] =
    ["NOT", "NULL", "DEFAULT", "GENERATED", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES"];

/// A live table before and after the migration, both portable.
pub(super) struct TableChange {
    pub(super) before: Table,
    pub(super) after: Table,
}

impl TableChange {
    /// `actual` and `expected` are in the SQL of the live database, `portable` is the portable form
    /// of `expected`.
    pub(super) fn new(name: &str, actual: &Table, expected: &Table, portable: &Table, is_postgres: bool) -> Self {
        let mut before = actual.clone();
        before.triggers.clear();
        for column in &mut before.columns {
            let is_foreign_key =
                !is_postgres && actual.foreign_keys.iter().any(|key| key.columns == [column.name.clone()]);
            make_column_portable(column, is_foreign_key, expected.column(&column.name), portable);
        }
        for check in &mut before.checks {
            make_check_portable(name, check, expected, portable);
        }
        for index in &mut before.indexes {
            index.predicate = index.predicate.as_deref().map(simplify_expr);
            index.columns = index.columns.iter().map(|column| simplify_expr(column)).collect();
            if index.name.is_empty() {
                index.name = format!("uq_{name}_{}", index.columns.join("_"));
            }
        }
        for key in before.foreign_keys.iter_mut().filter(|key| key.name.is_empty()) {
            key.name = format!("{name}_{}_fkey", key.columns.join("_"));
        }
        sort(&mut before);
        let after = table_after(&before, portable);
        Self { before, after }
    }
}

/// The expected table, with the column order and the names of indexes and constraints of the live
/// one.
fn table_after(before: &Table, portable: &Table) -> Table {
    let place = |column: &Column| before.columns.iter().position(|known| known.name == column.name);
    let mut after = Table { kind: before.kind.clone(), ..portable.clone() };
    after.columns.sort_by_key(|column| place(column).unwrap_or(usize::MAX));
    after.foreign_keys = with_known_names(&after.foreign_keys, &before.foreign_keys, same_foreign_key);
    after.indexes = with_known_names(&after.indexes, &before.indexes, same_index);
    after.checks = with_known_names(&after.checks, &before.checks, same_check);
    after
}

fn with_known_names<T: Clone>(expected: &[T], known: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    expected.iter().map(|item| known.iter().find(|known| same(item, known)).unwrap_or(item).clone()).collect()
}

fn make_column_portable(column: &mut Column, is_foreign_key: bool, expected: Option<&Column>, portable: &Table) {
    let portable = portable.column(&column.name);
    column.data_type = match (expected, portable) {
        (Some(expected), Some(portable)) if expected.data_type == column.data_type => portable.data_type.clone(),
        // SQLite has one type for integers of all widths.
        _ if column.data_type == "integer"
            && (is_foreign_key || column.auto_increment.as_deref() == Some("autoincrement")) =>
        {
            "big_integer()".to_owned()
        }
        _ => match column_types::builder_call(Some(&column.data_type), None) {
            unknown if unknown.starts_with("custom") => column_types::builder_call(None, Some(&column.data_type)),
            call => call,
        },
    };
    column.auto_increment = column.auto_increment.as_ref().map(|_| "autoincrement".to_owned());
    column.default = match (expected, portable) {
        (Some(expected), Some(portable)) if expected.default == column.default => portable.default.clone(),
        _ => column.default.as_deref().map(simplify_expr),
    };
}

/// Writes the condition of a live check in portable SQL. If the check stays the same, the condition
/// comes from the portable table, from the check with the same columns and the same position among
/// these.
fn make_check_portable(table: &str, check: &mut Check, expected: &Table, portable: &Table) {
    let of_columns = |check: &Check, all: &[Check]| -> Vec<Check> {
        let sorted = |check: &Check| {
            let mut columns = check.columns.clone();
            columns.sort();
            columns
        };
        all.iter().filter(|other| sorted(other) == sorted(check)).cloned().collect()
    };
    let place = of_columns(check, &expected.checks).iter().position(|other| same_check(other, check));
    check.condition = match place.and_then(|at| of_columns(check, &portable.checks).get(at).cloned()) {
        Some(portable) => portable.condition,
        None => simplify_expr(&check.condition),
    };
    if check.name.is_empty() {
        check.name = format!("{table}_{}_check", check.columns.join("_"));
    }
}
