//! The statements that bring one table from one form to another, on both databases.

use super::{code, kinds};
use crate::facts::{Check, Column, Difference, ForeignKey, Index, Part, Table, compare_tables};

/// What differs between two forms of a table, sorted by what is to be done.
#[derive(Default)]
struct Work {
    dropped_indexes: Vec<Index>,
    dropped_keys: Vec<ForeignKey>,
    dropped_checks: Vec<Check>,
    dropped_columns: Vec<Column>,
    changed_columns: Vec<(Column, Column)>,
    added_columns: Vec<Column>,
    added_checks: Vec<Check>,
    added_keys: Vec<ForeignKey>,
    added_indexes: Vec<Index>,
    by_hand: Vec<String>,
}

impl Work {
    fn between(name: &str, from: &Table, to: &Table) -> Self {
        let mut work = Self::default();
        for difference in compare_tables(name, to, from) {
            let line = difference.line("the new form").replace("the database", "the old one");
            let Difference { wanted, found, .. } = difference;
            match (found, wanted) {
                (Some(Part::Column(from)), Some(Part::Column(to))) => work.changed_columns.push((from, to)),
                (None, Some(Part::Column(column))) => work.added_columns.push(column),
                (Some(Part::Column(column)), None) => work.dropped_columns.push(column),
                (found, wanted) => {
                    let mut told = false;
                    match found {
                        Some(Part::Index(index)) => work.dropped_indexes.push(index),
                        Some(Part::ForeignKey(key)) => work.dropped_keys.push(key),
                        Some(Part::Check(check)) => work.dropped_checks.push(check),
                        Some(_) => told = true,
                        None => {}
                    }
                    match wanted {
                        Some(Part::Index(index)) => work.added_indexes.push(index),
                        Some(Part::ForeignKey(key)) => work.added_keys.push(key),
                        Some(Part::Check(check)) => work.added_checks.push(check),
                        Some(_) => told = true,
                        None => {}
                    }
                    if told {
                        work.by_hand.push(line);
                    }
                }
            }
        }
        for (from, to) in &work.changed_columns {
            let unusual = (&from.numbered, &from.generated, &from.collation);
            if unusual != (&to.numbered, &to.generated, &to.collation) {
                work.by_hand.push(format!("{name}.{}: PostgreSQL numbers, computes or sorts it otherwise", from.name));
            }
        }
        // The check of a column comes and goes with it.
        let names = |columns: &[Column]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let (new, gone) = (names(&work.added_columns), names(&work.dropped_columns));
        work.added_checks.retain(|check| !check.columns.first().is_some_and(|column| new.contains(column)));
        work.dropped_checks.retain(|check| !matches!(&check.columns[..], [column] if gone.contains(column)));
        work
    }

    fn is_empty(&self) -> bool {
        let parts = self.dropped_indexes.len() + self.dropped_keys.len() + self.dropped_checks.len();
        let columns = self.dropped_columns.len() + self.changed_columns.len() + self.added_columns.len();
        parts + columns + self.added_checks.len() + self.added_keys.len() + self.added_indexes.len() == 0
    }

    /// What SQLite does only by making the table anew.
    fn needs_rebuild(&self, from: &Table) -> bool {
        let is_bound = |column: &Column| {
            let holds = |columns: &Vec<String>| columns.contains(&column.name);
            let is_unique = |index: &Index| index.constraint && holds(&index.columns);
            holds(&from.primary_key)
                || from.foreign_keys.iter().any(|key| holds(&key.columns))
                || from.checks.iter().any(|check| holds(&check.columns) && check.columns.len() > 1)
                || from.indexes.iter().any(is_unique)
        };
        let is_constant = |default: &String| !default.contains('(') && !default.to_uppercase().contains("CURRENT_");
        let is_addable = |column: &Column| {
            let constant = column.default.as_ref().is_some_and(is_constant);
            let fits = if column.default.is_none() { column.nullable } else { constant };
            fits && column.generated.is_none() && column.numbered.is_none()
        };
        let keys_and_checks =
            self.dropped_keys.len() + self.added_keys.len() + self.dropped_checks.len() + self.added_checks.len();
        self.changed_columns.len() + keys_and_checks > 0
            || self.dropped_columns.iter().any(is_bound)
            || self.dropped_indexes.iter().any(|index| index.constraint)
            || !self.added_columns.iter().all(is_addable)
    }
}

/// Code of one direction, and whether it needs the two shapes of the table.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) code: Vec<String>,
    pub(super) rebuilds: bool,
    pub(super) sets_aside: bool,
}

/// From one form of a table to another. `shapes` are the names of the functions that tell them, for a rebuild.
pub(super) fn steps(name: &str, from: &Table, to: &Table, shapes: (&str, &str)) -> Steps {
    let work = Work::between(name, from, to);
    let mut code: Vec<String> = work.by_hand.iter().map(|line| format!("// Write this step by hand. {line}")).collect();
    if work.is_empty() {
        return Steps { code, ..Steps::default() };
    }
    code.extend(refusals(name, &work));
    if !work.needs_rebuild(from) {
        code.extend(common(name, to, &work));
        return Steps { code, ..Steps::default() };
    }
    let sets_aside = work.changed_columns.iter().any(|(from, to)| from.kind != to.kind);
    code.push("if sql::on_postgres(manager) {".to_owned());
    if sets_aside {
        code.push(format!("let aside = Aside::take(manager, &[{name:?}]).await?;"));
    }
    code.extend(on_postgres(name, from, to, &work));
    if sets_aside {
        code.push("aside.give_back(manager).await?;".to_owned());
    }
    code.push("} else {".to_owned());
    let odd = |index: &&Index| code::is_odd(index);
    code.extend(work.dropped_indexes.iter().filter(odd).map(drop_index));
    let converted: Vec<String> = work.changed_columns.iter().filter_map(|(from, to)| converted(from, to)).collect();
    code.push(format!("{}().rebuild(manager, &{}(), &[{}]).await?;", shapes.1, shapes.0, converted.join(", ")));
    code.extend(work.added_indexes.iter().filter(odd).map(|index| create_index(name, index)));
    code.push("}".to_owned());
    Steps { code, rebuilds: true, sets_aside }
}

