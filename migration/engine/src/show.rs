//! `show`: one migration, where it stands and what it says.

use crate::connect::Place;
use crate::recorder::{is_read, statements};
use crate::state::History;
use crate::step::{Direction, Step};
use crate::target::{HEAD, named};
use crate::{Error, Project};
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

impl Project {
    /// Shows the migration with this name, or whose name begins so. Changes nothing and makes no file.
    pub async fn show(&self, url: &str, word: &str) -> Result<Shown, Error> {
        let names = self.names();
        let name = match names.last() {
            Some(last) if word == HEAD => last.clone(),
            _ => named(word, self)?,
        };
        let unknown = || Error::UnknownTarget(word.to_owned());
        let at = names.iter().position(|known| *known == name).ok_or_else(unknown)?;
        let History { migrations } = self.history(url).await?;
        let entry = migrations.into_iter().find(|entry| entry.name == name).ok_or_else(unknown)?;
        let dialect = Place::of(url)?.dialect();
        let step = |direction| {
            let migration = (self.chain)().into_iter().nth(at).ok_or_else(unknown)?;
            Ok::<_, Error>(Step { direction, migration })
        };
        let (up, down) = (step(Direction::Up)?, step(Direction::Down)?);
        Ok(Shown {
            number: at + 1,
            follows: at.checked_sub(1).and_then(|before| names.get(before).cloned()),
            state: entry.state,
            applied_at: entry.applied_at,
            transaction: !up.is_non_transactional(dialect),
            up: changes(statements(&up, dialect).await?),
            down: changes(statements(&down, dialect).await?),
            name,
        })
    }
}

fn changes(statements: Vec<String>) -> Vec<String> {
    statements.into_iter().filter(|statement| !is_read(statement)).collect()
}
