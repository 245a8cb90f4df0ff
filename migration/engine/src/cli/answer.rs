//! From a command to what is printed.

use super::Environment;
use super::command::{Adopt, Change, Command, Drop, Offline, Revision};
use crate::adopt::Wish;
use crate::connect::Place;
use crate::consent::{Listener, consent};
use crate::environment::expand_home;
use crate::plan::Work;
use crate::{Error, Options, Project, Target};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Display;
use std::time::Duration;

/// What is printed, in both forms, and the exit code.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) json: Value,
    pub(super) code: u8,
}

impl Answer {
    fn of(report: &(impl Serialize + Display)) -> Self {
        Self { text: report.to_string(), json: json!(report), code: 0 }
    }

    /// With exit code 2 if `something` is to be seen.
    fn two_if(self, something: bool) -> Self {
        Self { code: if something { 2 } else { self.code }, ..self }
    }
}

/// What a command runs on.
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
            Command::Reset { drop, change } => self.drop(Work::Down(Target::End), drop, change).await,
            Command::Refresh { drop, change } => self.drop(Work::Refresh, drop, change).await,
            Command::Fresh { drop, change } => self.drop(Work::Fresh, drop, change).await,
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
                Ok(Answer::of(&drift).two_if(!drift.is_clean(*strict)))
            }
            Command::Revision(revision) => self.revision(revision).await,
            Command::Adopt(adopt) => self.adopt(adopt).await,
            Command::Doctor => {
                let diagnosis = project.doctor(url).await?;
                Ok(Answer::of(&diagnosis).two_if(!diagnosis.is_healthy()))
            }
        }
    }

    async fn up(&self, target: &str, steps: Option<usize>, offline: &Offline, how: &Change) -> Result<Answer, Error> {
        if offline.sql {
            let range = steps.map_or_else(|| target.to_owned(), |steps| format!("+{steps}"));
            return self.sql(true, &range, offline).await;
        }
        let work = Work::Up(steps.map_or_else(|| Target::up(target), Target::Steps));
        match how.plan {
            true => self.plan(&work, how).await,
            false => self.change(&work, how).await,
        }
    }

    async fn down(
        &self,
        target: &str,
        steps: Option<usize>,
        offline: &Offline,
        drop: &Drop,
        how: &Change,
    ) -> Result<Answer, Error> {
        if offline.sql {
            let range = steps.map_or_else(|| target.to_owned(), |steps| format!("-{steps}"));
            return self.sql(false, &range, offline).await;
        }
        self.drop(Work::Down(steps.map_or_else(|| Target::down(target), Target::Steps)), drop, how).await
    }

    /// Plans or does work that may drop data, which needs consent.
    async fn drop(&self, work: Work, drop: &Drop, how: &Change) -> Result<Answer, Error> {
        if how.plan {
            return self.plan(&work, how).await;
        }
        let Environment { database_url, production } = *self.environment;
        if !drop.yes {
            let plan = self.project.plan(database_url, &work, &options_of(how)).await?;
            consent(self.project, &plan, database_url, Listener::present(production))?;
        }
        self.change(&work, how).await
    }

    async fn plan(&self, work: &Work, how: &Change) -> Result<Answer, Error> {
        Ok(Answer::of(&self.project.plan(self.environment.database_url, work, &options_of(how)).await?))
    }

    async fn change(&self, work: &Work, how: &Change) -> Result<Answer, Error> {
        Ok(Answer::of(&self.project.change(self.environment.database_url, work, &options_of(how)).await?))
    }

    async fn sql(&self, up: bool, range: &str, offline: &Offline) -> Result<Answer, Error> {
        let dialect = match offline.dialect {
            Some(dialect) => dialect.into(),
            None => Place::of(self.environment.database_url)?.dialect(),
        };
        let sql = self.project.script(up, range, dialect).await?;
        Ok(Answer { json: json!({ "sql": sql }), text: sql, code: 0 })
    }

    async fn current(&self) -> Result<Answer, Error> {
        let state = self.project.status(self.environment.database_url).await?;
        state.adopted(self.project)?;
        let (current, head) = (state.current(), state.pending.is_empty() && state.unknown.is_empty());
        let text = format!("{}{}\n", current.unwrap_or("base"), if head { " (head)" } else { "" });
        Ok(Answer { text, json: json!({ "current": current, "head": head, "unknown": state.unknown }), code: 0 })
    }

    async fn status(&self, check: bool) -> Result<Answer, Error> {
        let state = self.project.status(self.environment.database_url).await?;
        state.adopted(self.project)?;
        let answer = Answer { text: state.describe(self.project), json: json!(state), code: 0 };
        Ok(answer.two_if(check && !state.pending.is_empty()))
    }

    async fn revision(&self, revision: &Revision) -> Result<Answer, Error> {
        let dir = revision.dir.as_ref().map(expand_home).transpose().map_err(Error::Path)?;
        let (message, dir) = (revision.message(), dir.as_deref());
        Ok(match revision.autogenerate {
            true => Answer::of(&self.project.autogenerate(self.environment.database_url, message, dir).await?),
            false => Answer::of(&self.project.revision(message, dir)?),
        })
    }

    async fn adopt(&self, adopt: &Adopt) -> Result<Answer, Error> {
        let Adopt { plan, upgrade, lock_timeout, no_backup } = *adopt;
        let (wish, options) = (Wish { plan, upgrade }, options(lock_timeout, no_backup));
        let adoption = self.project.adopt(self.environment.database_url, &wish, &options).await?;
        Ok(Answer::of(&adoption).two_if(!adoption.findings.is_empty()))
    }
}

fn options(lock_timeout: u64, no_backup: bool) -> Options {
    Options { lock_timeout: Duration::from_secs(lock_timeout), backup: !no_backup }
}

fn options_of(how: &Change) -> Options {
    options(how.lock_timeout, how.no_backup)
}
