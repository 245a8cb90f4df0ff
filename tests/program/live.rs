//! Live sockets of the program itself: what bad clients cost it, and how it stops.

use crate::limits::state;
use crate::program::Program;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket, or returns the status of the refusal.
async fn open(program: &Program) -> Result<Socket, u16> {
    match connect_async(program.url("/api/v1/live").replace("http://", "ws://")).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("no connection: {error}"),
    }
}

/// The code of the server's close frame; `None` when the connection broke.
async fn closing(socket: &mut Socket) -> Option<u16> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            return Some(frame.unwrap().code.into());
        }
    }
    None
}

/// Sends what a client must not send, over a socket each.
async fn misbehave(program: &Program) {
    let not_text = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    for (message, code) in [
        (Message::text("x".repeat(1024 * 1024)), 1009),
        (Message::binary(vec![0; 10_000]), 4400),
        (Message::Frame(not_text), 4400),
        (Message::text("{"), 4400),
        (Message::text(json!({"type": "hello", "token": "x".repeat(10_000)}).to_string()), 4401),
    ] {
        let mut socket = open(program).await.unwrap();
        // The server may have closed before it has read everything.
        let _ = socket.send(message).await;
        assert!(closing(&mut socket).await.is_none_or(|met| met == code), "{code}");
    }
}

/// Opens sockets that say nothing until no more are taken, and breaks them off.
async fn open_too_many(program: &Program) {
    let mut sockets = Vec::new();
    let refusal = loop {
        match open(program).await {
            Ok(socket) => sockets.push(socket),
            Err(status) => break status,
        }
        assert!(sockets.len() < 1_000, "there is a limit");
    };
    assert_eq!(refusal, 429);
    drop(sockets);
    let begun = Instant::now();
    while open(program).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "sockets that broke off still count");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn clients_that_misbehave_take_no_memory() {
    let program = Program::start();
    let round = async || {
        for _ in 0..20 {
            misbehave(&program).await;
        }
        open_too_many(&program).await;
    };
    round().await;
    let before = state(&program, "RssAnon");
    // The allocator returns memory late, and only while it is used. Three rounds of sockets that
    // were not freed would be more than the limit, and each further round adds to it.
    for round_number in 1.. {
        round().await;
        let grown = state(&program, "RssAnon").saturating_sub(before);
        if round_number >= 3 && grown < 8 * 1024 {
            break;
        }
        assert!(round_number < 12, "{grown} KiB more");
    }
}

#[tokio::test]
async fn a_stop_tells_every_live_socket_and_ends_in_time() {
    let mut program = Program::start();
    let mut sockets = Vec::new();
    for name in ["ann", "bob", "joe"] {
        program.create_user(name);
        let token = program.token(name).await;
        for _ in 0..20 {
            let mut socket = open(&program).await.unwrap();
            let hello = json!({"type": "hello", "token": token, "since": "an old one"});
            socket.send(Message::text(hello.to_string())).await.unwrap();
            sockets.push(socket);
        }
    }
    let begun = Instant::now();
    program.signal("TERM");
    for socket in &mut sockets {
        assert_eq!(closing(socket).await, Some(1001));
    }
    assert!(program.wait().success());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
