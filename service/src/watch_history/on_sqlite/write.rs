//! Commands on SQLite, one after the other: a save reads what is stored, the rules decide, and the
//! statements write.

use crate::Error;
use crate::storage::{
    InputRow, IntoParam, Param, RowReader, SqliteConnection, SqliteStatement, SqliteTransaction, params_of,
};
use crate::watch_history::command::{Command, Outcome};
use crate::watch_history::entry::Entry;
use crate::watch_history::key::EntryRequest;
use crate::watch_history::publish::publish;
use crate::watch_history::queue::count_saves;
use crate::watch_history::rules::{Decision, EntryWrite, StoredState, decide, is_expired, needs_ended_plays};
use crate::watch_history::save::SaveCommand;
use crate::watch_history::statements::{HEARTBEAT, SqliteStatements, entry_columns, play_columns, updated_columns};
use crate::watch_history::stored_state::{StateRequest, read_ended_plays, read_state};
use crate::watch_history::{Context, fail_all};
use chrono::{DateTime, Utc};

/// Executes these commands one after the other.
pub(super) fn write(
    connection: &mut SqliteConnection,
    context: &Context,
    statements: &SqliteStatements,
    commands: &[Command],
) -> Vec<Outcome> {
    let outcomes = connection.transaction(|transaction| {
        let mut writer = Writer {
            context,
            statements,
            transaction,
            revision: None,
            state: transaction.prepare(&statements.state)?,
            heartbeat: transaction.prepare(&statements.heartbeat)?,
        };
        transaction.for_each(commands, |command| match command {
            Command::Save(save) => writer.save(save),
            Command::Forget(request) => writer.forget(request).map(|()| None),
        })
    });
    let outcomes = outcomes.unwrap_or_else(|error| fail_all(commands.len(), &error));
    publish(&context.events, commands, &outcomes);
    count_saves(context.saves.as_ref(), commands, &outcomes);
    outcomes
}

/// Executes commands in a transaction.
struct Writer<'a, 's, 't> {
    context: &'t Context,
    statements: &'s SqliteStatements,
    transaction: &'t SqliteTransaction<'a>,
    /// The revision of the transaction, once it is raised.
    revision: Option<i64>,
    state: SqliteStatement<'a, 's>,
    heartbeat: SqliteStatement<'a, 's>,
}

