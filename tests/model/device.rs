//! A device that learns the history of a viewer by pages of changes only.

use crate::answer::EntryFields;
use crate::rules::Time;
use crate::site::TestSite;
use service::Error;
use service::changes::{ChangeRequest, list_changes};
use std::collections::BTreeMap;

/// The copy that the device has, by the ids of the videos.
#[derive(Default)]
pub struct Device {
    token: Option<String>,
    /// The latest time of a request: the clock may have been turned back since.
    pub latest: Time,
    pub copy: BTreeMap<i64, EntryFields>,
}

impl Device {
    /// It reads all anew.
    pub fn forget(&mut self) {
        (self.token, self.copy) = (None, BTreeMap::new());
    }

    /// Reads a page of changes of a viewer, and returns whether there are more.
    pub async fn read(&mut self, site: &TestSite, viewer: i64, limit: u64, now: Time) -> bool {
        self.latest = self.latest.max(now);
        let since = self.token.clone();
        let request = ChangeRequest { user_id: viewer, since, limit, rules: site.rules, history_max_days: None, now };
        let page = match list_changes(&site.db, &request).await {
            Ok(page) => page,
            Err(Error::ChangesExpired) => {
                self.forget();
                return true;
            }
            Err(error) => panic!("{error}"),
        };
        for change in page.changes {
            match change.entry {
                Some(entry) => drop(self.copy.insert(change.video_id, entry.into())),
                None => drop(self.copy.remove(&change.video_id)),
            }
        }
        self.token = Some(page.token);
        page.more
    }
}
