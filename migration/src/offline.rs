//! What migrations say, without a database that hears it: scripts for psql and sqlite3, and what can be read off them.
//!
//! A recorder takes the place of the database and answers every question with nothing. So the script is right where a
//! database would answer the same, and it makes sure of that: see `guard`.

use crate::guard::Guard;
use crate::lock::{LOCK, settings};
use crate::plan::{Direction, Step};
use crate::runner::forget;
use crate::state::{Chain, names};
use crate::target::{BASE, HEAD, position};
use crate::{Error, Options};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, MockDatabase, MockExecResult, Value};
use std::collections::BTreeMap;
use versions::Migrator;

/// More than any migration asks.
const ANSWERS: usize = 10_000;

/// The SQL that `up` (or `down`) would run, for `psql` or `sqlite3` to run. `range` is `FROM:TO`, or only `TO`: then it goes
/// up from the base, or down from the head.
pub async fn script(up: bool, range: &str, dialect: DbBackend, options: &Options) -> Result<String, Error> {
    let chain = options.chain;
    let (start, end) = if up { (BASE, HEAD) } else { (HEAD, BASE) };
    let (from, to) = range.split_once(':').unwrap_or((start, range));
    let from = position(if from.is_empty() { start } else { from }, 0, chain)?;
    let to = position(if to.is_empty() { end } else { to }, from, chain)?;
    if (up && from > to) || (!up && from < to) {
        return Err(Error::Range(range.to_owned()));
    }
    let mut steps: Vec<Step> =
        chain().into_iter().map(|migration| Step { direction: direction(up), migration }).collect();
    steps = steps.drain(from.min(to)..from.max(to)).collect();
    if !up {
        steps.reverse();
    }
    let label = |at: usize| names(chain).get(at.wrapping_sub(1)).cloned().unwrap_or_else(|| BASE.to_owned());
    let mut script =
        Script { text: format!("-- Playhead's schema, from {} to {}.\n", label(from), label(to)), dialect };
    script.write(from, &steps, options).await?;
    Ok(script.text)
}

fn direction(up: bool) -> Direction {
    if up { Direction::Up } else { Direction::Down }
}

struct Script {
    text: String,
    dialect: DbBackend,
}

impl Script {
    async fn write(&mut self, from: usize, steps: &[Step], options: &Options) -> Result<(), Error> {
        // A program that goes on after an error would commit what is left.
        self.text.push_str(match self.dialect {
            DbBackend::Postgres => "\\set ON_ERROR_STOP on\n",
            _ => ".bail on\nPRAGMA foreign_keys = OFF;\n",
        });
        let guard = Guard::new(self.dialect, from, options.chain).await?;
        let dialect = self.dialect;
        for stretch in steps.chunk_by(|a, b| !a.is_apart(dialect) && !b.is_apart(dialect)) {
            let apart = stretch.iter().any(|step| step.is_apart(dialect));
            if !apart {
                self.begin();
            }
            if from == 0 {
                self.say(install(self.dialect).await?);
            }
            for step in stretch {
                self.text.push_str(&format!("\n-- {}\n", step.migration.name()));
                let statements = recorded(step, dialect).await?;
                self.say(guard.statements(&statements).await?);
                self.say(statements.into_iter().filter(|statement| !is_read(statement)));
                self.say([bookkeeping(step, dialect).await?]);
                guard.pass(step).await?;
            }
            if !apart {
                self.text.push_str("\nCOMMIT;\n");
            }
        }
        Ok(())
    }

    fn begin(&mut self) {
        if self.dialect == DbBackend::Postgres {
            let lock = format!("DO $$ BEGIN PERFORM pg_advisory_xact_lock({LOCK}); END $$");
            self.say(["BEGIN".to_owned(), settings("LOCAL"), lock]);
        } else {
            self.say(["BEGIN IMMEDIATE".to_owned()]);
        }
    }

    fn say(&mut self, statements: impl IntoIterator<Item = String>) {
        for statement in statements {
            self.text.push_str(statement.trim_end().trim_end_matches(';'));
            self.text.push_str(";\n");
        }
    }
}

