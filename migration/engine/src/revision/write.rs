//! The whole text of a migration.

use super::exact::Exact;
use super::neutral::Change;
use super::steps::{Forms, Way};
use super::{code, steps};
use crate::facts::{Facts, Table, compare_tables};

/// The live tables, and the wanted ones in the words of the live database and in neutral ones.
pub(super) struct Schemas<'a> {
    pub(super) wanted: &'a Facts,
    pub(super) neutral: &'a Facts,
    pub(super) found: &'a Facts,
    pub(super) exact: &'a Exact,
}

/// Two bodies to be filled.
pub(super) fn empty(message: &str) -> String {
    let body = ["// manager.alter_table(Table::alter().table(\"…\").add_column(…).take()).await?;", "Ok(())"];
    let body: Vec<String> = body.iter().map(|line| (*line).to_owned()).collect();
    let back = vec!["Ok(())".to_owned()];
    text(&[title(message)], None, &unused(&body), &unused(&back), &[])
}

/// Nothing is done with the manager yet.
fn unused(body: &[String]) -> Body {
    Body { manager: "_manager", code: body.to_vec() }
}

struct Body {
    manager: &'static str,
    code: Vec<String>,
}

/// The statements for all differences.
pub(super) fn filled(message: &str, differences: &[String], left_alone: &[String], schemas: &Schemas<'_>) -> String {
    let (mut up, mut down, mut functions) = (Vec::new(), Vec::new(), Vec::new());
    let mut uses = Uses::default();
    let exact = schemas.exact;
    for name in parents_first(schemas) {
        let Some(table) = schemas.neutral.tables.get(name) else { continue };
        let function = code::function(name);
        up.push(format!("{function}().create(manager).await?;"));
        down.push(vec![format!("manager.drop_table(Table::drop().table({name:?}).take()).await?;")]);
        functions.push(shape_function(&function, &code::shape(name, table, None), None));
        uses.shape = true;
    }
    for (name, wanted) in &schemas.wanted.tables {
        let (Some(found), Some(neutral)) = (schemas.found.tables.get(name), schemas.neutral.tables.get(name)) else {
            continue;
        };
        // What one database has by statements of its own has no form for both.
        if compare_tables(name, wanted, found).is_empty() {
            continue;
        }
        let Change { before, after } = Change::of(name, found, wanted, neutral, exact.on_postgres);
        let function = code::function(name);
        let old = format!("{function}_before");
        let of_sqlite = exact.on_sqlite(name, &before);
        let forms = Forms { from: &before, to: &after, sqlite_from: &of_sqlite, sqlite_to: &after };
        let there = steps::steps(name, &forms, (&old, &function), Way { exact, back: false });
        let forms = Forms { from: &after, to: &before, sqlite_from: &after, sqlite_to: &of_sqlite };
        let back = steps::steps(name, &forms, (&function, &old), Way { exact, back: true });
        uses.aside |= there.sets_aside || back.sets_aside;
        if there.rebuilds || back.rebuilds {
            uses.shape = true;
            let about = format!("/// All of {name} as it was, for SQLite, which makes the table anew.");
            functions.push(shape_function(&old, &code::shape(name, &of_sqlite, Some(exact)), Some(&about)));
            functions.push(shape_function(&function, &code::changed_shape(name, &old, &of_sqlite, &after), None));
        }
        up.extend(exact.live(name).and_then(|live| steps::renames(live, &after)));
        up.extend(there.code);
        down.push(back.code);
    }
    let down: Vec<String> = down.into_iter().rev().flatten().collect();
    let mut header = vec![
        title(message),
        String::new(),
        "Written from what differed between the entities and a database:".to_owned(),
    ];
    header.extend(differences.iter().map(|line| format!("- {line}")));
    if !left_alone.is_empty() {
        header.push(String::new());
        header.push("Not known to the entities and no hindrance, left alone:".to_owned());
        header.extend(left_alone.iter().map(|line| format!("- {line}")));
    }
    let body = |mut code: Vec<String>| {
        let is_comment = code.iter().all(|line| line.starts_with("//"));
        code.push("Ok(())".to_owned());
        Body { manager: if is_comment { "_manager" } else { "manager" }, code }
    };
    let (up, down) = (body(up), body(down));
    uses.sql = up.code.iter().chain(&down.code).any(|line| line.contains("sql::"));
    text(&header, uses.line(), &up, &down, &functions)
}

