//! Writes the next migration: an empty one to be filled, or one that holds the statements for what differs between the
//! entities and a live database, to be read and edited.

mod code;
mod create;
mod exact;
mod file;
mod kinds;
mod neutral;
mod steps;
mod work;
mod write;

use crate::check::Drift;
use crate::connect::connect;
use crate::error::RevisionRefusal;
use crate::facts::{self, Part};
use crate::wanted::{self, made_by};
use crate::{Error, Options, Project};
use exact::Exact;
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde::Serialize;
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The name of the new migration; empty when there was nothing to write.
    pub name: String,
    /// Every file that was made or changed.
    pub files: Vec<PathBuf>,
    /// The differences that it is to end.
    pub differences: Vec<String>,
    /// What no entity and no migration knows and `check` calls no hindrance: it stays as it is.
    pub left_alone: Vec<String>,
}

impl Display for Written {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.files.is_empty() {
            return writeln!(f, "no difference: there is nothing to write");
        }
        for difference in &self.differences {
            writeln!(f, "found    {difference}")?;
        }
        for line in &self.left_alone {
            writeln!(f, "left     {line}")?;
        }
        for path in &self.files {
            writeln!(f, "written  {}", path.display())?;
        }
        Ok(())
    }
}

impl Project {
    /// Writes an empty migration into `dir`, or into the project's sources.
    pub fn revision(&self, message: &str, dir: Option<&Path>) -> Result<Written, Error> {
        let file = self.next_file(message, dir)?;
        Ok(Written { name: file.name.clone(), files: file.write(&write::empty(message))?, ..Written::default() })
    }

    /// Writes a migration for what differs between the entities and the database, when anything does.
    pub async fn autogenerate(&self, url: &str, message: &str, dir: Option<&Path>) -> Result<Written, Error> {
        let file = self.next_file(message, dir)?;
        let db = connect(self, url, false, Options::default().lock_timeout).await?;
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
            Some(Source { text, differences, left_alone }) => {
                Ok(Written { name: file.name.clone(), files: file.write(&text)?, differences, left_alone })
            }
            None => Ok(Written::default()),
        }
    }

    /// The text for what differs between the entities and a database; none where nothing does.
    pub async fn source<C: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction>>(
        &self,
        db: &C,
        message: &str,
    ) -> Result<Option<Source>, Error> {
        let wanted = wanted::facts(db, self.entities).await?;
        let neutral = neutral::of_entities(self.entities).await?;
        let mut found = facts::read(db).await?;
        let made = made_by(self.chain).await?;
        let mut drift = Drift::between(self, &wanted, &found).counting_lost(&made);
        if drift.differences.is_empty() {
            return Ok(None);
        }
        count_what_goes_with_a_column(&mut drift);
        let exact = Exact::read(db, &found, &made).await?;
        // What is left alone is in neither form of a table.
        drift.strange.iter().for_each(|difference| facts::remove(&mut found, difference));
        let lines = |differences: &[facts::Difference]| differences.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (differences, left_alone) = (lines(&drift.differences), lines(&drift.strange));
        let schemas = write::Schemas { wanted: &wanted, neutral: &neutral, found: &found, exact: &exact };
        let text = write::filled(message, &differences, &left_alone, &schemas);
        Ok(Some(Source { text, differences, left_alone }))
    }

    fn next_file(&self, message: &str, dir: Option<&Path>) -> Result<file::File, RevisionRefusal> {
        let dir = dir.or(self.sources.map(Path::new)).ok_or(RevisionRefusal::NoFolder)?;
        file::File::next(message, dir, SystemTime::now())
    }
}

/// The text of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A file of Rust, not formatted yet.
    pub text: String,
    /// The differences that it is to end.
    pub differences: Vec<String>,
    /// What it leaves alone.
    pub left_alone: Vec<String>,
}

/// An index or a constraint over a column that is dropped goes with it, so that it must be made again with it.
fn count_what_goes_with_a_column(drift: &mut Drift) {
    let goes = |table: &str, column: &str| {
        drift.differences.iter().any(|difference| {
            let dropped = difference.wanted.is_none() && difference.table == table;
            dropped && matches!(&difference.found, Some(Part::Column(gone)) if gone.name == column)
        })
    };
    let goes_with = |difference: &facts::Difference| {
        let columns: Vec<String> = match &difference.found {
            Some(Part::Index(index)) => {
                let texts = index.columns.iter().chain(&index.predicate);
                texts.flat_map(|text| facts::words(text)).map(|word| word.trim_matches('"').to_owned()).collect()
            }
            Some(Part::ForeignKey(key)) => key.columns.clone(),
            Some(Part::Check(check)) => check.columns.clone(),
            _ => return false,
        };
        columns.iter().any(|column| goes(&difference.table, column))
    };
    let (going, staying): (Vec<_>, Vec<_>) = drift.strange.iter().cloned().partition(goes_with);
    drift.strange = staying;
    drift.differences.extend(going);
}
