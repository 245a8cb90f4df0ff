//! The disk is full.

use crate::MACHINE;
use crate::cluster::{Cluster, is_root};
use crate::load::{Connection, Row, Tally};
use crate::program::Program;
use crate::site::{Site, assert_only};
use sea_orm::ConnectionTrait;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// More rows than fit into the allocated pages.
const NEW_ROWS: usize = 5000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, to mount a small disk"]
async fn on_a_full_disk_saves_get_507_and_later_work_again_on_sqlite() {
    let _machine = MACHINE.lock().await;
    let program = Program::new();
    let Some(disk) = Disk::mount(&program.folder.path().join("disk")) else { return };
    let url = format!("sqlite://{}?mode=rwc", disk.path.join("playhead.db").display());
    let mut site = Site::on(program, url).await;
    run_out_of_room(&mut site, &disk).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, and root to mount a small disk"]
async fn on_a_full_disk_saves_get_507_and_later_work_again_on_postgres() {
    let _machine = MACHINE.lock().await;
    let cluster = Cluster::start();
    let program = Program::new();
    let Some(disk) = Disk::mount(&program.folder.path().join("disk")) else { return };
    // Only the tables: without room for its WAL PostgreSQL stops.
    let place = disk.path.join("tables");
    fs::create_dir(&place).unwrap();
    cluster.own(&place);
    let server = sea_orm::Database::connect(cluster.url("postgres")).await.unwrap();
    server.execute_unprepared(&format!("CREATE TABLESPACE small LOCATION '{}'", place.display())).await.unwrap();
    server.execute_unprepared("CREATE DATABASE playhead TABLESPACE small").await.unwrap();
    server.close().await.unwrap();
    let mut site = Site::on(program, cluster.url("playhead")).await;
    run_out_of_room(&mut site, &disk).await;
    drop(site);
    drop(cluster);
}

async fn run_out_of_room(site: &mut Site, disk: &Disk) {
    let rows = site.add_rows(NEW_ROWS).await;
    let mut player = Connection::open(&site.address()).await.unwrap();
    let mut tally = Tally::default();
    let mut rows = rows.iter();
    let mut save = async |row: &Row| {
        let (position, save) = row.next_save();
        let answer = player.ask(&save).await.unwrap();
        row.note(position, &answer);
        tally.note(&answer);
        answer.status
    };
    for row in rows.by_ref().take(100) {
        assert_eq!(save(row).await, 200);
    }

    disk.fill();
    let refused = loop {
        let row = rows.next().expect("it runs out of room before all rows are saved");
        if save(row).await != 200 {
            break row;
        }
    };
    let load = site.load();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(save(refused).await, 507);
    let mut reader = Connection::open(&site.address()).await.unwrap();
    for row in site.rows.iter().filter(|row| row.acknowledged.load(Ordering::SeqCst) > 0).take(50) {
        assert_eq!(reader.ask(&row.request("GET", "")).await.unwrap().status, 200);
    }
    let list = reqwest::Client::new().get(site.program.url("/api/v1/videos/continue-watching"));
    let list = list.bearer_auth(&refused.token).send().await.unwrap();
    assert_eq!(list.json::<Vec<serde_json::Value>>().await.unwrap().len(), 10);
    let meanwhile = load.end().await;
    assert_only(&meanwhile, &[200, 507]);

    disk.clear();
    let cleared = Instant::now();
    while save(refused).await != 200 {
        assert!(cleared.elapsed() < Duration::from_secs(5), "there is room again");
    }
    let resumed = cleared.elapsed();
    let load = site.load();
    for row in rows.take(100) {
        assert_eq!(save(row).await, 200);
    }
    let last = load.end().await;
    assert_only(&last, &[200]);
    assert!(last.broken.is_empty(), "{:?}", last.broken);
    assert_only(&tally, &[200, 507]);
    site.assert_nothing_is_lost().await;
    site.assert_integrity().await;
    println!("without room: {:?}, and saves went on {resumed:?} after there was some", meanwhile.statuses);
}

/// A small disk in memory. It is unmounted when it is dropped.
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// `None` without the right to mount.
    fn mount(path: &Path) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs"]).arg(path).status();
        if is_root() && mounted.is_ok_and(|mounted| mounted.success()) {
            return Some(Self { path: path.to_owned() });
        }
        println!("left out: nothing may be mounted here, so that there is no disk to fill");
        None
    }

    fn fill(&self) {
        let mut filler = File::create(self.path.join("filler")).unwrap();
        let full = loop {
            if let Err(error) = filler.write_all(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }

    fn clear(&self) {
        fs::remove_file(self.path.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Processes that still have a file open keep it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
    }
}
