//! A power cut. Killing the program tests no disk, because the system keeps what a dead process
//! wrote; here everything is lost that the program did not sync (`disk.rs`).

use crate::databases::{Engine, TestDatabase};
use crate::program::Program;
use crate::site::{Site, assert_only};
use crate::{MACHINE, measure, pause};
use std::path::Path;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_saves_survive_a_power_cut() {
    let _machine = MACHINE.lock().await;
    let rounds = measure(20, 1);
    for _ in 0..rounds {
        let (lost, acknowledged) = cut_the_power("full").await;
        assert_eq!(lost, [""; 0]);
        println!("the power went, {acknowledged} saves acknowledged, none lost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_sync_loses_saves_in_this_test() {
    let _machine = MACHINE.lock().await;
    let (lost, _) = cut_the_power("normal").await;
    assert!(!lost.is_empty(), "nothing is lost: these checks prove nothing");
}

/// Stops the server under load, and returns the acknowledged saves that the disk has lost, and how
/// many there were.
async fn cut_the_power(synchronous: &str) -> (Vec<String>, u64) {
    let mut program = Program::new();
    let folder = program.folder.path().to_owned();
    let images = folder.join("images");
    std::fs::create_dir(&images).unwrap();
    let preload = [
        ("LD_PRELOAD", compiled(&folder)),
        ("IMAGES", images.display().to_string()),
        ("SQLITE_SYNCHRONOUS", synchronous.into()),
    ];
    program.environment.extend(preload.map(|(name, value)| (name.into(), value)));
    let database = TestDatabase::new(Engine::Sqlite, &folder).await;
    let mut site = Site::on(program, database.url.clone()).await;
    let load = site.load();
    pause(1000..2500).await;
    site.program.signal("KILL");
    site.program.wait();
    let tally = load.wait().await;
    assert_only(&tally, &[200]);
    let left = format!("sqlite://{}?mode=rw", images.join("playhead.db").display());
    site.assert_integrity_of(&left).await;
    (site.lost_in(&left).await, tally.of(200))
}

/// The compiled library of the disk.
fn compiled(folder: &Path) -> String {
    let library = folder.join("libdisk.so").display().to_string();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/power/disk.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let done = Command::new(rustc)
        .args(["--edition", "2024", "--crate-type", "cdylib", "-O", "-D", "warnings", "-o", &library])
        .arg(source)
        .status();
    assert!(done.unwrap().success());
    library
}
