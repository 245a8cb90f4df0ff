//! Commands on PostgreSQL.
//!
//! Those of one batch are executed by one statement if possible, in several rounds if some of them
//! change the same entry, and one by one if one of them makes the statement fail.

use super::{look_up, look_up_on};
use crate::Error;
use crate::error::{is_foreign_key_violation, may_concern_one_row};
use crate::storage::{PgConnectionGuard, PgSlot, RowReader, bind_arrays};
use crate::watch_history::command::{Command, Outcome};
use crate::watch_history::entry::{Entry, EntryRow};
use crate::watch_history::key::EntryKey;
use crate::watch_history::lookup::Lookup;
use crate::watch_history::publish::publish;
use crate::watch_history::{Context, fail_all};
use sea_orm::{DbErr, RuntimeErr};
use std::collections::HashMap;
use std::mem::discriminant;
use std::slice;
use std::time::Duration;

/// How long a retried command waits for a locked row. A whole batch of retries must end before the
/// deadline of the batch.
const RETRY_LOCK_TIMEOUT: Duration = Duration::from_millis(20);

/// Executes these commands as if one after the other.
pub(super) async fn write(slot: &mut PgSlot, context: &Context, commands: &[Command]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(commands.len());
    for run in commands.chunk_by(|one, next| discriminant(one) == discriminant(next)) {
        outcomes.extend(write_run(slot, context, run).await);
    }
    outcomes
}

/// Executes saves only, or deletions only. If one of several may have made the others fail, each is
/// retried alone, so that it fails alone.
async fn write_run(slot: &mut PgSlot, context: &Context, run: &[Command]) -> Vec<Outcome> {
    match execute_in_rounds(slot, context, run).await {
        Ok(outcomes) => {
            publish(&context.events, run, &outcomes);
            outcomes
        }
        Err(error) if run.len() > 1 && may_concern_one_row(&error) => {
            let mut outcomes = Vec::with_capacity(run.len());
            for command in run {
                match retry_one(slot, context, command).await {
                    Ok(outcome) => {
                        publish(&context.events, slice::from_ref(command), &outcome);
                        outcomes.extend(outcome);
                    }
                    Err(error) => {
                        outcomes.extend(explain_failure(slot, context, slice::from_ref(command), &error).await);
                    }
                }
            }
            outcomes
        }
        Err(error) => explain_failure(slot, context, run, &error).await,
    }
}

/// Executes a command alone. It waits only briefly for a locked row, because the next commands of
/// the batch wait behind it.
async fn retry_one(slot: &mut PgSlot, context: &Context, command: &Command) -> Result<Vec<Outcome>, DbErr> {
    let mut connection = slot.acquire().await?;
    connection.begin(Some(RETRY_LOCK_TIMEOUT)).await?;
    match execute_round(&mut connection, context, &[command]).await {
        Ok(outcomes) => {
            connection.commit().await?;
            connection.release();
            Ok(outcomes)
        }
        Err(error) => {
            if is_server_error(&error) && connection.rollback().await.is_ok() {
                connection.release();
            }
            Err(error)
        }
    }
}

/// The outcomes of commands that failed together.
async fn explain_failure(slot: &mut PgSlot, context: &Context, run: &[Command], error: &DbErr) -> Vec<Outcome> {
    if !is_foreign_key_violation(error) {
        return fail_all(run.len(), &error.into());
    }
    // Another transaction deleted the user or the video while the statement ran.
    let keys = Vec::from_iter(run.iter().map(Command::key));
    match look_up(slot, context, &keys).await {
        Ok(found) => run.iter().zip(found).map(|(command, found)| explain_no_op(context, command, found)).collect(),
        Err(error) => fail_all(run.len(), &error.into()),
    }
}

/// Executes commands in one statement, or in one transaction if several change the same entry.
async fn execute_in_rounds(slot: &mut PgSlot, context: &Context, run: &[Command]) -> Result<Vec<Outcome>, DbErr> {
    let rounds = split_into_rounds(run);
    let mut connection = slot.acquire().await?;
    if let [_] = rounds[..] {
        let outcomes = execute_round(&mut connection, context, &Vec::from_iter(run)).await;
        if outcomes.as_ref().err().is_none_or(is_server_error) {
            connection.release();
        }
        return outcomes;
    }
    connection.begin(None).await?;
    let mut outcomes: Vec<Option<Outcome>> = run.iter().map(|_| None).collect();
    for round in rounds {
        let commands = Vec::from_iter(round.iter().map(|index| &run[*index]));
        let executed = execute_round(&mut connection, context, &commands).await?;
        for (index, outcome) in round.into_iter().zip(executed) {
            outcomes[index] = Some(outcome);
        }
    }
    connection.commit().await?;
    connection.release();
    let missing = || Err(Error::Internal("a command was in no round".into()));
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect())
}

