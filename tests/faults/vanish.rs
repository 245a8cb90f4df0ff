//! PostgreSQL disappears silently, as when its machine dies and another one takes over its address.

use crate::databases::{Engine, TestDatabase};
use crate::freezing_proxy::FreezingProxy;
use crate::program::Program;
use crate::site::{Site, assert_only};
use crate::{MACHINE, measure};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a save may wait for a response that never comes: the deadline of a batch, and a moment.
const SOON: Duration = Duration::from_secs(20);
/// The same for all other requests.
const LATER: Duration = Duration::from_secs(40);

/// The database URL through a proxy.
async fn through_proxy(url: &str) -> (String, FreezingProxy) {
    let (user, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let proxy = FreezingProxy::to(server).await;
    (format!("{user}@{}/{name}", proxy.address), proxy)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn after_a_silent_failover_the_server_uses_the_new_postgres() {
    let _machine = MACHINE.lock().await;
    let program = Program::new();
    let database = TestDatabase::new(Engine::Postgres, program.folder.path()).await;
    let (url, proxy) = through_proxy(&database.url).await;
    let site = Site::on(program, url).await;
    let videos = site.program.url("/api/v1/videos");
    let load = site.load();
    tokio::time::sleep(Duration::from_secs(1)).await;

    // Each failure may leave dead connections in the pool.
    for _ in 0..measure(3, 1) {
        proxy.freeze();
        // More requests than the pool has connections.
        let listings = Vec::from_iter((0..20).map(|_| tokio::spawn(reqwest::get(videos.clone()))));
        let (vanished, served) = (Instant::now(), load.tally().of(200));
        while load.tally().of(200) < served + 10 * site.rows.len() as u64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(vanished.elapsed() < SOON, "saves are not answered: {:?}", load.tally().statuses);
        }
        println!("the history is served again after {:?}", vanished.elapsed());
        for listing in listings {
            let listed = timeout(LATER, listing).await.expect("nobody answers").unwrap();
            let status = listed.unwrap().status().as_u16();
            assert!([200, 503].contains(&status), "{status}");
        }
        assert_eq!(reqwest::get(&videos).await.unwrap().status(), 200);
        assert!(vanished.elapsed() < LATER, "other requests are answered after {:?}", vanished.elapsed());
    }
    let tally = load.end().await;
    assert_only(&tally, &[200, 503]);
    assert!(tally.broken.is_empty(), "{:?}", tally.broken);
    site.assert_nothing_is_lost().await;
}
