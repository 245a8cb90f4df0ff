//! What is committed on SQLite gets from its log into its file.

use crate::app::TestApp;
use crate::databases::Engine;
use entity::watch_history;
use sea_orm::{EntityTrait, QuerySelect};
use std::time::Duration;

/// The positions that stand in the file alone, as if its log were lost; none while it is being written to.
async fn positions_without_the_log(app: &TestApp) -> Vec<i32> {
    let file = service::database::sqlite_file(&app.database.url).unwrap();
    let alone = tempfile::tempdir().unwrap();
    std::fs::copy(file, alone.path().join("alone.db")).unwrap();
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
