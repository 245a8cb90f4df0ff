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
use crate::facts::{self, Part};
use crate::wanted::{self, Entities, entities, made_by};
use crate::{Error, Options};
use exact::Exact;
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde::Serialize;
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Why no migration was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is nothing to name it after.
    #[error("say with -m what it does, in words that can name a file")]
    Nameless,
    /// This program was built elsewhere.
    #[error("the sources of the migrations are not in {}: run this in the repository, or name the folder with --dir", .0.display())]
    NoSources(PathBuf),
    /// The list of the migrations does not look as it should.
    #[error("{} lists no migration after which this one could stand: add it by hand", .0.display())]
    NoList(PathBuf),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is pending would be written a second time.
    #[error("the database lacks {}: run `up` first, or the new migration would repeat them", .0.join(", "))]
    Pending(Vec<String>),
}

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

/// Writes an empty migration into `dir`, or into the sources that this program was built from.
pub fn revision(message: &str, dir: Option<&Path>) -> Result<Written, Error> {
    let file = file::File::next(message, dir, SystemTime::now())?;
    Ok(Written { name: file.name.clone(), files: file.write(&write::empty(message))?, ..Written::default() })
}

/// Writes a migration for what differs between the entities and the database, when anything does.
pub async fn autogenerate(url: &str, message: &str, dir: Option<&Path>) -> Result<Written, Error> {
    autogenerate_for(entities, url, message, dir).await
}

/// As [`autogenerate`], for other entities than Playhead's own.
pub async fn autogenerate_for(
    entities: Entities,
    url: &str,
    message: &str,
    dir: Option<&Path>,
) -> Result<Written, Error> {
    let file = file::File::next(message, dir, SystemTime::now())?;
    let db = connect(url, false, Options::default().lock_timeout).await?;
    let source = async {
        let state = crate::state(&db).await?;
        match state.pending.as_slice() {
            [] => source(&db, message, entities).await,
            _ => Err(Refusal::Pending(state.pending).into()),
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

/// The text for what differs between some entities and a database; none where nothing does.
pub async fn source<C: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction>>(
    db: &C,
    message: &str,
    entities: Entities,
) -> Result<Option<Source>, Error> {
    let wanted = wanted::facts(db, entities).await?;
    let neutral = neutral::of_entities(entities).await?;
    let mut found = facts::read(db).await?;
    let made = made_by(Options::default().chain).await?;
    let mut drift = Drift::between(&wanted, &found).counting_lost(&made);
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
