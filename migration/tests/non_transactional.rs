//! Migrations that run outside of a transaction.

#![cfg(test)]

mod support;

use migration::{Migrator, PROJECT};
use operations::concurrently;
use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;
use sea_orm_revisions::{Chain, Error, Project, RunOptions, Target};
use std::time::Duration;
use support::{TestDatabase, run, texts};

struct IndexWhileTheSiteRuns;

impl MigrationName for IndexWhileTheSiteRuns {
    fn name(&self) -> &str {
        "m29990101_000001_index_while_the_site_runs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexWhileTheSiteRuns {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        concurrently::create_index(manager, Index::create().name("ix_videos_codec").table("videos").col("codec")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        concurrently::drop_index(manager, "ix_videos_codec").await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

struct Failing;

impl MigrationName for Failing {
    fn name(&self) -> &str {
        "m29990101_000002_failing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Failing {
    async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("not today".to_owned()))
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

fn project(chain: Chain) -> Project {
    Project { chain, ..PROJECT }
}

fn longer() -> Vec<Box<dyn MigrationTrait>> {
    let mut chain = Migrator::migrations();
    chain.push(Box::new(IndexWhileTheSiteRuns));
    chain
}

fn failing() -> Vec<Box<dyn MigrationTrait>> {
    let mut chain = longer();
    chain.push(Box::new(Failing));
    chain
}

on_both! {
    async fn of_five_runners_one_creates_the_index_and_none_waits_forever(db: TestDatabase) {
        let (project, options) = (project(longer), RunOptions::default());
        let one = || project.upgrade(&db.url, &Target::End, &options);
        let all = async { tokio::join!(one(), one(), one(), one(), one()) };
        let (a, b, c, d, e) = tokio::time::timeout(Duration::from_secs(30), all).await.unwrap();
        let mut lengths = [a, b, c, d, e].map(|report| report.unwrap().applied.len());
        lengths.sort_unstable();
        assert_eq!(lengths, [0, 0, 0, 0, longer().len()]);
        assert_eq!(index(&db).await, ["ix_videos_codec"]);
        let back = project.downgrade(&db.url, &Target::Steps(1), &options).await.unwrap();
        assert_eq!(back.reverted, [IndexWhileTheSiteRuns.name()]);
        assert_eq!(index(&db).await, [""; 0]);
    }

    async fn an_error_names_the_migrations_that_stay_applied(db: TestDatabase) {
        let error = project(failing).upgrade(&db.url, &Target::End, &RunOptions::default()).await.unwrap_err();
        let Error::Migration { name, kept, .. } = &error else { panic!("{error}") };
        assert_eq!(name, Failing.name());
        let applied = PROJECT.status(&db.url).await;
        if db.is_postgres() {
            assert_eq!(kept.len(), longer().len());
            assert!(error.to_string().contains("the earlier migrations of this run are not undone"), "{error}");
            assert_eq!(applied.unwrap().applied.len(), Migrator::migrations().len());
        } else {
            assert!(error.to_string().contains("nothing was changed"), "{error}");
            assert!(applied.unwrap().applied.is_empty());
        }
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn it_is_refused_through_a_pooler_before_any_change() {
    let db = TestDatabase::postgres().await;
    db.up(Target::End).await;
    let pooled = format!("{}?statement-cache-capacity=0", db.url);
    let error = project(failing).upgrade(&pooled, &Target::End, &RunOptions::default()).await.unwrap_err();
    assert!(matches!(&error, Error::TransactionPooler { name } if name == IndexWhileTheSiteRuns.name()), "{error}");
    assert_eq!(index(&db).await, [""; 0]);
    assert!(PROJECT.upgrade(&pooled, &Target::End, &RunOptions::default()).await.unwrap().applied.is_empty());
    assert_eq!(PROJECT.status(&pooled).await.unwrap().pending, [""; 0]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn an_invalid_index_of_an_interrupted_run_is_created_again() {
    let db = TestDatabase::postgres().await;
    db.up(Target::End).await;
    let connection = db.connect().await;
    run(&connection, "CREATE INDEX CONCURRENTLY ix_videos_codec ON videos (codec)").await;
    run(&connection, "UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'ix_videos_codec'::regclass").await;
    let (project, options) = (project(longer), RunOptions::default());
    project.upgrade(&db.url, &Target::End, &options).await.unwrap();
    let valid = "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'ix_videos_codec'::regclass";
    assert_eq!(texts(&connection, valid).await, ["true"]);
    // As after a kill between the index and its record.
    run(&connection, "DELETE FROM seaql_migrations WHERE version LIKE 'm2999%'").await;
    assert_eq!(project.upgrade(&db.url, &Target::End, &options).await.unwrap().applied.len(), 1);
}

#[tokio::test]
async fn a_script_runs_it_outside_of_the_transaction() {
    let sql = project(longer).script(true, "m20261101_000006:head", DbBackend::Postgres).await.unwrap();
    let (inside, outside) = sql.split_once("COMMIT;").unwrap();
    assert!(inside.contains("CREATE TABLE \"sessions\""), "{sql}");
    assert!(
        outside.contains("CREATE INDEX CONCURRENTLY IF NOT EXISTS \"ix_videos_codec\"") && !outside.contains("BEGIN;"),
        "{sql}"
    );
    let sql = project(longer).script(true, "m20261101_000006:head", DbBackend::Sqlite).await.unwrap();
    assert_eq!((sql.matches("COMMIT;").count(), sql.contains("CONCURRENTLY")), (1, false));
}

async fn index(db: &TestDatabase) -> Vec<String> {
    let select = db.either(
        "SELECT name FROM sqlite_master WHERE name = 'ix_videos_codec'",
        "SELECT indexname::text FROM pg_indexes WHERE indexname = 'ix_videos_codec'",
    );
    texts(&db.connect().await, select).await
}
