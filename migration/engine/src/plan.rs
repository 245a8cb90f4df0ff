//! The plan of a run: which migrations it reverts and applies.

use crate::connect::{Place, connect};
use crate::records::adoption::adopted_at;
use crate::state::SchemaState;
use crate::step::{Direction, Step};
use crate::target::resolve_name;
use crate::{Error, Project, RunOptions, Target};
use sea_orm_migration::sea_orm::ConnectionTrait;
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// What to do with the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Apply pending migrations.
    Up(Target),
    /// Revert applied migrations, newest first.
    Down(Target),
    /// Revert every migration, and apply every migration.
    Refresh,
    /// Drop the tables that the migrations create, and apply every migration.
    Fresh,
}

/// What a run does: it drops tables, then runs migrations, in order.
#[derive(Default)]
pub(crate) struct Steps {
    /// The migrations whose tables are dropped first.
    pub(crate) drop: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

/// What a run would do: names of migrations, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunPlan {
    /// The migrations that would be reverted. Programs read them as `take_back`.
    #[serde(rename = "take_back")]
    pub revert: Vec<String>,
    /// The migrations whose tables would be dropped.
    pub drop: Vec<String>,
    /// The migrations that would be applied.
    pub apply: Vec<String>,
}

impl RunPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.revert.is_empty() && self.drop.is_empty() && self.apply.is_empty()
    }

    /// Whether it would drop data.
    pub fn drops_data(&self) -> bool {
        !self.revert.is_empty() || !self.drop.is_empty()
    }
}

impl Display for RunPlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            return writeln!(f, "nothing to do");
        }
        for name in &self.revert {
            writeln!(f, "would revert  {name}")?;
        }
        if !self.drop.is_empty() {
            writeln!(f, "would drop every table of the {} applied migrations", self.drop.len())?;
        }
        for name in &self.apply {
            writeln!(f, "would apply   {name}")?;
        }
        Ok(())
    }
}

impl Project {
    /// Returns what the operation would do. Changes nothing and creates no file.
    ///
    /// # Errors
    /// The database cannot be opened, or the target is unknown or out of reach.
    pub async fn plan(&self, url: &str, operation: &Operation, options: &RunOptions) -> Result<RunPlan, Error> {
        let steps = if Place::of(url)?.is_missing() {
            let state = SchemaState { pending: self.names(), ..SchemaState::default() };
            Steps::new(self, operation, &state, None)?
        } else {
            let db = connect(self, url, false, options.lock_timeout).await?;
            let steps = Steps::read(self, &db, operation).await;
            db.close().await?;
            steps?
        };
        let names = |direction| {
            let steps = steps.steps.iter().filter(move |step| step.direction == direction);
            steps.map(|step| step.name().to_owned()).collect()
        };
        Ok(RunPlan { revert: names(Direction::Down), apply: names(Direction::Up), drop: steps.drop })
    }
}

impl Steps {
    /// Reads the state of the database and plans for it.
    ///
    /// # Errors
    /// The database was not adopted from Alembic yet, or is ahead of this program, or the operation
    /// would go below the adoption.
    pub(crate) async fn read(
        project: &Project,
        db: &impl ConnectionTrait,
        operation: &Operation,
    ) -> Result<Self, Error> {
        let state = project.state(db).await?;
        state.require_migratable(project)?;
        Self::new(project, operation, &state, adopted_at(db, project.legacy).await?.as_deref())
    }

    fn new(project: &Project, operation: &Operation, state: &SchemaState, floor: Option<&str>) -> Result<Self, Error> {
        let mut plan = Self::default();
        match operation {
            Operation::Up(target) => plan.add(project, Direction::Up, &state.pending, target)?,
            Operation::Down(target) => plan.add(project, Direction::Down, &state.applied, target)?,
            Operation::Refresh => {
                plan.add(project, Direction::Down, &state.applied, &Target::End)?;
                plan.add(project, Direction::Up, &project.names(), &Target::End)?;
            }
            Operation::Fresh => {
                plan.drop.clone_from(&state.applied);
                plan.add(project, Direction::Up, &project.names(), &Target::End)?;
            }
        }
        let downs = plan.steps.iter().filter(|step| step.direction == Direction::Down);
        let mut removed = plan.drop.iter().map(String::as_str).chain(downs.map(|step| step.name()));
        match floor {
            Some(floor) if removed.any(|name| name <= floor) => Err(Error::Adopted(floor.to_owned())),
            _ => Ok(plan),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.drop.is_empty()
    }

    /// Adds the migrations of `among` that lead to the target.
    fn add(&mut self, project: &Project, direction: Direction, among: &[String], target: &Target) -> Result<(), Error> {
        let mut steps = (project.chain)();
        steps.retain(|migration| among.iter().any(|name| name == migration.name()));
        if direction == Direction::Down {
            steps.reverse();
        }
        match target {
            Target::End => {}
            Target::Steps(number) => steps.truncate(*number),
            Target::Name(word) => {
                let last = resolve_name(word, project)?;
                steps.retain(|migration| match direction {
                    Direction::Up => migration.name() <= last.as_str(),
                    Direction::Down => migration.name() > last.as_str(),
                });
            }
        }
        self.steps.extend(steps.into_iter().map(|migration| Step { direction, migration }));
        Ok(())
    }
}
