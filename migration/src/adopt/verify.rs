//! Whether `users`, `videos` and `watch_history` are those of the reference.
//!
//! What they should be nobody writes down a second time: the first migrations make them in a throw-away place, and both are
//! read by the same words.

use super::record::{ALEMBIC, rows};
use super::{LATER, is_v09};
use crate::check::BOOKKEEPING;
use crate::facts::{self, Column, Difference, Facts, Index, Part, Table};
use crate::wanted;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseTransaction, DbBackend, TransactionTrait};
use std::collections::{BTreeMap, BTreeSet};
use versions::Migrator;

/// What is in the way, and what stays as it is.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) findings: Vec<String>,
    pub(super) left_alone: Vec<String>,
}

/// The columns of an enum, with its labels.
type Labels = BTreeMap<String, BTreeSet<String>>;

const WHERE: &str = "v0.9";

/// Compares the database, in which Alembic stands at `revision`, with the reference. Changes nothing.
pub(super) async fn verify(txn: &DatabaseTransaction, found: &Facts, revision: &str) -> Result<Verdict, DbErr> {
    let backend = txn.get_database_backend();
    let (mut wanted, wanted_labels) = reference(txn).await?;
    if revision == LATER {
        add_later_indexes(&mut wanted);
    }
    let spelled = as_v09_spells_it(found, &wanted, backend);
    let mut verdict = Verdict::default();
    for difference in facts::compare(&wanted, &spelled) {
        match &difference.found {
            Some(Part::Table(_)) if difference.table == ALEMBIC || BOOKKEEPING.contains(&difference.table.as_str()) => {
            }
            Some(Part::Index(_)) if difference.wanted.is_none() => verdict.left_alone.push(plain(&difference)),
            _ if difference.tolerated => verdict.left_alone.push(plain(&difference)),
            _ => verdict.findings.push(difference.line(WHERE)),
        }
    }
    if revision == LATER && !found.tables.get("ratings").is_some_and(|table| table.indexes.iter().any(is_of_ratings)) {
        verdict.findings.push(format!("ratings: index (video_id) in {LATER}, missing in the database"));
    }
    verdict.findings.extend(other_labels(&wanted_labels, &labels(txn).await?));
    verdict.findings.extend(taken_names(&wanted::facts(txn, wanted::entities).await?, &wanted, found));
    if verdict.findings.is_empty() {
        verdict.findings = versions::obstacles(&SchemaManager::new(txn)).await?;
    }
    Ok(verdict)
}

/// Tables and enum labels as the migrations up to v0.9 make them.
async fn reference(txn: &DatabaseTransaction) -> Result<(Facts, Labels), DbErr> {
    if txn.get_database_backend() != DbBackend::Postgres {
        let memory = wanted::memory().await?;
        make(&SchemaManager::new(&memory)).await?;
        let facts = facts::read(&memory).await?;
        memory.close().await?;
        return Ok((facts, Labels::new()));
    }
    let throw_away = txn.begin().await?;
    throw_away.execute_unprepared("SET LOCAL search_path = pg_temp").await?;
    make(&SchemaManager::new(&throw_away)).await?;
    let read = (facts::read(&throw_away).await?, labels(&throw_away).await?);
    throw_away.rollback().await?;
    Ok(read)
}

async fn make(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for migration in Migrator::migrations().iter().filter(|migration| is_v09(migration.name())) {
        migration.up(manager).await?;
    }
    Ok(())
}

/// What the revision after v0.9 added to `videos`.
fn add_later_indexes(wanted: &mut Facts) {
    let lists: [&[&str]; 3] = [&["view_count"], &["status", "view_count"], &["status", "created_at"]];
    if let Some(videos) = wanted.tables.get_mut("videos") {
        for columns in lists {
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            videos.indexes.push(Index { columns, ..Index::default() });
        }
    }
}

fn is_of_ratings(index: &Index) -> bool {
    index.columns == ["video_id"] && index.predicate.is_none()
}

/// The same tables without what may differ: database defaults, and words of SQLite that mean the same.
fn as_v09_spells_it(found: &Facts, wanted: &Facts, backend: DbBackend) -> Facts {
    let mut spelled = found.clone();
    for (name, reference) in &wanted.tables {
        let Some(table) = spelled.tables.get_mut(name) else { continue };
        let keys = table.primary_key.clone();
        for column in &mut table.columns {
            let Some(reference) = reference.column(&column.name) else { continue };
            column.default = None;
            if backend != DbBackend::Postgres {
                spell(column, reference, &keys);
            }
        }
    }
    spelled
}

fn spell(column: &mut Column, reference: &Column, keys: &[String]) {
    let is_enum = reference.kind.starts_with("varchar") && ["role", "status"].contains(&column.name.as_str());
    let is_same = (column.kind == "timestamp" && reference.kind == "datetime")
        || (is_enum && (column.kind.starts_with("varchar") || column.kind == "text"));
    if is_same {
        column.kind.clone_from(&reference.kind);
    }
    // The row id is never NULL, whether the table says so or not.
    if column.kind == "integer" && keys == [column.name.as_str()] {
        column.nullable = reference.nullable;
    }
}

/// The enums of our columns, which only PostgreSQL has.
async fn labels(db: &impl ConnectionTrait) -> Result<Labels, DbErr> {
    let mut labels = Labels::new();
    if db.get_database_backend() == DbBackend::Postgres {
        for row in rows(db, LABELS).await? {
            labels.entry(row.try_get_by_index(0)?).or_default().insert(row.try_get_by_index(1)?);
        }
    }
    Ok(labels)
}

const LABELS: &str = "
SELECT relname || '.' || attname, enumlabel::text
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_enum ON enumtypid = atttypid
WHERE pg_class.oid IN (to_regclass('users'), to_regclass('videos'))";

fn other_labels(wanted: &Labels, found: &Labels) -> Vec<String> {
    let joined = |labels: &BTreeSet<String>| labels.iter().cloned().collect::<Vec<_>>().join(", ");
    let other = |(column, wanted): (&String, &BTreeSet<String>)| {
        let found = found.get(column).filter(|found| *found != wanted)?;
        Some(format!("{column}: one of {} in {WHERE}, one of {} in the database", joined(wanted), joined(found)))
    };
    wanted.iter().filter_map(other).collect()
}

/// Tables and columns of somebody else under names that later migrations want for their own.
fn taken_names(head: &Facts, wanted: &Facts, found: &Facts) -> Vec<String> {
    let mend = "which Playhead makes itself: rename it";
    let mut taken = Vec::new();
    for (name, table) in &head.tables {
        match (wanted.tables.get(name), found.tables.get(name)) {
            (None, Some(_)) => taken.push(format!("{name}: there is a table of this name, {mend}")),
            (Some(wanted), Some(found)) => {
                let new = |column: &&Column| wanted.column(&column.name).is_none() && has(found, &column.name);
                let columns = table.columns.iter().filter(new);
                taken.extend(columns.map(|column| format!("{name}.{}: there is such a column, {mend}", column.name)));
            }
            _ => {}
        }
    }
    taken
}

fn has(table: &Table, column: &str) -> bool {
    table.columns.iter().any(|known| known.name.eq_ignore_ascii_case(column))
}

/// What is left alone, in few words: where it is found goes without saying.
fn plain(difference: &Difference) -> String {
    let line = difference.line(WHERE);
    line.strip_suffix(&format!(" in the database, unknown to {WHERE}")).unwrap_or(&line).to_owned()
}
