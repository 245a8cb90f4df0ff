//! Statements that make or drop one part of a table.

use super::code;
use crate::facts::{Column, Index, Table};

pub(super) fn add_column(table: &str, to: &Table, column: &Column) -> Vec<String> {
    let column = code::column(column, &code::checks_of(to, &column.name));
    let add = format!("Table::alter().table({table:?}).add_column({column}).take()");
    vec![format!("manager.alter_table({add}).await?;")]
}

pub(super) fn create_index(table: &str, index: &Index) -> String {
    if code::is_odd(index) {
        let kind = if index.unique { "UNIQUE INDEX" } else { "INDEX" };
        let rows = index.predicate.as_ref().map(|rows| format!(" WHERE {rows}")).unwrap_or_default();
        let (name, columns) = (plain_or_quoted(&index.name), index.columns.join(", "));
        let create = format!("CREATE {kind} {name} ON {} ({columns}){rows}", plain_or_quoted(table));
        return format!("sql::execute(manager, {create:?}).await?;");
    }
    format!("manager.create_index({}.take()).await?;", code::index(table, index))
}

pub(super) fn drop_index(index: &Index) -> String {
    format!("manager.drop_index(Index::drop().name({:?}).to_owned()).await?;", index.name)
}

pub(super) fn alter(table: &str, change: &str) -> String {
    let statement = format!("{:?}", format!("ALTER TABLE {} {change}", plain_or_quoted(table)));
    let broken = match statement.split_once(" CHECK (") {
        Some((before, condition)) if statement.len() > 85 => {
            format!("{before} \\\n{}CHECK ({condition}", " ".repeat(17))
        }
        _ => statement,
    };
    format!("sql::execute(manager, {broken}).await?;")
}

pub(super) fn plain_or_quoted(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}
