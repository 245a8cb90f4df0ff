//! The code that migrates one table in one direction, on both databases.

use super::live_definitions::Backends;
use super::postgres_steps::postgres_steps;
use super::statements::{add_column, create_index, drop_index, quote_if_needed};
use super::step_context::StepContext;
use super::table_diff::TableDiff;
use super::{column_types, expressions};
use crate::schema::{Column, Index, SchemaItem, Table};

/// Code for one direction, and what else the file needs for it.
#[derive(Debug, Default)]
pub(super) struct TableSteps {
    pub(super) code: Vec<String>,
    /// Whether the code calls the functions with the two `TableDef`s of the table.
    pub(super) rebuilds: bool,
    pub(super) detaches_dependents: bool,
}

/// Two versions of a table, each also as it is on SQLite.
pub(super) struct TableVersions<'a> {
    pub(super) from: &'a Table,
    pub(super) to: &'a Table,
    pub(super) sqlite_from: &'a Table,
    pub(super) sqlite_to: &'a Table,
}

/// The code from one version of a table to the other. `functions` are the names of the functions
/// with the `TableDef`s of both, for a rebuild.
pub(super) fn table_steps(
    name: &str,
    versions: &TableVersions<'_>,
    functions: (&str, &str),
    context: StepContext<'_>,
) -> TableSteps {
    let diff = TableDiff::between(name, versions.from, versions.to);
    let sqlite_diff = TableDiff::between(name, versions.sqlite_from, versions.sqlite_to);
    let mut code: Vec<String> = diff.manual.iter().map(|line| format!("// Write this step by hand. {line}")).collect();
    if diff.is_empty() {
        return TableSteps { code, ..TableSteps::default() };
    }
    code.extend(refusals(name, &diff, context));
    let rebuilds = sqlite_diff.needs_rebuild(versions.sqlite_from);
    if !rebuilds && !diff.needs_rebuild(versions.from) {
        code.extend(portable_steps(name, versions.to, &diff, context, Backends::Both));
        return TableSteps { code, ..TableSteps::default() };
    }
    let detaches_dependents = diff.changed_columns.iter().any(|(from, to)| from.data_type != to.data_type);
    let mut postgres = postgres_steps(name, versions.from, versions.to, &diff, context);
    if detaches_dependents {
        postgres.insert(0, format!("let dependents = DetachedDependents::detach(manager, &[{name:?}]).await?;"));
        postgres.push("dependents.reattach(manager).await?;".to_owned());
    }
    let sqlite = match rebuilds {
        true => rebuild(name, &sqlite_diff, functions, context),
        false => portable_steps(name, versions.sqlite_to, &sqlite_diff, context, Backends::One { postgres: false }),
    };
    if postgres.is_empty() && sqlite.is_empty() {
        return TableSteps { code, ..TableSteps::default() };
    }
    code.extend(branches(postgres, sqlite));
    TableSteps { code, rebuilds, detaches_dependents }
}

/// The code for PostgreSQL and for SQLite as the branches of one `if`. One of them may be empty.
fn branches(postgres: Vec<String>, sqlite: Vec<String>) -> Vec<String> {
    let (condition, first, second) = match postgres.is_empty() {
        false => ("if sql::is_postgres(manager) {", postgres, sqlite),
        true => ("if !sql::is_postgres(manager) {", sqlite, Vec::new()),
    };
    let mut code = vec![condition.to_owned()];
    code.extend(first);
    if !second.is_empty() {
        code.push("} else {".to_owned());
        code.extend(second);
    }
    code.push("}".to_owned());
    code
}

fn rebuild(name: &str, diff: &TableDiff, functions: (&str, &str), context: StepContext<'_>) -> Vec<String> {
    let backends = Backends::One { postgres: false };
    let mut code = Vec::new();
    for index in diff.dropped_indexes.iter().filter(|index| expressions::has_expressions(index)) {
        code.extend(context.drop_code(name, SchemaItem::Index(index.clone()), drop_index(index), backends));
    }
    let conversions: Vec<String> = diff.changed_columns.iter().filter_map(|(from, to)| conversion(from, to)).collect();
    let (before, after) = functions;
    code.push(format!("{after}().rebuild(manager, &{before}(), &[{}]).await?;", conversions.join(", ")));
    for index in diff.added_indexes.iter().filter(|index| expressions::has_expressions(index)) {
        let create = vec![create_index(name, index)];
        code.extend(context.create_code(name, SchemaItem::Index(index.clone()), create, backends));
    }
    code
}

