//! PostgreSQL disappears silently, as when its machine dies and another one takes over its address.

use crate::databases::{Engine, TestDatabase};
use crate::program::Program;
use crate::site::{Site, assert_only};
use crate::{MACHINE, measure};
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a save may wait for a response that never comes: the deadline of a batch, and a moment.
const SOON: Duration = Duration::from_secs(20);
/// The same for all other requests.
const LATER: Duration = Duration::from_secs(40);

/// A proxy to the server that can freeze its connections.
struct Way {
    url: String,
    vanish: watch::Sender<()>,
}

impl Way {
    /// A proxy to the server of a database URL.
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
                        // Neither side notices that the other one is gone.
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
async fn after_a_silent_failover_the_server_uses_the_new_postgres() {
    let _machine = MACHINE.lock().await;
    let program = Program::new();
    let database = TestDatabase::new(Engine::Postgres, program.folder.path()).await;
    let way = Way::to(&database.url).await;
    let site = Site::on(program, way.url.clone()).await;
    let videos = site.program.url("/api/v1/videos");
    let load = site.load();
    tokio::time::sleep(Duration::from_secs(1)).await;

    // Each failure may leave dead connections in the pool.
    for _ in 0..measure(3, 1) {
        way.vanish.send(()).unwrap();
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
