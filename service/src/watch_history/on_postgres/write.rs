//! Commands on PostgreSQL.
//!
//! The commands of a batch are executed together. If some of them change the same entry, they are
//! executed in several rounds; if one of them makes a statement fail, one by one.

use super::decided::{lock_accounts, lock_entries, write_locked};
use super::saves::write_saves;
use super::{Writer, look_up, look_up_on};
use crate::Error;
use crate::error::{is_foreign_key_violation, may_concern_one_row};
use crate::storage::{PgConnectionGuard, PgSlot, RowReader, bind_arrays};
use crate::watch_history::Context;
use crate::watch_history::command::{Command, Outcome};
use crate::watch_history::entry::Entry;
use crate::watch_history::key::{EntryKey, EntryRequest};
use crate::watch_history::lookup::Lookup;
use crate::watch_history::publish::publish;
use crate::watch_history::queue::count_saves;
use crate::watch_history::save::SaveCommand;
use sea_orm::{DbErr, RuntimeErr};
use std::collections::{HashMap, HashSet};
use std::mem::discriminant;
use std::slice;
use std::time::Duration;

/// How long a retried command waits for a locked row. A whole batch of retries must end before the
/// deadline of the batch.
const RETRY_LOCK_TIMEOUT: Duration = Duration::from_millis(20);

/// Executes these commands as if one after the other.
pub(super) async fn write(slot: &mut PgSlot, writer: &Writer, commands: &[Command]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(commands.len());
    for run in commands.chunk_by(|one, next| discriminant(one) == discriminant(next)) {
        outcomes.extend(Run::new(writer, run).execute(slot).await);
    }
    count_saves(writer.context.saves.as_ref(), commands, &outcomes);
    outcomes
}

/// Commands of one kind that follow each other in a batch, and their outcomes so far.
struct Run<'a> {
    writer: &'a Writer,
    commands: &'a [Command],
    outcomes: Vec<Option<Outcome>>,
}

impl<'a> Run<'a> {
    fn new(writer: &'a Writer, commands: &'a [Command]) -> Self {
        Self { writer, commands, outcomes: commands.iter().map(|_| None).collect() }
    }

    /// If one of several commands may have made the others fail, each is retried alone, so that it
    /// fails alone.
    async fn execute(mut self, slot: &mut PgSlot) -> Vec<Outcome> {
        if let Err(error) = self.execute_together(slot).await {
            let pending = self.pending();
            if pending.len() > 1 && may_concern_one_row(&error) {
                for index in pending {
                    let command = &self.commands[index];
                    let outcome = match retry_one(slot, self.writer, command).await {
                        Ok(outcome) => outcome,
                        Err(error) => explain_failure(slot, self.writer, command, &error).await,
                    };
                    self.finish(index, outcome);
                }
            } else {
                for index in pending {
                    let outcome = explain_failure(slot, self.writer, &self.commands[index], &error).await;
                    self.finish(index, outcome);
                }
            }
        }
        let missing = || Err(Error::Internal("a command was in no round".into()));
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect()
    }

    /// Keeps an outcome that is committed.
    fn finish(&mut self, index: usize, outcome: Outcome) {
        if let (Command::Save(save), Ok(Some(Entry { applied: Some(true), .. }))) = (&self.commands[index], &outcome) {
            self.writer.recent().remember(save);
        }
        publish(&self.writer.context.events, &self.commands[index..=index], slice::from_ref(&outcome));
        self.outcomes[index] = Some(outcome);
    }

    /// The indexes of the commands without an outcome.
    fn pending(&self) -> Vec<usize> {
        (0..self.commands.len()).filter(|index| self.outcomes[*index].is_none()).collect()
    }

    fn commands_at(&self, indexes: &[usize]) -> Vec<&'a Command> {
        indexes.iter().map(|index| &self.commands[*index]).collect()
    }

    async fn execute_together(&mut self, slot: &mut PgSlot) -> Result<(), DbErr> {
        let rounds = split_into_rounds(self.commands);
        let mut connection = slot.acquire().await?;
        let result = match &rounds[..] {
            [round] => self.execute_only_round(&mut connection, round).await,
            rounds => self.execute_rounds(&mut connection, rounds).await,
        };
        let is_usable = match &result {
            Ok(()) => true,
            Err(error) => is_server_error(error) && connection.end_failed_transaction().await.is_ok(),
        };
        if is_usable {
            connection.release();
        }
        result
    }

    /// Executes commands of different entries. The first statement needs no transaction, and
    /// writes most saves.
    async fn execute_only_round(
        &mut self,
        connection: &mut PgConnectionGuard<'_>,
        round: &[usize],
    ) -> Result<(), DbErr> {
        let commands = self.commands_at(round);
        let mut outcomes = HashMap::with_capacity(commands.len());
        let result = execute_at_once(connection, self.writer, &commands, &mut outcomes).await;
        // Each statement commits, so what was written stays if a later one fails.
        for (index, command) in round.iter().zip(commands) {
            if let Some(outcome) = outcomes.remove(&command.key()) {
                self.finish(*index, outcome);
            }
        }
        result?;
        let pending = self.pending();
        let saves = saves_of(&self.commands_at(&pending));
        if saves.is_empty() {
            return Ok(());
        }
        connection.begin(None).await?;
        lock_accounts(connection, self.writer, &Vec::from_iter(saves.iter().map(|save| save.key()))).await?;
        let outcomes = write_locked(connection, self.writer, &saves).await?;
        connection.commit().await?;
        pending.into_iter().zip(outcomes).for_each(|(index, outcome)| self.finish(index, outcome));
        Ok(())
    }

    /// Executes several commands of one entry, one in each round, in one transaction.
    async fn execute_rounds(
        &mut self,
        connection: &mut PgConnectionGuard<'_>,
        rounds: &[Vec<usize>],
    ) -> Result<(), DbErr> {
        connection.begin(None).await?;
        let keys = Vec::from_iter(self.commands.iter().map(Command::key));
        lock_accounts(connection, self.writer, &keys).await?;
        lock_entries(connection, self.writer, &keys).await?;
        let mut executed = Vec::with_capacity(self.commands.len());
        for round in rounds {
            let outcomes = execute_round(connection, self.writer, &self.commands_at(round)).await?;
            executed.extend(round.iter().copied().zip(outcomes));
        }
        connection.commit().await?;
        // In the order of the commands.
        executed.sort_by_key(|(index, _)| *index);
        executed.into_iter().for_each(|(index, outcome)| self.finish(index, outcome));
        Ok(())
    }
}