/// A comment on columns that may have been renamed. From two versions of a table nobody can tell.
pub(super) fn possible_renames(from: &Table, to: &Table) -> Option<String> {
    let names = |one: &Table, other: &Table| {
        let names = one.columns.iter().map(|column| column.name.as_str()).filter(|name| other.column(name).is_none());
        names.collect::<Vec<_>>().join(" or ")
    };
    let (old, new) = (names(from, to), names(to, from));
    let comment = format!("// If {old} is renamed to {new}, rename the column here: this code loses its values.");
    (!old.is_empty() && !new.is_empty()).then_some(comment)
}

/// Refuses, before the first change, rows that the new version cannot hold.
fn refusals(name: &str, diff: &TableDiff, context: StepContext<'_>) -> Vec<String> {
    let mut code = Vec::new();
    // A downgrade may drop the columns that the upgrade added: its caller passed --yes.
    let dropped = diff.dropped_columns.iter().filter(|column| !context.is_downgrade && column.generated.is_none());
    for column in dropped {
        let refuse = refuse_values(name, column);
        code.extend(context.drop_code(name, SchemaItem::Column(column.clone()), refuse, Backends::Both));
    }
    for column in diff.added_columns.iter().filter(|column| needs_value(column)) {
        let column = &column.name;
        code.push(format!("// Existing rows need a value for {column}: fill it in, and remove this refusal."));
        let fix = format!("the migration gives them no value for {column}");
        code.push(format!("sql::refuse_rows(manager, {name:?}, {fix:?}).await?;"));
    }
    for (from, to) in diff.changed_columns.iter().filter(|(from, to)| from.nullable && !to.nullable) {
        let rows = format!("{name} WHERE {} IS NULL", from.name);
        let fix = format!("{} becomes NOT NULL; fill it in and migrate again", to.name);
        code.push(format!("sql::refuse_rows(manager, {rows:?}, {fix:?}).await?;"));
    }
    code
}

/// Refuses rows with a value in a column that is dropped. A value that is the default is no loss.
fn refuse_values(table: &str, column: &Column) -> String {
    let quoted = quote_if_needed(&column.name);
    let is_value = |default: &&String| !expressions::value(default).starts_with("Expr::");
    // Values of the type json cannot be compared.
    let default = column.default.as_ref().filter(is_value).filter(|_| column.data_type != "json()");
    // SQLite keeps the case of the definition, PostgreSQL writes `true` and `false`.
    let is_bool = |default: &str| ["true", "false"].iter().any(|word| default.eq_ignore_ascii_case(word));
    let literal = |default: &String| if is_bool(default) { default.to_lowercase() } else { default.clone() };
    let other = default.map(|default| format!(" AND {quoted} <> {}", literal(default))).unwrap_or_default();
    let rows = format!("{table} WHERE {quoted} IS NOT NULL{other}");
    let fix =
        format!("{} is dropped; move its values elsewhere and set it to NULL, or remove this refusal", column.name);
    format!("sql::refuse_rows(manager, {rows:?}, {fix:?}).await?;")
}

/// Whether existing rows would have no value in this new column.
fn needs_value(column: &Column) -> bool {
    !column.nullable && column.default.is_none() && column.generated.is_none() && column.auto_increment.is_none()
}

/// Statements that both databases understand.
fn portable_steps(
    name: &str,
    to: &Table,
    diff: &TableDiff,
    context: StepContext<'_>,
    backends: Backends,
) -> Vec<String> {
    let index_item = |index: &Index| SchemaItem::Index(index.clone());
    let mut code = Vec::new();
    for index in &diff.dropped_indexes {
        code.extend(context.drop_code(name, index_item(index), drop_index(index), backends));
    }
    for column in &diff.dropped_columns {
        let drop = format!("Table::alter().table({name:?}).drop_column({:?}).take()", column.name);
        let drop = format!("manager.alter_table({drop}).await?;");
        code.extend(context.drop_code(name, SchemaItem::Column(column.clone()), drop, backends));
    }
    for column in &diff.added_columns {
        let add = add_column(name, to, column);
        code.extend(context.create_code(name, SchemaItem::Column(column.clone()), add, backends));
    }
    for index in &diff.added_indexes {
        code.extend(context.create_code(name, index_item(index), vec![create_index(name, index)], backends));
    }
    code
}

/// How the rebuild on SQLite converts the old values. SQLite has only text and numbers.
fn conversion(from: &Column, to: &Column) -> Option<String> {
    let data_type = match (column_types::family(&from.data_type), column_types::family(&to.data_type)) {
        ("text", "number") if to.data_type.starts_with("double") || to.data_type.starts_with("float") => "real",
        ("text", "number") => "integer",
        ("number", "text") => "text",
        _ => return None,
    };
    Some(format!("({:?}, \"CAST({} AS {data_type})\".to_owned())", to.name, quote_if_needed(&to.name)))
}
