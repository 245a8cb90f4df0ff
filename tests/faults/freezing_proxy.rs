//! A proxy whose connections can freeze, as those to a machine that dies.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy to one server.
pub struct FreezingProxy {
    pub address: SocketAddr,
    freeze: watch::Sender<()>,
}

impl FreezingProxy {
    /// A proxy to a server, by its host and port.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (freeze, frozen) = watch::channel(());
        let server = server.to_owned();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut frozen) = (server.clone(), frozen.clone());
                frozen.mark_unchanged();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        // A freeze holds back what has arrived already.
                        biased;
                        // Neither side notices that the other one is gone.
                        _ = frozen.changed() => std::future::pending().await,
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                    }
                });
            }
        });
        Self { address, freeze }
    }

    /// Freezes the connections that there are. New ones work.
    pub fn freeze(&self) {
        self.freeze.send(()).unwrap();
    }
}
