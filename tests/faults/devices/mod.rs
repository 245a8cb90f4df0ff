//! Devices of one viewer at two processes of the program: whatever happens to the processes and to
//! Redis, each device ends up with what the database has, told by messages and changes only.

mod copy;
mod device;
mod two_processes;

use crate::measure;
use device::{CatchUp, Device};
use std::time::Duration;
use two_processes::{Step, TwoProcesses};

const DEVICES: usize = 3;
const STEPS: u64 = 40;
/// The stories of the counter-proof, which ends with the first one that shows it.
const COUNTER_STORIES: usize = 150;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and redis-server"]
async fn every_device_ends_up_with_what_the_database_has() {
    let _machine = crate::MACHINE.lock().await;
    let mut site = TwoProcesses::start().await;
    let stories = measure(200, 10);
    for story in 0..stories {
        let steps = Vec::from_iter((0..STEPS).map(|_| Step::any()));
        let told = format!("{steps:#?}");
        let differs = play(&mut site, steps, CatchUp::ByToken, Duration::from_secs(20)).await;
        assert_eq!(differs, None, "story {story}: {told}");
    }
    println!("after each of {stories} stories {DEVICES} devices had what the database has");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and redis-server"]
async fn a_device_that_catches_up_by_time_misses_changes() {
    let _machine = crate::MACHINE.lock().await;
    let mut site = TwoProcesses::start().await;
    for story in 0..COUNTER_STORIES {
        let steps = Vec::from_iter((0..STEPS).map(|_| Step::any()));
        let differs = play(&mut site, steps, CatchUp::ByTime, Duration::from_secs(2)).await;
        if let Some(differs) = differs {
            println!("story {story}: {differs}");
            return;
        }
    }
    panic!("after {COUNTER_STORIES} stories all devices had what the database has");
}

/// Plays a story, and returns how the copy of a device differs from the database at its end.
async fn play(site: &mut TwoProcesses, steps: Vec<Step>, catch_up: CatchUp, patience: Duration) -> Option<String> {
    let devices = Vec::from_iter((0..DEVICES).map(|number| Device::start(site, number, catch_up)));
    for step in steps {
        site.take(step, &devices).await;
    }
    site.restore();
    let mut differs = None;
    for device in devices {
        let copy = device.catch_up_with(site, patience).await;
        let stored = site.entries().await;
        if copy != stored {
            differs = Some(format!("a device has {copy:?}, the database has {stored:?}"));
        }
    }
    differs
}
