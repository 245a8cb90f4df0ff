//! A TCP connection with an idle timeout.

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

/// The most unsent bytes of a WebSocket in the kernel's send buffer. Later messages stay pending
/// in the program, where the newest message of a video replaces the older ones. Without this limit
/// the buffer of a client that does not read grows to 4 MiB of old messages, and pings queue behind
/// them.
const MAX_UNSENT: u32 = 16 * 1024;

/// What the answer to an upgrade begins with.
const SWITCHING_PROTOCOLS: &[u8] = b"HTTP/1.1 101 ";

/// A connection that fails when no byte moves for `idle_timeout`, or when a request has no answer
/// after it.
///
/// A connection that became a WebSocket is only closed when it takes no byte for `idle_timeout`: it
/// is pinged, and closed when it does not answer.
///
/// actix-http has no timer for a client that stops reading its answer, and none for the head of a
/// second request that never ends. Either would hold a descriptor indefinitely.
pub(crate) struct Connection {
    stream: TcpStream,
    idle_timeout: Duration,
    last_activity: Instant,
    /// When the first byte of the unanswered request arrived, and its request line.
    pending: Option<(Instant, RequestLine)>,
    replacement: Option<Replacement>,
    is_upgraded: bool,
    /// Fires when the timeout may be over. It is reset only then, because bytes move far more
    /// often.
    timer: Pin<Box<Sleep>>,
}

/// What is written in place of an answer that actix-http made itself.
enum Replacement {
    /// The text, and how many bytes of it are written.
    Writing(Vec<u8>, usize),
    /// The rest of the refused request is read and discarded. Closing before it has arrived would
    /// reset the connection, and the client would not see the answer.
    Lingering,
}

impl Connection {
    /// `idle_timeout` must be longer than the timeouts of a body and of a use case.
    pub(crate) fn new(stream: TcpStream, idle_timeout: Duration) -> Self {
        // Otherwise a small message waits until the client acknowledges the one before, up to 40 ms
        // later. The connection works without it too.
        let _ = stream.set_nodelay(true);
        let last_activity = Instant::now();
        Self {
            stream,
            idle_timeout,
            last_activity,
            pending: None,
            replacement: None,
            is_upgraded: false,
            timer: Box::pin(sleep_until(last_activity + idle_timeout)),
        }
    }

    /// Pending, or an error when the timeout is over.
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

    /// Discards what arrives until the client closes or the timer fires.
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

/// Limits the unsent bytes in the kernel's send buffer. A failure is ignored, because the
/// connection works without the limit.
fn limit_unsent(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT);
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
            return if self.is_upgraded { Poll::Pending } else { self.wait(context) };
        }
        if self.is_upgraded {
            return read;
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
            this.is_upgraded = bytes.starts_with(SWITCHING_PROTOCOLS);
            if this.is_upgraded {
                limit_unsent(&this.stream);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn small_messages_are_sent_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, _client) = tokio::join!(listener.accept(), client);
        let (stream, _) = accepted.unwrap();
        assert!(!stream.nodelay().unwrap(), "the system's default");
        assert!(Connection::new(stream, LINGER).stream.nodelay().unwrap());
    }
}
