//! SIGTERM under load.

use crate::site::{Site, assert_only};
use crate::{measure, on_both, pause};
use reqwest::StatusCode;
use std::time::{Duration, Instant};

/// For this long after the signal the server accepts connections; a little less than it promises.
const DRAINING: Duration = Duration::from_millis(900);

on_both! {
    async fn a_sigterm_under_load_loses_no_acknowledged_save_and_exits_quickly(site: Site) {
        let (rounds, mut acknowledged, mut slowest) = (measure(20, 1), 0, Duration::ZERO);
        for _ in 0..rounds {
            let load = site.load();
            pause(300..1000).await;
            let signalled = Instant::now();
            site.program.signal("TERM");
            let ready = async || reqwest::get(site.program.url("/health/ready")).await.unwrap().status();
            while ready().await != StatusCode::SERVICE_UNAVAILABLE {
                assert!(signalled.elapsed() < DRAINING, "it does not report unready before it stops");
            }
            // While new connections are still accepted, requests begin that end only afterwards.
            let held = site.hold_writers().await;
            tokio::time::sleep(Duration::from_millis(1000)).await;
            held.rollback().await.unwrap();
            assert!(site.program.wait().success());
            slowest = slowest.max(signalled.elapsed());
            assert!(slowest < Duration::from_secs(5), "it took {slowest:?}");
            let tally = load.wait().await;
            assert_only(&tally, &[200]);
            for (begun, error) in &tally.broken {
                assert!(*begun > signalled + DRAINING, "a request of {:?} got no answer: {error}", begun.duration_since(signalled));
            }
            acknowledged += tally.of(200);
            site.assert_nothing_is_lost().await;
            site.program.serve();
        }
        println!("stopped {rounds} times, {acknowledged} saves acknowledged, none lost, the slowest end took {slowest:?}");
    }
}
