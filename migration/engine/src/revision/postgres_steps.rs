//! The code that alters one table on PostgreSQL.

use super::live_definitions::Backends;
use super::statements::{alter_table, create_index, drop_index, quote_if_needed};
use super::step_context::StepContext;
use super::table_diff::TableDiff;
use super::{builder_code, column_types, expressions};
use crate::schema::{Check, Column, SchemaItem, Table};

const POSTGRES: Backends = Backends::One { postgres: true };

/// Indexes and constraints are dropped before the columns change, and created after it.
pub(super) fn postgres_steps(
    name: &str,
    from: &Table,
    to: &Table,
    diff: &TableDiff,
    context: StepContext<'_>,
) -> Vec<String> {
    let mut code = drop_indexes_and_constraints(name, diff, context);
    code.extend(alter_columns(name, to, diff, context));
    code.extend(create_constraints_and_indexes(name, from, diff, context));
    code
}

fn drop_indexes_and_constraints(name: &str, diff: &TableDiff, context: StepContext<'_>) -> Vec<String> {
    let mut code = Vec::new();
    for index in diff.dropped_indexes.iter().filter(|index| !index.constraint) {
        code.extend(context.drop_code(name, SchemaItem::Index(index.clone()), drop_index(index), POSTGRES));
    }
    let uniques = diff.dropped_indexes.iter().filter(|index| index.constraint);
    let uniques = uniques.map(|index| (&index.name, SchemaItem::Index(index.clone())));
    let checks = diff.dropped_checks.iter().map(|check| (&check.name, SchemaItem::Check(check.clone())));
    let keys = diff.dropped_keys.iter().map(|key| (&key.name, SchemaItem::ForeignKey(key.clone())));
    for (constraint, item) in uniques.chain(checks).chain(keys) {
        let drop = alter_table(name, &format!("DROP CONSTRAINT {}", quote_if_needed(constraint)));
        code.extend(context.drop_code(name, item, drop, POSTGRES));
    }
    code
}

/// One ALTER TABLE for all columns, because each may rewrite the whole table.
fn alter_columns(name: &str, to: &Table, diff: &TableDiff, context: StepContext<'_>) -> Vec<String> {
    let mut code = Vec::new();
    let mut calls = String::new();
    for column in &diff.dropped_columns {
        let drop = format!(".drop_column({:?})", column.name);
        calls.extend(context.drop_code(name, SchemaItem::Column(column.clone()), drop, POSTGRES));
    }
    for (from, to) in &diff.changed_columns {
        // A default of the old type may not fit the new type.
        if from.default.is_some() && (to.default.is_none() || from.data_type != to.data_type) {
            code.push(alter_table(name, &format!("ALTER COLUMN {} DROP DEFAULT", quote_if_needed(&to.name))));
        }
        calls.extend(modify_column(from, to).map(|change| format!(".modify_column({change})")));
    }
    let mut separate = Vec::new();
    for column in &diff.added_columns {
        let column_def = builder_code::column_def(column, &builder_code::checks_of(to, &column.name));
        let add = format!(".add_column({column_def})");
        let create = context.create_code(name, SchemaItem::Column(column.clone()), vec![add.clone()], POSTGRES);
        if create == [add.clone()] { calls.push_str(&add) } else { separate.extend(create) }
    }
    if !calls.is_empty() {
        code.push(format!("manager.alter_table(Table::alter().table({name:?}){calls}.take()).await?;"));
    }
    code.append(&mut separate);
    code
}

fn create_constraints_and_indexes(name: &str, from: &Table, diff: &TableDiff, context: StepContext<'_>) -> Vec<String> {
    let mut code = Vec::new();
    for check in &diff.added_checks {
        let constraint = quote_if_needed(&free_name(check, from, diff));
        let add = alter_table(name, &format!("ADD CONSTRAINT {constraint} CHECK ({})", check.condition));
        code.extend(context.create_code(name, SchemaItem::Check(check.clone()), vec![add], POSTGRES));
    }
    for key in &diff.added_keys {
        let create = format!("manager.create_foreign_key({}.take()).await?;", builder_code::foreign_key(name, key));
        code.extend(context.create_code(name, SchemaItem::ForeignKey(key.clone()), vec![create], POSTGRES));
    }
    for index in &diff.added_indexes {
        let (constraint, columns) = (quote_if_needed(&index.name), index.columns.join(", "));
        let create = match index.constraint {
            true => alter_table(name, &format!("ADD CONSTRAINT {constraint} UNIQUE ({columns})")),
            false => create_index(name, index),
        };
        code.extend(context.create_code(name, SchemaItem::Index(index.clone()), vec![create], POSTGRES));
    }
    code
}

/// The name of a new check, with a number if an old check that stays has the name.
fn free_name(check: &Check, from: &Table, diff: &TableDiff) -> String {
    let stays = |name: &str| {
        let is_dropped = diff.dropped_checks.iter().any(|dropped| dropped.name == name);
        from.checks.iter().any(|known| known.name == name) && !is_dropped
    };
    let numbered = (1..).map(|number| format!("{}{number}", check.name));
    std::iter::once(check.name.clone()).chain(numbered).find(|name| !stays(name)).unwrap_or_default()
}

/// The column definition that changes type, NOT NULL and default, if one of them differs.
fn modify_column(from: &Column, to: &Column) -> Option<String> {
    let mut change = format!("ColumnDef::new({:?})", to.name);
    if from.data_type != to.data_type {
        change = column_types::column_def(&to.name, &to.data_type);
        if let Some(using) = using(from, to) {
            change.push_str(&format!(".using(Expr::cust({using:?}))"));
        }
    }
    if from.nullable != to.nullable {
        change.push_str(if to.nullable { ".null()" } else { ".not_null()" });
    }
    match &to.default {
        Some(default) if from.default != to.default || from.data_type != to.data_type => {
            change.push_str(&format!(".default({})", expressions::value(default)));
        }
        _ => {}
    }
    change.contains(").").then_some(change)
}

/// The USING expression, where PostgreSQL does not convert the old values without one.
fn using(from: &Column, to: &Column) -> Option<String> {
    let name = quote_if_needed(&to.name);
    match (column_types::family(&from.data_type), column_types::family(&to.data_type)) {
        ("time with zone", "time without zone") | ("time without zone", "time with zone") => {
            Some(format!("{name} AT TIME ZONE 'UTC'"))
        }
        (one, other) if one == other && one != "other" => None,
        _ => Some(format!("{name}::{}", column_types::postgres_type(&to.data_type))),
    }
}
