//! Compares two schemas of the same kind of database.

use super::difference::differing_attributes;
use super::sql_text::{normalize_sql, same_text};
use super::{Check, Column, Difference, ForeignKey, Index, Schema, SchemaItem, Table};

/// An expected and an actual item that do not agree; one of them may be missing.
type Pair = (Option<SchemaItem>, Option<SchemaItem>);

/// Compares all tables and views. Tables and views that are not expected are ignorable.
pub fn compare(expected: &Schema, actual: &Schema) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (name, table) in &expected.tables {
        match actual.tables.get(name) {
            Some(actual) => differences.extend(compare_tables(name, table, actual)),
            None => differences.push(Difference {
                table: name.clone(),
                expected: Some(SchemaItem::Table(table.clone())),
                actual: None,
                ignorable: false,
            }),
        }
    }
    let extra = |table: &String, item: SchemaItem| Difference {
        table: table.clone(),
        expected: None,
        actual: Some(item),
        ignorable: true,
    };
    let tables = actual.tables.iter().filter(|(name, _)| !expected.tables.contains_key(*name));
    differences.extend(tables.map(|(name, table)| extra(name, SchemaItem::Table(table.clone()))));
    differences.extend(actual.views.difference(&expected.views).map(|name| extra(name, SchemaItem::View)));
    differences
}

/// Compares the columns, keys, indexes, checks and triggers of two tables.
pub fn compare_tables(name: &str, expected: &Table, actual: &Table) -> Vec<Difference> {
    let mut pairs: Vec<Pair> = Vec::new();
    if expected.kind != actual.kind {
        pairs.push((Some(SchemaItem::Table(expected.clone())), Some(SchemaItem::Table(actual.clone()))));
    }
    let same_name = |a: &Column, b: &Column| a.name == b.name;
    pairs.extend(unequal(&expected.columns, &actual.columns, same_column, same_name, SchemaItem::Column));
    if expected.primary_key != actual.primary_key {
        let key = |columns: &Vec<String>| (!columns.is_empty()).then(|| SchemaItem::PrimaryKey(columns.clone()));
        pairs.push((key(&expected.primary_key), key(&actual.primary_key)));
    }
    let same_ends = |a: &ForeignKey, b: &ForeignKey| a.columns == b.columns && a.parent == b.parent;
    let (expected_keys, actual_keys) = (&expected.foreign_keys, &actual.foreign_keys);
    pairs.extend(unequal(expected_keys, actual_keys, same_foreign_key, same_ends, SchemaItem::ForeignKey));
    pairs.extend(unequal(&expected.indexes, &actual.indexes, same_index, |_, _| false, SchemaItem::Index));
    pairs.extend(unequal(&expected.checks, &actual.checks, same_check, |_, _| false, SchemaItem::Check));
    pairs.extend(unequal(&expected.triggers, &actual.triggers, |a, b| a == b, |_, _| false, SchemaItem::Trigger));
    let difference = |(item, other): Pair| Difference {
        table: name.to_owned(),
        ignorable: item.is_none() && other.as_ref().is_some_and(|extra| is_ignorable(extra, expected, actual)),
        expected: item,
        actual: other,
    };
    pairs.into_iter().map(difference).collect()
}

/// The items that have no equal on the other side. Two of them that are `alike` are the two
/// versions of one item.
fn unequal<T: Clone>(
    expected: &[T],
    actual: &[T],
    equal: impl Fn(&T, &T) -> bool,
    alike: impl Fn(&T, &T) -> bool,
    item: impl Fn(T) -> SchemaItem,
) -> Vec<Pair> {
    let mut extra: Vec<&T> = actual.iter().collect();
    let mut missing: Vec<&T> = Vec::new();
    for one in expected {
        match extra.iter().position(|other| equal(one, other)) {
            Some(at) => drop(extra.remove(at)),
            None => missing.push(one),
        }
    }
    let mut pairs = Vec::new();
    for one in missing {
        let other = extra.iter().position(|other| alike(one, other)).map(|at| extra.remove(at));
        pairs.push((Some(item(one.clone())), other.map(|other| item(other.clone()))));
    }
    pairs.extend(extra.into_iter().map(|other| (None, Some(item(other.clone())))));
    pairs
}

fn same_column(a: &Column, b: &Column) -> bool {
    a.name == b.name && differing_attributes(a, b).is_empty()
}

pub(crate) fn same_foreign_key(a: &ForeignKey, b: &ForeignKey) -> bool {
    ForeignKey { name: String::new(), ..a.clone() } == ForeignKey { name: String::new(), ..b.clone() }
}

/// A UNIQUE constraint and a unique index are equal: they have the same effect.
pub(crate) fn same_index(a: &Index, b: &Index) -> bool {
    let columns = |index: &Index| index.columns.iter().map(|column| normalize_sql(column)).collect::<Vec<_>>();
    (a.unique, &a.notes, columns(a)) == (b.unique, &b.notes, columns(b))
        && same_text(a.predicate.as_ref(), b.predicate.as_ref())
}

pub(crate) fn same_check(a: &Check, b: &Check) -> bool {
    a.notes == b.notes && normalize_sql(&a.condition) == normalize_sql(&b.condition)
}

/// Whether a program that does not know the extra item can write rows of the expected table.
fn is_ignorable(extra: &SchemaItem, expected: &Table, actual: &Table) -> bool {
    let is_unknown = |column: &String| expected.column(column).is_none();
    match extra {
        SchemaItem::Column(column) => {
            let is_filled = column.default.is_some() || column.auto_increment.is_some() || column.generated.is_some();
            column.nullable || is_filled
        }
        // Rows do not collide in a unique index if one of its columns is NULL in all of them.
        SchemaItem::Index(index) => {
            let stays_null = |column: &String| {
                actual.column(column).is_some_and(|column| {
                    is_unknown(&column.name)
                        && column.nullable
                        && column.default.is_none()
                        && column.generated.is_none()
                })
            };
            !index.notes.contains("exclusion") && (!index.unique || index.columns.iter().any(stays_null))
        }
        SchemaItem::ForeignKey(key) => key.columns.iter().all(is_unknown),
        SchemaItem::Check(check) => !check.columns.is_empty() && check.columns.iter().all(is_unknown),
        SchemaItem::Trigger(_) | SchemaItem::View => true,
        SchemaItem::Table(_) | SchemaItem::PrimaryKey(_) => false,
    }
}
