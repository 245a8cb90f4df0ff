//! `check`: whether the live database has the tables of the entities.

use crate::connect::connect;
use crate::expected::{self, schema_of_chain};
use crate::schema::{self, Check, Difference, Schema, SchemaItem, normalize_sql, simplify_expr};
use crate::{Error, Project, RunOptions};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// Drift: what differs between the entities and a live database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Differences that can make the program fail.
    pub differences: Vec<Difference>,
    /// Extra objects of the database: tables, views, indexes, triggers, and columns that an INSERT
    /// may leave out. The program works with them. `revision --autogenerate` leaves exactly these
    /// alone.
    #[serde(rename = "strange")]
    pub extra: Vec<Difference>,
}

impl Drift {
    /// Compares two schemas, without the tables in which the engine records its own state.
    pub fn between(project: &Project, expected: &Schema, actual: &Schema) -> Self {
        let mut all = schema::compare(expected, actual);
        all.retain(|difference| !project.is_bookkeeping(&difference.table));
        let (extra, differences) = all.into_iter().partition(|difference| difference.ignorable);
        Self { differences, extra }
    }

    /// Moves an extra object to the differences if it is in `created`, the schema of the
    /// migrations: a migration created it, and later it was removed from the entity.
    pub fn counting_lost(mut self, created: &Schema) -> Self {
        let (lost, extra) = self.extra.into_iter().partition(|difference| is_created(created, difference));
        self.extra = extra;
        self.differences.extend::<Vec<_>>(lost);
        self
    }

    /// Whether there are no differences; if `strict`, also no extra objects.
    pub fn is_clean(&self, strict: bool) -> bool {
        self.differences.is_empty() && (!strict || self.extra.is_empty())
    }
}

/// Whether the migrations created the actual item. Schemas of SQLite and PostgreSQL have only names
/// in common.
pub(crate) fn is_created(created: &Schema, difference: &Difference) -> bool {
    let Some(table) = created.tables.get(&difference.table) else { return false };
    match &difference.actual {
        Some(SchemaItem::Column(column)) => table.column(&column.name).is_some(),
        Some(SchemaItem::Index(index)) => table.indexes.iter().any(|known| known.name == index.name),
        Some(SchemaItem::ForeignKey(key)) => {
            table.foreign_keys.iter().any(|known| (&known.columns, &known.parent) == (&key.columns, &key.parent))
        }
        Some(SchemaItem::Check(check)) => {
            let condition = |check: &Check| normalize_sql(&simplify_expr(&check.condition));
            table.checks.iter().any(|known| condition(known) == condition(check))
        }
        _ => false,
    }
}

impl Project {
    /// Compares the database with the entities. Changes nothing.
    ///
    /// # Errors
    /// The database cannot be opened or read.
    pub async fn check(&self, url: &str) -> Result<Drift, Error> {
        let db = connect(self, url, false, RunOptions::default().lock_timeout).await?;
        let drift = self.check_on(&db).await;
        db.close().await?;
        drift
    }

    /// As [`Project::check`], over an open connection or transaction.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn check_on<C: ConnectionTrait + TransactionTrait<Transaction = DatabaseTransaction>>(
        &self,
        db: &C,
    ) -> Result<Drift, Error> {
        let expected = expected::schema(db, self.entities).await?;
        let created = schema_of_chain(self.chain).await?;
        Ok(Drift::between(self, &expected, &schema::read(db).await?).counting_lost(&created))
    }
}

impl Display for Drift {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.differences.is_empty() {
            writeln!(f, "no differences: the database has the tables of the entities")?;
        }
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        if !self.extra.is_empty() {
            writeln!(f, "\nextra objects, ignored (`--strict` reports them):")?;
        }
        for difference in &self.extra {
            writeln!(f, "  {difference}")?;
        }
        Ok(())
    }
}
