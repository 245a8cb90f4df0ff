//! PostgreSQL vanishes without a word, as when its machine dies and another one takes over its address.

use crate::databases::{Engine, TestDatabase};
use crate::program::Program;
use crate::site::{Site, assert_only};
use crate::{MACHINE, measure};
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long the history may wait for an answer that never comes: the deadline of a group, and a moment.
const SOON: Duration = Duration::from_secs(20);
/// As long for everything else.
const LATER: Duration = Duration::from_secs(40);

/// A way to the server on which those who are under way can be left where they are.
struct Way {
    url: String,
    vanish: watch::Sender<()>,
}

impl Way {
    /// To the server of a database's address.
    async fn to(url: &str) -> Self {
        let (user, rest) = url.split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{user}@{}/{name}", listener.local_addr().unwrap());
        let (vanish, vanished) = watch::channel(());
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut vanished) = (server.clone(), vanished.clone());
                vanished.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        // Neither end hears that the other one is gone.
                        _ = vanished.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { url, vanish }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn when_postgres_vanishes_without_a_word_it_goes_on_with_the_one_that_took_over() {
    let _machine = MACHINE.lock().await;
    let program = Program::new();
    let database = TestDatabase::new(Engine::Postgres, program.folder.path()).await;
    let way = Way::to(&database.url).await;
    let site = Site::on(program, way.url.clone()).await;
    let videos = site.program.url("/api/v1/videos");
    let load = site.load();
    tokio::time::sleep(Duration::from_secs(1)).await;

    // Each time may leave connections behind that nobody gets back.
    for _ in 0..measure(3, 1) {
        way.vanish.send(()).unwrap();
        // More of them than the pool has connections.
        let listings = Vec::from_iter((0..20).map(|_| tokio::spawn(reqwest::get(videos.clone()))));
        let (vanished, served) = (Instant::now(), load.tally().of(200));
        while load.tally().of(200) < served + 10 * site.rows.len() as u64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(vanished.elapsed() < SOON, "the history is not served: {:?}", load.tally().statuses);
        }
        println!("the history is served again after {:?}", vanished.elapsed());
        for listing in listings {
            let listed = timeout(LATER, listing).await.expect("nobody answers").unwrap();
            let status = listed.unwrap().status().as_u16();
            assert!([200, 503].contains(&status), "{status}");
        }
        assert_eq!(reqwest::get(&videos).await.unwrap().status(), 200);
        assert!(vanished.elapsed() < LATER, "everything else is served after {:?}", vanished.elapsed());
    }
    let tally = load.end().await;
    assert_only(&tally, &[200, 503]);
    assert!(tally.broken.is_empty(), "{:?}", tally.broken);
    site.assert_nothing_is_lost().await;
}
