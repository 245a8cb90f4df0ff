//! The lists of the service that are the same for both stores.

use crate::answer::{EntryFields, PlayFields};
use crate::rules::Time;
use crate::site::TestSite;
use crate::story::State;
use service::caller::{Caller, UserRole};
use service::plays;
use service::plays::PlayQuery;
use service::watch_history::{HistoryQuery, HistoryState, list_history};

impl TestSite {
    /// The entries of a viewer in a state, by pages of this size.
    pub async fn history(&self, viewer: i64, state: State, page_size: u64, now: Time) -> Vec<EntryFields> {
        let state = match state {
            State::All => HistoryState::All,
            State::InProgress => HistoryState::InProgress,
            State::Completed => HistoryState::Completed,
        };
        let mut query = HistoryQuery { state, limit: page_size, ..HistoryQuery::default() };
        let mut entries = Vec::new();
        loop {
            let page = list_history(&self.db, viewer_as_caller(viewer), query.clone(), &self.rules, None, now);
            let page = page.await.unwrap();
            entries.extend(page.items.into_iter().map(|item| item.entry.into()));
            query.cursor = page.next;
            if query.cursor.is_none() {
                return entries;
            }
        }
    }

    /// The plays of a viewer, of one video or of all, by pages of this size.
    pub async fn plays(&self, viewer: i64, video: Option<i64>, page_size: u64, now: Time) -> Vec<PlayFields> {
        let (caller, mut query) = (viewer_as_caller(viewer), PlayQuery { limit: page_size, ..PlayQuery::default() });
        let mut all = Vec::new();
        loop {
            let page = match video {
                Some(video) => plays::list_of_video(&self.db, caller, video, query, None, now).await,
                None => plays::list(&self.db, caller, query, None, now).await,
            };
            let page = page.unwrap();
            all.extend(page.items.into_iter().map(PlayFields::from));
            query.cursor = page.next;
            if query.cursor.is_none() {
                return all;
            }
        }
    }
}

fn viewer_as_caller(id: i64) -> Caller {
    Caller { id, role: UserRole::User, history_since: None }
}
