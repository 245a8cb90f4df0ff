//! Runs a command and makes its output.

use super::Environment;
use super::command::{AdoptArguments, Command, ConfirmArguments, OfflineArguments, RevisionArguments, RunArguments};
use crate::adopt::AdoptOptions;
use crate::connect::Place;
use crate::consent::{Confirmation, confirm};
use crate::environment::expand_home;
use crate::plan::Operation;
use crate::{Error, Project, RunOptions, Target};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Display;
use std::time::Duration;

/// The output of a command in both forms, and its exit code.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) json: Value,
    pub(super) code: u8,
}

impl Answer {
    fn of(report: &(impl Serialize + Display)) -> Self {
        Self { text: report.to_string(), json: json!(report), code: 0 }
    }

    /// Exits with 2 on this condition.
    fn exit_2_if(self, condition: bool) -> Self {
        Self { code: if condition { 2 } else { self.code }, ..self }
    }
}

/// The project and the environment of a command.
pub(super) struct Context<'a> {
    pub(super) project: &'a Project,
    pub(super) environment: &'a Environment<'a>,
}

impl Context<'_> {
    pub(super) async fn answer(&self, command: &Command) -> Result<Answer, Error> {
        let (project, url) = (self.project, self.environment.database_url);
        match command {
            Command::Up { target, steps, offline, change } => self.up(target, *steps, offline, change).await,
            Command::Down { target, steps, offline, drop, change } => {
                self.down(target, *steps, offline, drop, change).await
            }
            Command::Reset { drop, change } => self.drop(Operation::Down(Target::End), drop, change).await,
            Command::Refresh { drop, change } => self.drop(Operation::Refresh, drop, change).await,
            Command::Fresh { drop, change } => self.drop(Operation::Fresh, drop, change).await,
            Command::Current => self.current().await,
            Command::Heads => {
                let head = project.names().pop();
                let text = format!("{} (head)\n", head.as_deref().unwrap_or("base"));
                Ok(Answer { text, json: json!({ "heads": [head] }), code: 0 })
            }
            Command::History => Ok(Answer::of(&project.history(url).await?)),
            Command::Status { check } => self.status(*check).await,
            Command::Show { name } => Ok(Answer::of(&project.show(url, name).await?)),
            Command::Stamp { target, lock_timeout } => {
                Ok(Answer::of(&project.stamp(url, target, &options(*lock_timeout, false)).await?))
            }
            Command::Check { strict } => {
                let drift = project.check(url).await?;
                Ok(Answer::of(&drift).exit_2_if(!drift.is_clean(*strict)))
            }
            Command::Revision(revision) => self.revision(revision).await,
            Command::Adopt(adopt) => self.adopt(adopt).await,
            Command::Doctor => {
                let diagnosis = project.doctor(url).await?;
                Ok(Answer::of(&diagnosis).exit_2_if(!diagnosis.is_healthy()))
            }
        }
    }

    async fn up(
        &self,
        target: &str,
        steps: Option<usize>,
        offline: &OfflineArguments,
        how: &RunArguments,
    ) -> Result<Answer, Error> {
        if offline.sql {
            let range = steps.map_or_else(|| target.to_owned(), |steps| format!("+{steps}"));
            return self.sql(true, &range, offline).await;
        }
        let operation = Operation::Up(steps.map_or_else(|| Target::up(target), Target::Steps));
        match how.plan {
            true => self.plan(&operation, how).await,
            false => self.change(&operation, how).await,
        }
    }

    async fn down(
        &self,
        target: &str,
        steps: Option<usize>,
        offline: &OfflineArguments,
        drop: &ConfirmArguments,
        how: &RunArguments,
    ) -> Result<Answer, Error> {
        if offline.sql {
            let range = steps.map_or_else(|| target.to_owned(), |steps| format!("-{steps}"));
            return self.sql(false, &range, offline).await;
        }
        self.drop(Operation::Down(steps.map_or_else(|| Target::down(target), Target::Steps)), drop, how).await
    }

    /// Plans or runs an operation that may drop data, which needs confirmation.
    async fn drop(&self, operation: Operation, drop: &ConfirmArguments, how: &RunArguments) -> Result<Answer, Error> {
        if how.plan {
            return self.plan(&operation, how).await;
        }
        let Environment { database_url, production } = *self.environment;
        if !drop.yes {
            let plan = self.project.plan(database_url, &operation, &options_of(how)).await?;
            confirm(self.project, &plan, database_url, Confirmation::available(production))?;
        }
        self.change(&operation, how).await
    }

    async fn plan(&self, operation: &Operation, how: &RunArguments) -> Result<Answer, Error> {
        Ok(Answer::of(&self.project.plan(self.environment.database_url, operation, &options_of(how)).await?))
    }

    async fn change(&self, operation: &Operation, how: &RunArguments) -> Result<Answer, Error> {
        Ok(Answer::of(&self.project.run(self.environment.database_url, operation, &options_of(how)).await?))
    }

    async fn sql(&self, up: bool, range: &str, offline: &OfflineArguments) -> Result<Answer, Error> {
        let dialect = match offline.dialect {
            Some(dialect) => dialect.into(),
            None => Place::of(self.environment.database_url)?.dialect(),
        };
        let sql = self.project.script(up, range, dialect).await?;
        Ok(Answer { json: json!({ "sql": sql }), text: sql, code: 0 })
    }

    async fn current(&self) -> Result<Answer, Error> {
        let state = self.project.status(self.environment.database_url).await?;
        state.require_adopted(self.project)?;
        let (current, head) = (state.current(), state.pending.is_empty() && state.unknown.is_empty());
        let text = format!("{}{}\n", current.unwrap_or("base"), if head { " (head)" } else { "" });
        Ok(Answer { text, json: json!({ "current": current, "head": head, "unknown": state.unknown }), code: 0 })
    }

    async fn status(&self, check: bool) -> Result<Answer, Error> {
        let state = self.project.status(self.environment.database_url).await?;
        state.require_adopted(self.project)?;
        let answer = Answer { text: state.describe(self.project), json: json!(state), code: 0 };
        Ok(answer.exit_2_if(check && !state.pending.is_empty()))
    }

    async fn revision(&self, revision: &RevisionArguments) -> Result<Answer, Error> {
        let dir = revision.dir.as_ref().map(expand_home).transpose().map_err(Error::DirArgument)?;
        let (message, dir) = (revision.message(), dir.as_deref());
        Ok(match revision.autogenerate {
            true => Answer::of(&self.project.autogenerate(self.environment.database_url, message, dir).await?),
            false => Answer::of(&self.project.revision(message, dir)?),
        })
    }

    async fn adopt(&self, adopt: &AdoptArguments) -> Result<Answer, Error> {
        let AdoptArguments { plan, upgrade, lock_timeout, no_backup } = *adopt;
        let (adopt_options, options) = (AdoptOptions { plan, upgrade }, options(lock_timeout, no_backup));
        let adoption = self.project.adopt(self.environment.database_url, &adopt_options, &options).await?;
        Ok(Answer::of(&adoption).exit_2_if(!adoption.findings.is_empty()))
    }
}

fn options(lock_timeout: u64, no_backup: bool) -> RunOptions {
    RunOptions { lock_timeout: Duration::from_secs(lock_timeout), backup: !no_backup }
}

fn options_of(how: &RunArguments) -> RunOptions {
    options(how.lock_timeout, how.no_backup)
}
