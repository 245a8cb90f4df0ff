//! `show`: one migration, its state and its SQL.

use crate::connect::Place;
use crate::recorder::{is_read, statements};
use crate::state::MigrationList;
use crate::step::{Direction, Step};
use crate::target::{HEAD, resolve_name};
use crate::{Error, Project};
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// One migration in detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationDetails {
    /// Its name.
    pub name: String,
    /// Its place in the chain, from 1.
    pub number: usize,
    /// The one before it.
    pub follows: Option<String>,
    /// `applied` or `pending`.
    pub state: &'static str,
    /// When it was applied, in UTC.
    pub applied_at: Option<String>,
    /// Whether it runs inside the transaction of the run.
    pub transaction: bool,
    /// The statements of `up`. There may be more on a database with rows.
    pub up: Vec<String>,
    /// The statements of `down`.
    pub down: Vec<String>,
}

impl Display for MigrationDetails {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "name         {}", self.name)?;
        writeln!(f, "follows      {}", self.follows.as_deref().unwrap_or("base"))?;
        writeln!(f, "state        {} {}", self.state, self.applied_at.as_deref().unwrap_or_default())?;
        writeln!(f, "transaction  {}", if self.transaction { "yes" } else { "no" })?;
        for (word, statements) in [("up", &self.up), ("down", &self.down)] {
            writeln!(f, "\n-- {word}")?;
            for statement in statements {
                writeln!(f, "{};", statement.trim_end_matches(';'))?;
            }
        }
        Ok(())
    }
}

impl Project {
    /// Describes the migration with this name or prefix. Changes nothing and creates no file.
    ///
    /// # Errors
    /// The name is unknown or ambiguous, or the database cannot be opened.
    pub async fn show(&self, url: &str, word: &str) -> Result<MigrationDetails, Error> {
        let names = self.names();
        let name = match names.last() {
            Some(last) if word == HEAD => last.clone(),
            _ => resolve_name(word, self)?,
        };
        let unknown = || Error::UnknownTarget(word.to_owned());
        let at = names.iter().position(|known| *known == name).ok_or_else(unknown)?;
        let MigrationList { migrations } = self.history(url).await?;
        let status = migrations.into_iter().find(|status| status.name == name).ok_or_else(unknown)?;
        let dialect = Place::of(url)?.dialect();
        let step = |direction| {
            let migration = (self.chain)().into_iter().nth(at).ok_or_else(unknown)?;
            Ok::<_, Error>(Step { direction, migration })
        };
        let (up, down) = (step(Direction::Up)?, step(Direction::Down)?);
        Ok(MigrationDetails {
            number: at + 1,
            follows: at.checked_sub(1).and_then(|before| names.get(before).cloned()),
            state: status.state,
            applied_at: status.applied_at,
            transaction: !up.is_non_transactional(dialect),
            up: without_reads(statements(&up, dialect).await?),
            down: without_reads(statements(&down, dialect).await?),
            name,
        })
    }
}

fn without_reads(statements: Vec<String>) -> Vec<String> {
    statements.into_iter().filter(|statement| !is_read(statement)).collect()
}
