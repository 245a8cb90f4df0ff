//! Clients that disconnect in the middle of a request.

use crate::load::Connection;
use crate::site::{Site, assert_only};
use crate::{any, measure, on_both};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

on_both! {
    async fn interrupted_requests_leave_no_open_transaction(site: Site) {
        let requests: u64 = measure(10_000, 1000);
        let mut clients = JoinSet::new();
        for row in site.rows.iter().take(16) {
            let (row, address) = (Arc::clone(row), site.address());
            clients.spawn(async move {
                for _ in 0..requests / 16 {
                    let connection = Connection::open(&address).await.unwrap();
                    let (_, save) = row.next_save();
                    // Half of them during the request, half while they wait for the response.
                    let length = save.len();
                    let cut = usize::try_from(any(0..2 * length as u64)).unwrap().min(length);
                    // The server may have responded and closed before.
                    let _ = connection.cut_off(&save.as_bytes()[..cut], Duration::from_micros(any(0..4000))).await;
                }
            });
        }
        clients.join_all().await;
        let load = site.load();
        while load.tally().of(200) < requests {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_only(&load.tally(), &[200]);
        }
        let tally = load.end().await;
        assert_only(&tally, &[200]);
        assert!(tally.broken.is_empty(), "{:?}", tally.broken);
        site.assert_no_open_transaction().await;
        site.assert_nothing_is_lost().await;
        println!("{requests} requests cut off, then {} answered, none with an error", tally.of(200));
    }
}
