//! A PostgreSQL server of one test, which the test may stop.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Stops when it is dropped.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Cluster {
    /// Creates a cluster and starts it.
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { folder: tempfile::tempdir().unwrap(), programs: programs(), port };
        cluster.own(cluster.folder.path());
        let data = cluster.folder.path().to_str().unwrap();
        cluster
            .run("initdb", &["-D", data, "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"]);
        cluster.start_again();
        cluster
    }

    /// Starts it again, and returns when it accepts connections.
    pub fn start_again(&self) {
        let folder = self.folder.path().display();
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}", self.port);
        self.control(&["-w", "-l", &format!("{folder}/log"), "-o", &options, "start"]);
    }

    /// Stops it: `immediate` is a crash, `fast` an orderly stop that waits for nobody.
    pub fn stop(&self, how: &str) {
        self.control(&["-w", "-m", how, "stop"]);
    }

    /// The port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Gives a folder to the user of the server.
    pub fn own(&self, folder: &Path) {
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(folder).status().unwrap().success());
        }
    }

    fn control(&self, arguments: &[&str]) {
        let data = self.folder.path().to_str().unwrap();
        self.run("pg_ctl", &[&["-D", data], arguments].concat());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = unprivileged(&program);
        let command = command.args(arguments).stdout(Stdio::null());
        assert!(command.status().unwrap().success(), "{} {arguments:?}", program.display());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.folder.path().join("postmaster.pid").exists() {
            self.stop("immediate");
        }
    }
}

/// A command as an unprivileged user, for programs that refuse to run as root.
pub fn unprivileged(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The folder of the newest PostgreSQL's programs, which Debian keeps out of the PATH.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let versions =
        versions.filter_map(|version| version.unwrap().file_name().into_string().unwrap().parse::<u32>().ok());
    match versions.max() {
        Some(version) => format!("/usr/lib/postgresql/{version}/bin").into(),
        None => {
            let output = Command::new("pg_config").arg("--bindir").output().expect("PostgreSQL is installed");
            String::from_utf8(output.stdout).unwrap().trim().into()
        }
    }
}
