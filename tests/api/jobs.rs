//! Background jobs: one process of all runs them.

use crate::app::TestApp;
use chrono::{DateTime, TimeDelta, Utc};
use service::jobs::{self, Jobs};
use service::storage::Durability;
use service::time::Clock;
use service::{Database, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

async fn claim(db: &Database, now: DateTime<Utc>) -> bool {
    db.transaction(async |tx| jobs::claim(tx, "sweep", HOUR, now).await).await.unwrap()
}

async fn another_process(app: &TestApp) -> Database {
    Database::connect(&app.database.url, Durability::Normal).await.unwrap()
}

/// Waits until the count reaches `at_least`.
async fn wait_for(count: &AtomicU32, at_least: u32) {
    let reached = async {
        while count.load(Ordering::Relaxed) < at_least {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.expect("the job runs");
}

on_both! {
    async fn of_many_processes_that_ask_at_once_one_gets_the_job(app: TestApp) {
        let (now, other) = (app.now(), another_process(&app).await);
        for round in 0..5 {
            let at = now + TimeDelta::hours(round);
            let asking = (0..16).map(|n| {
                let db = if n % 2 == 0 { app.db.clone() } else { other.clone() };
                tokio::spawn(async move { claim(&db, at).await })
            });
            let asking: Vec<_> = asking.collect();
            let mut claims = 0;
            for claimed in asking {
                claims += u32::from(claimed.await.unwrap());
            }
            assert_eq!(claims, 1, "in round {round}");
        }
    }

    async fn a_job_is_due_again_after_its_interval_and_not_before(app: TestApp) {
        let now = app.now();
        assert!(claim(&app.db, now).await);
        assert!(!claim(&app.db, now + TimeDelta::minutes(59)).await);
        assert!(claim(&app.db, now + TimeDelta::minutes(60)).await);
        let other = async |tx: &_| jobs::claim(tx, "another job", HOUR, now).await;
        assert!(app.db.transaction(other).await.unwrap());
    }

    async fn a_slow_clock_runs_no_job_twice_and_a_fast_one_stops_none(app: TestApp) {
        let now = app.now();
        assert!(claim(&app.db, now).await);
        assert!(!claim(&app.db, now - TimeDelta::minutes(59)).await, "its clock is behind");
        assert!(claim(&app.db, now + TimeDelta::days(3650)).await, "its clock is ahead");
        assert!(claim(&app.db, now).await, "the clocks that are right go on");
        assert!(!claim(&app.db, now).await);
    }

    async fn a_job_that_fails_or_panics_runs_again_when_it_is_due(app: TestApp) {
        let runs = Arc::new(AtomicU32::new(0));
        let mut started = Jobs::new(&app.db, &Clock::System);
        let counted = runs.clone();
        started.start("fail", Duration::from_millis(100), move |_| {
            let run = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(run != 1, "the second run panics");
                Err(Error::Busy)
            }
        });
        wait_for(&runs, 4).await;
    }

    async fn two_processes_share_the_runs_of_a_job(app: TestApp) {
        let (runs, tries) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let mut both = [
            Jobs::new(&app.db, &Clock::System),
            Jobs::new(&another_process(&app).await, &Clock::System),
        ];
        for process in &mut both {
            let (runs, tries) = (runs.clone(), tries.clone());
            process.start("sweep", HOUR, move |_| {
                runs.fetch_add(1, Ordering::Relaxed);
                async { Ok(()) }
            });
            // Its loop shows that time passes for the processes.
            process.start("tick", Duration::from_millis(20), move |_| {
                tries.fetch_add(1, Ordering::Relaxed);
                async { Ok(()) }
            });
        }
        wait_for(&runs, 1).await;
        let now = tries.load(Ordering::Relaxed);
        wait_for(&tries, now + 50).await;
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }
}
