//! PostgreSQL stops and starts again.

use crate::cluster::Cluster;
use crate::program::Program;
use crate::site::{Site, assert_only};
use crate::{MACHINE, measure, pause};
use std::time::{Duration, Instant};

/// How soon after its database's start the server answers again.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn while_postgres_is_stopped_the_server_answers_503_then_recovers() {
    let _machine = MACHINE.lock().await;
    let cluster = Cluster::start();
    let site = Site::on(Program::new(), cluster.url("postgres")).await;
    let load = site.load();
    let (rounds, mut slowest) = (measure(20, 2), Duration::ZERO);
    // A crash closes the connections; an orderly stop announces it first.
    for how in ["immediate", "fast"].into_iter().cycle().take(rounds) {
        pause(300..1000).await;
        cluster.stop(how);
        pause(100..1500).await;
        cluster.start_again();
        let (back, served) = (Instant::now(), load.tally().of(200));
        while load.tally().of(200) < served + site.rows.len() as u64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(back.elapsed() < SOON, "it does not serve: {:?}", load.tally().statuses);
        }
        slowest = slowest.max(back.elapsed());
        // The last refused request.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let tally = load.tally();
        if let Some(last) = tally.last_refusal {
            assert!(last.elapsed() > Duration::from_millis(500), "it answers some requests and refuses others");
            slowest = slowest.max(last.saturating_duration_since(back));
        }
        assert!(tally.broken.is_empty(), "{:?}", tally.broken);
    }
    let tally = load.end().await;
    assert_only(&tally, &[200, 503]);
    assert!(tally.of(503) > 0, "no request was refused");
    assert!(tally.broken.is_empty(), "{:?}", tally.broken);
    site.assert_nothing_is_lost().await;
    site.assert_integrity().await;
    println!("away {rounds} times: {:?}, all served again {slowest:?} after it was back, or sooner", tally.statuses);
}