#[derive(Default)]
struct Uses {
    aside: bool,
    shape: bool,
    sql: bool,
}

impl Uses {
    /// The `use` of what migrations share, if anything of it is used.
    fn line(&self) -> Option<String> {
        let all = [(self.aside, "DetachedDependents"), (self.shape, "TableDef"), (self.sql, "sql")];
        let used: Vec<&str> = all.into_iter().filter(|(used, _)| *used).map(|(_, name)| name).collect();
        match used.as_slice() {
            [] => None,
            [one] => Some(format!("use operations::{one};")),
            several => Some(format!("use operations::{{{}}};", several.join(", "))),
        }
    }
}

/// The tables that are not there yet, so that each comes after those that it refers to.
fn parents_first<'a>(schemas: &Schemas<'a>) -> Vec<&'a String> {
    let is_new = |name: &&String| !schemas.found.tables.contains_key(*name);
    let mut waiting: Vec<(&String, &Table)> = schemas.wanted.tables.iter().filter(|(name, _)| is_new(name)).collect();
    let mut sorted: Vec<&String> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |(name, table): &(&String, &Table)| {
            let others = table.foreign_keys.iter().map(|key| &key.parent).filter(|parent| parent != name);
            others.filter(is_new).all(|parent| sorted.contains(&parent))
        };
        // Tables that refer to each other in a circle cannot be sorted: the author sees to them.
        let next = waiting.iter().position(is_ready).unwrap_or(0);
        sorted.push(waiting.remove(next).0);
    }
    sorted
}

fn title(message: &str) -> String {
    let mut letters = message.trim().trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn shape_function(name: &str, calls: &[String], about: Option<&str>) -> Vec<String> {
    let mut code: Vec<String> = about.iter().map(|line| (*line).to_owned()).collect();
    code.push(format!("fn {name}() -> TableDef {{"));
    code.extend(calls.iter().cloned());
    code.push("}".to_owned());
    code
}

fn text(header: &[String], operations: Option<String>, up: &Body, down: &Body, functions: &[Vec<String>]) -> String {
    let mut text = String::new();
    for line in header {
        for line in wrapped(line, 115) {
            text.push_str(format!("//! {line}").trim_end());
            text.push('\n');
        }
    }
    text.push('\n');
    for line in operations.iter().map(String::as_str).chain(["use sea_orm_migration::prelude::*;"]) {
        text.push_str(&format!("{line}\n"));
    }
    text.push_str("\n#[derive(DeriveMigrationName)]\npub(crate) struct Migration;\n\n");
    text.push_str("#[async_trait::async_trait]\nimpl MigrationTrait for Migration {\n");
    for (name, body) in [("up", up), ("down", down)] {
        text.push_str(&format!(
            "    async fn {name}(&self, {}: &SchemaManager) -> Result<(), DbErr> {{\n{}    }}\n\n",
            body.manager,
            indented(&body.code, 2)
        ));
    }
    text.push_str("    fn use_transaction(&self) -> Option<bool> {\n        Some(true)\n    }\n}\n");
    for function in functions {
        text.push_str(&format!("\n{}", indented(function, 0)));
    }
    text
}

/// Lines of code, set in by their braces; calls that go on with a dot by one more.
fn indented(code: &[String], from: usize) -> String {
    let mut text = String::new();
    let mut depth = from;
    for line in code {
        if line.starts_with('}') {
            depth -= 1;
        }
        let depth_of_line = depth + usize::from(line.starts_with('.'));
        let width = 4 * depth_of_line;
        let lines = match line.strip_prefix("// ") {
            Some(comment) => wrapped(comment, 117 - width).into_iter().map(|line| format!("// {line}")).collect(),
            None => vec![line.clone()],
        };
        for line in lines {
            text.push_str(&format!("{}{line}\n", " ".repeat(width)));
        }
        if line.ends_with('{') {
            depth += 1;
        }
    }
    text
}

fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        match lines.last_mut() {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(if line.starts_with("- ") { format!("  {word}") } else { word.to_owned() }),
        }
    }
    lines
}
