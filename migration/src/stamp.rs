//! `stamp`: marks migrations as applied, or as not applied, and runs none of them.

use crate::adopt::adopted_at;
use crate::connect::connect;
use crate::lock::lock;
use crate::runner::{forget, record};
use crate::state::{names, state_in};
use crate::target::position;
use crate::{Error, Options};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseTransaction;
use serde::Serialize;
use std::fmt::{Display, Formatter};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use versions::Migrator;

/// What was marked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stamped {
    /// Now they count as applied.
    pub marked: Vec<String>,
    /// Now they count as pending.
    pub unmarked: Vec<String>,
}

impl Display for Stamped {
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

/// Marks everything up to `word` (`head`, `base`, `+N`, `-N` or a name) as applied and the rest as pending, without running
/// anything.
pub async fn stamp(url: &str, word: &str, options: &Options) -> Result<Stamped, Error> {
    // A database that is nowhere has nothing that could be marked.
    let db = connect(url, false, Duration::ZERO).await?;
    let stamped = match lock(&db, options).await {
        Ok(txn) => stamp_in(txn, word, options).await,
        Err(error) => Err(error),
    };
    db.close().await?;
    stamped
}

async fn stamp_in(txn: DatabaseTransaction, word: &str, options: &Options) -> Result<Stamped, Error> {
    match mark(&txn, word, options).await {
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

async fn mark(txn: &DatabaseTransaction, word: &str, options: &Options) -> Result<Stamped, Error> {
    let state = state_in(txn, options.chain).await?;
    state.ready()?;
    let end = position(word, state.applied.len(), options.chain)?;
    let all = names(options.chain);
    let (below, above) = all.split_at(end.min(all.len()));
    let marked: Vec<String> = below.iter().filter(|name| state.pending.contains(name)).cloned().collect();
    let unmarked: Vec<String> = above.iter().filter(|name| state.applied.contains(name)).cloned().collect();
    match adopted_at(txn).await? {
        Some(floor) if unmarked.contains(&floor) => return Err(Error::Adopted(floor)),
        _ => {}
    }
    Migrator::install(txn).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed();
    for name in &unmarked {
        forget(txn, name).await?;
    }
    for name in &marked {
        record(txn, name, now).await?;
    }
    Ok(Stamped { marked, unmarked })
}
