//! The watch history against a model of its rules ([`rules`]), with random stories ([`story`]), on
//! both databases: the fast path of the service, and a plain SeaORM store ([`plain_store`]) that
//! says the same in code that is easy to read.
//!
//! `PROPTEST_CASES` is the number of stories for each test. A failure prints the smallest story
//! that fails, and the `PROPTEST_RNG_SEED` that generates the same stories again.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod answer;
#[path = "../api/databases.rs"]
mod databases;
mod device;
mod edit;
mod expected;
mod plain_store;
mod read;
mod rules;
mod site;
mod store;
mod story;
mod story_run;

use databases::Engine;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use rules::preferences::Keeps;
use site::TestSite;
use std::hash::{BuildHasher, RandomState};
use store::StoreKind;
use story::{Request, Story};
use story_run::StoryRun;

#[test]
fn every_answer_and_every_row_is_as_the_rules_say_on_sqlite() {
    follow_the_rules(Engine::Sqlite, StoreKind::Fast);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn every_answer_and_every_row_is_as_the_rules_say_on_postgres() {
    follow_the_rules(Engine::Postgres, StoreKind::Fast);
}

#[test]
fn a_batch_that_is_sent_again_changes_nothing_on_sqlite() {
    send_again(Engine::Sqlite, StoreKind::Fast);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_batch_that_is_sent_again_changes_nothing_on_postgres() {
    send_again(Engine::Postgres, StoreKind::Fast);
}

#[test]
fn the_plain_store_follows_the_same_rules_on_sqlite() {
    follow_the_rules(Engine::Sqlite, StoreKind::Plain);
    send_again(Engine::Sqlite, StoreKind::Plain);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_plain_store_follows_the_same_rules_on_postgres() {
    follow_the_rules(Engine::Postgres, StoreKind::Plain);
    send_again(Engine::Postgres, StoreKind::Plain);
}

fn follow_the_rules(engine: Engine, kind: StoreKind) {
    for_all(engine, kind, story::story(), async |run, story| {
        run.execute(&story.steps).await?;
        run.check_all().await
    });
}

fn send_again(engine: Engine, kind: StoreKind) {
    let batch = prop_oneof![story::queued(), story::numbered()];
    let pause = prop_oneof![0..3_i64, Just(60_000)];
    for_all(engine, kind, (story::story(), batch, pause), async |run, (story, batch, pause)| {
        run.execute(&story.steps).await?;
        // Nothing expires meanwhile.
        run.set_preferences(0, Keeps::All, None).await;
        run.send(0, 0, Request::Batch(batch.clone())).await?;
        let before = run.stored().await.without_previous();
        let again = batch.iter().cloned().map(|(video, mut save)| {
            save.age_ms = save.age_ms.map(|age| age + pause);
            (video, save)
        });
        run.send(0, *pause, Request::Batch(again.collect())).await?;
        prop_assert_eq!(before, run.stored().await.without_previous());
        Ok(())
    });
}

/// A case of a test: a story, alone or with more.
trait TestCase: std::fmt::Debug {
    fn story(&self) -> &Story;
}

impl TestCase for Story {
    fn story(&self) -> &Story {
        self
    }
}

impl<A: std::fmt::Debug, B: std::fmt::Debug> TestCase for (Story, A, B) {
    fn story(&self) -> &Story {
        &self.0
    }
}

/// Runs the property for many cases, each with viewers and videos of its own.
fn for_all<T: TestCase>(
    engine: Engine,
    kind: StoreKind,
    cases: impl Strategy<Value = T>,
    property: impl AsyncFn(&mut StoryRun, &T) -> Result<(), TestCaseError>,
) {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(engine as u8));
    }
    let seed = config.rng_seed;
    let site = TestSite::new(engine, kind);
    let outcome = TestRunner::new(config).run(&cases, |case| {
        site.runtime.block_on(async {
            let mut run = StoryRun::new(&site, case.story()).await;
            property(&mut run, &case).await
        })
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{reason}\nPROPTEST_RNG_SEED={seed}\n{case:#?}"),
        Err(abort) => panic!("{abort}"),
    }
}
