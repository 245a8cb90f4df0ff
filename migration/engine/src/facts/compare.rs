//! Two sets of facts of one kind of database, and what stands in one of them only.

use super::{Check, Column, Facts, ForeignKey, Index, Table, Trigger, plain, squeezed};
use serde::{Serialize, Serializer};
use std::fmt::Display;

/// One thing that two schemas do not share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table that it belongs to.
    pub table: String,
    /// What is wanted there; nothing where something else was found.
    pub wanted: Option<Part>,
    /// What was found there; nothing where something is missing.
    pub found: Option<Part>,
    /// Whether a program that knows nothing of it can live with it.
    pub tolerated: bool,
}

/// What a table is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The table itself.
    Table(Table),
    /// A view of this name.
    View,
    /// One column.
    Column(Column),
    /// The columns of the primary key.
    PrimaryKey(Vec<String>),
    /// One foreign key.
    ForeignKey(ForeignKey),
    /// One index, or one UNIQUE constraint.
    Index(Index),
    /// One CHECK.
    Check(Check),
    /// One trigger.
    Trigger(Trigger),
}

/// Compares all tables. What was found beside the wanted tables is tolerated.
pub fn compare(wanted: &Facts, found: &Facts) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (name, table) in &wanted.tables {
        match found.tables.get(name) {
            Some(found) => differences.extend(compare_tables(name, table, found)),
            None => differences.push(Difference {
                table: name.clone(),
                wanted: Some(Part::Table(table.clone())),
                found: None,
                tolerated: false,
            }),
        }
    }
    let strange = |table: &String, part: Part| Difference {
        table: table.clone(),
        wanted: None,
        found: Some(part),
        tolerated: true,
    };
    let tables = found.tables.iter().filter(|(name, _)| !wanted.tables.contains_key(*name));
    differences.extend(tables.map(|(name, table)| strange(name, Part::Table(table.clone()))));
    differences.extend(found.views.difference(&wanted.views).map(|name| strange(name, Part::View)));
    differences
}

/// Compares what two tables are made of.
pub fn compare_tables(name: &str, wanted: &Table, found: &Table) -> Vec<Difference> {
    let mut pairs: Vec<(Option<Part>, Option<Part>)> = Vec::new();
    if wanted.kind != found.kind {
        pairs.push((Some(Part::Table(wanted.clone())), Some(Part::Table(found.clone()))));
    }
    pairs.extend(matched(&wanted.columns, &found.columns, same_column, |a, b| a.name == b.name, Part::Column));
    if wanted.primary_key != found.primary_key {
        let key = |columns: &Vec<String>| (!columns.is_empty()).then(|| Part::PrimaryKey(columns.clone()));
        pairs.push((key(&wanted.primary_key), key(&found.primary_key)));
    }
    let same_ends = |a: &ForeignKey, b: &ForeignKey| a.columns == b.columns && a.parent == b.parent;
    pairs.extend(matched(&wanted.foreign_keys, &found.foreign_keys, same_key, same_ends, Part::ForeignKey));
    pairs.extend(matched(&wanted.indexes, &found.indexes, same_index, |_, _| false, Part::Index));
    pairs.extend(matched(&wanted.checks, &found.checks, same_check, |_, _| false, Part::Check));
    pairs.extend(matched(&wanted.triggers, &found.triggers, |a, b| a == b, |_, _| false, Part::Trigger));
    let difference = |(part, strange): (Option<Part>, Option<Part>)| Difference {
        table: name.to_owned(),
        tolerated: part.is_none() && strange.as_ref().is_some_and(|strange| is_tolerable(strange, wanted, found)),
        wanted: part,
        found: strange,
    };
    pairs.into_iter().map(difference).collect()
}

/// Takes the part of a difference that was found out of its table.
pub(crate) fn remove(facts: &mut Facts, difference: &Difference) {
    let Some(table) = facts.tables.get_mut(&difference.table) else { return };
    match &difference.found {
        Some(Part::Column(column)) => table.columns.retain(|known| known != column),
        Some(Part::ForeignKey(key)) => table.foreign_keys.retain(|known| known != key),
        Some(Part::Index(index)) => table.indexes.retain(|known| known != index),
        Some(Part::Check(check)) => table.checks.retain(|known| known != check),
        Some(Part::Trigger(trigger)) => table.triggers.retain(|known| known != trigger),
        Some(Part::Table(_)) => _ = facts.tables.remove(&difference.table),
        Some(Part::View | Part::PrimaryKey(_)) | None => {}
    }
}

