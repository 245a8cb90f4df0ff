//! The source text of a migration.

use super::builder_code;
use super::layout::{Body, layout};
use super::live_definitions::LiveDefinitions;
use super::portable::TableChange;
use super::step_context::StepContext;
use super::table_steps::{TableVersions, possible_renames, table_steps};
use crate::schema::{Schema, Table, compare_tables};

/// The schemas from which a migration is generated.
pub(super) struct Schemas<'a> {
    pub(super) expected: &'a Schema,
    /// The portable form of the expected schema.
    pub(super) portable: &'a Schema,
    pub(super) actual: &'a Schema,
    pub(super) live: &'a LiveDefinitions,
}

/// A migration that does nothing yet.
pub(super) fn empty_source(message: &str) -> String {
    let example = "// manager.alter_table(Table::alter().table(\"…\").add_column(…).take()).await?;".to_owned();
    let body = |code: Vec<String>| Body { manager: "_manager", code };
    let (up, down) = (body(vec![example, "Ok(())".to_owned()]), body(vec!["Ok(())".to_owned()]));
    layout(&[title(message)], None, &up, &down, &[])
}

/// A migration with code for all differences.
pub(super) fn generated_source(
    message: &str,
    differences: &[String],
    ignored: &[String],
    schemas: &Schemas<'_>,
) -> String {
    let mut code = MigrationCode::default();
    for name in new_tables(schemas) {
        code.create_table(name, schemas);
    }
    for name in schemas.expected.tables.keys() {
        code.change_table(name, schemas);
    }
    let down: Vec<String> = code.down.into_iter().rev().flatten().collect();
    let (up, down) = (body(code.up), body(down));
    let uses_sql = up.code.iter().chain(&down.code).any(|line| line.contains("sql::"));
    let used =
        [(code.detaches_dependents, "DetachedDependents"), (!code.functions.is_empty(), "TableDef"), (uses_sql, "sql")];
    let operations = used.into_iter().filter(|(is_used, _)| *is_used).map(|(_, name)| name).collect::<Vec<_>>();
    layout(&header(message, differences, ignored), import(&operations), &up, &down, &code.functions)
}

/// What is generated table by table.
#[derive(Default)]
struct MigrationCode {
    up: Vec<String>,
    /// By table, in the order of the upgrade.
    down: Vec<Vec<String>>,
    /// Functions that return a `TableDef`.
    functions: Vec<Vec<String>>,
    detaches_dependents: bool,
}

impl MigrationCode {
    fn create_table(&mut self, name: &str, schemas: &Schemas<'_>) {
        let Some(table) = schemas.portable.tables.get(name) else { return };
        let function = builder_code::function_name(name);
        self.up.push(format!("{function}().create(manager).await?;"));
        self.down.push(vec![format!("manager.drop_table(Table::drop().table({name:?}).take()).await?;")]);
        self.functions.push(table_function(&function, &builder_code::table_def(name, table, None), None));
    }

    /// Adds nothing for a table that does not differ, or that is new.
    fn change_table(&mut self, name: &str, schemas: &Schemas<'_>) {
        let tables = [schemas.expected, schemas.actual, schemas.portable].map(|schema| schema.tables.get(name));
        let [Some(expected), Some(actual), Some(portable)] = tables else { return };
        // Compare the SQL of the database, not the portable form: a table that no entity can
        // describe, such as a virtual table, differs in its portable form.
        if compare_tables(name, expected, actual).is_empty() {
            return;
        }
        let live = schemas.live;
        let TableChange { before, after } = TableChange::new(name, actual, expected, portable, live.is_postgres);
        let function = builder_code::function_name(name);
        let old = format!("{function}_before");
        let sqlite_before = live.table_on_sqlite(name, &before);
        let versions = TableVersions { from: &before, to: &after, sqlite_from: &sqlite_before, sqlite_to: &after };
        let upgrade = table_steps(name, &versions, (&old, &function), StepContext { live, is_downgrade: false });
        let versions = TableVersions { from: &after, to: &before, sqlite_from: &after, sqlite_to: &sqlite_before };
        let downgrade = table_steps(name, &versions, (&function, &old), StepContext { live, is_downgrade: true });
        self.detaches_dependents |= upgrade.detaches_dependents || downgrade.detaches_dependents;
        if upgrade.rebuilds || downgrade.rebuilds {
            let comment = format!("/// The table {name} before this migration, for the rebuild on SQLite.");
            let calls = builder_code::table_def(name, &sqlite_before, Some(live));
            self.functions.push(table_function(&old, &calls, Some(comment)));
            let calls = builder_code::changed_table_def(name, &old, &sqlite_before, &after);
            self.functions.push(table_function(&function, &calls, None));
        }
        self.up.extend(live.table(name).and_then(|live| possible_renames(live, &after)));
        self.up.extend(upgrade.code);
        self.down.push(downgrade.code);
    }
}

/// The new tables, each after those that it refers to.
fn new_tables<'a>(schemas: &Schemas<'a>) -> Vec<&'a String> {
    let is_new = |name: &&String| !schemas.actual.tables.contains_key(*name);
    let mut waiting: Vec<(&String, &Table)> = schemas.expected.tables.iter().filter(|(name, _)| is_new(name)).collect();
    let mut sorted: Vec<&String> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |(name, table): &(&String, &Table)| {
            let others = table.foreign_keys.iter().map(|key| &key.parent).filter(|parent| parent != name);
            others.filter(is_new).all(|parent| sorted.contains(&parent))
        };
        // Tables that refer to each other in a circle cannot be sorted: the author must edit the
        // migration.
        let next = waiting.iter().position(is_ready).unwrap_or(0);
        sorted.push(waiting.remove(next).0);
    }
    sorted
}

/// The comment at the start of the file.
fn header(message: &str, differences: &[String], ignored: &[String]) -> Vec<String> {
    let mut header = vec![
        title(message),
        String::new(),
        "Generated from the differences between the entities and a database:".to_owned(),
    ];
    header.extend(differences.iter().map(|line| format!("- {line}")));
    if !ignored.is_empty() {
        header.push(String::new());
        header.push("Extra objects, ignored:".to_owned());
        header.extend(ignored.iter().map(|line| format!("- {line}")));
    }
    header
}

fn title(message: &str) -> String {
    let mut letters = message.trim().trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn import(operations: &[&str]) -> Option<String> {
    match operations {
        [] => None,
        [one] => Some(format!("use operations::{one};")),
        several => Some(format!("use operations::{{{}}};", several.join(", "))),
    }
}

fn body(mut code: Vec<String>) -> Body {
    let is_comment = code.iter().all(|line| line.starts_with("//"));
    code.push("Ok(())".to_owned());
    Body { manager: if is_comment { "_manager" } else { "manager" }, code }
}

fn table_function(name: &str, calls: &[String], comment: Option<String>) -> Vec<String> {
    let mut code: Vec<String> = comment.into_iter().collect();
    code.push(format!("fn {name}() -> TableDef {{"));
    code.extend(calls.iter().cloned());
    code.push("}".to_owned());
    code
}
