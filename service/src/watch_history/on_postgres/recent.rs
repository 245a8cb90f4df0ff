//! Which saves a worker expects: it remembers the player session of each entry that this process
//! saved lately. That only chooses the statement which is tried first.

use crate::watch_history::key::EntryKey;
use crate::watch_history::save::SaveCommand;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::mem::take;

/// How many entries one of the two maps holds; that is about a mebibyte.
const LIMIT: usize = 16_384;

/// What a save probably does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    /// It goes on with the running play.
    Heartbeat,
    /// It ends the running play.
    AnotherPlay,
    Unknown,
}

/// The player sessions of the last saves.
#[derive(Debug, Default)]
pub(super) struct RecentSessions {
    hasher: RandomState,
    newer: HashMap<EntryKey, u64>,
    /// What `newer` was when it was full.
    older: HashMap<EntryKey, u64>,
}

impl RecentSessions {
    /// What each save probably does.
    pub(super) fn expect(&self, saves: &[&SaveCommand]) -> Vec<Expectation> {
        saves.iter().map(|save| self.expect_one(save)).collect()
    }

    fn expect_one(&self, save: &SaveCommand) -> Expectation {
        let key = save.key();
        match self.newer.get(&key).or_else(|| self.older.get(&key)) {
            Some(session) if *session == self.session(save) => Expectation::Heartbeat,
            Some(_) => Expectation::AnotherPlay,
            None => Expectation::Unknown,
        }
    }

    /// Remembers a save that was applied.
    pub(super) fn remember(&mut self, save: &SaveCommand) {
        if self.newer.len() >= LIMIT {
            self.older = take(&mut self.newer);
        }
        self.newer.insert(save.key(), self.session(save));
    }

    fn session(&self, save: &SaveCommand) -> u64 {
        self.hasher.hash_one(&save.player_session)
    }
}
