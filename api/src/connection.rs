//! A connection that ends when nothing moves on it.

use crate::LINGER;
use crate::unparsed::FirstLine;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// A connection that fails when nothing moves for a while, or when a request gets no answer for as long.
///
/// The framework has no timer for a reader that takes nothing of its answer: it waits for room in the socket, and asks neither the answer
/// nor a timer of it. Nor has it one for the head of a second request that never ends. Either would hold a descriptor for ever.
pub(crate) struct Connection {
    stream: TcpStream,
    patience: Duration,
    moved: Instant,
    /// When the first byte came of what is not answered yet, and what it is.
    asked: Option<(Instant, FirstLine)>,
    /// What is written in place of an answer of the framework's own, and how much of it was.
    instead: Option<(Vec<u8>, usize)>,
    end: End,
    /// Rings when it may be too late. It is set anew only when it rings, because bytes move far more often.
    alarm: Pin<Box<Sleep>>,
}

/// How a connection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// As the framework does it.
    Plain,
    /// What was refused may still be on its way. To close before it is there would reset the connection, and the refusal would be lost.
    AfterTheRest,
    /// We have said all that we will, and the rest is thrown away.
    Lingering,
}

impl Connection {
    /// `patience` must be longer than a body may take to arrive and a use case to end.
    pub(crate) fn new(stream: TcpStream, patience: Duration) -> Self {
        let moved = Instant::now();
        Self {
            stream,
            patience,
            moved,
            asked: None,
            instead: None,
            end: End::Plain,
            alarm: Box::pin(sleep_until(moved + patience)),
        }
    }

    /// Waits for more to move, unless the time is up.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        while self.alarm.as_mut().poll(context).is_ready() {
            let asked = self.asked.map_or(self.moved, |(asked, _)| asked);
            let end = asked.min(self.moved) + self.patience;
            if end <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.alarm.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() {
            return self.wait(context);
        }
        self.moved = Instant::now();
        let moved = self.moved;
        let (_, line) = self.asked.get_or_insert_with(|| (moved, FirstLine::default()));
        line.add(buffer.filled().get(before..).unwrap_or_default());
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Some((_, line)) = this.asked
            && this.instead.is_none()
        {
            this.instead = line.explain(bytes).map(|instead| (instead, 0));
            this.end = if this.instead.is_some() { End::AfterTheRest } else { End::Plain };
        }
        let written = match &mut this.instead {
            Some((instead, done)) => loop {
                let rest = instead.get(*done..).unwrap_or_default();
                if rest.is_empty() {
                    this.instead = None;
                    break Poll::Ready(Ok(bytes.len()));
                }
                match Pin::new(&mut this.stream).poll_write(context, rest) {
                    Poll::Ready(Ok(more)) if more > 0 => *done += more,
                    other => break other,
                }
            },
            None => Pin::new(&mut this.stream).poll_write(context, bytes),
        };
        if written.is_pending() {
            return this.wait(context);
        }
        this.moved = Instant::now();
        this.asked = None;
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.end != End::Lingering {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        match this.end {
            End::Plain => return Poll::Ready(Ok(())),
            End::AfterTheRest => this.alarm.as_mut().reset(Instant::now() + LINGER),
            End::Lingering => {}
        }
        this.end = End::Lingering;
        let mut rest = [0; 8192];
        loop {
            let mut rest = ReadBuf::new(&mut rest);
            match Pin::new(&mut this.stream).poll_read(context, &mut rest) {
                Poll::Ready(Ok(())) if !rest.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return this.alarm.as_mut().poll(context).map(Ok),
            }
        }
    }
}
