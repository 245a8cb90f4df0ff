//! Facts in words that both databases understand, so that a migration written from one of them runs on the other.
//!
//! Here the type of a column is a call of sea-query's builder (`string_len(255)`), and expressions are plain SQL.

use super::kinds;
use crate::entities::Entities;
use crate::facts::{Check, Column, Facts, Table, plain, same_check, same_index, same_key, words};
use crate::wanted::{postgres_statements, sqlite_facts};
use operations::create_table::{DefinitionSubject, definitions};
use sea_orm::DbErr;
use std::collections::BTreeMap;

/// What the entities want.
pub(super) async fn of_entities(entities: Entities) -> Result<Facts, DbErr> {
    let mut facts = sqlite_facts(entities).await?;
    let kinds = postgres_kinds(&postgres_statements(entities).await?);
    for (name, table) in &mut facts.tables {
        for column in &mut table.columns {
            let postgres = kinds.get(&(name.clone(), column.name.to_lowercase()));
            column.kind = kinds::call(postgres.map(String::as_str), Some(&column.kind));
        }
        for key in &mut table.foreign_keys {
            key.name = format!("{name}_{}_fkey", key.columns.join("_"));
        }
        for index in &mut table.indexes {
            index.constraint = false;
            index.name = format!("ix_{name}_{}", index.columns.join("_"));
        }
        for check in &mut table.checks {
            check.name = format!("{name}_{}_check", check.columns.join("_"));
        }
        sort(table);
    }
    Ok(facts)
}

/// Each database lists its own way; sorted, they tell the same.
fn sort(table: &mut Table) {
    table.indexes.sort_by(|a, b| (&a.columns, &a.predicate).cmp(&(&b.columns, &b.predicate)));
    table.foreign_keys.sort_by(|a, b| (&a.columns, &a.parent).cmp(&(&b.columns, &b.parent)));
    table.checks.sort_by(|a, b| (&a.columns, &a.condition).cmp(&(&b.columns, &b.condition)));
}

/// The types of all columns, as `CREATE TABLE` spells them.
fn postgres_kinds(statements: &[String]) -> BTreeMap<(String, String), String> {
    let mut kinds = BTreeMap::new();
    for statement in statements.iter().filter(|statement| statement.starts_with("CREATE TABLE")) {
        let table = words(statement).find(|word| word.starts_with('"')).unwrap_or_default().trim_matches('"');
        for part in definitions(statement) {
            let DefinitionSubject::Column(column) = part.subject else { continue };
            let kind: Vec<&str> = words(&part.text).skip(1).take_while(|word| !BEHIND_A_TYPE.contains(word)).collect();
            let kind = kind.join(" ").replace(" ( ", "(").replace(" )", ")").replace(" , ", ", ");
            kinds.insert((table.to_owned(), column), kind);
        }
    }
    kinds
}

const BEHIND_A_TYPE: [&str; 8] = ["NOT", "NULL", "DEFAULT", "GENERATED", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES"];

/// A live table and what it is to become.
pub(super) struct Change {
    pub(super) before: Table,
    pub(super) after: Table,
}

impl Change {
    /// From the live table and the wanted one, both in the words of the live database, and the wanted one in neutral words.
    pub(super) fn of(name: &str, found: &Table, wanted: &Table, neutral: &Table, on_postgres: bool) -> Self {
        let mut before = found.clone();
        before.triggers.clear();
        for column in &mut before.columns {
            let refers = !on_postgres && found.foreign_keys.iter().any(|key| key.columns == [column.name.clone()]);
            translate_column(column, refers, wanted.column(&column.name), neutral);
        }
        for check in &mut before.checks {
            translate_check(name, check, wanted, neutral);
        }
        for index in &mut before.indexes {
            index.predicate = index.predicate.as_deref().map(plain);
            index.columns = index.columns.iter().map(|column| plain(column)).collect();
            if index.name.is_empty() {
                index.name = format!("uq_{name}_{}", index.columns.join("_"));
            }
        }
        for key in before.foreign_keys.iter_mut().filter(|key| key.name.is_empty()) {
            key.name = format!("{name}_{}_fkey", key.columns.join("_"));
        }
        sort(&mut before);
        let after = after(&before, neutral);
        Self { before, after }
    }
}

/// The wanted table, its columns in the order of the live one, its indexes and constraints under the names that they have.
fn after(before: &Table, neutral: &Table) -> Table {
    let place = |column: &Column| before.columns.iter().position(|known| known.name == column.name);
    let mut after = Table { kind: before.kind.clone(), ..neutral.clone() };
    after.columns.sort_by_key(|column| place(column).unwrap_or(usize::MAX));
    after.foreign_keys = kept(&after.foreign_keys, &before.foreign_keys, same_key);
    after.indexes = kept(&after.indexes, &before.indexes, same_index);
    after.checks = kept(&after.checks, &before.checks, same_check);
    after
}

fn kept<T: Clone>(wanted: &[T], known: &[T], same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    wanted.iter().map(|thing| known.iter().find(|known| same(thing, known)).unwrap_or(thing).clone()).collect()
}

fn translate_column(column: &mut Column, refers: bool, wanted: Option<&Column>, neutral: &Table) {
    let neutral = neutral.column(&column.name);
    column.kind = match (wanted, neutral) {
        (Some(wanted), Some(neutral)) if wanted.kind == column.kind => neutral.kind.clone(),
        // SQLite has one word for integers of all widths.
        _ if column.kind == "integer" && (refers || column.numbered.as_deref() == Some("autoincrement")) => {
            "big_integer()".to_owned()
        }
        _ => match kinds::call(Some(&column.kind), None) {
            unknown if unknown.starts_with("custom") => kinds::call(None, Some(&column.kind)),
            call => call,
        },
    };
    column.numbered = column.numbered.as_ref().map(|_| "autoincrement".to_owned());
    column.default = match (wanted, neutral) {
        (Some(wanted), Some(neutral)) if wanted.default == column.default => neutral.default.clone(),
        _ => column.default.as_deref().map(plain),
    };
}

/// A check that is wanted as it is has neutral words already: those of the wanted check in the same place among the checks
/// of the same columns.
fn translate_check(table: &str, check: &mut Check, wanted: &Table, neutral: &Table) {
    let of_columns = |check: &Check, all: &[Check]| -> Vec<Check> {
        let sorted = |check: &Check| {
            let mut columns = check.columns.clone();
            columns.sort();
            columns
        };
        all.iter().filter(|other| sorted(other) == sorted(check)).cloned().collect()
    };
    let place = of_columns(check, &wanted.checks).iter().position(|other| same_check(other, check));
    check.condition = match place.and_then(|at| of_columns(check, &neutral.checks).get(at).cloned()) {
        Some(neutral) => neutral.condition,
        None => plain(&check.condition),
    };
    if check.name.is_empty() {
        check.name = format!("{table}_{}_check", check.columns.join("_"));
    }
}
