//! The facts of the library as sentences, which a failed test can show.

use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_revisions::schema::{self, Column, Table};
use std::collections::BTreeSet;

/// Whether indexes and constraints are told with their names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Shown,
    Hidden,
}

/// Columns, keys, indexes and checks of these tables.
pub(crate) async fn schema_lines(db: &impl ConnectionTrait, tables: &[&str], names: Names) -> BTreeSet<String> {
    let schema = schema::read(db).await.unwrap();
    let tables = schema.tables.iter().filter(|(name, _)| tables.contains(&name.as_str()));
    // SQLite gives no names of its own, so that nobody refers to a constraint by one.
    let constraints = db.get_database_backend() == DbBackend::Postgres && names == Names::Shown;
    tables.flat_map(|(name, table)| sentences(name, table, names == Names::Shown, constraints)).collect()
}

/// What stands in one set only, as a person reads a diff.
pub(crate) fn differences(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<String> {
    let missing = expected.difference(found).map(|fact| format!("- {fact}"));
    missing.chain(found.difference(expected).map(|fact| format!("+ {fact}"))).collect()
}

fn sentences(name: &str, table: &Table, indexes: bool, constraints: bool) -> Vec<String> {
    let named = |shown: bool, name: &str| if shown { format!("{name} ") } else { String::new() };
    let after = |notes: &str| if notes.is_empty() { String::new() } else { format!(" {notes}") };
    let mut told: Vec<String> = table.columns.iter().map(|column| format!("{name}.{}", sentence(column))).collect();
    told.push(format!("{name} primary key ({})", table.primary_key.join(",")));
    told.extend(table.foreign_keys.iter().map(|key| {
        let (from, to) = (key.columns.join(","), key.parent_columns.join(","));
        let (parent, rules) = (&key.parent, format!("on delete {} on update {}", key.on_delete, key.on_update));
        let shown = named(constraints, &key.name);
        format!("{name} {shown}foreign key ({from}) references {parent} ({to}) {rules}{}", after(&key.notes))
    }));
    told.extend(table.indexes.iter().map(|index| {
        let unique = if index.unique { "unique " } else { "" };
        let shown = named(indexes && (constraints || !index.constraint), &index.name);
        let rows = index.predicate.as_ref().map(|rows| format!(" where {rows}")).unwrap_or_default();
        format!("{name} {unique}index {shown}({}){rows}{}", index.columns.join(","), after(&index.notes))
    }));
    told.extend(table.checks.iter().map(|check| {
        let shown = named(constraints, &check.name);
        format!("{name} {shown}check {}{}", schema::normalize_sql(&check.condition), after(&check.notes))
    }));
    told
}

fn sentence(column: &Column) -> String {
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
