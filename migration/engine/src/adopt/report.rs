//! What an adoption did, or would do, or could not do.

use super::rehearsal::Rehearsal;
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// What an adoption found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Adoption {
    /// Alembic's revision; empty when the database was taken over earlier.
    pub revision: String,
    /// The migration at which it is taken over, below which no downgrade goes.
    pub at: String,
    /// Whether that was done before.
    pub already: bool,
    /// Whether this only says what would be done.
    pub planned: bool,
    /// What is in the way. As long as there is anything, nothing is done.
    pub findings: Vec<String>,
    /// What is not ours and stays as it is.
    pub left_alone: Vec<String>,
    /// How the migrations were rehearsed for the plan.
    pub rehearsal: String,
    /// How many rows each table has.
    pub rows: Vec<(String, i64)>,
    /// The migrations that were marked as applied, or would be.
    pub stamped: Vec<String>,
    /// The migrations that come after them.
    pub pending: Vec<String>,
    /// Where the SQLite file was backed up before that.
    pub backup: Option<String>,
    /// Those of them that were applied.
    pub applied: Vec<String>,
    /// Tables that had another number of rows after that: name, before, after.
    pub recounted: Vec<(String, i64, i64)>,
}

impl Adoption {
    /// Whether it was written down just now.
    pub fn is_recorded(&self) -> bool {
        !self.planned && !self.already && self.findings.is_empty()
    }

    /// Whether there is anything that could stop on the way.
    pub(super) fn needs_rehearsal(&self) -> bool {
        self.findings.is_empty() && !self.pending.is_empty()
    }

    /// Notes what a rehearsal showed.
    pub(super) fn rehearsed(&mut self, rehearsal: Rehearsal) {
        (self.findings, self.rehearsal) = (rehearsal.findings, rehearsal.note);
        if !self.findings.is_empty() {
            self.stamped.clear();
            self.pending.clear();
        }
    }

    /// Notes what the migrations changed about the numbers of rows, which should be nothing.
    pub(super) fn count_again(&mut self, after: &[(String, i64)]) {
        let now = |table: &String| after.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows);
        let counted = self.rows.iter().map(|(table, before)| (table.clone(), *before, now(table)));
        self.recounted = counted.filter(|(_, before, after)| before != after).collect();
        self.pending.retain(|name| !self.applied.contains(name));
    }
}

impl Display for Adoption {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.already {
            writeln!(f, "this database was adopted before, at {}", self.at)?;
        } else {
            writeln!(f, "Alembic is at {}", self.revision)?;
        }
        if !self.already {
            for (table, rows) in &self.rows {
                writeln!(f, "  {table:<20} {rows:>10} {}", if *rows == 1 { "row" } else { "rows" })?;
            }
        }
        list(f, "\nnot ours, left as it is", &self.left_alone)?;
        list(f, "\nin the way, so that nothing was changed", &self.findings)?;
        if !self.findings.is_empty() {
            return writeln!(f, "\nmend each of them and run `adopt` again");
        }
        let (stamped, applied) =
            if self.planned { ("would mark as applied", "would apply") } else { ("marked as applied", "applied") };
        list(f, &format!("\n{stamped}"), &self.stamped)?;
        if let Some(backup) = &self.backup {
            writeln!(f, "\nbacked up to {backup}")?;
        }
        let applied_names = if self.planned { &self.pending } else { &self.applied };
        list(f, &format!("\n{applied}"), applied_names)?;
        for (table, before, after) in &self.recounted {
            writeln!(f, "\n{table}: {before} rows before, {after} after; somebody wrote meanwhile, or rows were lost")?;
        }
        match (self.planned, self.applied.is_empty(), self.pending.len()) {
            (true, ..) if self.rehearsal.is_empty() => writeln!(f, "\nnothing was changed"),
            (true, ..) => writeln!(f, "\n{}\nnothing was changed", self.rehearsal),
            (false, true, 0) => writeln!(f, "nothing to do"),
            (false, true, pending) => writeln!(f, "\n{pending} migrations follow: `upgrade` applies them"),
            (false, false, _) if self.recounted.is_empty() => writeln!(f, "\nevery table has as many rows as before"),
            (false, false, _) => Ok(()),
        }
    }
}

fn list(f: &mut Formatter<'_>, title: &str, lines: &[String]) -> std::fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}:")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}
