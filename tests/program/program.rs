//! The program as an operator runs it, in its own folder.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse";

/// A working folder, and the server that runs there.
pub struct Program {
    pub folder: TempDir,
    /// The lines that the server has logged since its start.
    pub logged: Arc<Mutex<Vec<String>>>,
    /// Its environment variables, except the port.
    pub environment: Vec<(String, String)>,
    server: Option<Child>,
    address: String,
}

impl Program {
    /// An empty folder without a server.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, logged: Arc::default(), environment: Vec::new(), server: None, address: String::new() }
    }

    /// Starts the server on a free port, with one clip of 60 seconds in its media folder.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`Program::start`], with these variables in its environment.
    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        let mut program = Self::new();
        program.environment.extend(environment.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let media = program.folder.path().join("media");
        std::fs::create_dir(&media).unwrap();
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("service/sample");
        for ending in ["webm", "jpg"] {
            let name = format!("Harbour at dawn.{ending}");
            std::fs::copy(samples.join("Sample clip").with_extension(ending), media.join(name)).unwrap();
        }
        program.serve();
        program
    }

    /// Starts the server on a free port.
    pub fn serve(&mut self) {
        let access_log = File::create(self.access_log()).unwrap();
        let mut server = self.command(&[]).stdout(access_log).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let mut log = lines.by_ref().map(Result::unwrap);
        let line = log.find(|line| line.contains("Playhead is at")).expect("the log names the address");
        self.address = line.split("http://").nth(1).unwrap().to_owned();
        self.server = Some(server);
        // The pipe must be read to its end, or the server would block.
        let logged = self.logged.clone();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| logged.lock().unwrap().push(line)));
    }

    /// The file with the server's standard output.
    pub fn access_log(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// Sends the server a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        assert!(kill(name, &self.id().to_string()));
    }

    /// Waits until the server has stopped, and returns its exit status.
    pub fn wait(&mut self) -> ExitStatus {
        self.server.take().expect("the server runs").wait().unwrap()
    }

    /// Makes [`Program::url`] name a proxy in front of the server.
    pub fn show_at(&mut self, address: &str) {
        address.clone_into(&mut self.address);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The server's process id.
    pub fn id(&self) -> u32 {
        self.server.as_ref().expect("the server runs").id()
    }

    /// The program in this folder with these arguments, with only the port and
    /// [`Program::environment`] set. `PLAYHEAD_BIN` names another build of it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = std::env::var_os("PLAYHEAD_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_playhead").into());
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env_clear().env("BIND_ADDRESS", "127.0.0.1:0").args(arguments);
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Runs a command to its end with `input`, and gives back whether it was done and what it said.
    pub fn run(&self, arguments: &[&str], input: &str) -> (bool, String) {
        run(&mut self.command(arguments), input)
    }

    pub fn scan(&self) {
        let (done, said) = self.run(&["scan"], "");
        assert!(done && said.contains("1 added"), "{said}");
    }

    /// Creates an account. The first one is the administrator.
    pub fn create_user(&self, name: &str) {
        let (done, said) = self.run(&["user", "create", name, &format!("{name}@example.org")], PASSWORD);
        assert!(done, "{said}");
    }

    /// An access token of an account.
    pub async fn token(&self, name: &str) -> String {
        let login = reqwest::Client::new().post(self.url("/api/v1/auth/login"));
        let answer = login.form(&[("username", name), ("password", PASSWORD)]).send().await.unwrap();
        let tokens: Value = answer.json().await.unwrap();
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn execute(&self, sql: &str) {
        let db = self.database().await;
        db.execute_unprepared(sql).await.unwrap();
        db.close().await.unwrap();
    }

    /// The position of the only entry, once it is as expected.
    pub async fn wait_for_position(&self, fits: impl Fn(i32) -> bool) -> i32 {
        self.wait_for(|position| position.filter(|position| fits(*position))).await
    }

    pub async fn wait_for_no_history(&self) {
        self.wait_for(|position| position.is_none().then_some(())).await
    }

    async fn wait_for<T>(&self, fits: impl Fn(Option<i32>) -> Option<T>) -> T {
        let db = self.database().await;
        let begun = Instant::now();
        loop {
            let query = Statement::from_string(db.get_database_backend(), "SELECT watch_position FROM watch_history");
            let row = db.query_one_raw(query).await.unwrap();
            let position = row.map(|row| row.try_get_by_index(0).unwrap());
            if let Some(found) = fits(position) {
                db.close().await.unwrap();
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(15), "the database still says {position:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn database(&self) -> DatabaseConnection {
        let file = self.folder.path().join("playhead.db");
        Database::connect(format!("sqlite://{}?mode=rw", file.display())).await.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Sends a signal with the shell's builtin, because not every machine has the program `kill`.
fn kill(signal: &str, id: &str) -> bool {
    Command::new("sh").args(["-c", &format!("kill -s {signal} {id}")]).status().unwrap().success()
}

/// Runs a command to its end with `input`, and gives back whether it was done and what it said.
pub fn run(command: &mut Command, input: &str) -> (bool, String) {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = pipes.spawn().unwrap();
    // A program that fails early does not read all its input.
    let _ = writeln!(running.stdin.take().unwrap(), "{input}");
    let (id, (ended, ending)) = (running.id(), mpsc::channel());
    std::thread::spawn(move || ended.send(running.wait_with_output()));
    let output = ending.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| {
        kill("KILL", &id.to_string());
        panic!("{command:?} does not end")
    });
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), said)
}
