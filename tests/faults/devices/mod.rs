//! Devices of one viewer at two processes of the program: whatever happens to the processes and to
//! Redis, each device ends up with what the database has, told by messages and changes only.

mod copy;
mod device;
mod two_processes;

use crate::measure;
use device::Device;
use two_processes::{ENTRIES, Step, TwoProcesses};

const DEVICES: usize = 3;
const STEPS: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and redis-server"]
async fn every_device_ends_up_with_what_the_database_has() {
    let _machine = crate::MACHINE.lock().await;
    let mut site = TwoProcesses::start().await;
    for story in 0..measure(200, 10) {
        let devices = Vec::from_iter((0..DEVICES).map(|number| Device::start(&site, number)));
        let mut told = Vec::new();
        for _ in 0..STEPS {
            let step = Step::any();
            told.push(format!("{step:?}"));
            site.take(step, &devices).await;
        }
        site.restore().await;
        for device in devices {
            let copy = device.catch_up_with(&site).await;
            let stored = site.entries().await;
            assert_eq!(copy, stored, "story {story}: {told:#?}");
        }
    }
    println!("the devices of {} stories had all of up to {ENTRIES} entries", measure(200, 10));
}
