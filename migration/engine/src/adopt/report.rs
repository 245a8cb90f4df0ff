//! The report of an adoption: what it did, would do, or could not do.

use super::rehearsal::Rehearsal;
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// What an adoption found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AdoptReport {
    /// Alembic's revision; empty if the database was adopted before.
    pub revision: String,
    /// The migration at which the database is adopted. No downgrade goes below it.
    pub at: String,
    /// Whether the database was adopted before.
    pub already: bool,
    /// Whether this is a plan, so that nothing was changed.
    pub planned: bool,
    /// The obstacles. If there are any, nothing was changed.
    pub findings: Vec<String>,
    /// Extra objects, which stay as they are.
    pub left_alone: Vec<String>,
    /// How the migrations were rehearsed for a plan.
    pub rehearsal: String,
    /// The number of rows of each table.
    pub rows: Vec<(String, i64)>,
    /// The migrations that were marked as applied. In a plan: that would be marked.
    pub stamped: Vec<String>,
    /// The later migrations that are not applied yet.
    pub pending: Vec<String>,
    /// The backup of the SQLite file, if there is one.
    pub backup: Option<String>,
    /// The later migrations that this run applied.
    pub applied: Vec<String>,
    /// Tables whose number of rows changed meanwhile: name, before, after.
    pub recounted: Vec<(String, i64, i64)>,
}

impl AdoptReport {
    /// Whether this run recorded the adoption.
    pub fn is_recorded(&self) -> bool {
        !self.planned && !self.already && self.findings.is_empty()
    }

    /// Whether there are migrations whose outcome a plan does not know yet.
    pub(super) fn needs_rehearsal(&self) -> bool {
        self.findings.is_empty() && !self.pending.is_empty()
    }

    /// Adds what a rehearsal showed.
    pub(super) fn add_rehearsal(&mut self, rehearsal: Rehearsal) {
        (self.findings, self.rehearsal) = (rehearsal.findings, rehearsal.note);
        if !self.findings.is_empty() {
            self.stamped.clear();
            self.pending.clear();
        }
    }

    /// Adds the tables whose number of rows the migrations changed. There should be none.
    pub(super) fn compare_counts(&mut self, after: &[(String, i64)]) {
        let now = |table: &String| after.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows);
        let counted = self.rows.iter().map(|(table, before)| (table.clone(), *before, now(table)));
        self.recounted = counted.filter(|(_, before, after)| before != after).collect();
        self.pending.retain(|name| !self.applied.contains(name));
    }
}

impl Display for AdoptReport {
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
        list(f, "\nextra objects, left as they are", &self.left_alone)?;
        list(f, "\nnothing was changed, because of these obstacles", &self.findings)?;
        if !self.findings.is_empty() {
            return writeln!(f, "\nfix each of them and run `adopt` again");
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
            writeln!(
                f,
                "\n{table}: {before} rows before, {after} after; another program wrote meanwhile, or rows were lost"
            )?;
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
