//! SQLite's checkpoints, and the write lock that all writers of the process share.

use crate::app::TestApp;
use crate::databases::Engine;
use entity::watch_history;
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, Statement};
use std::pin::pin;
use std::process::Command;
use std::time::Duration;
use tokio::time::timeout;

/// The positions in the database file without its log, in order. Empty while the file is being
/// written.
async fn positions_without_the_log(app: &TestApp) -> Vec<i32> {
    let file = service::storage::sqlite_file(&app.database.url).unwrap();
    let alone = tempfile::tempdir().unwrap();
    // In another process, because closing the file here would drop the locks that SQLite holds on
    // it.
    assert!(Command::new("cp").arg(file).arg(alone.path().join("alone.db")).status().unwrap().success());
    let url = format!("sqlite://{}", alone.path().join("alone.db").display());
    let db = sea_orm::Database::connect(url).await.unwrap();
    let positions = watch_history::Entity::find().select_only().column(watch_history::Column::WatchPosition);
    positions.into_tuple().all(&db).await.unwrap_or_default()
}

#[tokio::test]
async fn a_save_is_checkpointed_long_before_the_log_is_full() {
    let app = TestApp::start(Engine::Sqlite).await;
    let ann = app.sign_up("ann").await;
    let video = app.add_video(&ann, "Harbour at dawn", Some(600)).await;
    for position in [150, 160] {
        app.save(&ann, video, position).await;
        let mut waits = 0;
        while positions_without_the_log(&app).await != [position] {
            waits += 1;
            assert!(waits < 100, "{position} is still in the log only");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn sqlite_is_compiled_with_the_flags_of_the_cargo_config() {
    let app = TestApp::start(Engine::Sqlite).await;
    let option = "SELECT sqlite_compileoption_used('MAX_MMAP_SIZE=0x1000000000')";
    let db = app.db.reader();
    let row = db.query_one_raw(Statement::from_string(app.db.backend(), option)).await.unwrap().unwrap();
    assert!(row.try_get_by_index::<bool>(0).unwrap(), "the flags of .cargo/config.toml are not in the SQLite build");
}

/// A writer that polls SQLite's own lock may starve while players save; the write lock is fair.
#[tokio::test]
async fn a_save_waits_while_another_writer_holds_the_write_lock() {
    let app = TestApp::start(Engine::Sqlite).await;
    let ann = app.sign_up("ann").await;
    let film = app.add_video(&ann, "film", Some(600)).await;
    let guard = app.lock_writes().await;
    let mut save = pin!(app.save(&ann, film, 60));
    assert!(timeout(Duration::from_millis(300), &mut save).await.is_err(), "the save did not wait for the lock");
    drop(guard);
    assert_eq!(save.await["applied"], true);
}
