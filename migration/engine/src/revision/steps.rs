//! The statements that bring one table from one form to another, on both databases.

use super::create::{add_column, alter, create_index, drop_index, plain_or_quoted};
use super::exact::{Exact, Within};
use super::work::Work;
use super::{code, kinds};
use crate::facts::{Check, Column, Index, Part, Table};

/// Code of one direction, and whether it needs the two shapes of the table.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) code: Vec<String>,
    pub(super) rebuilds: bool,
    pub(super) sets_aside: bool,
}

/// Two forms of a table, and the same as SQLite has them.
pub(super) struct Forms<'a> {
    pub(super) from: &'a Table,
    pub(super) to: &'a Table,
    pub(super) sqlite_from: &'a Table,
    pub(super) sqlite_to: &'a Table,
}

/// Which way, and what the live database says of its own parts.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) exact: &'a Exact,
    pub(super) back: bool,
}

impl Way<'_> {
    fn dropped(self, table: &str, part: Part, code: String, within: Within) -> Vec<String> {
        self.exact.dropped(table, &part, vec![code], within)
    }

    fn made(self, table: &str, part: Part, neutral: Vec<String>, within: Within) -> Vec<String> {
        // On the way there a new part may have the name of the live one that it replaces.
        if self.back { self.exact.made(table, &part, neutral, within) } else { neutral }
    }
}

/// From one form of a table to another. `shapes` are the names of the functions that tell them, for a rebuild.
pub(super) fn steps(name: &str, forms: &Forms<'_>, shapes: (&str, &str), way: Way<'_>) -> Steps {
    let work = Work::between(name, forms.from, forms.to);
    let of_sqlite = Work::between(name, forms.sqlite_from, forms.sqlite_to);
    let mut code: Vec<String> = work.by_hand.iter().map(|line| format!("// Write this step by hand. {line}")).collect();
    if work.is_empty() {
        return Steps { code, ..Steps::default() };
    }
    code.extend(refusals(name, &work, way));
    let rebuilds = of_sqlite.needs_rebuild(forms.sqlite_from);
    if !rebuilds && !work.needs_rebuild(forms.from) {
        code.extend(common(name, forms.to, &work, way, Within::Both));
        return Steps { code, ..Steps::default() };
    }
    let sets_aside = work.changed_columns.iter().any(|(from, to)| from.kind != to.kind);
    let mut postgres = on_postgres(name, forms.from, forms.to, &work, way);
    if sets_aside {
        postgres.insert(0, format!("let dependents = DetachedDependents::detach(manager, &[{name:?}]).await?;"));
        postgres.push("dependents.reattach(manager).await?;".to_owned());
    }
    let sqlite = match rebuilds {
        true => rebuild(name, &of_sqlite, shapes, way),
        false => common(name, forms.sqlite_to, &of_sqlite, way, Within::Branch { postgres: false }),
    };
    let branches: [&[&str]; 2] = [&["if sql::is_postgres(manager) {"], &["if !sql::is_postgres(manager) {"]];
    let (first, second) = match (postgres.is_empty(), sqlite.is_empty()) {
        (false, _) => ((branches[0], postgres), sqlite),
        (true, false) => ((branches[1], sqlite), Vec::new()),
        (true, true) => return Steps { code, ..Steps::default() },
    };
    code.extend(first.0.iter().map(|line| (*line).to_owned()).chain(first.1));
    if !second.is_empty() {
        code.push("} else {".to_owned());
        code.extend(second);
    }
    code.push("}".to_owned());
    Steps { code, rebuilds, sets_aside }
}

fn rebuild(name: &str, work: &Work, shapes: (&str, &str), way: Way<'_>) -> Vec<String> {
    let within = Within::Branch { postgres: false };
    let odd = |index: &&Index| code::is_odd(index);
    let dropped = work.dropped_indexes.iter().filter(odd);
    let mut code: Vec<String> =
        dropped.flat_map(|index| way.dropped(name, Part::Index(index.clone()), drop_index(index), within)).collect();
    let converted: Vec<String> = work.changed_columns.iter().filter_map(|(from, to)| converted(from, to)).collect();
    code.push(format!("{}().rebuild(manager, &{}(), &[{}]).await?;", shapes.1, shapes.0, converted.join(", ")));
    let added = work.added_indexes.iter().filter(odd);
    code.extend(
        added.flat_map(|index| way.made(name, Part::Index(index.clone()), vec![create_index(name, index)], within)),
    );
    code
}

