//! What a migration must do to one table.

use crate::schema::{Check, Column, Difference, ForeignKey, Index, SchemaItem, Table, compare_tables};

/// The differences between two versions of a table, sorted by what a migration must do.
#[derive(Default)]
pub(super) struct TableDiff {
    pub(super) dropped_indexes: Vec<Index>,
    pub(super) dropped_keys: Vec<ForeignKey>,
    pub(super) dropped_checks: Vec<Check>,
    pub(super) dropped_columns: Vec<Column>,
    pub(super) changed_columns: Vec<(Column, Column)>,
    pub(super) added_columns: Vec<Column>,
    pub(super) added_checks: Vec<Check>,
    pub(super) added_keys: Vec<ForeignKey>,
    pub(super) added_indexes: Vec<Index>,
    /// Differences for which no code can be generated, one line each.
    pub(super) manual: Vec<String>,
}

impl TableDiff {
    pub(super) fn between(name: &str, from: &Table, to: &Table) -> Self {
        let mut diff = Self::default();
        for difference in compare_tables(name, to, from) {
            diff.add(difference);
        }
        for (from, to) in &diff.changed_columns {
            let attributes = (&from.auto_increment, &from.generated, &from.collation);
            if attributes != (&to.auto_increment, &to.generated, &to.collation) {
                let line = "its auto-increment, generated expression or collation differs on PostgreSQL";
                diff.manual.push(format!("{name}.{}: {line}", from.name));
            }
        }
        // A check is created and dropped together with its column.
        let names = |columns: &[Column]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let (added, dropped) = (names(&diff.added_columns), names(&diff.dropped_columns));
        diff.added_checks.retain(|check| !check.columns.first().is_some_and(|column| added.contains(column)));
        diff.dropped_checks.retain(|check| !matches!(&check.columns[..], [column] if dropped.contains(column)));
        diff
    }

    /// Adds a difference between the new table (expected) and the old one (actual).
    fn add(&mut self, difference: Difference) {
        let line = difference.line("the new table").replace("the database", "the old one");
        let Difference { expected: to, actual: from, .. } = difference;
        match (from, to) {
            (Some(SchemaItem::Column(from)), Some(SchemaItem::Column(to))) => self.changed_columns.push((from, to)),
            (None, Some(SchemaItem::Column(column))) => self.added_columns.push(column),
            (Some(SchemaItem::Column(column)), None) => self.dropped_columns.push(column),
            (from, to) => {
                let is_dropped = from.is_none_or(|item| self.drop_item(item));
                let is_added = to.is_none_or(|item| self.add_item(item));
                if !is_dropped || !is_added {
                    self.manual.push(line);
                }
            }
        }
    }

    /// Whether code can drop the item.
    fn drop_item(&mut self, item: SchemaItem) -> bool {
        match item {
            SchemaItem::Index(index) => self.dropped_indexes.push(index),
            SchemaItem::ForeignKey(key) => self.dropped_keys.push(key),
            SchemaItem::Check(check) => self.dropped_checks.push(check),
            _ => return false,
        }
        true
    }

    /// Whether code can add the item.
    fn add_item(&mut self, item: SchemaItem) -> bool {
        match item {
            SchemaItem::Index(index) => self.added_indexes.push(index),
            SchemaItem::ForeignKey(key) => self.added_keys.push(key),
            SchemaItem::Check(check) => self.added_checks.push(check),
            _ => return false,
        }
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        let dropped = self.dropped_indexes.len() + self.dropped_keys.len() + self.dropped_checks.len();
        let columns = self.dropped_columns.len() + self.changed_columns.len() + self.added_columns.len();
        dropped + columns + self.added_checks.len() + self.added_keys.len() + self.added_indexes.len() == 0
    }

    /// Whether SQLite must rebuild the table `from`: it cannot alter columns and constraints, and
    /// adds only simple columns.
    pub(super) fn needs_rebuild(&self, from: &Table) -> bool {
        let is_in_constraint = |column: &Column| {
            let contains = |columns: &Vec<String>| columns.contains(&column.name);
            let is_unique = |index: &Index| index.constraint && contains(&index.columns);
            contains(&from.primary_key)
                || from.foreign_keys.iter().any(|key| contains(&key.columns))
                || from.checks.iter().any(|check| contains(&check.columns) && check.columns.len() > 1)
                || from.indexes.iter().any(is_unique)
        };
        let is_constant = |default: &String| !default.contains('(') && !default.to_uppercase().contains("CURRENT_");
        let is_addable = |column: &Column| {
            let has_constant = column.default.as_ref().is_some_and(is_constant);
            let has_value = if column.default.is_none() { column.nullable } else { has_constant };
            has_value && column.generated.is_none() && column.auto_increment.is_none()
        };
        let keys_and_checks =
            self.dropped_keys.len() + self.added_keys.len() + self.dropped_checks.len() + self.added_checks.len();
        self.changed_columns.len() + keys_and_checks > 0
            || self.dropped_columns.iter().any(is_in_constraint)
            || self.dropped_indexes.iter().any(|index| index.constraint)
            || !self.added_columns.iter().all(is_addable)
    }
}
