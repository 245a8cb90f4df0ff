//! The site below a path of a reverse proxy.

use crate::browser::Browser;
use crate::program::Program;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// nginx, which forwards `/ph` to a server and nothing else.
struct Proxy {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Proxy {
    /// Requests below `/ph/` are forwarded to `target`.
    fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};", folder.path().display()))
            .concat();
        let config = format!(
            "daemon off; master_process off; pid {folder}/pid; error_log {folder}/log; events {{}} \
             http {{ access_log off; {temporary} \
               server {{ listen {address}; location /ph/ {{ proxy_pass {target}; }} }} }}",
            folder = folder.path().display()
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        let nginx =
            Command::new("nginx").arg("-p").arg(folder.path()).arg("-c").arg(&file).stderr(Stdio::null()).spawn();
        let process = nginx.expect("nginx is installed");
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "nginx does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, address, _folder: folder }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Plays and saves as Ann, and uses the API page, all through the proxy.
async fn the_site_works(program: &Program) {
    let browser = Browser::start().await;
    browser.sign_in(program, "ann").await;
    let picture = "document.querySelector('#library .card img')";
    browser.wait_until(&format!("{picture}.naturalWidth > 0")).await;
    browser.wait_until("document.querySelector('.brand img').naturalWidth > 0").await;
    browser.click("#library .card[data-video-id='1']").await;
    browser.play_until(2.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    program.wait_for_position(|saved| saved >= 2).await;
    browser.open(&program.url("/docs")).await;
    browser.click("#operations-videos-read_video .opblock-summary-control").await;
    browser.click("#operations-videos-read_video .execute").await;
    let answer = "document.querySelector('#operations-videos-read_video .responses-wrapper').textContent";
    browser.wait_until(&format!("/\\/ph\\/api\\/v1\\/videos\\/1\\/stream/.test({answer})")).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

fn site_below_a_path() -> Program {
    let program = Program::start_with(&[("PUBLIC_PATH", "/ph")]);
    program.create_user("ann");
    program.scan();
    program
}

#[tokio::test]
#[ignore = "needs Chromium and nginx"]
async fn a_site_below_a_path_works_when_the_proxy_strips_the_path() {
    let mut program = site_below_a_path();
    let server = program.url("").trim_end_matches("ph").to_owned();
    let proxy = Proxy::start(&server);
    program.show_at(&format!("{}/ph", proxy.address));
    the_site_works(&program).await;
}

#[tokio::test]
#[ignore = "needs Chromium and nginx"]
async fn a_site_below_a_path_works_when_the_proxy_keeps_the_path() {
    let mut program = site_below_a_path();
    let server = program.url("").trim_end_matches("/ph").to_owned();
    let proxy = Proxy::start(&server);
    program.show_at(&format!("{}/ph", proxy.address));
    the_site_works(&program).await;
}
