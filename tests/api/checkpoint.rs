//! What is committed on SQLite gets from its log into its file, and everybody who writes gets a turn.

use crate::app::TestApp;
use crate::databases::Engine;
use entity::watch_history;
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, Statement};
use std::pin::pin;
use std::process::Command;
use std::time::Duration;
use tokio::time::timeout;

/// The positions that stand in the file alone, as if its log were lost; none while it is being written to.
async fn positions_without_the_log(app: &TestApp) -> Vec<i32> {
    let file = service::storage::sqlite_file(&app.database.url).unwrap();
    let alone = tempfile::tempdir().unwrap();
    // By another process: to close the file in this one would drop the locks that SQLite holds on it.
    assert!(Command::new("cp").arg(file).arg(alone.path().join("alone.db")).status().unwrap().success());
    let url = format!("sqlite://{}", alone.path().join("alone.db").display());
    let db = sea_orm::Database::connect(url).await.unwrap();
    let positions = watch_history::Entity::find().select_only().column(watch_history::Column::WatchPosition);
    positions.into_tuple().all(&db).await.unwrap_or_default()
}

#[tokio::test]
async fn a_save_gets_into_the_file_long_before_the_log_is_full() {
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
async fn the_engine_is_compiled_as_cargo_is_told() {
    let app = TestApp::start(Engine::Sqlite).await;
    let option = "SELECT sqlite_compileoption_used('MAX_MMAP_SIZE=0x1000000000')";
    let db = app.db.reader();
    let row = db.query_one_raw(Statement::from_string(app.db.backend(), option)).await.unwrap().unwrap();
    assert!(row.try_get_by_index::<bool>(0).unwrap(), "the flags of .cargo/config.toml did not reach the engine");
}

/// Who tries for SQLite's lock now and then may never be lucky while players save; who waits for a turn gets it.
#[tokio::test]
async fn a_save_waits_while_it_is_the_turn_of_somebody_else_to_write() {
    let app = TestApp::start(Engine::Sqlite).await;
    let ann = app.sign_up("ann").await;
    let film = app.add_video(&ann, "film", Some(600)).await;
    let turn = app.take_turn().await;
    let mut save = pin!(app.save(&ann, film, 60));
    assert!(timeout(Duration::from_millis(300), &mut save).await.is_err(), "it was written out of turn");
    drop(turn);
    assert_eq!(save.await["applied"], true);
}
