//! Code of one statement that changes a table.

use super::{builder_code, expressions};
use crate::schema::{Column, Index, Table};

pub(super) fn add_column(table: &str, to: &Table, column: &Column) -> Vec<String> {
    let column = builder_code::column_def(column, &builder_code::checks_of(to, &column.name));
    let add = format!("Table::alter().table({table:?}).add_column({column}).take()");
    vec![format!("manager.alter_table({add}).await?;")]
}

pub(super) fn create_index(table: &str, index: &Index) -> String {
    if expressions::has_expressions(index) {
        let kind = if index.unique { "UNIQUE INDEX" } else { "INDEX" };
        let filter = index.predicate.as_ref().map(|predicate| format!(" WHERE {predicate}")).unwrap_or_default();
        let (name, columns) = (quote_if_needed(&index.name), index.columns.join(", "));
        let create = format!("CREATE {kind} {name} ON {} ({columns}){filter}", quote_if_needed(table));
        return format!("sql::execute(manager, {create:?}).await?;");
    }
    format!("manager.create_index({}.take()).await?;", expressions::index(table, index))
}

pub(super) fn drop_index(index: &Index) -> String {
    format!("manager.drop_index(Index::drop().name({:?}).to_owned()).await?;", index.name)
}

/// `ALTER TABLE table change`, broken before a long CHECK.
pub(super) fn alter_table(table: &str, change: &str) -> String {
    let statement = format!("{:?}", format!("ALTER TABLE {} {change}", quote_if_needed(table)));
    let broken = match statement.split_once(" CHECK (") {
        Some((before, condition)) if statement.len() > 85 => {
            format!("{before} \\\n{}CHECK ({condition}", " ".repeat(17))
        }
        _ => statement,
    };
    format!("sql::execute(manager, {broken}).await?;")
}

pub(super) fn quote_if_needed(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}
