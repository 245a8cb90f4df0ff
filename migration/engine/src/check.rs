//! Whether the live database has the tables of the entities.

use crate::connect::connect;
use crate::facts::{self, Difference, Part, squeezed};
use crate::wanted::{self, made_by};
use crate::{Error, Options, Project};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// What a live database has beside the entities, and the other way round.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// What the program would stumble over.
    pub differences: Vec<Difference>,
    /// What the program knows nothing of and can live with: columns that may be left out, indexes, triggers, tables and views
    /// of somebody else. `revision --autogenerate` leaves exactly these alone.
    pub strange: Vec<Difference>,
}

impl Drift {
    /// What is wanted, and what was found beside it or in its place. Our own bookkeeping is neither.
    pub fn between(project: &Project, wanted: &facts::Facts, found: &facts::Facts) -> Self {
        let mut all = facts::compare(wanted, found);
        all.retain(|difference| !project.is_bookkeeping(&difference.table));
        let (strange, differences) = all.into_iter().partition(|difference| difference.tolerated);
        Self { differences, strange }
    }

    /// Counts what the migrations themselves made and no entity knows any more: it is no stranger's.
    pub fn counting_lost(mut self, made: &facts::Facts) -> Self {
        let (lost, strange) = self.strange.into_iter().partition(|difference| is_made(made, difference));
        self.strange = strange;
        self.differences.extend::<Vec<_>>(lost);
        self
    }

    /// Whether nothing counts; to a strict eye, everything does.
    pub fn is_clean(&self, strict: bool) -> bool {
        self.differences.is_empty() && (!strict || self.strange.is_empty())
    }
}

/// Whether it is among what the migrations make. Facts of different databases agree in the names alone.
pub(crate) fn is_made(made: &facts::Facts, difference: &Difference) -> bool {
    let Some(table) = made.tables.get(&difference.table) else { return false };
    match &difference.found {
        Some(Part::Column(column)) => table.column(&column.name).is_some(),
        Some(Part::Index(index)) => table.indexes.iter().any(|known| known.name == index.name),
        Some(Part::ForeignKey(key)) => {
            table.foreign_keys.iter().any(|known| (&known.columns, &known.parent) == (&key.columns, &key.parent))
        }
        Some(Part::Check(check)) => {
            let plain = |check: &facts::Check| squeezed(&facts::plain(&check.condition));
            table.checks.iter().any(|known| plain(known) == plain(check))
        }
        _ => false,
    }
}

impl Project {
    /// Compares the database with the entities. Changes nothing.
    pub async fn check(&self, url: &str) -> Result<Drift, Error> {
        let db = connect(self, url, false, Options::default().lock_timeout).await?;
        let drift = self.check_on(&db).await;
        db.close().await?;
        drift
    }

    /// As [`Project::check`], over a connection or a transaction that is open already.
    pub async fn check_on<C: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction>>(
        &self,
        db: &C,
    ) -> Result<Drift, Error> {
        let wanted = wanted::facts(db, self.entities).await?;
        let made = made_by(self.chain).await?;
        Ok(Drift::between(self, &wanted, &facts::read(db).await?).counting_lost(&made))
    }
}

impl Display for Drift {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.differences.is_empty() {
            writeln!(f, "no difference: the database has the tables of the entities")?;
        }
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        if !self.strange.is_empty() {
            writeln!(f, "\nunknown to the entities and no hindrance (--strict counts it):")?;
        }
        for difference in &self.strange {
            writeln!(f, "  {difference}")?;
        }
        Ok(())
    }
}
