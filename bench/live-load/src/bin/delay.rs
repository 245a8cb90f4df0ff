//! A way to a server that takes longer: `delay PORT SERVER_PORT MICROSECONDS`.
//!
//! It adds the time to each round trip, on the way back, and limits no rate. Threads wait more
//! exactly than the timers of a runtime.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn main() {
    let arguments = Vec::from_iter(std::env::args().skip(1).map(|text| text.parse::<u32>().expect("a number")));
    let [port, server, delay] = arguments[..] else { panic!("delay PORT SERVER_PORT MICROSECONDS") };
    let delay = Duration::from_micros(delay.into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("a free port");
    for client in listener.incoming() {
        let Ok(client) = client else { continue };
        let Ok(server) = TcpStream::connect(format!("127.0.0.1:{server}")) else { continue };
        client.set_nodelay(true).expect("a socket");
        server.set_nodelay(true).expect("a socket");
        let (from_client, to_server) = (clone(&client), clone(&server));
        thread::spawn(move || forward(from_client, to_server));
        thread::spawn(move || forward_later(server, client, delay));
    }
}

fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a descriptor")
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    let _ = copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// Forwards what was read when its time has come, and reads on meanwhile.
fn forward_later(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, read) = mpsc::channel::<(Instant, Vec<u8>)>();
    let writer = thread::spawn(move || {
        for (due, bytes) in read {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = writer.join();
}
