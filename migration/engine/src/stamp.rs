//! `stamp`: marks migrations as applied or pending, and runs none of them.

use crate::connect::connect;
use crate::lock::lock;
use crate::records::adoption::adopted_at;
use crate::target::position;
use crate::{Error, Project, RunOptions, records};
use sea_orm_migration::sea_orm::DatabaseTransaction;
use serde::Serialize;
use std::fmt::{Display, Formatter};
use std::time::Duration;

/// What `stamp` recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StampReport {
    /// Migrations that now count as applied.
    pub marked: Vec<String>,
    /// Migrations that now count as pending.
    pub unmarked: Vec<String>,
}

impl Display for StampReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.marked.is_empty() && self.unmarked.is_empty() {
            return writeln!(f, "nothing to do");
        }
        for name in &self.unmarked {
            writeln!(f, "marked as pending  {name}")?;
        }
        for name in &self.marked {
            writeln!(f, "marked as applied  {name}")?;
        }
        Ok(())
    }
}

impl Project {
    /// Marks every migration up to `word` (`head`, `base`, `+N`, `-N` or a name) as applied and the
    /// rest as pending, without running any.
    ///
    /// # Errors
    /// The database cannot be opened or locked, or the name is unknown or ambiguous.
    pub async fn stamp(&self, url: &str, word: &str, options: &RunOptions) -> Result<StampReport, Error> {
        // A database that does not exist has nothing to mark.
        let db = connect(self, url, false, Duration::ZERO).await?;
        let report = match lock(self, &db, options).await {
            Ok(txn) => stamp_in(self, txn, word).await,
            Err(error) => Err(error),
        };
        db.close().await?;
        report
    }
}

async fn stamp_in(project: &Project, txn: DatabaseTransaction, word: &str) -> Result<StampReport, Error> {
    match mark(project, &txn, word).await {
        Ok(stamped) => {
            txn.commit().await?;
            Ok(stamped)
        }
        Err(error) => {
            txn.rollback().await?;
            Err(error)
        }
    }
}

async fn mark(project: &Project, txn: &DatabaseTransaction, word: &str) -> Result<StampReport, Error> {
    let state = project.state(txn).await?;
    state.require_migratable(project)?;
    let end = position(word, state.applied.len(), project)?;
    let all = project.names();
    let (below, above) = all.split_at(end.min(all.len()));
    let marked: Vec<String> = below.iter().filter(|name| state.pending.contains(name)).cloned().collect();
    let unmarked: Vec<String> = above.iter().filter(|name| state.applied.contains(name)).cloned().collect();
    match adopted_at(txn, project.legacy).await? {
        Some(floor) if unmarked.contains(&floor) => return Err(Error::Adopted(floor)),
        _ => {}
    }
    records::install(txn).await?;
    for name in &unmarked {
        records::remove(txn, name).await?;
    }
    for name in &marked {
        records::record(txn, name).await?;
    }
    Ok(StampReport { marked, unmarked })
}
