//! PostgreSQL goes away and comes back.

use crate::cluster::Cluster;
use crate::program::Program;
use crate::site::{Site, assert_only};
use crate::{MACHINE, measure, pause};
use std::time::{Duration, Instant};

/// How soon after its database the server serves again.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn while_postgres_is_away_it_says_503_and_then_serves_again() {
    let _machine = MACHINE.lock().await;
    let cluster = Cluster::start();
    let site = Site::on(Program::new(), cluster.url("postgres")).await;
    let load = site.load();
    let (rounds, mut slowest) = (measure(20, 2), Duration::ZERO);
    // A crash closes the connections, an orderly end says so first.
    for how in ["immediate", "fast"].into_iter().cycle().take(rounds) {
        pause(300..1000).await;
        let before = load.tally().statuses.clone();
        cluster.stop(how);
        pause(100..1500).await;
        cluster.start_again();
        let back = Instant::now();
        // Until nobody was refused for a second.
        while load.tally().last_refusal.is_none_or(|last| last.elapsed() < Duration::from_secs(1)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(back.elapsed() < SOON + Duration::from_secs(1), "it still refuses: {:?}", load.tally().statuses);
        }
        let tally = load.tally();
        for status in [200, 503] {
            assert!(tally.of(status) > before.get(&status).copied().unwrap_or_default(), "{:?}", tally.statuses);
        }
        slowest = slowest.max(tally.last_refusal.unwrap().saturating_duration_since(back));
        assert!(tally.broken.is_empty(), "{:?}", tally.broken);
    }
    let tally = load.end().await;
    assert_only(&tally, &[200, 503]);
    assert!(tally.broken.is_empty(), "{:?}", tally.broken);
    site.assert_nothing_is_lost().await;
    site.assert_integrity().await;
    println!("away {rounds} times: {:?}, the last refusal {slowest:?} after it was back", tally.statuses);
}
