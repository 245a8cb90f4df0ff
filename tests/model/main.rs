//! The save path against a plain model of its rules ([`rules`]), told at random ([`story`]), on both databases.
//!
//! `PROPTEST_CASES` says how many stories are told to each test and database. A failure names the smallest story that shows
//! it, and the `PROPTEST_RNG_SEED` under which all of them are told again.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../api/databases.rs"]
mod databases;
mod rules;
mod story;
mod world;

use databases::Engine;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use std::hash::{BuildHasher, RandomState};
use story::{Asked, Story};
use world::{Scene, World};

#[test]
fn every_answer_and_every_row_is_as_the_rules_say_on_sqlite() {
    follow_the_rules(Engine::Sqlite);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn every_answer_and_every_row_is_as_the_rules_say_on_postgres() {
    follow_the_rules(Engine::Postgres);
}

#[test]
fn a_batch_that_is_sent_again_changes_nothing_on_sqlite() {
    send_again(Engine::Sqlite);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_batch_that_is_sent_again_changes_nothing_on_postgres() {
    send_again(Engine::Postgres);
}

fn follow_the_rules(engine: Engine) {
    for_all(engine, story::story(), async |scene, story| {
        scene.tell(&story.steps).await?;
        scene.check_all().await
    });
}

fn send_again(engine: Engine) {
    let batch = prop_oneof![story::gathered(), story::counted()];
    let pause = prop_oneof![0..3_i64, Just(60_000)];
    for_all(engine, (story::story(), batch, pause), async |scene, (story, batch, pause)| {
        scene.tell(&story.steps).await?;
        scene.take(0, vec![(0, Asked::Batch(batch.clone()))]).await?;
        let before = scene.stored().await;
        let again = batch.iter().cloned().map(|(film, mut save)| {
            save.age_ms = save.age_ms.map(|age| age + pause);
            (film, save)
        });
        scene.take(0, vec![(*pause, Asked::Batch(again.collect()))]).await?;
        prop_assert_eq!(before, scene.stored().await);
        Ok(())
    });
}

/// What a test tells: a story, alone or with more.
trait Told: std::fmt::Debug {
    fn story(&self) -> &Story;
}

impl Told for Story {
    fn story(&self) -> &Story {
        self
    }
}

impl<A: std::fmt::Debug, B: std::fmt::Debug> Told for (Story, A, B) {
    fn story(&self) -> &Story {
        &self.0
    }
}

/// Tells as many stories as are asked for, each to viewers and films of its own.
fn for_all<T: Told>(
    engine: Engine,
    told: impl Strategy<Value = T>,
    property: impl AsyncFn(&mut Scene, &T) -> Result<(), TestCaseError>,
) {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(engine as u8));
    }
    let seed = config.rng_seed;
    let world = World::new(engine);
    let outcome = TestRunner::new(config).run(&told, |told| {
        world.runtime.block_on(async {
            let mut scene = Scene::new(&world, told.story()).await;
            property(&mut scene, &told).await
        })
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, told)) => panic!("{reason}\nPROPTEST_RNG_SEED={seed}\n{told:#?}"),
        Err(abort) => panic!("{abort}"),
    }
}
