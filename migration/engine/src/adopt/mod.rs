//! `adopt`: takes over a database that Alembic built.
//!
//! It verifies the tables of the release, marks the migrations that create them as applied, and
//! records the adoption in a small table, so that no downgrade goes below it. Nothing else changes.

mod rehearsal;
mod report;
mod verify;

use crate::connect::{Place, connect};
use crate::error::AdoptionRefusal;
use crate::lock::lock;
use crate::project::LegacyRules;
use crate::records::adoption::{ALEMBIC, adopted_at, alembic_revisions};
use crate::schema::{self, Schema};
use crate::{Error, Project, RunOptions, Target, records};
pub use report::AdoptReport;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait,
};

/// How to adopt a database.
#[derive(Debug, Clone, Default)]
pub struct AdoptOptions {
    /// Only report what would happen.
    pub plan: bool,
    /// Apply the pending migrations afterwards.
    pub upgrade: bool,
}

impl Project {
    /// Adopts the database, or reports the obstacles. A second time changes nothing.
    ///
    /// # Errors
    /// The database cannot be opened, it is not to be adopted, or a statement fails. Nothing has
    /// changed then.
    pub async fn adopt(
        &self,
        url: &str,
        adopt_options: &AdoptOptions,
        options: &RunOptions,
    ) -> Result<AdoptReport, Error> {
        let legacy = self.legacy.ok_or(AdoptionRefusal::NoRules(self.name))?;
        let db = connect(self, url, false, options.lock_timeout).await?;
        let report = adopt_on(self, &legacy, &db, adopt_options, options).await;
        db.close().await?;
        let mut report = report?;
        if adopt_options.plan && report.needs_rehearsal() && matches!(Place::of(url)?, Place::SqliteFile(_)) {
            report.add_rehearsal(rehearsal::on_sqlite(self, url, options).await?);
        }
        if adopt_options.upgrade && !adopt_options.plan && report.findings.is_empty() {
            if report.is_recorded() {
                log::debug!("adopted at {}, applying the pending migrations", report.at);
            }
            let run = self.upgrade(url, &Target::End, options).await?;
            (report.applied, report.backup) = (run.applied, run.backup);
            let db = connect(self, url, false, options.lock_timeout).await?;
            let after = schema::read(&db).await;
            report.compare_counts(&counts(self, &db, &after?).await?);
            db.close().await?;
        }
        Ok(report)
    }

    /// The migration at which the database was adopted. No downgrade goes below it.
    ///
    /// # Errors
    /// The statement fails.
    pub async fn adopted_at(&self, db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
        adopted_at(db, self.legacy).await
    }
}

async fn adopt_on(
    project: &Project,
    legacy: &LegacyRules,
    db: &DatabaseConnection,
    adopt_options: &AdoptOptions,
    options: &RunOptions,
) -> Result<AdoptReport, Error> {
    let txn = if adopt_options.plan { db.begin().await? } else { lock(project, db, options).await? };
    let mut report = adopt_in(project, legacy, &txn, adopt_options).await?;
    if adopt_options.plan && report.needs_rehearsal() && txn.get_database_backend() == DbBackend::Postgres {
        report.add_rehearsal(rehearsal::on_postgres(project, &txn, &report.pending).await?);
    }
    if report.is_recorded() {
        txn.commit().await?;
    } else {
        txn.rollback().await?;
    }
    Ok(report)
}

async fn adopt_in(
    project: &Project,
    legacy: &LegacyRules,
    txn: &DatabaseTransaction,
    adopt_options: &AdoptOptions,
) -> Result<AdoptReport, Error> {
    let state = project.state(txn).await?;
    if !state.unknown.is_empty() {
        return Err(Error::Ahead(state.unknown));
    }
    let actual = schema::read(txn).await?;
    let rows = counts(project, txn, &actual).await?;
    let mut report = AdoptReport { planned: adopt_options.plan, rows, ..AdoptReport::default() };
    if let Some(at) = adopted_at(txn, project.legacy).await? {
        report.already = true;
        report.pending = state.pending;
        report.at = at;
        return Ok(report);
    }
    if !state.applied.is_empty() {
        let count = state.applied.len();
        return Err(AdoptionRefusal::AlreadyMigrated { count, project: project.name }.into());
    }
    legacy.migration.clone_into(&mut report.at);
    report.revision = revision(legacy, alembic_revisions(txn).await?)?;
    let verdict = verify::verify(project, legacy, txn, &actual, &report.revision).await?;
    (report.findings, report.left_alone) = (verdict.findings, verdict.left_alone);
    if report.findings.is_empty() {
        (report.stamped, report.pending) = state.pending.into_iter().partition(|name| legacy.covers(name));
    }
    if report.is_recorded() {
        records::install(txn).await?;
        for name in &report.stamped {
            records::record(txn, name).await?;
        }
        records::adoption::record(txn, legacy, &report.revision).await?;
    }
    Ok(report)
}

/// The revision of the database, if it can be adopted.
fn revision(legacy: &LegacyRules, revisions: Option<Vec<String>>) -> Result<String, AdoptionRefusal> {
    let adoptable = legacy.revisions();
    let mut heads = revisions.ok_or(AdoptionRefusal::NoAlembic)?;
    let at = heads.pop().ok_or(AdoptionRefusal::NoRevision)?;
    if !heads.is_empty() {
        heads.push(at);
        return Err(AdoptionRefusal::SeveralHeads { heads, adoptable });
    }
    match at.as_str() {
        known if adoptable.contains(&known) => Ok(at),
        earlier if legacy.earlier.contains(&earlier) => {
            Err(AdoptionRefusal::TooOld { at, release: legacy.release, revision: legacy.revision })
        }
        _ => Err(AdoptionRefusal::UnknownRevision { at, release: legacy.release, adoptable }),
    }
}

/// The number of rows of each table, apart from the records of migrations.
async fn counts(project: &Project, db: &impl ConnectionTrait, schema: &Schema) -> Result<Vec<(String, i64)>, DbErr> {
    let mut counts = Vec::new();
    for name in schema.tables.keys().filter(|name| *name != ALEMBIC && !project.is_bookkeeping(name)) {
        let select = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        let statement = Statement::from_string(db.get_database_backend(), select);
        for row in db.query_all_raw(statement).await? {
            counts.push((name.clone(), row.try_get_by_index(0)?));
        }
    }
    Ok(counts)
}
