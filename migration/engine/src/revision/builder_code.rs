//! Columns, indexes, keys and whole tables as calls of sea-query's builders and of `TableDef`.

use super::column_types;
use super::expressions::{has_expressions, index, value};
use super::live_definitions::LiveDefinitions;
use crate::schema::{Check, Column, Difference, ForeignKey, Index, SchemaItem, Table, compare_tables};

/// `ColumnDef::new("title").string_len(255).not_null()`, with these checks.
pub(super) fn column_def(column: &Column, checks: &[&Check]) -> String {
    let Column { name, data_type, nullable, default, auto_increment, generated, collation } = column;
    let mut code = column_types::column_def(name, data_type);
    if !nullable {
        code.push_str(".not_null()");
    }
    if auto_increment.is_some() {
        code.push_str(".auto_increment()");
    }
    if let Some(default) = default {
        code.push_str(&format!(".default({})", value(default)));
    }
    if let Some(expression) = generated {
        code.push_str(&format!(".generated(Expr::cust({expression:?}), true)"));
    }
    let mut extra: Vec<String> = collation.iter().map(|name| format!("COLLATE \"{name}\"")).collect();
    match checks {
        [] => {}
        [first, others @ ..] => {
            code.push_str(&format!(".check(Expr::cust({:?}))", first.condition));
            extra.extend(others.iter().map(|check| format!("CHECK ({})", check.condition)));
        }
    }
    if !extra.is_empty() {
        code.push_str(&format!(".extra({:?})", extra.join(" ")));
    }
    code
}

/// The checks that are defined with this column: each is defined with the first column that it
/// reads.
pub(super) fn checks_of<'a>(table: &'a Table, column: &str) -> Vec<&'a Check> {
    let first = table.columns.first().map(|column| column.name.as_str()).unwrap_or_default();
    let is_of_column = |check: &&Check| check.columns.first().map_or(first, String::as_str) == column;
    table.checks.iter().filter(is_of_column).collect()
}

/// `ForeignKey::create().name(…).from("videos", "user_id").to("users",
/// "id").on_delete(ForeignKeyAction::Cascade)`.
pub(super) fn foreign_key(table: &str, key: &ForeignKey) -> String {
    let (from, to) = (names(&key.columns), names(&key.parent_columns));
    let mut code =
        format!("ForeignKey::create().name({:?}).from({table:?}, {from}).to({:?}, {to})", key.name, key.parent);
    for (call, action) in [("on_delete", &key.on_delete), ("on_update", &key.on_update)] {
        let action = match action.as_str() {
            "cascade" => "Cascade",
            "restrict" => "Restrict",
            "set null" => "SetNull",
            "set default" => "SetDefault",
            _ => continue,
        };
        code.push_str(&format!(".{call}(ForeignKeyAction::{action})"));
    }
    code
}

/// One name, or several in parentheses.
fn names(columns: &[String]) -> String {
    match columns {
        [one] => format!("{one:?}"),
        several => format!("({})", several.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")),
    }
}

/// The calls that build the `TableDef` of a table. Without `live`, all columns are portable.
pub(super) fn table_def(name: &str, table: &Table, live: Option<&LiveDefinitions>) -> Vec<String> {
    let mut calls = vec![format!("TableDef::new({name:?})")];
    calls.extend(table.columns.iter().map(|column| {
        // A live definition may have parts that the builder cannot express.
        let live = live.filter(|_| table.primary_key != [column.name.clone()]);
        match live.and_then(|live| live.sqlite_column_definition(name, column)) {
            Some(definition) => format!(".column(ColumnDef::new({:?}).custom({definition:?}))", column.name),
            None => add_column(table, column),
        }
    }));
    if table.primary_key.len() > 1 {
        calls.push(format!(".primary_key([{}])", quoted(&table.primary_key)));
    }
    calls.extend(table.indexes.iter().filter(|index| index.constraint).map(|index| add_index(name, index)));
    calls.extend(table.foreign_keys.iter().map(|key| add_foreign_key(name, key)));
    calls.extend(
        table
            .indexes
            .iter()
            .filter(|index| !index.constraint && !has_expressions(index))
            .map(|index| add_index(name, index)),
    );
    calls
}

/// The calls that change the `TableDef` of the function `old` from the table `from` to `to`.
pub(super) fn changed_table_def(name: &str, old: &str, from: &Table, to: &Table) -> Vec<String> {
    let mut calls = vec![format!("{old}()")];
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for Difference { expected, actual, .. } in compare_tables(name, to, from) {
        match &actual {
            Some(SchemaItem::Column(column)) if expected.is_none() => removed.push(column.name.clone()),
            Some(SchemaItem::Index(index)) if !has_expressions(index) => removed.push(index.name.clone()),
            Some(SchemaItem::ForeignKey(key)) => removed.push(key.name.clone()),
            _ => {}
        }
        match &expected {
            Some(SchemaItem::Index(index)) if !has_expressions(index) => added.push(add_index(name, index)),
            Some(SchemaItem::ForeignKey(key)) => added.push(add_foreign_key(name, key)),
            _ => {}
        }
    }
    let is_changed = |column: &&Column| {
        let known = from.column(&column.name);
        known != Some(column) || checks_of(from, &column.name) != checks_of(to, &column.name)
    };
    calls.extend(removed.iter().map(|name| format!(".without({name:?})")));
    calls.extend(to.columns.iter().filter(is_changed).map(|column| add_column(to, column)));
    calls.append(&mut added);
    calls
}

/// The call that adds this column to a `TableDef`.
fn add_column(table: &Table, of: &Column) -> String {
    let code = column_def(of, &checks_of(table, &of.name));
    let key = if table.primary_key == [of.name.clone()] { ".primary_key()" } else { "" };
    format!(".column({})", borrowed(&format!("{code}{key}")))
}

/// `TableDef` takes `&mut ColumnDef`. A builder's call returns it, `new_with_type` alone does not.
fn borrowed(code: &str) -> String {
    match code.starts_with("ColumnDef::new_with_type(") && code.ends_with("))") {
        true => format!("&mut {code}"),
        false => code.to_owned(),
    }
}

/// The call that adds this index to a `TableDef`.
pub(super) fn add_index(table: &str, of: &Index) -> String {
    if of.constraint {
        return format!(".unique({:?}, [{}])", of.name, quoted(&of.columns));
    }
    match of.columns.as_slice() {
        [column] if of.name == format!("ix_{table}_{column}") && of.predicate.is_none() => {
            format!(".{}({column:?})", if of.unique { "unique_index" } else { "index" })
        }
        _ => format!(".custom_index({})", index(table, of)),
    }
}

/// The call that adds this foreign key to a `TableDef`.
pub(super) fn add_foreign_key(table: &str, key: &ForeignKey) -> String {
    let usual = |column: &String| ForeignKey {
        name: format!("{table}_{column}_fkey"),
        parent_columns: vec!["id".to_owned()],
        on_delete: "cascade".to_owned(),
        on_update: "no action".to_owned(),
        notes: String::new(),
        ..key.clone()
    };
    match key.columns.as_slice() {
        [column] if *key == usual(column) => format!(".belongs_to({column:?}, {:?})", key.parent),
        _ => format!(".foreign_key({})", foreign_key(table, key)),
    }
}

pub(super) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

/// The name of the function that builds the `TableDef` of this table.
pub(super) fn function_name(table: &str) -> String {
    let name: String = table.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let reserved = ["type", "match", "loop", "move", "use", "mod", "ref", "self", "super", "crate", "column", "sql"];
    if reserved.contains(&name.as_str()) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("table_{name}");
    }
    name
}