impl Writer<'_, '_, '_> {
    fn save(&mut self, save: &SaveCommand) -> Outcome {
        let mut state = self.read_state(save.into(), save.updated_at)?;
        if save.has_age() {
            state.forgotten_at = self.read_tombstone(save)?;
        }
        if needs_ended_plays(&state, save) {
            self.read_ended_plays(&mut state, save)?;
        }
        let duration = state.duration;
        let Some(mut decision) = decide(state, save, &self.context.rules) else { return Ok(None) };
        let applied = decision.applied;
        if decision.write != EntryWrite::Skip {
            decision.entry.revision = Some(self.revision()?);
        }
        let entry = if decision.is_one_write() {
            self.write_decision(decision)?
        } else {
            self.transaction.savepoint(|| self.write_decision(decision))?
        };
        Ok(Some(Entry {
            applied: Some(applied),
            ..Entry::of_model(entry, duration, &self.context.rules, save.updated_at)
        }))
    }

    /// What is stored, without the deletion and the plays; an error if the account may not see the
    /// video.
    fn read_state(&mut self, request: StateRequest, now: DateTime<Utc>) -> Result<StoredState, Error> {
        let max_days = self.context.max_days;
        let states = self.state.query(request.into_params(), |row| {
            let mut row = RowReader::from_sqlite(row);
            // Skips the number of the input row: there is only one.
            row.read::<i64>()?;
            Ok(read_state(&mut row, now, max_days, false)?)
        })?;
        states.into_iter().next().ok_or_else(|| Error::Internal("a state has no row".into()))?
    }

    /// The revision of the transaction. It is raised once, and outside of a savepoint, which would
    /// lower it again.
    fn revision(&mut self) -> Result<i64, Error> {
        if let Some(revision) = self.revision {
            return Ok(revision);
        }
        let mut raise = self.transaction.prepare(&self.statements.raise_revision)?;
        let raised = raise.query([0_i64; 0], |row| Ok(RowReader::from_sqlite(row).read::<i64>()?))?;
        let revision =
            raised.into_iter().next().ok_or_else(|| Error::Internal("the revision was not raised".into()))?;
        Ok(*self.revision.insert(revision))
    }

    fn read_tombstone(&self, save: &SaveCommand) -> Result<Option<DateTime<Utc>>, Error> {
        let mut tombstone = self.transaction.prepare(&self.statements.tombstone)?;
        let key = save.key().into_params();
        let times = tombstone.query(key, |row| Ok(RowReader::from_sqlite(row).read::<DateTime<Utc>>()?))?;
        Ok(times.into_iter().next())
    }

    fn read_ended_plays(&self, state: &mut StoredState, save: &SaveCommand) -> Result<(), Error> {
        let mut ended_plays = self.transaction.prepare(&self.statements.ended_plays)?;
        let entry_id = state.entry.as_ref().map_or(0, |entry| entry.id);
        let params = [entry_id.into_param(), save.player_session.clone().into_param()];
        let found = ended_plays.query(params, |row| Ok(read_ended_plays(&mut RowReader::from_sqlite(row))?))?;
        if let Some((last_number, ended_play)) = found.into_iter().next() {
            (state.last_number, state.ended_play) = (last_number, ended_play);
        }
        Ok(())
    }

    /// Writes what was decided, and returns the entry with its id.
    fn write_decision(&mut self, decision: Decision) -> Result<entity::watch_history::Model, Error> {
        let Decision { expired, reopened, closed, write, mut entry, applied: _ } = decision;
        let (transaction, statements) = (self.transaction, self.statements);
        if let Some(id) = expired {
            transaction.prepare(&statements.delete_entry)?.execute([id])?;
        }
        if let Some(play) = reopened {
            let key = [play.entry_id, play.number.into()];
            transaction.prepare(&statements.delete_play)?.execute(key)?;
        }
        if let Some(play) = closed {
            transaction.prepare(&statements.insert_play)?.execute(params_of(&play, &play_columns())?)?;
        }
        match write {
            EntryWrite::Skip => {}
            EntryWrite::Heartbeat => drop(self.heartbeat.execute(params_of(&entry, &HEARTBEAT)?)?),
            EntryWrite::Update => {
                let params = params_of(&entry, &updated_columns())?;
                transaction.prepare(&statements.update_entry)?.execute(params)?;
            }
            EntryWrite::Insert => {
                let params = params_of(&entry, &entry_columns())?;
                entry.id = transaction.prepare(&statements.insert_entry)?.insert(params)?;
            }
        }
        Ok(entry)
    }

    /// Deletes an entry and remembers that. An expired one is gone already for the viewer; the
    /// sweep deletes it.
    fn forget(&mut self, request: &EntryRequest) -> Result<(), Error> {
        let EntryRequest { user_id, video_id, now } = *request;
        let state = self.read_state(StateRequest { user_id, video_id, player_session: None }, now)?;
        let entry = state.entry.filter(|entry| !is_expired(entry, state.cutoff)).ok_or(Error::HistoryNotFound)?;
        let revision = self.revision()?;
        let (transaction, statements) = (self.transaction, self.statements);
        transaction.savepoint(|| {
            transaction.prepare(&statements.delete_entry)?.execute([entry.id])?;
            let deletion: [Param; 4] =
                [user_id.into_param(), video_id.into_param(), now.into_param(), revision.into_param()];
            transaction.prepare(&statements.write_tombstone)?.execute(deletion)?;
            Ok(())
        })
    }
}
