//! `adopt`: takes over a database that Alembic built.
//!
//! Nothing of it changes: the tables of the release are verified, the migrations that make them are marked as applied, and a small table
//! remembers where that was, so that no downgrade goes below it. Alembic's own table stays as it is.

mod rehearsal;
mod report;
mod verify;

use crate::connect::{Place, connect};
use crate::error::AdoptionRefusal;
use crate::lock::lock;
use crate::project::LegacyRules;
use crate::records::adoption::{ALEMBIC, adopted_at, alembic_revisions};
use crate::schema::{self, Schema};
use crate::{Error, Options, Project, Target, records};
pub use report::Adoption;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait,
};

/// How to take over.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Only say what would happen.
    pub plan: bool,
    /// Go on to the newest migration.
    pub upgrade: bool,
}

impl Project {
    /// Takes the database over, or says what is in the way. A second time changes nothing.
    pub async fn adopt(&self, url: &str, wish: &Wish, options: &Options) -> Result<Adoption, Error> {
        let legacy = self.legacy.ok_or(AdoptionRefusal::NoRules(self.name))?;
        let db = connect(self, url, false, options.lock_timeout).await?;
        let adoption = adopt_on(self, &legacy, &db, wish, options).await;
        db.close().await?;
        let mut adoption = adoption?;
        if wish.plan && adoption.needs_rehearsal() && matches!(Place::of(url)?, Place::SqliteFile(_)) {
            adoption.rehearsed(rehearsal::on_sqlite(self, url, options).await?);
        }
        if wish.upgrade && !wish.plan && adoption.findings.is_empty() {
            if adoption.is_recorded() {
                log::debug!("adopted at {}, going on to the newest migration", adoption.at);
            }
            let report = self.upgrade(url, &Target::End, options).await?;
            (adoption.applied, adoption.backup) = (report.applied, report.backup);
            let db = connect(self, url, false, options.lock_timeout).await?;
            let after = schema::read(&db).await;
            adoption.count_again(&counts(self, &db, &after?).await?);
            db.close().await?;
        }
        Ok(adoption)
    }

    /// The migration at which the database was taken over. No downgrade goes below it.
    pub async fn adopted_at(&self, db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
        adopted_at(db, self.legacy).await
    }
}

async fn adopt_on(
    project: &Project,
    legacy: &LegacyRules,
    db: &DatabaseConnection,
    wish: &Wish,
    options: &Options,
) -> Result<Adoption, Error> {
    let txn = if wish.plan { db.begin().await? } else { lock(project, db, options).await? };
    let mut adoption = adopt_within(project, legacy, &txn, wish).await?;
    if wish.plan && adoption.needs_rehearsal() && txn.get_database_backend() == DbBackend::Postgres {
        adoption.rehearsed(rehearsal::on_postgres(project, &txn, &adoption.pending).await?);
    }
    if adoption.is_recorded() {
        txn.commit().await?;
    } else {
        txn.rollback().await?;
    }
    Ok(adoption)
}

async fn adopt_within(
    project: &Project,
    legacy: &LegacyRules,
    txn: &DatabaseTransaction,
    wish: &Wish,
) -> Result<Adoption, Error> {
    let state = project.state(txn).await?;
    if !state.unknown.is_empty() {
        return Err(Error::Ahead(state.unknown));
    }
    let actual = schema::read(txn).await?;
    let rows = counts(project, txn, &actual).await?;
    let mut adoption = Adoption { planned: wish.plan, rows, ..Adoption::default() };
    if let Some(at) = adopted_at(txn, project.legacy).await? {
        adoption.already = true;
        adoption.pending = state.pending;
        adoption.at = at;
        return Ok(adoption);
    }
    if !state.applied.is_empty() {
        let count = state.applied.len();
        return Err(AdoptionRefusal::AlreadyMigrated { count, project: project.name }.into());
    }
    legacy.migration.clone_into(&mut adoption.at);
    adoption.revision = revision(legacy, alembic_revisions(txn).await?)?;
    let verdict = verify::verify(project, legacy, txn, &actual, &adoption.revision).await?;
    (adoption.findings, adoption.left_alone) = (verdict.findings, verdict.left_alone);
    if adoption.findings.is_empty() {
        (adoption.stamped, adoption.pending) = state.pending.into_iter().partition(|name| legacy.covers(name));
    }
    if adoption.is_recorded() {
        records::install(txn).await?;
        for name in &adoption.stamped {
            records::record(txn, name).await?;
        }
        records::adoption::record(txn, legacy, &adoption.revision).await?;
    }
    Ok(adoption)
}

/// The one revision from which a database can be taken over.
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

/// How many rows each table of the project has.
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
