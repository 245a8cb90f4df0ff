//! A transaction pooler between the server and PostgreSQL: it gives out a connection for one
//! transaction only.

use crate::cluster::{Cluster, unprivileged};
use crate::load::{Connection, Load};
use crate::program::Program;
use crate::site::{Site, assert_only};
use crate::{MACHINE, measure};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};
use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use std::str::FromStr;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

/// pgbouncer with its defaults, in transaction mode.
struct Pooler {
    server: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// With fewer server connections than clients.
    async fn start(cluster: &Cluster) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("pgbouncer.ini");
        let lines = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n",
            cluster.port()
        );
        std::fs::write(&settings, lines).unwrap();
        cluster.own(folder.path());
        cluster.own(&settings);
        let program = Path::new("/usr/sbin/pgbouncer");
        let server = unprivileged(program).arg("-q").arg(&settings).spawn().expect("pgbouncer is installed");
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { server, port, _folder: folder }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?statement-cache-capacity=0", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL"]
async fn two_servers_share_the_connections_of_a_transaction_pooler() {
    let _machine = MACHINE.lock().await;
    let cluster = Cluster::start();
    let pooler = Pooler::start(&cluster).await;
    let site = Site::on(Program::new(), pooler.url()).await;
    let mut other = Program::new();
    std::fs::copy(site.program.folder.path().join(".env"), other.folder.path().join(".env")).unwrap();
    other.serve();

    let address = other.url("").split_off("http://".len());
    let (ours, theirs) = site.rows.split_at(site.rows.len() / 2);
    let loads = [Load::start(&site.address(), ours), Load::start(&address, theirs)];
    let mut reader = Connection::open(&address).await.unwrap();
    for _ in 0..measure(200, 20) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let entry = reader.ask(&ours[0].request("GET", "")).await.unwrap();
        assert_eq!(entry.status, 200, "{}", entry.body);
        let list = ours[0].request("GET", "").replace(&format!("{}/watch-history", ours[0].video), "continue-watching");
        let list = reader.ask(&list).await.unwrap();
        assert!(list.status == 200 && list.body.contains("\"watch_position\":"), "{} {}", list.status, list.body);
        let videos = reader.ask("GET /api/v1/videos HTTP/1.1\r\nhost: playhead\r\n\r\n").await.unwrap();
        assert_eq!(videos.status, 200, "{}", videos.body);
    }
    for load in loads {
        let tally = load.end().await;
        println!("through a pooler: {:?}", tally.statuses);
        assert_only(&tally, &[200]);
        assert!(tally.of(200) > 0 && tally.broken.is_empty(), "{:?}", tally.broken);
    }

    site.program.signal("TERM");
    other.signal("TERM");
    let mut direct = PgConnectOptions::from_str(&cluster.url("postgres")).unwrap().connect().await.unwrap();
    // The pooler notices a moment after the servers that their connections are closed.
    timeout(Duration::from_secs(10), async {
        let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
        while direct.fetch_one(open).await.unwrap().get::<i64, _>(0) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("no transaction stays open");
    assert_eq!(site.lost_in(&cluster.url("postgres")).await, [""; 0]);
    let own = PgConnectOptions::from_str(&pooler.url()).unwrap().extra_float_digits(None);
    let mut pooled = own.connect().await.unwrap();
    for (setting, untouched) in [("lock_timeout", "0"), ("enable_seqscan", "on"), ("jit", "on")] {
        let shown = pooled.fetch_one(AssertSqlSafe(format!("SHOW {setting}"))).await.unwrap();
        assert_eq!(shown.get::<&str, _>(0), untouched, "{setting}");
    }
}
