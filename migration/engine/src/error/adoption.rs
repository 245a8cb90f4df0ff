//! Why a database cannot be taken over from Alembic.

/// Why there is nothing to adopt.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdoptionRefusal {
    /// The project has no rules for it.
    #[error("{0} has no rules for databases of Alembic: run `upgrade`, or set `legacy` in the Project")]
    NoRules(&'static str),
    /// There is no table of Alembic.
    #[error("there is no table alembic_version, so Alembic did not build this database: run `upgrade`")]
    NoAlembic,
    /// Alembic's table is empty.
    #[error(
        "alembic_version is empty, so the revision of the database is unknown: find the right \
         revision, and run `alembic stamp REVISION`"
    )]
    NoRevision,
    /// Branches that nobody merged.
    #[error(
        "alembic_version has several heads ({}): first bring the database to one revision, {}",
        heads.join(", "), adoptable.join(" or ")
    )]
    SeveralHeads {
        /// The revisions in the table.
        heads: Vec<String>,
        /// The revisions that can be taken over.
        adoptable: Vec<&'static str>,
    },
    /// The database is older than the release of the rules.
    #[error("the database is at {at}, which is before {release}: run `alembic upgrade {revision}` first")]
    TooOld {
        /// The revision in the table.
        at: String,
        /// The release.
        release: &'static str,
        /// Its revision.
        revision: &'static str,
    },
    /// The revision is not one of the rules.
    #[error(
        "the database is at {at}, which cannot be taken over: only {release} ({}) can, so run `alembic downgrade {}` first",
        adoptable.join(" or "), adoptable.last().copied().unwrap_or_default()
    )]
    UnknownRevision {
        /// The revision in the table.
        at: String,
        /// The release.
        release: &'static str,
        /// The revisions that can be taken over, oldest first.
        adoptable: Vec<&'static str>,
    },
    /// The database is the project's already.
    #[error(
        "{count} of {project}'s migrations are already recorded, so there is nothing to take over: `status` lists them"
    )]
    AlreadyMigrated {
        /// How many migrations are recorded.
        count: usize,
        /// The name of the project.
        project: &'static str,
    },
}