/// Executes a command alone. It waits only briefly for a locked row, because the next commands of
/// the batch wait behind it.
async fn retry_one(slot: &mut PgSlot, writer: &Writer, command: &Command) -> Result<Outcome, DbErr> {
    let mut connection = slot.acquire().await?;
    connection.begin(Some(RETRY_LOCK_TIMEOUT)).await?;
    match execute_round(&mut connection, writer, &[command]).await {
        Ok(mut outcomes) => {
            connection.commit().await?;
            connection.release();
            Ok(outcomes.pop().unwrap_or(Err(Error::Busy)))
        }
        Err(error) => {
            if is_server_error(&error) && connection.rollback().await.is_ok() {
                connection.release();
            }
            Err(error)
        }
    }
}

/// The outcome of a command that failed.
async fn explain_failure(slot: &mut PgSlot, writer: &Writer, command: &Command, error: &DbErr) -> Outcome {
    if !is_foreign_key_violation(error) {
        return Err(error.into());
    }
    // Another transaction deleted the user or the video while the statement ran.
    match look_up(slot, &writer.context, &[command.key()]).await {
        Ok(found) => {
            Err(found.into_iter().next().map_or(Error::Busy, |found| explain_no_op(&writer.context, command, found)))
        }
        Err(error) => Err(error.into()),
    }
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

/// Executes commands of one kind, one per entry, in a transaction.
async fn execute_round(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    commands: &[&Command],
) -> Result<Vec<Outcome>, DbErr> {
    let mut outcomes = HashMap::with_capacity(commands.len());
    execute_at_once(connection, writer, commands, &mut outcomes).await?;
    let pending = commands.iter().copied().filter(|command| !outcomes.contains_key(&command.key()));
    let saves = saves_of(&Vec::from_iter(pending));
    if !saves.is_empty() {
        let decided = write_locked(connection, writer, &saves).await?;
        outcomes.extend(saves.iter().map(|save| save.key()).zip(decided));
    }
    Ok(commands.iter().map(|command| outcomes.remove(&command.key()).unwrap_or(Err(Error::Busy))).collect())
}

fn saves_of<'a>(commands: &[&'a Command]) -> Vec<&'a SaveCommand> {
    let save = |command: &&'a Command| match command {
        Command::Save(save) => Some(save),
        Command::Forget(_) => None,
    };
    commands.iter().filter_map(save).collect()
}

/// Executes commands of one kind, one per entry, without locks beforehand, and adds the outcomes.
/// Saves that need locks have none. If a statement fails, the outcomes are those of the statements
/// before it.
async fn execute_at_once(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    commands: &[&Command],
    outcomes: &mut HashMap<EntryKey, Outcome>,
) -> Result<(), DbErr> {
    if let [Command::Save(_), ..] = commands {
        return write_saves(connection, writer, &saves_of(commands), outcomes).await;
    }
    let deletions = execute_deletions(connection, writer, commands).await?;
    outcomes.extend(commands.iter().map(|command| command.key()).zip(deletions));
    Ok(())
}

/// Deletes entries with one statement; a second one explains what was not deleted.
async fn execute_deletions(
    connection: &mut PgConnectionGuard<'_>,
    writer: &Writer,
    commands: &[&Command],
) -> Result<Vec<Outcome>, DbErr> {
    let requests = commands.iter().map(|command| {
        let EntryKey { user_id, video_id } = command.key();
        EntryRequest { user_id, video_id, now: command.now() }
    });
    let mut deleted = HashSet::with_capacity(commands.len());
    for row in connection.query(&writer.statements.forget, bind_arrays(requests)?).await? {
        let mut row = RowReader::from_postgres(&row);
        deleted.insert(EntryKey { user_id: row.read()?, video_id: row.read()? });
    }
    let missing = Vec::from_iter(commands.iter().map(|command| command.key()).filter(|key| !deleted.contains(key)));
    let mut found = match &missing[..] {
        [] => Vec::new(),
        keys => look_up_on(connection, &writer.context, keys).await?,
    }
    .into_iter();
    let outcomes = commands.iter().map(|command| {
        if deleted.contains(&command.key()) {
            return Ok(None);
        }
        Err(found.next().map_or(Error::Busy, |found| explain_no_op(&writer.context, command, found)))
    });
    Ok(outcomes.collect())
}

/// Why a command changed nothing.
fn explain_no_op(context: &Context, command: &Command, found: Lookup) -> Error {
    match found.into_row(context.max_days, command.now()) {
        // The user or the video was deleted and is there again, or another process has created the
        // entry since: the client may retry the save.
        Ok(_) if matches!(command, Command::Save(_)) => Error::Busy,
        Ok(_) => Error::HistoryNotFound,
        Err(Error::HistoryNotFound) if matches!(command, Command::Save(_)) => Error::Busy,
        Err(error) => error,
    }
}