/// What may be a new name rather than another column: nobody can tell from the two forms.
pub(super) fn renames(from: &Table, to: &Table) -> Option<String> {
    let names = |one: &Table, other: &Table| {
        let names = one.columns.iter().map(|column| column.name.as_str()).filter(|name| other.column(name).is_none());
        names.collect::<Vec<_>>().join(" or ")
    };
    let (old, new) = (names(from, to), names(to, from));
    let told = format!("// If {old} is only to be called {new}, rename the column, or its values are left behind.");
    (!old.is_empty() && !new.is_empty()).then_some(told)
}

/// Rows that the new form cannot hold, before anything is changed.
fn refusals(name: &str, work: &Work, way: Way<'_>) -> Vec<String> {
    let mut code = Vec::new();
    // On the way back the one who says --yes drops what was added.
    let dropped = work.dropped_columns.iter().filter(|column| !way.back && column.generated.is_none());
    for column in dropped {
        let quoted = plain_or_quoted(&column.name);
        // What the column would hold by itself tells nothing.
        let is_value = |default: &&String| !code::value(default).starts_with("Expr::");
        // Values of the type json cannot be compared.
        let default = column.default.as_ref().filter(is_value).filter(|_| column.kind != "json()");
        let other = default.map(|default| format!(" AND {quoted} <> {default}")).unwrap_or_default();
        let rows = format!("{name} WHERE {quoted} IS NOT NULL{other}");
        let mend = format!("{} is dropped; keep its values elsewhere and empty it, or take this out", column.name);
        let refuse = format!("sql::refuse_rows(manager, {rows:?}, {mend:?}).await?;");
        code.extend(way.dropped(name, Part::Column(column.clone()), refuse, Within::Both));
    }
    for column in work.added_columns.iter().filter(|column| is_unfilled(column)) {
        let column = &column.name;
        code.push(format!(
            "// The rows that are there need a value for {column}: give them one instead of refusing them."
        ));
        let mend = format!("the migration does not say which {column} they get");
        code.push(format!("sql::refuse_rows(manager, {name:?}, {mend:?}).await?;"));
    }
    for (from, to) in work.changed_columns.iter().filter(|(from, to)| from.nullable && !to.nullable) {
        let rows = format!("{name} WHERE {} IS NULL", from.name);
        let mend = format!("{} must not be NULL any more; fill them in and migrate again", to.name);
        code.push(format!("sql::refuse_rows(manager, {rows:?}, {mend:?}).await?;"));
    }
    code
}

/// Whether rows that are there already would be left without a value.
fn is_unfilled(column: &Column) -> bool {
    !column.nullable && column.default.is_none() && column.generated.is_none() && column.numbered.is_none()
}

/// Statements that both databases understand.
fn common(name: &str, to: &Table, work: &Work, way: Way<'_>, within: Within) -> Vec<String> {
    let mut code = Vec::new();
    for index in &work.dropped_indexes {
        code.extend(way.dropped(name, Part::Index(index.clone()), drop_index(index), within));
    }
    for column in &work.dropped_columns {
        let drop = format!("Table::alter().table({name:?}).drop_column({:?}).take()", column.name);
        let drop = format!("manager.alter_table({drop}).await?;");
        code.extend(way.dropped(name, Part::Column(column.clone()), drop, within));
    }
    for column in &work.added_columns {
        code.extend(way.made(name, Part::Column(column.clone()), add_column(name, to, column), within));
    }
    for index in &work.added_indexes {
        code.extend(way.made(name, Part::Index(index.clone()), vec![create_index(name, index)], within));
    }
    code
}

