//! What a command would run, before it runs.

use crate::adopt::adopted_at;
use crate::connect::{Place, connect};
use crate::state::{State, names, state_in};
use crate::target::named;
use crate::{Error, Options, Target};
use sea_orm_migration::prelude::*;
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Apply what is pending.
    Up(Target),
    /// Take back what was applied.
    Down(Target),
    /// Take back everything, and apply everything.
    Refresh,
    /// Drop our tables as they are, and apply everything.
    Fresh,
}

/// Which way a migration is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// One migration to run.
pub(crate) struct Step {
    pub(crate) direction: Direction,
    pub(crate) migration: Box<dyn MigrationTrait>,
}

/// Everything to run, in its order.
#[derive(Default)]
pub(crate) struct Steps {
    /// The migrations whose tables are dropped first.
    pub(crate) drop: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

/// What would be done, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The migrations that would be taken back.
    pub take_back: Vec<String>,
    /// The migrations whose tables would be dropped.
    pub drop: Vec<String>,
    /// The migrations that would be applied.
    pub apply: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.take_back.is_empty() && self.drop.is_empty() && self.apply.is_empty()
    }

    /// Whether it would drop data.
    pub fn drops_data(&self) -> bool {
        !self.take_back.is_empty() || !self.drop.is_empty()
    }
}

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            return writeln!(f, "nothing to do");
        }
        for name in &self.take_back {
            writeln!(f, "would take back  {name}")?;
        }
        if !self.drop.is_empty() {
            writeln!(f, "would drop every table of the {} applied migrations", self.drop.len())?;
        }
        for name in &self.apply {
            writeln!(f, "would apply      {name}")?;
        }
        Ok(())
    }
}

/// What the work would do. Changes nothing and makes no file.
pub async fn plan(url: &str, work: &Work, options: &Options) -> Result<Plan, Error> {
    let steps = if Place::of(url)?.is_missing() {
        let state = State { pending: names(options.chain), ..State::default() };
        Steps::new(work, &state, None, options)?
    } else {
        let db = connect(url, false, options.lock_timeout).await?;
        let steps = Steps::read(&db, work, options).await;
        db.close().await?;
        steps?
    };
    let named = |direction| {
        let steps = steps.steps.iter().filter(move |step| step.direction == direction);
        steps.map(|step| step.migration.name().to_owned()).collect()
    };
    Ok(Plan { take_back: named(Direction::Down), apply: named(Direction::Up), drop: steps.drop })
}

impl Steps {
    /// For the database of this connection, if it may be migrated at all.
    pub(crate) async fn read(db: &impl ConnectionTrait, work: &Work, options: &Options) -> Result<Self, Error> {
        let state = state_in(db, options.chain).await?;
        state.ready()?;
        Self::new(work, &state, adopted_at(db).await?.as_deref(), options)
    }

    fn new(work: &Work, state: &State, floor: Option<&str>, options: &Options) -> Result<Self, Error> {
        let mut plan = Self::default();
        match work {
            Work::Up(target) => plan.add(Direction::Up, &state.pending, target, options)?,
            Work::Down(target) => plan.add(Direction::Down, &state.applied, target, options)?,
            Work::Refresh => {
                plan.add(Direction::Down, &state.applied, &Target::End, options)?;
                plan.add(Direction::Up, &names(options.chain), &Target::End, options)?;
            }
            Work::Fresh => {
                plan.drop.clone_from(&state.applied);
                plan.add(Direction::Up, &names(options.chain), &Target::End, options)?;
            }
        }
        let downs = plan.steps.iter().filter(|step| step.direction == Direction::Down);
        let mut lost = plan.drop.iter().map(String::as_str).chain(downs.map(|step| step.migration.name()));
        match floor {
            Some(floor) if lost.any(|name| name <= floor) => Err(Error::Adopted(floor.to_owned())),
            _ => Ok(plan),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.drop.is_empty()
    }

    /// Those of `among` that lead to the target.
    fn add(&mut self, way: Direction, among: &[String], target: &Target, options: &Options) -> Result<(), Error> {
        let mut steps = (options.chain)();
        steps.retain(|migration| among.iter().any(|name| name == migration.name()));
        if way == Direction::Down {
            steps.reverse();
        }
        match target {
            Target::End => {}
            Target::Steps(number) => steps.truncate(*number),
            Target::Name(word) => {
                let last = named(word, options.chain)?;
                steps.retain(|migration| match way {
                    Direction::Up => migration.name() <= last.as_str(),
                    Direction::Down => migration.name() > last.as_str(),
                });
            }
        }
        self.steps.extend(steps.into_iter().map(|migration| Step { direction: way, migration }));
        Ok(())
    }
}
