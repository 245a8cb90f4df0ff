//! From a command to what is printed.

use super::command::{Adopt, Change, Command, Drop, Offline};
use crate::adopt::{Wish, adopt};
use crate::connect::Place;
use crate::consent::{Listener, consent};
use crate::environment::expand_home;
use crate::offline::script;
use crate::plan::{Work, plan};
use crate::revision::{autogenerate, revision};
use crate::state::names;
use crate::{Error, Options, Target, change, check, doctor, history, show, stamp, status};
use sea_orm_migration::sea_orm::DbBackend;
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

    /// Exit code 2, when there is something to see.
    fn two_if(self, something: bool) -> Self {
        Self { code: if something { 2 } else { self.code }, ..self }
    }
}

pub(super) async fn answer(command: &Command, url: &str, production: bool) -> Result<Answer, Error> {
    let chain = Options::default().chain;
    match command {
        Command::Up { target, steps, offline, change } => {
            if offline.sql {
                let range = steps.map_or_else(|| target.clone(), |steps| format!("+{steps}"));
                return sql(true, &range, url, offline).await;
            }
            let target = steps.map_or_else(|| Target::up(target), Target::Steps);
            perform(url, &Work::Up(target), change, None).await
        }
        Command::Down { target, steps, offline, drop, change } => {
            if offline.sql {
                let range = steps.map_or_else(|| target.clone(), |steps| format!("-{steps}"));
                return sql(false, &range, url, offline).await;
            }
            let target = steps.map_or_else(|| Target::down(target), Target::Steps);
            perform(url, &Work::Down(target), change, Some((drop, production))).await
        }
        Command::Reset { drop, change } => {
            perform(url, &Work::Down(Target::End), change, Some((drop, production))).await
        }
        Command::Refresh { drop, change } => perform(url, &Work::Refresh, change, Some((drop, production))).await,
        Command::Fresh { drop, change } => perform(url, &Work::Fresh, change, Some((drop, production))).await,
        Command::Current => {
            let state = status(url).await?;
            state.adopted()?;
            let (current, head) = (state.current(), state.pending.is_empty() && state.unknown.is_empty());
            let text = format!("{}{}\n", current.unwrap_or("base"), if head { " (head)" } else { "" });
            Ok(Answer { text, json: json!({ "current": current, "head": head, "unknown": state.unknown }), code: 0 })
        }
        Command::Heads => {
            let head = names(chain).pop();
            let text = format!("{} (head)\n", head.as_deref().unwrap_or("base"));
            Ok(Answer { text, json: json!({ "heads": [head] }), code: 0 })
        }
        Command::History => Ok(Answer::of(&history(url).await?)),
        Command::Status { check } => {
            let state = status(url).await?;
            state.adopted()?;
            Ok(Answer::of(&state).two_if(*check && !state.pending.is_empty()))
        }
        Command::Show { name } => Ok(Answer::of(&show(url, name).await?)),
        Command::Stamp { target, lock_timeout } => {
            let options = Options { lock_timeout: Duration::from_secs(*lock_timeout), ..Options::default() };
            Ok(Answer::of(&stamp(url, target, &options).await?))
        }
        Command::Check { strict } => {
            let drift = check(url).await?;
            Ok(Answer::of(&drift).two_if(!drift.is_clean(*strict)))
        }
        Command::Revision(wish) => {
            let dir = wish.dir.as_ref().map(expand_home).transpose().map_err(Error::Path)?;
            Ok(match wish.autogenerate {
                true => Answer::of(&autogenerate(url, wish.message(), dir.as_deref()).await?),
                false => Answer::of(&revision(wish.message(), dir.as_deref())?),
            })
        }
        Command::Adopt(Adopt { plan, upgrade, lock_timeout, no_backup }) => {
            let options =
                Options { lock_timeout: Duration::from_secs(*lock_timeout), backup: !no_backup, ..Options::default() };
            let adoption = adopt(url, &Wish { plan: *plan, upgrade: *upgrade }, &options).await?;
            Ok(Answer::of(&adoption).two_if(!adoption.findings.is_empty()))
        }
        Command::Doctor => {
            let diagnosis = doctor(url).await?;
            Ok(Answer::of(&diagnosis).two_if(!diagnosis.is_healthy()))
        }
    }
}

/// Plans or does the work; `consent` is there for work that may drop data.
async fn perform(url: &str, work: &Work, how: &Change, drop: Option<(&Drop, bool)>) -> Result<Answer, Error> {
    let options =
        Options { lock_timeout: Duration::from_secs(how.lock_timeout), backup: !how.no_backup, ..Options::default() };
    if how.plan {
        return Ok(Answer::of(&plan(url, work, &options).await?));
    }
    if let Some((Drop { yes: false }, production)) = drop {
        consent(&plan(url, work, &options).await?, url, Listener::present(production))?;
    }
    Ok(Answer::of(&change(url, work, &options).await?))
}

async fn sql(up: bool, range: &str, url: &str, offline: &Offline) -> Result<Answer, Error> {
    let dialect = match offline.dialect {
        Some(dialect) => dialect.into(),
        None if matches!(Place::of(url)?, Place::Postgres) => DbBackend::Postgres,
        None => DbBackend::Sqlite,
    };
    let sql = script(up, range, dialect, &Options::default()).await?;
    Ok(Answer { json: json!({ "sql": sql }), text: sql, code: 0 })
}
