//! What a command would run, before it runs.

use crate::connect::{Place, connect};
use crate::records::adoption::adopted_at;
use crate::state::State;
use crate::step::{Direction, Step};
use crate::target::named;
use crate::{Error, Options, Project, Target};
use sea_orm_migration::sea_orm::ConnectionTrait;
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

impl Project {
    /// What the work would do. Changes nothing and makes no file.
    pub async fn plan(&self, url: &str, work: &Work, options: &Options) -> Result<Plan, Error> {
        let steps = if Place::of(url)?.is_missing() {
            let state = State { pending: self.names(), ..State::default() };
            Steps::new(self, work, &state, None)?
        } else {
            let db = connect(self, url, false, options.lock_timeout).await?;
            let steps = Steps::read(self, &db, work).await;
            db.close().await?;
            steps?
        };
        let named = |direction| {
            let steps = steps.steps.iter().filter(move |step| step.direction == direction);
            steps.map(|step| step.name().to_owned()).collect()
        };
        Ok(Plan { take_back: named(Direction::Down), apply: named(Direction::Up), drop: steps.drop })
    }
}

impl Steps {
    /// For the database of this connection, if it may be migrated at all.
    pub(crate) async fn read(project: &Project, db: &impl ConnectionTrait, work: &Work) -> Result<Self, Error> {
        let state = project.state(db).await?;
        state.ready(project)?;
        Self::new(project, work, &state, adopted_at(db, project.legacy).await?.as_deref())
    }

    fn new(project: &Project, work: &Work, state: &State, floor: Option<&str>) -> Result<Self, Error> {
        let mut plan = Self::default();
        match work {
            Work::Up(target) => plan.add(project, Direction::Up, &state.pending, target)?,
            Work::Down(target) => plan.add(project, Direction::Down, &state.applied, target)?,
            Work::Refresh => {
                plan.add(project, Direction::Down, &state.applied, &Target::End)?;
                plan.add(project, Direction::Up, &project.names(), &Target::End)?;
            }
            Work::Fresh => {
                plan.drop.clone_from(&state.applied);
                plan.add(project, Direction::Up, &project.names(), &Target::End)?;
            }
        }
        let downs = plan.steps.iter().filter(|step| step.direction == Direction::Down);
        let mut lost = plan.drop.iter().map(String::as_str).chain(downs.map(|step| step.name()));
        match floor {
            Some(floor) if lost.any(|name| name <= floor) => Err(Error::Adopted(floor.to_owned())),
            _ => Ok(plan),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.drop.is_empty()
    }

    /// Those of `among` that lead to the target.
    fn add(&mut self, project: &Project, way: Direction, among: &[String], target: &Target) -> Result<(), Error> {
        let mut steps = (project.chain)();
        steps.retain(|migration| among.iter().any(|name| name == migration.name()));
        if way == Direction::Down {
            steps.reverse();
        }
        match target {
            Target::End => {}
            Target::Steps(number) => steps.truncate(*number),
            Target::Name(word) => {
                let last = named(word, project)?;
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
