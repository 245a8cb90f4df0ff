//! One difference between two schemas, and its text.

use super::sql_text::same_text;
use super::{Check, Column, ForeignKey, Index, Schema, Table, Trigger, simplify_expr};
use serde::{Serialize, Serializer};
use std::fmt::{Display, Formatter};

/// One item that differs between the expected and the actual schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table of the item.
    pub table: String,
    /// The expected item; `None` if the database has one that is not expected.
    pub expected: Option<SchemaItem>,
    /// The item of the database; `None` if it is missing there.
    pub actual: Option<SchemaItem>,
    /// Whether a program that does not know the item can write rows anyway.
    pub ignorable: bool,
}

/// A table or view, or a part of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaItem {
    /// A whole table.
    Table(Table),
    /// A view.
    View,
    /// A column.
    Column(Column),
    /// The columns of the primary key.
    PrimaryKey(Vec<String>),
    /// A foreign key.
    ForeignKey(ForeignKey),
    /// An index or a UNIQUE constraint.
    Index(Index),
    /// A CHECK constraint.
    Check(Check),
    /// A trigger.
    Trigger(Trigger),
}

impl Difference {
    /// What differs: `videos.title`, or `videos` for everything but a column.
    pub fn subject(&self) -> String {
        match self.expected.as_ref().or(self.actual.as_ref()) {
            Some(SchemaItem::Column(column)) => format!("{}.{}", self.table, column.name),
            _ => self.table.clone(),
        }
    }

    /// One line: `videos.title: varchar(255) in the entities, text in the database`. `expected_in`
    /// is where the expected schema comes from (`the entities`).
    pub fn line(&self, expected_in: &str) -> String {
        let subject = self.subject();
        match self.descriptions() {
            (Some(expected), Some(actual)) => {
                format!("{subject}: {expected} in {expected_in}, {actual} in the database")
            }
            (Some(expected), None) => format!("{subject}: {expected} in {expected_in}, missing in the database"),
            (None, Some(actual)) => format!("{subject}: {actual} in the database, unknown to {expected_in}"),
            (None, None) => subject,
        }
    }

    /// The texts of the expected and of the actual item.
    fn descriptions(&self) -> (Option<String>, Option<String>) {
        let expected = self.expected.as_ref().map(|item| item.describe(self.actual.as_ref(), false));
        (expected, self.actual.as_ref().map(|item| item.describe(self.expected.as_ref(), true)))
    }

    /// Removes the actual item from a schema, so that it does not differ there any more.
    pub(crate) fn remove_from(&self, schema: &mut Schema) {
        let Some(table) = schema.tables.get_mut(&self.table) else { return };
        match &self.actual {
            Some(SchemaItem::Column(column)) => table.columns.retain(|known| known != column),
            Some(SchemaItem::ForeignKey(key)) => table.foreign_keys.retain(|known| known != key),
            Some(SchemaItem::Index(index)) => table.indexes.retain(|known| known != index),
            Some(SchemaItem::Check(check)) => table.checks.retain(|known| known != check),
            Some(SchemaItem::Trigger(trigger)) => table.triggers.retain(|known| known != trigger),
            Some(SchemaItem::Table(_)) => _ = schema.tables.remove(&self.table),
            Some(SchemaItem::View | SchemaItem::PrimaryKey(_)) | None => {}
        }
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line("the entities"))
    }
}

/// The texts of the line, one by one. Programs read these names.
impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Texts {
            subject: String,
            #[serde(rename = "wanted")]
            expected: Option<String>,
            #[serde(rename = "found")]
            actual: Option<String>,
            #[serde(rename = "tolerated")]
            ignorable: bool,
        }
        let (expected, actual) = self.descriptions();
        Texts { subject: self.subject(), expected, actual, ignorable: self.ignorable }.serialize(serializer)
    }
}

impl SchemaItem {
    /// Describes the item, or, beside `other` of the same column, only what differs. The name of an
    /// index or a constraint is included if `with_name`: names are not compared, and those of the
    /// expected schema mean nothing to the reader.
    fn describe(&self, other: Option<&Self>, with_name: bool) -> String {
        let named = |name: &str| if name.is_empty() || !with_name { String::new() } else { format!(" {name}") };
        match (self, other) {
            (Self::Table(table), _) => table.kind.clone(),
            (Self::View, _) => "view".to_owned(),
            (Self::Column(column), Some(Self::Column(other))) => differing_attributes(column, other).join(", "),
            (Self::Column(column), _) => {
                let default = Column { nullable: true, ..Column::default() };
                differing_attributes(column, &default).join(", ")
            }
            (Self::PrimaryKey(columns), _) => format!("primary key ({})", columns.join(", ")),
            (Self::ForeignKey(key), _) => describe_foreign_key(key),
            (Self::Index(index), _) => describe_index(index, &named(&index.name)),
            (Self::Check(check), _) => {
                let condition = simplify_expr(&check.condition);
                format!("check{} ({condition}){}", named(&check.name), after_comma(&check.notes))
            }
            (Self::Trigger(trigger), _) => format!("trigger{}", named(&trigger.name)),
        }
    }
}

fn describe_foreign_key(key: &ForeignKey) -> String {
    let update = match key.on_update.as_str() {
        "no action" => String::new(),
        action => format!(" on update {action}"),
    };
    let (from, to) = (key.columns.join(", "), key.parent_columns.join(", "));
    let notes = after_comma(&key.notes);
    format!("foreign key ({from}) to {} ({to}) on delete {}{update}{notes}", key.parent, key.on_delete)
}

fn describe_index(index: &Index, name: &str) -> String {
    let kind = if index.unique { "unique index" } else { "index" };
    let predicate = index.predicate.as_ref().map(|predicate| format!(" where {predicate}")).unwrap_or_default();
    format!("{kind}{name} ({}){predicate}{}", index.columns.join(", "), after_comma(&index.notes))
}

fn after_comma(notes: &str) -> String {
    if notes.is_empty() { String::new() } else { format!(", {notes}") }
}

/// The attributes of `column` that have another value in `other`, as texts.
pub(super) fn differing_attributes(column: &Column, other: &Column) -> Vec<String> {
    let mut texts = Vec::new();
    if column.data_type != other.data_type {
        texts.push(column.data_type.clone());
    }
    if column.nullable != other.nullable {
        texts.push(if column.nullable { "may be NULL" } else { "NOT NULL" }.to_owned());
    }
    let mut optional = |value: &Option<String>, text: &str, none: &str| {
        texts.push(value.as_ref().map_or(none.to_owned(), |value| text.replace("{}", value)));
    };
    if !same_text(column.default.as_ref(), other.default.as_ref()) {
        optional(&column.default.as_deref().map(simplify_expr), "default {}", "no default");
    }
    if column.auto_increment != other.auto_increment {
        optional(&column.auto_increment, "auto-increment ({})", "no auto-increment");
    }
    if !same_text(column.generated.as_ref(), other.generated.as_ref()) {
        optional(&column.generated, "generated as {}", "not generated");
    }
    if column.collation != other.collation {
        optional(&column.collation, "collation {}", "no collation");
    }
    texts
}
