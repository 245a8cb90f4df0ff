//! `show`: one migration, where it stands and what it says.

use crate::connect::Place;
use crate::offline::{is_read, recorded};
use crate::plan::{Direction, Step};
use crate::state::{History, history, names};
use crate::target::{HEAD, named};
use crate::{Error, Options};
use sea_orm_migration::sea_orm::DbBackend;
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its name.
    pub name: String,
    /// Its place in the list, from 1.
    pub number: usize,
    /// The one before it.
    pub follows: Option<String>,
    /// `applied` or `pending`.
    pub state: &'static str,
    /// When it was applied, in UTC.
    pub applied_at: Option<String>,
    /// Whether it runs in the transaction of its run.
    pub transaction: bool,
    /// What it says on the way up; it may say more where there are rows.
    pub up: Vec<String>,
    /// What it says on the way down.
    pub down: Vec<String>,
}

impl Display for Shown {
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

/// Shows the migration with this name, or whose name begins so. Changes nothing and makes no file.
pub async fn show(url: &str, word: &str) -> Result<Shown, Error> {
    let chain = Options::default().chain;
    let names = names(chain);
    let name = match names.last() {
        Some(last) if word == HEAD => last.clone(),
        _ => named(word, chain)?,
    };
    let unknown = || Error::UnknownTarget(word.to_owned());
    let at = names.iter().position(|known| *known == name).ok_or_else(unknown)?;
    let History { migrations } = history(url).await?;
    let entry = migrations.into_iter().find(|entry| entry.name == name).ok_or_else(unknown)?;
    let dialect = if matches!(Place::of(url)?, Place::Postgres) { DbBackend::Postgres } else { DbBackend::Sqlite };
    let step = |direction| {
        let migration = chain().into_iter().nth(at).ok_or_else(unknown)?;
        Ok::<_, Error>(Step { direction, migration })
    };
    let (up, down) = (step(Direction::Up)?, step(Direction::Down)?);
    let changes = |statements: Vec<String>| statements.into_iter().filter(|statement| !is_read(statement)).collect();
    Ok(Shown {
        number: at + 1,
        follows: at.checked_sub(1).and_then(|before| names.get(before).cloned()),
        state: entry.state,
        applied_at: entry.applied_at,
        transaction: !up.is_apart(dialect),
        up: changes(recorded(&up, dialect).await?),
        down: changes(recorded(&down, dialect).await?),
        name,
    })
}