/// Whether a statement only asks.
pub(crate) fn is_read(statement: &str) -> bool {
    statement.starts_with("SELECT") || statement.starts_with("WITH")
}

/// Every statement of a migration, questions included.
pub(crate) async fn recorded(step: &Step, dialect: DbBackend) -> Result<Vec<String>, Error> {
    let (statements, result) = record(step, dialect).await;
    result.map_err(|source| Error::Offline { name: step.migration.name().to_owned(), source })?;
    Ok(statements)
}

/// As far as it comes without answers.
async fn record(step: &Step, dialect: DbBackend) -> (Vec<String>, Result<(), DbErr>) {
    let db = recorder(dialect);
    let manager = SchemaManager::new(&db);
    let result = match step.direction {
        Direction::Up => step.migration.up(&manager).await,
        Direction::Down => step.migration.down(&manager).await,
    };
    drop(manager);
    (taken(db), result)
}

fn recorder(dialect: DbBackend) -> DatabaseConnection {
    let nothing: Vec<BTreeMap<String, Value>> = Vec::new();
    MockDatabase::new(dialect)
        .append_exec_results(std::iter::repeat_n(MockExecResult::default(), ANSWERS))
        .append_query_results(std::iter::repeat_n(nothing, ANSWERS))
        .into_connection()
}

fn taken(db: DatabaseConnection) -> Vec<String> {
    let log = db.into_transaction_log();
    log.iter().flat_map(|transaction| transaction.statements()).map(ToString::to_string).collect()
}

async fn install(dialect: DbBackend) -> Result<Vec<String>, Error> {
    let db = recorder(dialect);
    Migrator::install(&db).await?;
    Ok(taken(db))
}

/// What the runner notes beside the migration; the time is that of the script's run.
async fn bookkeeping(step: &Step, dialect: DbBackend) -> Result<String, Error> {
    if step.direction == Direction::Down {
        let db = recorder(dialect);
        forget(&db, step.migration.name()).await?;
        return Ok(taken(db).concat());
    }
    let now = match dialect {
        DbBackend::Postgres => "extract(epoch FROM now())::bigint",
        _ => "CAST(strftime('%s', 'now') AS INTEGER)",
    };
    let name = step.migration.name();
    Ok(format!("INSERT INTO \"seaql_migrations\" (\"version\", \"applied_at\") VALUES ('{name}', {now})"))
}

/// Whether any of the steps drops or rebuilds a table, or drops a column; when in doubt, it does.
pub(crate) async fn drops(steps: &[Step], dialect: DbBackend) -> bool {
    for step in steps {
        let (statements, result) = record(step, dialect).await;
        if result.is_err() || statements.iter().any(|sql| sql.contains("DROP TABLE") || sql.contains("DROP COLUMN")) {
            return true;
        }
    }
    false
}

/// Drops what these migrations made, tables and types, newest first, and the record of it. Nothing else is touched.
pub(crate) async fn drop_tables_of(db: &impl ConnectionTrait, applied: &[String], chain: Chain) -> Result<(), Error> {
    let mut made: Vec<(&str, String)> = Vec::new();
    for migration in chain().into_iter().filter(|migration| applied.iter().any(|name| name == migration.name())) {
        let step = Step { direction: Direction::Up, migration };
        for statement in record(&step, db.get_database_backend()).await.0 {
            for (words, kind) in [("TABLE", "TABLE"), ("VIRTUAL TABLE", "TABLE"), ("TYPE", "TYPE")] {
                let name =
                    statement.strip_prefix(&format!("CREATE {words} ")).map(|rest| rest.replace("IF NOT EXISTS ", ""));
                if let Some(name) = name.as_deref().and_then(|name| name.split('"').nth(1)) {
                    made.push((kind, name.to_owned()));
                }
            }
        }
    }
    made.sort_by_key(|(kind, _)| *kind == "TABLE");
    for (kind, name) in made.iter().rev() {
        db.execute_unprepared(&format!("DROP {kind} IF EXISTS \"{name}\"")).await?;
    }
    db.execute_unprepared("DROP TABLE \"seaql_migrations\"").await?;
    Ok(())
}
