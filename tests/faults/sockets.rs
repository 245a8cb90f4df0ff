//! Live sockets of clients that mean harm, or are gone: what they cost the program.

use crate::program::Program;
use crate::{MACHINE, measure};
use futures_util::stream::{self, StreamExt};
use futures_util::{FutureExt, SinkExt};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Clients that connect at the same time.
const CONNECTING: usize = 64;
/// Sockets of one address that need not say hello at once, and of one viewer.
const PER_ADDRESS: usize = 256;
const PER_VIEWER: usize = 20;
/// Memory that the program may keep after each round, in KiB.
const KEPT_KIB: u64 = 8 * 1024;

fn address_of(program: &Program) -> String {
    program.url("").split_off("http://".len())
}

/// The private memory of the program in KiB.
fn memory(program: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Asks for a live socket, and returns the connection and the status of the answer.
async fn ask(address: &str) -> (TcpStream, u16) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let handshake = format!(
        "GET /api/v1/live HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(handshake.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    (stream, String::from_utf8_lossy(&answer[9..]).parse().unwrap())
}

/// Opens so many connections that say nothing, and keeps all of them. Returns how many of them are
/// live sockets, and the memory of the program meanwhile.
async fn open_silent(program: &Program, count: usize) -> (usize, u64) {
    let address = address_of(program);
    let asked = stream::iter(0..count).map(|_| ask(&address)).buffer_unordered(CONNECTING);
    let asked: Vec<_> = asked.collect().await;
    assert!(asked.iter().all(|(_, status)| [101, 429].contains(status)));
    (asked.iter().filter(|(_, status)| *status == 101).count(), memory(program))
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket that is ready.
async fn open(address: &str, token: &str) -> Socket {
    let (mut socket, _) = connect_async(format!("ws://{address}/api/v1/live")).await.unwrap();
    socket.send(Message::text(json!({"type": "hello", "token": token}).to_string())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.to_text().is_ok_and(|text| text.contains(r#""ready""#)) {
            break;
        }
    }
    socket
}

/// Opens so many sockets of one account, and waits until the surplus is closed. Returns the memory
/// of the program then.
async fn open_ready(program: &Program, token: &str, count: usize) -> u64 {
    let address = address_of(program);
    let open = stream::iter(0..count).map(|_| open(&address, token)).buffer_unordered(CONNECTING);
    let mut sockets: Vec<_> = open.collect().await;
    let begun = Instant::now();
    while sockets.len() > PER_VIEWER {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} sockets are open", sockets.len());
        sockets.retain_mut(|socket| !is_closed(socket));
        sleep(Duration::from_millis(20)).await;
    }
    memory(program)
}

/// Whether the server has closed a socket, as far as it has arrived.
fn is_closed(socket: &mut Socket) -> bool {
    loop {
        match socket.next().now_or_never() {
            None => return false,
            Some(Some(Ok(Message::Close(Some(frame))))) => {
                assert_eq!(u16::from(frame.code), 4429);
                return true;
            }
            Some(Some(Ok(_))) => {}
            Some(Some(Err(_)) | None) => return true,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_sockets_of_one_address_leave_no_memory_taken() {
    let _machine = MACHINE.lock().await;
    crate::allow_many_files();
    let program = Program::start();
    program.create_user("ann");
    let token = program.token("ann").await;
    let count = measure(10_000, 1_000);
    let round = async || {
        let (live, silent) = open_silent(&program, count).await;
        assert!(live >= PER_ADDRESS, "{live} of {count} are taken");
        let ready = open_ready(&program, &token, count).await;
        (live, silent, ready)
    };
    round().await;
    let before = memory(&program);
    for _ in 0..2 {
        let (live, silent, ready) = round().await;
        println!(
            "{count} silent connections, {live} of them live sockets: {silent} KiB; {count} sockets of one account, \
             {PER_VIEWER} of them left: {ready} KiB; before: {before} KiB"
        );
    }
    wait_for_memory(&program, before + KEPT_KIB).await;
}

/// Waits until the program has no more memory than this, in KiB.
async fn wait_for_memory(program: &Program, most: u64) {
    let begun = Instant::now();
    while memory(program) > most {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} KiB, not {most}", memory(program));
        sleep(Duration::from_millis(100)).await;
    }
}

/// It takes the minute that the contract says, so it is for the long form. With shorter limits the
/// tests of the API do the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_no_ping_is_closed_after_a_minute() {
    if !measure(true, false) {
        return;
    }
    let program = Program::start();
    program.create_user("ann");
    let token = program.token("ann").await;
    let address = address_of(&program);
    let mut awake = open(&address, &token).await;
    let silent = open(&address, &token).await;
    let begun = Instant::now();
    // Below the WebSocket: what arrives is taken, and nothing is answered.
    let MaybeTlsStream::Plain(mut silent) = silent.into_inner() else { panic!("it is not encrypted") };
    let closed = async {
        let mut received = Vec::new();
        silent.read_to_end(&mut received).await.unwrap();
        assert!(String::from_utf8_lossy(&received).contains("no_pong"), "{received:?}");
        begun.elapsed()
    };
    let closed = tokio::select! {
        closed = closed => closed,
        message = async { while let Some(Ok(Message::Ping(_))) = awake.next().await {} } => panic!("{message:?}"),
    };
    println!("closed after {closed:?}");
    assert!((60.0..62.0).contains(&closed.as_secs_f64()), "{closed:?}");
    awake.send(Message::Ping("x".into())).await.unwrap();
    assert!(matches!(awake.next().await, Some(Ok(Message::Pong(_)))));
}
