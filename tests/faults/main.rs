//! The program under faults: killed, cut off, overloaded, without disk space, and without its
//! database, on SQLite and on PostgreSQL.
//!
//! By default the tests run in a short form. `PLAYHEAD_FAULTS=long` runs the long one: best one
//! test at a time (`--test-threads=1`), with a release build, which `PLAYHEAD_BIN` names.
//! `--nocapture` shows the measurements.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
#[path = "../api/databases.rs"]
mod databases;
mod devices;
mod freezing_proxy;
mod full;
mod kill;
mod killed_peer;
mod load;
mod overload;
mod pooler;
mod power;
#[expect(dead_code, reason = "some of it is for the tests of the program only")]
#[path = "../program/program.rs"]
mod program;
#[expect(dead_code, reason = "some of it is for the tests of the API only")]
#[path = "../api/redis_server.rs"]
mod redis_server;
mod reset;
mod restart;
mod site;
mod sockets;
mod term;
mod vanish;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::time::Duration;
use tokio::sync::Mutex;

/// Two loads at once would disturb each other's measurements.
static MACHINE: Mutex<()> = Mutex::const_new(());

/// Writes a test once and runs it on both databases, one load at a time.
macro_rules! on_both {
    ($(async fn $name:ident($site:ident: Site) $body:block)*) => { $(
        mod $name {
            use super::*;

            #[allow(unused_mut, reason = "few tests stop their server")]
            async fn run(mut $site: Site) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                let _machine = crate::MACHINE.lock().await;
                run(Site::start($crate::databases::Engine::Sqlite).await).await
            }

            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs PostgreSQL"]
            async fn on_postgres() {
                let _machine = crate::MACHINE.lock().await;
                run(Site::start($crate::databases::Engine::Postgres).await).await
            }
        }
    )* };
}
use on_both;

/// Raises the limit of open files of this process and its children to the allowed maximum, because
/// a shell often starts with 1,024.
fn allow_many_files() {
    let allowed = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: allowed.maximum, ..allowed }).unwrap();
}

/// The value for the long or the short form of the tests.
fn measure<T>(long: T, short: T) -> T {
    let form = std::env::var("PLAYHEAD_FAULTS");
    if form.is_ok_and(|form| form == "long") { long } else { short }
}

/// A random number of this range.
fn any(range: Range<u64>) -> u64 {
    range.start + RandomState::new().hash_one(()) % (range.end - range.start)
}

async fn pause(milliseconds: Range<u64>) {
    tokio::time::sleep(Duration::from_millis(any(milliseconds))).await;
}
