//! `adopt`: takes over a database that Alembic built.
//!
//! Nothing of it changes: the three tables are verified, the migrations that make them are marked as applied, and a small table
//! remembers where that was, so that no downgrade goes below it. Alembic's own table stays as it is.

mod record;
mod rehearsal;
mod report;
mod verify;

use crate::connect::{Place, connect};
use crate::lock::lock;
use crate::{Error, Options, Target, facts, runner, state, upgrade};
use record::counts;
pub use record::{TABLE, adopted_at, alembic_revisions};
pub use report::Adoption;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DatabaseTransaction, DbBackend, TransactionTrait};
use std::time::{SystemTime, UNIX_EPOCH};
use versions::Migrator;

/// The last migration that v0.9 stands for.
pub const V09: &str = "m20250101_000003_create_watch_history_v09";
/// Alembic's name for v0.9.
const REVISION: &str = "2f1e7b15dd7f";
/// The one revision that the reference has after it.
const LATER: &str = "a1b2c3d4e5f6";
/// Those before it, oldest first.
const EARLIER: [&str; 4] = ["9c233d73b605", "3ab08c05ac2e", "fef8a2c2eebc", "41fff3752bb2"];

/// Why there is nothing that could be taken over.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not Alembic's.
    #[error("there is no table alembic_version, so Alembic did not build this database: `upgrade` is for all others")]
    NoAlembic,
    /// Alembic has lost its place.
    #[error("alembic_version is empty, so nobody knows where the database stands: find out, and `alembic stamp` it")]
    NoRevision,
    /// Branches that nobody merged.
    #[error("alembic_version names several heads ({}): merge them first, up to {REVISION} or {LATER}", .0.join(", "))]
    SeveralHeads(Vec<String>),
    /// Older than v0.9.
    #[error("the database is at {0}, which is before v0.9: `alembic upgrade {REVISION}` first")]
    TooOld(String),
    /// Not one of the reference's.
    #[error(
        "the database is at {0}, which is none of the reference's revisions: only {REVISION} (v0.9) and {LATER} are taken \
         over, so `alembic downgrade {LATER}` first"
    )]
    UnknownRevision(String),
    /// It is ours already.
    #[error("{0} migrations of Playhead's are recorded already, so there is nothing to take over: `status` lists them")]
    NotAdopted(usize),
}

/// How to take over.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Only say what would happen.
    pub plan: bool,
    /// Go on to the newest migration.
    pub upgrade: bool,
}

/// Takes the database over, or says what is in the way. A second time changes nothing.
pub async fn adopt(url: &str, wish: &Wish, options: &Options) -> Result<Adoption, Error> {
    let db = connect(url, false, options.lock_timeout).await?;
    let adoption = adopt_on(&db, wish, options).await;
    db.close().await?;
    let mut adoption = adoption?;
    if wish.plan && adoption.needs_rehearsal() && matches!(Place::of(url)?, Place::SqliteFile(_)) {
        adoption.rehearsed(rehearsal::on_sqlite(url, options).await?);
    }
    if wish.upgrade && !wish.plan && adoption.findings.is_empty() {
        if adoption.is_recorded() {
            log::debug!("adopted at {}, going on to the newest migration", adoption.at);
        }
        let report = upgrade(url, &Target::End, options).await?;
        (adoption.applied, adoption.backup) = (report.applied, report.backup);
        let db = connect(url, false, options.lock_timeout).await?;
        let after = facts::read(&db).await;
        adoption.count_again(&counts(&db, &after?).await?);
        db.close().await?;
    }
    Ok(adoption)
}

async fn adopt_on(db: &DatabaseConnection, wish: &Wish, options: &Options) -> Result<Adoption, Error> {
    let txn = if wish.plan { db.begin().await? } else { lock(db, options).await? };
    let mut adoption = adopt_within(&txn, wish).await?;
    if wish.plan && adoption.needs_rehearsal() && txn.get_database_backend() == DbBackend::Postgres {
        adoption.rehearsed(rehearsal::on_postgres(&txn, &adoption.pending).await?);
    }
    if adoption.is_recorded() {
        txn.commit().await?;
    } else {
        txn.rollback().await?;
    }
    Ok(adoption)
}

async fn adopt_within(txn: &DatabaseTransaction, wish: &Wish) -> Result<Adoption, Error> {
    let state = state(txn).await?;
    if !state.unknown.is_empty() {
        return Err(Error::Ahead(state.unknown));
    }
    let found = facts::read(txn).await?;
    let mut adoption = Adoption { planned: wish.plan, rows: counts(txn, &found).await?, ..Adoption::default() };
    if let Some(at) = adopted_at(txn).await? {
        adoption.already = true;
        adoption.pending = state.pending;
        adoption.at = at;
        return Ok(adoption);
    }
    if !state.applied.is_empty() {
        return Err(Refusal::NotAdopted(state.applied.len()).into());
    }
    V09.clone_into(&mut adoption.at);
    adoption.revision = revision(alembic_revisions(txn).await?)?;
    let verdict = verify::verify(txn, &found, &adoption.revision).await?;
    (adoption.findings, adoption.left_alone) = (verdict.findings, verdict.left_alone);
    if adoption.findings.is_empty() {
        (adoption.stamped, adoption.pending) = state.pending.into_iter().partition(|name| is_v09(name));
    }
    if adoption.is_recorded() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed();
        Migrator::install(txn).await?;
        for name in &adoption.stamped {
            runner::record(txn, name, now).await?;
        }
        record::record(txn, V09, &adoption.revision, now).await?;
    }
    Ok(adoption)
}

/// The one revision from which a database can be taken over.
fn revision(revisions: Option<Vec<String>>) -> Result<String, Refusal> {
    let mut revisions = revisions.ok_or(Refusal::NoAlembic)?;
    let revision = revisions.pop().ok_or(Refusal::NoRevision)?;
    if !revisions.is_empty() {
        revisions.push(revision);
        return Err(Refusal::SeveralHeads(revisions));
    }
    match revision.as_str() {
        REVISION | LATER => Ok(revision),
        earlier if EARLIER.contains(&earlier) => Err(Refusal::TooOld(revision)),
        _ => Err(Refusal::UnknownRevision(revision)),
    }
}

/// Whether the migration is one of those that v0.9 stands for.
fn is_v09(name: &str) -> bool {
    name <= V09
}