/// The indexes of the commands, by rounds: the second command of an entry is in the second round,
/// and so on, because one statement cannot change a row twice.
fn split_into_rounds(run: &[Command]) -> Vec<Vec<usize>> {
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut earlier: HashMap<EntryKey, usize> = HashMap::with_capacity(run.len());
    for (index, command) in run.iter().enumerate() {
        let round = earlier.entry(command.key()).or_default();
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(index);
        *round += 1;
    }
    rounds
}

/// Whether the server answered with an error, which leaves the connection usable.
fn is_server_error(error: &DbErr) -> bool {
    let is_answer = matches!(error, DbErr::Query(RuntimeErr::SqlxError(cause)) if cause.as_database_error().is_some());
    is_answer && (may_concern_one_row(error) || !matches!(Error::from(error), Error::DatabaseAway(_)))
}

/// Executes commands of one kind, one per entry: one statement, and a second one if there were
/// no-ops.
async fn execute_round(
    connection: &mut PgConnectionGuard<'_>,
    context: &Context,
    commands: &[&Command],
) -> Result<Vec<Outcome>, DbErr> {
    let mut written = match commands {
        [Command::Save(_), ..] => execute_saves(connection, context, commands).await?,
        _ => execute_deletions(connection, context, commands).await?,
    };
    let no_ops = commands.iter().copied().filter(|command| !written.contains_key(&command.key()));
    let mut explained = explain_no_ops(connection, context, Vec::from_iter(no_ops)).await?.into_iter();
    let outcomes = commands.iter().map(|command| match written.remove(&command.key()) {
        Some(entry) => Ok(entry),
        None => explained.next().unwrap_or(Err(Error::Busy)),
    });
    Ok(outcomes.collect())
}

/// What was written, by key.
type Written = HashMap<EntryKey, Option<Entry>>;

async fn execute_saves(
    connection: &mut PgConnectionGuard<'_>,
    context: &Context,
    commands: &[&Command],
) -> Result<Written, DbErr> {
    let saves = Vec::from_iter(commands.iter().filter_map(|command| match command {
        Command::Save(save) => Some(save),
        Command::Forget(_) => None,
    }));
    let mut written = HashMap::with_capacity(saves.len());
    let input = bind_arrays(saves.into_iter().cloned())?;
    for row in connection.query(&context.statements.save, input).await? {
        let row = EntryRow::read(&mut RowReader::from_postgres(&row))?;
        // Saves of one batch arrive within moments: `now` is that of the row's own arrival.
        let now = row.updated_at;
        written.insert(row.key(), Some(row.into_entry(&context.rules, now, Some(true))));
    }
    Ok(written)
}

async fn execute_deletions(
    connection: &mut PgConnectionGuard<'_>,
    context: &Context,
    commands: &[&Command],
) -> Result<Written, DbErr> {
    let keys = Vec::from_iter(commands.iter().map(|command| command.key()));
    let mut written = HashMap::with_capacity(keys.len());
    for row in connection.query(&context.statements.forget, bind_arrays(keys.into_iter())?).await? {
        let mut row = RowReader::from_postgres(&row);
        written.insert(EntryKey { user_id: row.read()?, video_id: row.read()? }, None);
    }
    Ok(written)
}

async fn explain_no_ops(
    connection: &mut PgConnectionGuard<'_>,
    context: &Context,
    commands: Vec<&Command>,
) -> Result<Vec<Outcome>, DbErr> {
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    let keys = Vec::from_iter(commands.iter().map(|command| command.key()));
    let found = look_up_on(connection, context, &keys).await?;
    Ok(commands.into_iter().zip(found).map(|(command, found)| explain_no_op(context, command, found)).collect())
}

/// Why a command changed nothing. A save that was not applied is no error: its outcome is the
/// stored entry.
fn explain_no_op(context: &Context, command: &Command, found: Lookup) -> Outcome {
    let now = command.now();
    match (command, found.into_row(context.history_max_days, now)) {
        (Command::Save(_), Ok(row)) => Ok(Some(row.into_entry(&context.rules, now, Some(false)))),
        // The entry was there, and another process has deleted it since: the client may retry.
        (Command::Save(_), Err(Error::HistoryNotFound)) => Err(Error::Busy),
        // The entry was not there, and another process has created it since.
        (Command::Forget(_), Ok(_)) => Err(Error::HistoryNotFound),
        (_, Err(error)) => Err(error),
    }
}
