//! Assertions in a printed script. They stop the script if its SQL is wrong for the database.
//!
//! A run chooses its statements by the rows, columns and triggers of the database. A script is
//! written without it and cannot choose. So it stops if a query of the migration returns rows, and
//! on SQLite if a rebuilt table has triggers, or columns that the migrations did not create.

use crate::Error;
use crate::expected::in_memory_database_for_migrations;
use crate::project::Chain;
use crate::recorder::is_read;
use crate::step::Step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, Statement};

/// The error of a script that an assertion stops.
const MESSAGE: &str =
    "this database has rows, columns or triggers that this script cannot keep: run the command without --sql";

/// What the assertions of a script depend on.
pub(crate) enum ScriptAssertions {
    /// The script starts with an empty database: there is nothing to assert.
    EmptyDatabase,
    /// The script is for PostgreSQL.
    Postgres,
    /// The script is for SQLite. The database in memory has the tables as they are before the
    /// current step.
    Sqlite(DatabaseConnection),
}

impl ScriptAssertions {
    /// For a script that starts after the first `applied` migrations.
    pub(crate) async fn new(dialect: DbBackend, applied: usize, chain: Chain) -> Result<Self, Error> {
        if applied == 0 {
            return Ok(Self::EmptyDatabase);
        }
        if dialect == DbBackend::Postgres {
            return Ok(Self::Postgres);
        }
        let assertions = Self::Sqlite(in_memory_database_for_migrations().await?);
        for migration in chain().into_iter().take(applied) {
            assertions.advance(&Step::up(migration)).await?;
        }
        Ok(assertions)
    }

    /// Moves on to the tables after this step.
    pub(crate) async fn advance(&self, step: &Step) -> Result<(), Error> {
        if let Self::Sqlite(db) = self {
            step.execute(&SchemaManager::new(db)).await?;
        }
        Ok(())
    }

    /// Statements that fail if a query among `recorded` would return rows.
    pub(crate) async fn statements(&self, recorded: &[String]) -> Result<Vec<String>, Error> {
        let mut counts = Vec::new();
        for query in recorded.iter().filter(|statement| is_read(statement)) {
            counts.extend(self.count_unexpected(query).await?);
        }
        counts.dedup();
        Ok(match self {
            _ if counts.is_empty() => vec![],
            Self::Sqlite(_) => {
                let create = format!(
                    "CREATE TEMP TABLE script_assertions (found INTEGER CONSTRAINT \"{MESSAGE}\" CHECK (found = 0))"
                );
                let inserts = counts.iter().map(|count| format!("INSERT INTO script_assertions {count}"));
                let drop = "DROP TABLE temp.script_assertions".to_owned();
                [create].into_iter().chain(inserts).chain([drop]).collect()
            }
            _ => {
                let raise = |count: &String| {
                    format!("DO $$ BEGIN IF ({count}) > 0 THEN RAISE EXCEPTION '{MESSAGE}'; END IF; END $$")
                };
                counts.iter().map(raise).collect()
            }
        })
    }

    /// A SELECT that counts what the query must not find; `None` for a query of the catalogue that
    /// asserts nothing.
    async fn count_unexpected(&self, query: &str) -> Result<Option<String>, Error> {
        let reads_catalogue = ["sqlite_master", "pragma_", "pg_"].iter().any(|name| query.contains(name));
        Ok(match self {
            Self::EmptyDatabase => None,
            _ if !reads_catalogue && query.starts_with("SELECT count(*)") => Some(query.to_owned()),
            _ if !reads_catalogue => Some(format!("SELECT count(*) FROM ({query}) AS found")),
            Self::Sqlite(_) if query.contains("type = 'trigger'") => Some(format!("SELECT count(*) FROM ({query})")),
            Self::Sqlite(db) if query.starts_with("SELECT name FROM pragma_table_xinfo") => {
                let mut known = Vec::new();
                for row in db.query_all_raw(Statement::from_string(DbBackend::Sqlite, query)).await? {
                    known.push(format!("'{}'", row.try_get_by_index::<String>(0)?));
                }
                Some(format!("SELECT count(*) FROM ({query}) WHERE name NOT IN ({})", known.join(", ")))
            }
            _ => None,
        })
    }
}