/// Sets equal things aside, one for one, then pairs those that are `alike`; the rest stands alone.
fn matched<T: Clone>(
    wanted: &[T],
    found: &[T],
    same: impl Fn(&T, &T) -> bool,
    alike: impl Fn(&T, &T) -> bool,
    part: impl Fn(T) -> Part,
) -> Vec<(Option<Part>, Option<Part>)> {
    let mut found: Vec<&T> = found.iter().collect();
    let mut missing: Vec<&T> = Vec::new();
    for thing in wanted {
        match found.iter().position(|other| same(thing, other)) {
            Some(at) => drop(found.remove(at)),
            None => missing.push(thing),
        }
    }
    let mut pairs = Vec::new();
    for thing in missing {
        let other = found.iter().position(|other| alike(thing, other)).map(|at| found.remove(at));
        pairs.push((Some(part(thing.clone())), other.map(|other| part(other.clone()))));
    }
    pairs.extend(found.into_iter().map(|strange| (None, Some(part(strange.clone())))));
    pairs
}

fn same_text(a: Option<&String>, b: Option<&String>) -> bool {
    a.map(|text| squeezed(text)) == b.map(|text| squeezed(text))
}

fn same_column(a: &Column, b: &Column) -> bool {
    a.name == b.name && aspects(a, b).is_empty()
}

pub(crate) fn same_key(a: &ForeignKey, b: &ForeignKey) -> bool {
    ForeignKey { name: String::new(), ..a.clone() } == ForeignKey { name: String::new(), ..b.clone() }
}

/// A UNIQUE constraint and a unique index do the same.
pub(crate) fn same_index(a: &Index, b: &Index) -> bool {
    let columns = |index: &Index| index.columns.iter().map(|column| squeezed(column)).collect::<Vec<_>>();
    (a.unique, &a.notes, columns(a)) == (b.unique, &b.notes, columns(b))
        && same_text(a.predicate.as_ref(), b.predicate.as_ref())
}

pub(crate) fn same_check(a: &Check, b: &Check) -> bool {
    a.notes == b.notes && squeezed(&a.condition) == squeezed(&b.condition)
}

/// Whether rows can be written by a program that knows nothing of it.
fn is_tolerable(strange: &Part, wanted: &Table, found: &Table) -> bool {
    let is_unknown = |column: &String| wanted.column(column).is_none();
    match strange {
        Part::Column(column) => {
            let filled = column.default.is_some() || column.numbered.is_some() || column.generated.is_some();
            column.nullable || filled
        }
        // Two rows that leave a column out do not collide when it is NULL in both of them.
        Part::Index(index) => {
            let stays_null = |column: &String| {
                found.column(column).is_some_and(|column| {
                    is_unknown(&column.name)
                        && column.nullable
                        && column.default.is_none()
                        && column.generated.is_none()
                })
            };
            !index.notes.contains("exclusion") && (!index.unique || index.columns.iter().any(stays_null))
        }
        Part::ForeignKey(key) => key.columns.iter().all(is_unknown),
        Part::Check(check) => !check.columns.is_empty() && check.columns.iter().all(is_unknown),
        Part::Trigger(_) | Part::View => true,
        Part::Table(_) | Part::PrimaryKey(_) => false,
    }
}

