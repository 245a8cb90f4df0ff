//! The schema of a database as lines of text, which a failed test can print.

use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_revisions::schema::{self, Column, Table};
use std::collections::BTreeSet;

/// Whether the lines have the names of indexes and constraints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Shown,
    Hidden,
}

/// The columns, keys, indexes and checks of these tables, one line each.
pub(crate) async fn schema_lines(db: &impl ConnectionTrait, tables: &[&str], names: Names) -> BTreeSet<String> {
    let schema = schema::read(db).await.unwrap();
    let tables = schema.tables.iter().filter(|(name, _)| tables.contains(&name.as_str()));
    // SQLite gives constraints no names.
    let constraints = db.get_database_backend() == DbBackend::Postgres && names == Names::Shown;
    tables.flat_map(|(name, table)| table_lines(name, table, names == Names::Shown, constraints)).collect()
}

/// The lines of only one set, as a diff: `-` for those of the first, `+` for those of the second.
pub(crate) fn differences(expected: &BTreeSet<String>, actual: &BTreeSet<String>) -> Vec<String> {
    let missing = expected.difference(actual).map(|line| format!("- {line}"));
    missing.chain(actual.difference(expected).map(|line| format!("+ {line}"))).collect()
}

fn table_lines(name: &str, table: &Table, indexes: bool, constraints: bool) -> Vec<String> {
    let named = |shown: bool, name: &str| if shown { format!("{name} ") } else { String::new() };
    let after = |notes: &str| if notes.is_empty() { String::new() } else { format!(" {notes}") };
    let mut lines: Vec<String> = table.columns.iter().map(|column| format!("{name}.{}", column_text(column))).collect();
    lines.push(format!("{name} primary key ({})", table.primary_key.join(",")));
    lines.extend(table.foreign_keys.iter().map(|key| {
        let (from, to) = (key.columns.join(","), key.parent_columns.join(","));
        let (parent, rules) = (&key.parent, format!("on delete {} on update {}", key.on_delete, key.on_update));
        let shown = named(constraints, &key.name);
        format!("{name} {shown}foreign key ({from}) references {parent} ({to}) {rules}{}", after(&key.notes))
    }));
    lines.extend(table.indexes.iter().map(|index| {
        let unique = if index.unique { "unique " } else { "" };
        let shown = named(indexes && (constraints || !index.constraint), &index.name);
        let rows = index.predicate.as_ref().map(|rows| format!(" where {rows}")).unwrap_or_default();
        format!("{name} {unique}index {shown}({}){rows}{}", index.columns.join(","), after(&index.notes))
    }));
    lines.extend(table.checks.iter().map(|check| {
        let shown = named(constraints, &check.name);
        format!("{name} {shown}check {}{}", schema::normalize_sql(&check.condition), after(&check.notes))
    }));
    lines
}

fn column_text(column: &Column) -> String {
    let or_nothing =
        |word: &str, text: &Option<String>| text.as_ref().map(|text| format!(" {word} {text}")).unwrap_or_default();
    format!(
        "{} {}{}{}{}",
        column.name,
        column.data_type,
        if column.nullable { "" } else { " not null" },
        or_nothing("default", &column.default),
        or_nothing("numbered by", &column.auto_increment),
    )
}
