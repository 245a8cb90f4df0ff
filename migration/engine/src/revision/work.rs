//! What is to be done to a table, sorted.

use crate::facts::{Check, Column, Difference, ForeignKey, Index, Part, Table, compare_tables};

/// What differs between two forms of a table, sorted by what is to be done.
#[derive(Default)]
pub(super) struct Work {
    pub(super) dropped_indexes: Vec<Index>,
    pub(super) dropped_keys: Vec<ForeignKey>,
    pub(super) dropped_checks: Vec<Check>,
    pub(super) dropped_columns: Vec<Column>,
    pub(super) changed_columns: Vec<(Column, Column)>,
    pub(super) added_columns: Vec<Column>,
    pub(super) added_checks: Vec<Check>,
    pub(super) added_keys: Vec<ForeignKey>,
    pub(super) added_indexes: Vec<Index>,
    pub(super) by_hand: Vec<String>,
}

impl Work {
    pub(super) fn between(name: &str, from: &Table, to: &Table) -> Self {
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

    pub(super) fn is_empty(&self) -> bool {
        let parts = self.dropped_indexes.len() + self.dropped_keys.len() + self.dropped_checks.len();
        let columns = self.dropped_columns.len() + self.changed_columns.len() + self.added_columns.len();
        parts + columns + self.added_checks.len() + self.added_keys.len() + self.added_indexes.len() == 0
    }

    /// What SQLite does only by making the table anew.
    pub(super) fn needs_rebuild(&self, from: &Table) -> bool {
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
