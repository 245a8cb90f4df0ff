//! A connection that ends when nothing moves on it.

use crate::parse_errors::RequestLine;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long the rest of an unread body may still arrive, so that its sender sees the answer.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// A connection that fails when nothing moves for a while, or when a request gets no answer for as long.
///
/// The framework has no timer for a reader that takes nothing of its answer: it waits for room in the socket, and asks neither the answer
/// nor a timer of it. Nor has it one for the head of a second request that never ends. Either would hold a descriptor for ever.
pub(crate) struct Connection {
    stream: TcpStream,
    idle_timeout: Duration,
    last_activity: Instant,
    /// When the first byte came of what is not answered yet, and what it is.
    pending: Option<(Instant, RequestLine)>,
    replacement: Option<Replacement>,
    /// Rings when it may be too late. It is set anew only when it rings, because bytes move far more often.
    timer: Pin<Box<Sleep>>,
}

/// What is written in place of an answer of the framework's own.
enum Replacement {
    /// The text, and how much of it was written.
    Writing(Vec<u8>, usize),
    /// What was refused may still be on its way, and is thrown away. To close before it is there would reset the connection, and the
    /// refusal would be lost.
    Lingering,
}

impl Connection {
    /// `idle_timeout` must be longer than a body may take to arrive and a use case to end.
    pub(crate) fn new(stream: TcpStream, idle_timeout: Duration) -> Self {
        let last_activity = Instant::now();
        Self {
            stream,
            idle_timeout,
            last_activity,
            pending: None,
            replacement: None,
            timer: Box::pin(sleep_until(last_activity + idle_timeout)),
        }
    }

    /// Waits for more to move, unless the time is up.
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        while self.timer.as_mut().poll(context).is_ready() {
            let pending = self.pending.map_or(self.last_activity, |(pending, _)| pending);
            let end = pending.min(self.last_activity) + self.idle_timeout;
            if end <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.timer.as_mut().reset(end);
        }
        Poll::Pending
    }

    /// Throws away what still comes, until its end or the timer.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 8192];
        loop {
            let mut rest = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(context, &mut rest) {
                Poll::Ready(Ok(())) if !rest.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.timer.as_mut().poll(context),
            }
        }
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
        self.last_activity = Instant::now();
        let last_activity = self.last_activity;
        let (_, line) = self.pending.get_or_insert_with(|| (last_activity, RequestLine::default()));
        line.add(buffer.filled().get(before..).unwrap_or_default());
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Some((_, line)) = this.pending
            && this.replacement.is_none()
        {
            this.replacement = line.explain(bytes).map(|text| Replacement::Writing(text, 0));
        }
        let written = loop {
            match &mut this.replacement {
                None => break Pin::new(&mut this.stream).poll_write(context, bytes),
                Some(Replacement::Writing(text, done)) => {
                    let rest = text.get(*done..).unwrap_or_default();
                    if rest.is_empty() {
                        ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
                        this.timer.as_mut().reset(Instant::now() + LINGER);
                        this.replacement = Some(Replacement::Lingering);
                        continue;
                    }
                    match Pin::new(&mut this.stream).poll_write(context, rest) {
                        Poll::Ready(Ok(more)) if more > 0 => *done += more,
                        other => break other,
                    }
                }
                Some(Replacement::Lingering) => {
                    ready!(this.linger(context));
                    this.replacement = None;
                    break Poll::Ready(Ok(bytes.len()));
                }
            }
        };
        if written.is_pending() {
            return this.wait(context);
        }
        this.last_activity = Instant::now();
        this.pending = None;
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
