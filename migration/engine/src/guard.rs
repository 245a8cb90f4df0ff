//! What a script must find before it changes anything, because its statements were made without looking.
//!
//! A migration that runs looks at the rows first and keeps the columns and triggers that it does not know. A script cannot: so
//! where a migration asks for rows that it could not convert, the script stops if there are any, and where it would rebuild a
//! SQLite table, the script stops if the table has other columns than the migrations gave it, or triggers.

use crate::Error;
use crate::project::Chain;
use crate::recorder::is_read;
use crate::step::Step;
use crate::wanted::memory_for_migrations;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, Statement};

/// What the one who runs the script reads when it stops.
const STOP: &str = "this database holds what a script cannot convert: run the command itself instead of its SQL";

pub(crate) enum Guard {
    /// There is nothing yet that could be lost.
    Idle,
    Postgres,
    /// The empty tables as they are at each step.
    Sqlite(DatabaseConnection),
}

impl Guard {
    /// For a script that begins after `from` migrations.
    pub(crate) async fn new(dialect: DbBackend, from: usize, chain: Chain) -> Result<Self, Error> {
        if from == 0 {
            return Ok(Self::Idle);
        }
        if dialect == DbBackend::Postgres {
            return Ok(Self::Postgres);
        }
        let guard = Self::Sqlite(memory_for_migrations().await?);
        for migration in chain().into_iter().take(from) {
            guard.pass(&Step::up(migration)).await?;
        }
        Ok(guard)
    }

    /// Notes that a migration was written down.
    pub(crate) async fn pass(&self, step: &Step) -> Result<(), Error> {
        if let Self::Sqlite(db) = self {
            step.execute(&SchemaManager::new(db)).await?;
        }
        Ok(())
    }

    /// Statements that fail where the questions among these would not have been answered with nothing.
    pub(crate) async fn statements(&self, recorded: &[String]) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for question in recorded.iter().filter(|statement| is_read(statement)) {
            if let Some(number) = self.strange(question).await? {
                found.push(number);
            }
        }
        found.dedup();
        Ok(match self {
            _ if found.is_empty() => vec![],
            Self::Sqlite(_) => {
                let create = format!(
                    "CREATE TEMP TABLE script_assertions (found INTEGER CONSTRAINT \"{STOP}\" CHECK (found = 0))"
                );
                let inserts = found.iter().map(|number| format!("INSERT INTO script_assertions {number}"));
                let drop = "DROP TABLE temp.script_assertions".to_owned();
                [create].into_iter().chain(inserts).chain([drop]).collect()
            }
            _ => {
                let stop = |number: &String| {
                    format!("DO $$ BEGIN IF ({number}) > 0 THEN RAISE EXCEPTION '{STOP}'; END IF; END $$")
                };
                found.iter().map(stop).collect()
            }
        })
    }

    /// A SELECT of how much there is that should not be there, for a question that has anything to do with it.
    async fn strange(&self, question: &str) -> Result<Option<String>, Error> {
        let catalogue = ["sqlite_master", "pragma_", "pg_"].iter().any(|name| question.contains(name));
        Ok(match self {
            Self::Idle => None,
            _ if !catalogue && question.starts_with("SELECT count(*)") => Some(question.to_owned()),
            _ if !catalogue => Some(format!("SELECT count(*) FROM ({question}) AS found")),
            Self::Sqlite(_) if question.contains("type = 'trigger'") => {
                Some(format!("SELECT count(*) FROM ({question})"))
            }
            Self::Sqlite(db) if question.starts_with("SELECT name FROM pragma_table_xinfo") => {
                let mut known = Vec::new();
                for row in db.query_all_raw(Statement::from_string(DbBackend::Sqlite, question)).await? {
                    known.push(format!("'{}'", row.try_get_by_index::<String>(0)?));
                }
                Some(format!("SELECT count(*) FROM ({question}) WHERE name NOT IN ({})", known.join(", ")))
            }
            _ => None,
        })
    }
}
