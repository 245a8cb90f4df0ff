//! SIGKILL under load.

use crate::site::{Site, assert_only};
use crate::{measure, on_both, pause};

on_both! {
    async fn a_kill_under_load_loses_no_acknowledged_save(site: Site) {
        let mut acknowledged = 0;
        let rounds = measure(50, 2);
        for _ in 0..rounds {
            let load = site.load();
            pause(300..1000).await;
            site.program.signal("KILL");
            site.program.wait();
            let tally = load.wait().await;
            assert_only(&tally, &[200]);
            assert!(tally.of(200) > 0 && tally.broken.len() == site.rows.len());
            acknowledged += tally.of(200);
            site.program.serve();
            site.assert_nothing_is_lost().await;
            site.assert_integrity().await;
        }
        println!("killed {rounds} times, {acknowledged} saves acknowledged, none lost");
    }
}
