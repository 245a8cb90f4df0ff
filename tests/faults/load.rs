//! Players that each save into their own row as fast as they get responses, and remember the
//! acknowledged saves.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The row of one player. Its positions count up, so a later save has a larger position.
#[derive(Debug)]
pub struct Row {
    pub user: i64,
    pub video: i64,
    pub token: String,
    pub sent: AtomicI32,
    pub acknowledged: AtomicI32,
}

impl Row {
    /// The next save, and its position.
    pub fn next_save(&self) -> (i32, String) {
        let position = self.sent.fetch_add(1, Ordering::SeqCst) + 1;
        let body = format!(
            r#"{{"watch_position":{position},"session_id":"player-{}-{}","sequence":{position}}}"#,
            self.user, self.video
        );
        (position, self.request("POST", &body))
    }

    /// A request for this row.
    pub fn request(&self, method: &str, body: &str) -> String {
        format!(
            "{method} /api/v1/videos/{}/watch-history HTTP/1.1\r\nhost: playhead\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.video,
            self.token,
            body.len()
        )
    }

    /// Records the response to a save of `position`.
    pub fn note(&self, position: i32, answer: &Answer) {
        if answer.status == 200 {
            let applied = answer.body.contains(&format!("\"watch_position\":{position},"))
                && answer.body.contains("\"applied\":true");
            assert!(applied, "{position} was sent: {}", answer.body);
            self.acknowledged.fetch_max(position, Ordering::SeqCst);
        }
    }
}

/// After this time without a request a player takes a new connection: the server closes one of 5
/// seconds.
const MAX_IDLE: Duration = Duration::from_secs(3);

/// A keep-alive connection.
pub struct Connection {
    address: String,
    stream: TcpStream,
    arrived: String,
    /// When it was opened, or its last request began.
    last_used: Instant,
}

pub struct Answer {
    pub status: u16,
    /// Its headers in lower case.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Whether the server closes this connection.
    pub fn closes(&self) -> bool {
        self.head.contains("\r\nconnection: close")
    }

    pub fn has_retry_after(&self) -> bool {
        self.head.contains("\r\nretry-after: ")
    }
}

impl Connection {
    pub async fn open(address: &str) -> io::Result<Self> {
        let last_used = Instant::now();
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { address: address.to_owned(), stream, arrived: String::new(), last_used })
    }

    /// Connects again if the server may soon close this connection.
    pub async fn renew_if_idle(&mut self) -> io::Result<()> {
        if self.last_used.elapsed() > MAX_IDLE {
            *self = Self::open(&self.address).await?;
        }
        Ok(())
    }

    pub async fn ask(&mut self, request: &str) -> io::Result<Answer> {
        self.last_used = Instant::now();
        self.stream.write_all(request.as_bytes()).await?;
        let end = loop {
            if let Some(at) = self.arrived.find("\r\n\r\n") {
                break at + 4;
            }
            self.read().await?;
        };
        let head = self.arrived[..end].to_lowercase();
        let number = |text: &str| text.split(['\r', ' ']).next().and_then(|digits| digits.parse::<usize>().ok());
        let status = head.strip_prefix("http/1.1 ").and_then(number);
        let length = head.split_once("\r\ncontent-length: ").and_then(|(_, rest)| number(rest));
        let (Some(status), Some(length)) = (status, length) else {
            return Err(io::Error::new(ErrorKind::InvalidData, head));
        };
        while self.arrived.len() < end + length {
            self.read().await?;
        }
        let body = self.arrived[end..end + length].to_owned();
        self.arrived.drain(..end + length);
        Ok(Answer { status: status.try_into().unwrap(), head, body })
    }

    async fn read(&mut self) -> io::Result<()> {
        let mut some = [0; 2048];
        let read = self.stream.read(&mut some).await?;
        // All responses here are ASCII.
        let text = str::from_utf8(&some[..read]).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        self.arrived.push_str(text);
        if read == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Sends part of a request, waits, and resets the connection.
    pub async fn cut_off(mut self, beginning: &[u8], after: Duration) -> io::Result<()> {
        self.stream.write_all(beginning).await?;
        tokio::time::sleep(after).await;
        self.stream.set_zero_linger()
    }
}

/// The responses that the players got.
#[derive(Debug, Default)]
pub struct Tally {
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without a response: when they began, and the error.
    pub broken: Vec<(Instant, io::Error)>,
    pub last_refusal: Option<Instant>,
    /// The first response of each unexpected status.
    pub unexpected: BTreeMap<u16, String>,
}

impl Tally {
    pub fn of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    pub fn note(&mut self, answer: &Answer) {
        *self.statuses.entry(answer.status).or_default() += 1;
        match answer.status {
            200 => {}
            503 => {
                assert!(answer.has_retry_after(), "{}", answer.head);
                self.last_refusal = Some(Instant::now());
            }
            status => {
                self.unexpected.entry(status).or_insert_with(|| answer.body.clone());
            }
        }
    }
}

/// One player for each row, until stopped or cut off.
pub struct Load {
    players: JoinSet<()>,
    tally: Arc<Mutex<Tally>>,
    enough: Arc<AtomicBool>,
}

impl Load {
    pub fn start(address: &str, rows: &[Arc<Row>]) -> Self {
        let (tally, enough) = (Arc::new(Mutex::new(Tally::default())), Arc::new(AtomicBool::new(false)));
        let players = rows.iter().map(|row| {
            let (address, row, tally, enough) = (address.to_owned(), row.clone(), tally.clone(), enough.clone());
            async move {
                let mut begun = Instant::now();
                if let Err(error) = play(&address, &row, &tally, &enough, &mut begun).await {
                    tally.lock().unwrap().broken.push((begun, error));
                }
            }
        });
        Self { players: players.collect(), tally, enough }
    }

    pub fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap()
    }

    /// Lets every player finish its request, and returns the tally.
    pub async fn end(self) -> Tally {
        self.enough.store(true, Ordering::SeqCst);
        self.players.join_all().await;
        std::mem::take(&mut self.tally.lock().unwrap())
    }

    /// Waits until the connections of all players are cut.
    pub async fn wait(self) -> Tally {
        self.players.join_all().await;
        std::mem::take(&mut self.tally.lock().unwrap())
    }
}

async fn play(
    address: &str,
    row: &Row,
    tally: &Mutex<Tally>,
    enough: &AtomicBool,
    begun: &mut Instant,
) -> io::Result<()> {
    let mut connection = Connection::open(address).await?;
    while !enough.load(Ordering::SeqCst) {
        *begun = Instant::now();
        let (position, save) = row.next_save();
        let answer = connection.ask(&save).await?;
        row.note(position, &answer);
        tally.lock().unwrap().note(&answer);
        if answer.status != 200 {
            // A refused player retries later; here, soon.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if answer.closes() {
            *begun = Instant::now();
            connection = Connection::open(address).await?;
        }
    }
    Ok(())
}