fn on_postgres(name: &str, from: &Table, to: &Table, work: &Work, way: Way<'_>) -> Vec<String> {
    let within = Within::Branch { postgres: true };
    let mut code = Vec::new();
    for index in work.dropped_indexes.iter().filter(|index| !index.constraint) {
        code.extend(way.dropped(name, Part::Index(index.clone()), drop_index(index), within));
    }
    let uniques = work.dropped_indexes.iter().filter(|index| index.constraint);
    let uniques = uniques.map(|index| (&index.name, Part::Index(index.clone())));
    let checks = work.dropped_checks.iter().map(|check| (&check.name, Part::Check(check.clone())));
    let keys = work.dropped_keys.iter().map(|key| (&key.name, Part::ForeignKey(key.clone())));
    for (constraint, part) in uniques.chain(checks).chain(keys) {
        let drop = alter(name, &format!("DROP CONSTRAINT {}", plain_or_quoted(constraint)));
        code.extend(way.dropped(name, part, drop, within));
    }
    // One ALTER for all columns, because each may write the whole table anew.
    let mut alter_columns = String::new();
    for column in &work.dropped_columns {
        let drop = format!(".drop_column({:?})", column.name);
        alter_columns.extend(way.dropped(name, Part::Column(column.clone()), drop, within));
    }
    for (from, to) in &work.changed_columns {
        // A default of the old type may not fit the new one, not even for a moment.
        if from.default.is_some() && (to.default.is_none() || from.kind != to.kind) {
            code.push(alter(name, &format!("ALTER COLUMN {} DROP DEFAULT", plain_or_quoted(&to.name))));
        }
        alter_columns.extend(modified(from, to).map(|change| format!(".modify_column({change})")));
    }
    let mut apart = Vec::new();
    for column in &work.added_columns {
        let add = format!(".add_column({})", code::column(column, &code::checks_of(to, &column.name)));
        let made = way.made(name, Part::Column(column.clone()), vec![add.clone()], within);
        if made == [add.clone()] { alter_columns.push_str(&add) } else { apart.extend(made) }
    }
    if !alter_columns.is_empty() {
        code.push(format!("manager.alter_table(Table::alter().table({name:?}){alter_columns}.take()).await?;"));
    }
    code.append(&mut apart);
    for check in &work.added_checks {
        let constraint =
            format!("ADD CONSTRAINT {} CHECK ({})", plain_or_quoted(&free_name(check, from, work)), check.condition);
        code.extend(way.made(name, Part::Check(check.clone()), vec![alter(name, &constraint)], within));
    }
    for key in &work.added_keys {
        let create = format!("manager.create_foreign_key({}.take()).await?;", code::foreign_key(name, key));
        code.extend(way.made(name, Part::ForeignKey(key.clone()), vec![create], within));
    }
    for index in &work.added_indexes {
        let (constraint, columns) = (plain_or_quoted(&index.name), index.columns.join(", "));
        let create = match index.constraint {
            true => alter(name, &format!("ADD CONSTRAINT {constraint} UNIQUE ({columns})")),
            false => create_index(name, index),
        };
        code.extend(way.made(name, Part::Index(index.clone()), vec![create], within));
    }
    code
}

/// The name of a new check, numbered when an old one that stays has it already.
fn free_name(check: &Check, from: &Table, work: &Work) -> String {
    let stays = |name: &str| {
        from.checks.iter().any(|known| known.name == name) && !work.dropped_checks.iter().any(|gone| gone.name == name)
    };
    let numbered = (1..).map(|number| format!("{}{number}", check.name));
    std::iter::once(check.name.clone()).chain(numbered).find(|name| !stays(name)).unwrap_or_default()
}

/// The definition that PostgreSQL needs to change a column, if it can change what differs.
fn modified(from: &Column, to: &Column) -> Option<String> {
    let mut change = format!("ColumnDef::new({:?})", to.name);
    if from.kind != to.kind {
        change = kinds::column(&to.name, &to.kind);
        if let Some(using) = using(from, to) {
            change.push_str(&format!(".using(Expr::cust({using:?}))"));
        }
    }
    if from.nullable != to.nullable {
        change.push_str(if to.nullable { ".null()" } else { ".not_null()" });
    }
    match &to.default {
        Some(default) if from.default != to.default || from.kind != to.kind => {
            change.push_str(&format!(".default({})", code::value(default)));
        }
        _ => {}
    }
    change.contains(").").then_some(change)
}

/// How PostgreSQL turns the old values into new ones, where it does not by itself.
fn using(from: &Column, to: &Column) -> Option<String> {
    let name = plain_or_quoted(&to.name);
    match (kinds::family(&from.kind), kinds::family(&to.kind)) {
        ("time with zone", "time without zone") | ("time without zone", "time with zone") => {
            Some(format!("{name} AT TIME ZONE 'UTC'"))
        }
        (one, other) if one == other && one != "other" => None,
        _ => Some(format!("{name}::{}", kinds::postgres_word(&to.kind))),
    }
}

/// The same for the rebuild on SQLite, which has text and numbers only.
fn converted(from: &Column, to: &Column) -> Option<String> {
    let kind = match (kinds::family(&from.kind), kinds::family(&to.kind)) {
        ("text", "number") if to.kind.starts_with("double") || to.kind.starts_with("float") => "real",
        ("text", "number") => "integer",
        ("number", "text") => "text",
        _ => return None,
    };
    Some(format!("({:?}, \"CAST({} AS {kind})\".to_owned())", to.name, plain_or_quoted(&to.name)))
}
