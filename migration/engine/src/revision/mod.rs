//! `revision`: writes the next migration. It is empty, or has code for the differences between the
//! entities and a live database, for the author to read and edit.

mod builder_code;
mod chain_file;
mod column_types;
mod expressions;
mod layout;
mod live_definitions;
mod migration_file;
mod portable;
mod postgres_steps;
mod source;
mod statements;
mod step_context;
mod table_diff;
mod table_steps;

use crate::check::Drift;
use crate::connect::{Place, connect};
use crate::error::RevisionRefusal;
use crate::expected::{self, schema_of_chain};
use crate::schema::{self, Difference, SchemaItem};
use crate::{Error, Project, RunOptions};
use live_definitions::LiveDefinitions;
use migration_file::MigrationFile;
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde::Serialize;
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What `revision` wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WrittenRevision {
    /// The name of the new migration; empty if there was nothing to write.
    pub name: String,
    /// The files that are new or changed.
    pub files: Vec<PathBuf>,
    /// The differences that the migration removes.
    pub differences: Vec<String>,
    /// The extra objects that the migration leaves alone.
    pub left_alone: Vec<String>,
}

impl Display for WrittenRevision {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.files.is_empty() {
            return writeln!(f, "no differences: nothing to write");
        }
        for difference in &self.differences {
            writeln!(f, "found    {difference}")?;
        }
        for line in &self.left_alone {
            writeln!(f, "ignored  {line}")?;
        }
        for path in &self.files {
            writeln!(f, "written  {}", path.display())?;
        }
        Ok(())
    }
}

/// The source of a generated migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationSource {
    /// The Rust code, not formatted.
    pub text: String,
    /// The differences that the migration removes.
    pub differences: Vec<String>,
    /// The extra objects that the migration leaves alone.
    pub left_alone: Vec<String>,
}

impl Project {
    /// Writes an empty migration into `dir`, or into the project's folder of sources.
    ///
    /// # Errors
    /// The message has no letter, the folder has no list of migrations, or a file cannot be
    /// written.
    pub fn revision(&self, message: &str, dir: Option<&Path>) -> Result<WrittenRevision, Error> {
        let file = self.next_file(message, dir)?;
        let files = file.write(&source::empty_source(message))?;
        Ok(WrittenRevision { name: file.name.clone(), files, ..WrittenRevision::default() })
    }

    /// Writes a migration for the differences between the entities and the database, if there are
    /// any. Refuses a database with pending migrations.
    ///
    /// # Errors
    /// As [`Project::revision`]; the database cannot be read, or has pending migrations.
    pub async fn autogenerate(&self, url: &str, message: &str, dir: Option<&Path>) -> Result<WrittenRevision, Error> {
        let file = self.next_file(message, dir)?;
        // A SQLite file that nobody has made yet is an empty database.
        let db = match Place::of(url)?.is_missing() {
            true => expected::in_memory_database().await?,
            false => connect(self, url, false, RunOptions::default().lock_timeout).await?,
        };
        let source = async {
            let state = self.state(&db).await?;
            match state.pending.as_slice() {
                [] => self.source(&db, message).await,
                _ => Err(RevisionRefusal::Pending(state.pending).into()),
            }
        }
        .await;
        db.close().await?;
        match source? {
            Some(MigrationSource { text, differences, left_alone }) => {
                Ok(WrittenRevision { name: file.name.clone(), files: file.write(&text)?, differences, left_alone })
            }
            None => Ok(WrittenRevision::default()),
        }
    }

    /// The source of a migration for the differences between the entities and a database. `None` if
    /// there are none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn source<C: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction>>(
        &self,
        db: &C,
        message: &str,
    ) -> Result<Option<MigrationSource>, Error> {
        let expected = expected::schema(db, self.entities).await?;
        let portable = portable::expected_schema(self.entities).await?;
        let mut actual = schema::read(db).await?;
        let created = schema_of_chain(self.chain).await?;
        let mut drift = Drift::between(self, &expected, &actual).counting_lost(&created);
        if drift.differences.is_empty() {
            return Ok(None);
        }
        count_dropped_with_column(&mut drift);
        let live = LiveDefinitions::read(db, &actual, &created).await?;
        // Extra objects must be in neither version of a table.
        drift.extra.iter().for_each(|difference| difference.remove_from(&mut actual));
        let lines = |differences: &[Difference]| differences.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (differences, left_alone) = (lines(&drift.differences), lines(&drift.extra));
        let schemas = source::Schemas { expected: &expected, portable: &portable, actual: &actual, live: &live };
        let text = source::generated_source(message, &differences, &left_alone, &schemas);
        Ok(Some(MigrationSource { text, differences, left_alone }))
    }

    fn next_file(&self, message: &str, dir: Option<&Path>) -> Result<MigrationFile, RevisionRefusal> {
        let dir = dir.or(self.sources.map(Path::new)).ok_or(RevisionRefusal::NoFolder)?;
        MigrationFile::next(message, dir, SystemTime::now())
    }
}

/// Counts extra objects on a dropped column as differences. The database drops them with the
/// column, so the downgrade must create them again.
fn count_dropped_with_column(drift: &mut Drift) {
    let is_dropped = |table: &str, column: &str| {
        drift.differences.iter().any(|difference| {
            let is_drop = difference.expected.is_none() && difference.table == table;
            is_drop && matches!(&difference.actual, Some(SchemaItem::Column(dropped)) if dropped.name == column)
        })
    };
    let is_on_dropped_column = |difference: &Difference| {
        let columns: Vec<String> = match &difference.actual {
            Some(SchemaItem::Index(index)) => {
                let texts = index.columns.iter().chain(&index.predicate);
                texts.flat_map(|text| schema::words(text)).map(|word| word.trim_matches('"').to_owned()).collect()
            }
            Some(SchemaItem::ForeignKey(key)) => key.columns.clone(),
            Some(SchemaItem::Check(check)) => check.columns.clone(),
            _ => return false,
        };
        columns.iter().any(|column| is_dropped(&difference.table, column))
    };
    let (dropped, extra): (Vec<_>, Vec<_>) = drift.extra.iter().cloned().partition(is_on_dropped_column);
    drift.extra = extra;
    drift.differences.extend(dropped);
}
