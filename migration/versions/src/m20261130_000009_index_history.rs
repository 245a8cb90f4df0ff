//! Replaces the index of "continue watching" by one that serves the whole history, and adds one for
//! the list of completed videos.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "watch_history";
const CONTINUE_WATCHING: &str = "ix_watch_history_continue_watching";
const LIST: &str = "ix_watch_history_list";
const COMPLETED: &str = "ix_watch_history_completed";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(on_user(LIST).col("completed").col(("watched_hour", IndexOrder::Desc)).take()).await?;
        let is_played = Expr::cust("play_count > 0");
        let completed = on_user(COMPLETED).col(("completed_at", IndexOrder::Desc)).and_where(is_played).take();
        manager.create_index(completed).await?;
        manager.drop_index(Index::drop().name(CONTINUE_WATCHING).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_open = Expr::cust("completed = false");
        let open = on_user(CONTINUE_WATCHING).col(("watched_hour", IndexOrder::Desc)).and_where(is_open).take();
        manager.create_index(open).await?;
        manager.drop_index(Index::drop().name(COMPLETED).to_owned()).await?;
        manager.drop_index(Index::drop().name(LIST).to_owned()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn on_user(name: &'static str) -> IndexCreateStatement {
    Index::create().name(name).table(TABLE).col("user_id").take()
}
