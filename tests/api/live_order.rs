//! Live sockets hear of a change after its commit. The order matters: devices that are told
//! before the commit read the old entry, and never hear of the new one.

use crate::app::{Person, TestApp};
use crate::live_client::LiveClient;
use serde_json::Value;
use service::progress::ProgressRules;
use service::relay::RelayedChange;
use service::storage::Event;
use service::watch_history::edit::{self, Edit, Mark};
use std::collections::BTreeMap;

const FILMS: usize = 4;
const DEVICES: usize = 3;

/// When another process tells the sockets of an edit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    BeforeCommit,
    AfterCommit,
}

/// What a device knows of a history.
type HistoryCopy = BTreeMap<i64, Value>;

struct Device {
    live: LiveClient,
    copy: HistoryCopy,
}

async fn stored(app: &TestApp, person: &Person, films: &[i64]) -> HistoryCopy {
    let mut entries = BTreeMap::new();
    for film in films {
        entries.insert(*film, app.entry(person, *film).await);
    }
    entries
}

/// Tells the sockets of an entry, and waits until each device has taken over what it was sent.
async fn tell(app: &TestApp, person: &Person, film: i64, devices: &mut [Device]) {
    app.live.receive(RelayedChange::Event(Event::EntryChanged { user_id: person.id, video_id: film }));
    for Device { live, copy } in devices {
        let message = live.next_of("entry").await;
        copy.insert(film, message["entry"].clone());
    }
}

/// Marks the entry of a film as another process does.
async fn mark_elsewhere(app: &TestApp, person: &Person, film: i64, telling: Telling, devices: &mut [Device]) {
    let caller = Edit { user_id: person.id, rules: ProgressRules::default(), history_max_days: None, now: app.now() };
    let marked = app.db.transaction(async |tx| {
        edit::mark(tx, &caller, film, Mark::default()).await?;
        if telling == Telling::BeforeCommit {
            tell(app, person, film, devices).await;
        }
        Ok(())
    });
    marked.await.unwrap();
    if telling == Telling::AfterCommit {
        tell(app, person, film, devices).await;
    }
}

/// Marks some films, and returns how many devices then have what is stored.
async fn up_to_date(app: &TestApp, telling: Telling) -> usize {
    let ann = app.sign_up("ann").await;
    let films = app.add_videos(&ann, FILMS).await;
    for film in &films {
        app.save(&ann, *film, 60).await;
    }
    let copy = stored(app, &ann, &films).await;
    let mut devices = Vec::new();
    for _ in 0..DEVICES {
        devices.push(Device { live: app.live(&ann).await, copy: copy.clone() });
    }
    for film in &films {
        mark_elsewhere(app, &ann, *film, telling, &mut devices).await;
    }
    let stored = stored(app, &ann, &films).await;
    let mut count = 0;
    for Device { live, copy } in &mut devices {
        assert!(live.is_quiet().await, "each change is told once");
        count += usize::from(*copy == stored);
    }
    count
}

on_both! {
    async fn devices_that_are_told_after_the_commit_have_what_is_stored(app: TestApp) {
        assert_eq!(up_to_date(&app, Telling::AfterCommit).await, DEVICES);
    }

    async fn devices_that_are_told_before_the_commit_miss_changes(app: TestApp) {
        assert_eq!(up_to_date(&app, Telling::BeforeCommit).await, 0);
    }
}