/// What the first column says, and the second says otherwise.
fn aspects(column: &Column, other: &Column) -> Vec<String> {
    let mut told = Vec::new();
    if column.kind != other.kind {
        told.push(column.kind.clone());
    }
    if column.nullable != other.nullable {
        told.push(if column.nullable { "may be NULL" } else { "NOT NULL" }.to_owned());
    }
    if !same_text(column.default.as_ref(), other.default.as_ref()) {
        told.push(
            column.default.as_ref().map_or("no default".to_owned(), |default| format!("default {}", plain(default))),
        );
    }
    if column.numbered != other.numbered {
        told.push(column.numbered.as_ref().map_or("not numbered".to_owned(), |by| format!("numbered ({by})")));
    }
    if !same_text(column.generated.as_ref(), other.generated.as_ref()) {
        told.push(column.generated.as_ref().map_or("not generated".to_owned(), |from| format!("generated as {from}")));
    }
    if column.collation != other.collation {
        told.push(column.collation.as_ref().map_or("no collation".to_owned(), |name| format!("collation {name}")));
    }
    told
}

impl Part {
    /// Its words: all of them, or, beside another form of itself, those that differ. Only a `found` thing is told with its name:
    /// names are not compared, and those that the entities would give are of no use to anybody.
    fn told(&self, other: Option<&Self>, found: bool) -> String {
        let joined = |columns: &[String]| columns.join(", ");
        let noted = |notes: &str| if notes.is_empty() { String::new() } else { format!(", {notes}") };
        let named = |name: &str| if name.is_empty() || !found { String::new() } else { format!(" {name}") };
        match (self, other) {
            (Self::Table(table), _) => table.kind.clone(),
            (Self::View, _) => "view".to_owned(),
            (Self::Column(column), Some(Self::Column(other))) => aspects(column, other).join(", "),
            (Self::Column(column), _) => {
                let plain = Column { nullable: true, ..Column::default() };
                aspects(column, &plain).join(", ")
            }
            (Self::PrimaryKey(columns), _) => format!("primary key ({})", joined(columns)),
            (Self::ForeignKey(key), _) => {
                let update = match key.on_update.as_str() {
                    "no action" => String::new(),
                    action => format!(" on update {action}"),
                };
                let (from, to) = (joined(&key.columns), joined(&key.parent_columns));
                let notes = noted(&key.notes);
                format!("foreign key ({from}) to {} ({to}) on delete {}{update}{notes}", key.parent, key.on_delete)
            }
            (Self::Index(index), _) => {
                let kind = if index.unique { "unique index" } else { "index" };
                let only = index.predicate.as_ref().map(|rows| format!(" where {rows}")).unwrap_or_default();
                let (columns, notes) = (joined(&index.columns), noted(&index.notes));
                format!("{kind}{} ({columns}){only}{notes}", named(&index.name))
            }
            (Self::Check(check), _) => {
                format!("check{} ({}){}", named(&check.name), plain(&check.condition), noted(&check.notes))
            }
            (Self::Trigger(trigger), _) => format!("trigger{}", named(&trigger.name)),
        }
    }
}

impl Difference {
    fn both(&self) -> (Option<String>, Option<String>) {
        let wanted = self.wanted.as_ref().map(|part| part.told(self.found.as_ref(), false));
        (wanted, self.found.as_ref().map(|part| part.told(self.wanted.as_ref(), true)))
    }

    /// What differs: `videos.title`, or `videos`.
    pub fn subject(&self) -> String {
        match self.wanted.as_ref().or(self.found.as_ref()) {
            Some(Part::Column(column)) => format!("{}.{}", self.table, column.name),
            _ => self.table.clone(),
        }
    }

    /// One line: `videos.title: varchar(255) in the entities, text in the database`.
    pub fn line(&self, wanted_in: &str) -> String {
        let subject = self.subject();
        match self.both() {
            (Some(wanted), Some(found)) => format!("{subject}: {wanted} in {wanted_in}, {found} in the database"),
            (Some(wanted), None) => format!("{subject}: {wanted} in {wanted_in}, missing in the database"),
            (None, Some(found)) => format!("{subject}: {found} in the database, unknown to {wanted_in}"),
            (None, None) => subject,
        }
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line("the entities"))
    }
}

/// For programs: the words of the line, one by one.
impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Words {
            subject: String,
            wanted: Option<String>,
            found: Option<String>,
            tolerated: bool,
        }
        let (wanted, found) = self.both();
        Words { subject: self.subject(), wanted, found, tolerated: self.tolerated }.serialize(serializer)
    }
}
