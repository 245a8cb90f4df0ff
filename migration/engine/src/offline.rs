//! `--sql`: the SQL of migrations as a script for psql or sqlite3, written without a database.
//!
//! A migration may read rows and choose its statements by them. A script cannot do this. So the
//! script stops if there are such rows: see `script_assertions`.

use crate::lock::settings;
use crate::recorder::{self, is_read, remove_record, statements};
use crate::script_assertions::ScriptAssertions;
use crate::step::{Direction, Step};
use crate::target::{BASE, HEAD, position};
use crate::{Error, Project};
use sea_orm_migration::sea_orm::DbBackend;

impl Project {
    /// The SQL that `up` (or `down`) would run, for psql or sqlite3. `range` is `FROM:TO` or `TO`;
    /// without `FROM` it starts at the base (`up`) or the head (`down`).
    ///
    /// # Errors
    /// The range is unknown or in the wrong direction, or a migration cannot be written as a
    /// script.
    pub async fn script(&self, up: bool, range: &str, dialect: DbBackend) -> Result<String, Error> {
        let (start, end) = if up { (BASE, HEAD) } else { (HEAD, BASE) };
        let (from, to) = range.split_once(':').unwrap_or((start, range));
        let from = position(if from.is_empty() { start } else { from }, 0, self)?;
        let to = position(if to.is_empty() { end } else { to }, from, self)?;
        if (up && from > to) || (!up && from < to) {
            return Err(Error::Range(range.to_owned()));
        }
        let mut steps: Vec<Step> =
            (self.chain)().into_iter().map(|migration| Step { direction: direction(up), migration }).collect();
        steps = steps.drain(from.min(to)..from.max(to)).collect();
        if !up {
            steps.reverse();
        }
        let label = |at: usize| self.names().get(at.wrapping_sub(1)).cloned().unwrap_or_else(|| BASE.to_owned());
        let text = format!("-- {}'s schema, from {} to {}.\n", self.name, label(from), label(to));
        let mut script = Script { project: self, text, dialect };
        script.write(from, &steps).await?;
        Ok(script.text)
    }
}

fn direction(up: bool) -> Direction {
    if up { Direction::Up } else { Direction::Down }
}

struct Script<'a> {
    project: &'a Project,
    text: String,
    dialect: DbBackend,
}

impl Script<'_> {
    async fn write(&mut self, from: usize, steps: &[Step]) -> Result<(), Error> {
        // By default both programs continue after an error, and would commit the rest.
        self.text.push_str(match self.dialect {
            DbBackend::Postgres => "\\set ON_ERROR_STOP on\n",
            _ => ".bail on\nPRAGMA foreign_keys = OFF;\n",
        });
        let assertions = ScriptAssertions::new(self.dialect, from, self.project.chain).await?;
        let dialect = self.dialect;
        for segment in steps.chunk_by(|a, b| !a.is_non_transactional(dialect) && !b.is_non_transactional(dialect)) {
            let non_transactional = segment.iter().any(|step| step.is_non_transactional(dialect));
            if !non_transactional {
                self.begin();
            }
            if from == 0 {
                self.push(recorder::install(self.dialect).await?);
            }
            for step in segment {
                self.text.push_str(&format!("\n-- {}\n", step.name()));
                let statements = statements(step, dialect).await?;
                self.push(assertions.statements(&statements).await?);
                self.push(statements.into_iter().filter(|statement| !is_read(statement)));
                self.push([record_statement(step, dialect).await?]);
                assertions.advance(step).await?;
            }
            if !non_transactional {
                self.text.push_str("\nCOMMIT;\n");
            }
        }
        Ok(())
    }

    fn begin(&mut self) {
        if self.dialect == DbBackend::Postgres {
            let lock = format!("DO $$ BEGIN PERFORM pg_advisory_xact_lock({}); END $$", self.project.lock_number);
            self.push(["BEGIN".to_owned(), settings("LOCAL"), lock]);
        } else {
            self.push(["BEGIN IMMEDIATE".to_owned()]);
        }
    }

    fn push(&mut self, statements: impl IntoIterator<Item = String>) {
        for statement in statements {
            self.text.push_str(statement.trim_end().trim_end_matches(';'));
            self.text.push_str(";\n");
        }
    }
}

/// The statement that records the migration, with the time at which the script runs.
async fn record_statement(step: &Step, dialect: DbBackend) -> Result<String, Error> {
    if step.direction == Direction::Down {
        return Ok(remove_record(step.name(), dialect).await?);
    }
    let now = match dialect {
        DbBackend::Postgres => "extract(epoch FROM now())::bigint",
        _ => "CAST(strftime('%s', 'now') AS INTEGER)",
    };
    let name = step.name();
    Ok(format!("INSERT INTO \"seaql_migrations\" (\"version\", \"applied_at\") VALUES ('{name}', {now})"))
}