/// What may be a new name rather than another column: nobody can tell from the two forms.
pub(super) fn renames(from: &Table, to: &Table) -> Option<String> {
    let names = |one: &Table, other: &Table| {
        let names = one.columns.iter().map(|column| column.name.as_str()).filter(|name| other.column(name).is_none());
        names.collect::<Vec<_>>().join(" or ")
    };
    let (old, new) = (names(from, to), names(to, from));
    let told = format!("// If {old} is only to be called {new}, rename the column: this loses its values.");
    (!old.is_empty() && !new.is_empty()).then_some(told)
}

/// Rows that the new form cannot hold, before anything is changed.
fn refusals(name: &str, work: &Work) -> Vec<String> {
    let mut code = Vec::new();
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
fn common(name: &str, to: &Table, work: &Work) -> Vec<String> {
    let mut code: Vec<String> = work.dropped_indexes.iter().map(drop_index).collect();
    for column in &work.dropped_columns {
        let drop = format!("Table::alter().table({name:?}).drop_column({:?}).take()", column.name);
        code.push(format!("manager.alter_table({drop}).await?;"));
    }
    for column in &work.added_columns {
        code.extend(add_column(name, to, column));
    }
    code.extend(work.added_indexes.iter().map(|index| create_index(name, index)));
    code
}

fn on_postgres(name: &str, from: &Table, to: &Table, work: &Work) -> Vec<String> {
    let mut code: Vec<String> = work.dropped_indexes.iter().filter(|index| !index.constraint).map(drop_index).collect();
    let uniques = work.dropped_indexes.iter().filter(|index| index.constraint).map(|index| &index.name);
    let checks = work.dropped_checks.iter().map(|check| &check.name);
    let keys = work.dropped_keys.iter().map(|key| &key.name);
    for constraint in uniques.chain(checks).chain(keys) {
        code.push(alter(name, &format!("DROP CONSTRAINT {}", plain_or_quoted(constraint))));
    }
    // One ALTER for all columns, because each may write the whole table anew.
    let mut alter_columns = String::new();
    for column in &work.dropped_columns {
        alter_columns.push_str(&format!(".drop_column({:?})", column.name));
    }
    for (from, to) in &work.changed_columns {
        // A default of the old type may not fit the new one, not even for a moment.
        if from.default.is_some() && (to.default.is_none() || from.kind != to.kind) {
            code.push(alter(name, &format!("ALTER COLUMN {} DROP DEFAULT", plain_or_quoted(&to.name))));
        }
        alter_columns.extend(modified(from, to).map(|change| format!(".modify_column({change})")));
    }
    for column in &work.added_columns {
        let column = code::column(column, &code::checks_of(to, &column.name));
        alter_columns.push_str(&format!(".add_column({column})"));
    }
    if !alter_columns.is_empty() {
        code.push(format!("manager.alter_table(Table::alter().table({name:?}){alter_columns}.take()).await?;"));
    }
    for check in &work.added_checks {
        let constraint =
            format!("ADD CONSTRAINT {} CHECK ({})", plain_or_quoted(&free_name(check, from, work)), check.condition);
        code.push(alter(name, &constraint));
    }
    for key in &work.added_keys {
        code.push(format!("manager.create_foreign_key({}.take()).await?;", code::foreign_key(name, key)));
    }
    code.extend(work.added_indexes.iter().map(|index| match index.constraint {
        true => alter(
            name,
            &format!("ADD CONSTRAINT {} UNIQUE ({})", plain_or_quoted(&index.name), index.columns.join(", ")),
        ),
        false => create_index(name, index),
    }));
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

fn add_column(table: &str, to: &Table, column: &Column) -> Vec<String> {
    let column = code::column(column, &code::checks_of(to, &column.name));
    let add = format!("Table::alter().table({table:?}).add_column({column}).take()");
    vec![format!("manager.alter_table({add}).await?;")]
}

fn create_index(table: &str, index: &Index) -> String {
    if code::is_odd(index) {
        let kind = if index.unique { "UNIQUE INDEX" } else { "INDEX" };
        let rows = index.predicate.as_ref().map(|rows| format!(" WHERE {rows}")).unwrap_or_default();
        let (name, columns) = (plain_or_quoted(&index.name), index.columns.join(", "));
        let create = format!("CREATE {kind} {name} ON {} ({columns}){rows}", plain_or_quoted(table));
        return format!("sql::run(manager, {create:?}).await?;");
    }
    format!("manager.create_index({}.take()).await?;", code::index(table, index))
}

fn drop_index(index: &Index) -> String {
    format!("manager.drop_index(Index::drop().name({:?}).to_owned()).await?;", index.name)
}

fn alter(table: &str, change: &str) -> String {
    let statement = format!("{:?}", format!("ALTER TABLE {} {change}", plain_or_quoted(table)));
    let broken = match statement.split_once(" CHECK (") {
        Some((before, condition)) if statement.len() > 85 => {
            format!("{before} \\\n{}CHECK ({condition}", " ".repeat(17))
        }
        _ => statement,
    };
    format!("sql::run(manager, {broken}).await?;")
}

fn plain_or_quoted(name: &str) -> String {
    if name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}
