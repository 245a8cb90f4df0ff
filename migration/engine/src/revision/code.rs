//! Parts of a table as the code of a migration.

use super::exact::Exact;
use super::kinds;
use crate::facts::{Check, Column, Difference, ForeignKey, Index, Part, Table, compare_tables};

/// `ColumnDef::new("title").string_len(255).not_null()`, with the checks that read it.
pub(super) fn column(column: &Column, checks: &[&Check]) -> String {
    let Column { name, kind, nullable, default, numbered, generated, collation } = column;
    let mut code = kinds::column(name, kind);
    if !nullable {
        code.push_str(".not_null()");
    }
    if numbered.is_some() {
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

/// The checks that stand on this column: each stands on the first column that it reads.
pub(super) fn checks_of<'a>(table: &'a Table, column: &str) -> Vec<&'a Check> {
    let first = table.columns.first().map(|column| column.name.as_str()).unwrap_or_default();
    let stands_on = |check: &&Check| check.columns.first().map_or(first, String::as_str) == column;
    table.checks.iter().filter(stands_on).collect()
}

/// A default as a value of Rust where it is one.
pub(super) fn value(sql: &str) -> String {
    let text = sql.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match (text, sql.to_lowercase().as_str()) {
        (Some(text), _) if !text.replace("''", "").contains('\'') => format!("{:?}", text.replace("''", "'")),
        (_, "true" | "false") => sql.to_lowercase(),
        (_, "current_timestamp" | "now()") => "Expr::current_timestamp()".to_owned(),
        (_, number) if number.parse::<i32>().is_ok() => number.to_owned(),
        (_, number) if number.parse::<i64>().is_ok() => format!("{number}_i64"),
        _ => format!("Expr::cust({sql:?})"),
    }
}

/// `Index::create().name("ix_videos_title").table("videos").col("title")`.
pub(super) fn index(table: &str, index: &Index) -> String {
    let mut code = format!("Index::create().name({:?}).table({table:?})", index.name);
    for column in index.columns.iter().filter_map(|column| index_column(column)) {
        code.push_str(&format!(".col({column})"));
    }
    if index.unique {
        code.push_str(".unique()");
    }
    if let Some(rows) = &index.predicate {
        code.push_str(&format!(".and_where(Expr::cust({rows:?}))"));
    }
    code
}

/// Whether sea-query has no words for it: an index over expressions.
pub(super) fn is_odd(index: &Index) -> bool {
    index.columns.iter().any(|column| index_column(column).is_none())
}

fn index_column(column: &str) -> Option<String> {
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    match column.rsplit_once(' ') {
        _ if is_name(column) => Some(format!("{column:?}")),
        Some((name, "DESC" | "desc")) if is_name(name) => Some(format!("({name:?}, IndexOrder::Desc)")),
        _ => None,
    }
}

/// `ForeignKey::create().name(…).from("videos", "user_id").to("users", "id").on_delete(ForeignKeyAction::Cascade)`.
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

/// The calls that make a whole `TableDef`.
pub(super) fn shape(name: &str, table: &Table, exact: Option<&Exact>) -> Vec<String> {
    let mut calls = vec![format!("TableDef::new({name:?})")];
    calls.extend(table.columns.iter().map(|column| {
        // In its own words, which are no words of the builder's.
        let own = exact.filter(|_| table.primary_key != [column.name.clone()]);
        match own.and_then(|exact| exact.sqlite_column(name, column)) {
            Some(words) => format!(".column(ColumnDef::new({:?}).custom({words:?}))", column.name),
            None => shape_column(table, column),
        }
    }));
    if table.primary_key.len() > 1 {
        calls.push(format!(".primary_key([{}])", quoted(&table.primary_key)));
    }
    calls.extend(table.indexes.iter().filter(|index| index.constraint).map(|index| shape_index(name, index)));
    calls.extend(table.foreign_keys.iter().map(|key| shape_key(name, key)));
    calls.extend(
        table.indexes.iter().filter(|index| !index.constraint && !is_odd(index)).map(|index| shape_index(name, index)),
    );
    calls
}

/// The calls that make a `TableDef` of one that is there already.
pub(super) fn changed_shape(name: &str, old: &str, from: &Table, to: &Table) -> Vec<String> {
    let mut calls = vec![format!("{old}()")];
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for Difference { wanted, found, .. } in compare_tables(name, to, from) {
        match &found {
            Some(Part::Column(column)) if wanted.is_none() => gone.push(column.name.clone()),
            Some(Part::Index(index)) if !is_odd(index) => gone.push(index.name.clone()),
            Some(Part::ForeignKey(key)) => gone.push(key.name.clone()),
            _ => {}
        }
        match &wanted {
            Some(Part::Index(index)) if !is_odd(index) => new.push(shape_index(name, index)),
            Some(Part::ForeignKey(key)) => new.push(shape_key(name, key)),
            _ => {}
        }
    }
    let is_changed = |column: &&Column| {
        let known = from.column(&column.name);
        known != Some(column) || checks_of(from, &column.name) != checks_of(to, &column.name)
    };
    calls.extend(gone.iter().map(|name| format!(".without({name:?})")));
    calls.extend(to.columns.iter().filter(is_changed).map(|column| shape_column(to, column)));
    calls.append(&mut new);
    calls
}

fn shape_column(table: &Table, of: &Column) -> String {
    let code = column(of, &checks_of(table, &of.name));
    let key = if table.primary_key == [of.name.clone()] { ".primary_key()" } else { "" };
    format!(".column({})", borrowed(&format!("{code}{key}")))
}

/// What a builder's call hands out is borrowed already.
fn borrowed(code: &str) -> String {
    match code.starts_with("ColumnDef::new_with_type(") && code.ends_with("))") {
        true => format!("&mut {code}"),
        false => code.to_owned(),
    }
}

/// The call that gives a `TableDef` this index.
pub(super) fn shape_index(table: &str, of: &Index) -> String {
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

/// The call that gives a `TableDef` this foreign key.
pub(super) fn shape_key(table: &str, key: &ForeignKey) -> String {
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

/// A table's name as the name of a function.
pub(super) fn function(table: &str) -> String {
    let plain: String = table.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let is_taken = ["type", "match", "loop", "move", "use", "mod", "ref", "self", "super", "crate", "column", "sql"];
    if is_taken.contains(&plain.as_str()) || plain.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("table_{plain}");
    }
    plain
}
