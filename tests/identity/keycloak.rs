//! A real Keycloak with a realm of its own, for as long as a test runs.

use std::env;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use zas_tests::Client;

/// A busy machine starts Java slowly.
const READY_LIMIT: Duration = Duration::from_secs(240);
const POLL: Duration = Duration::from_millis(250);

const REALM: &str = include_str!("zas-realm.json");

/// Keycloak, listening on the loopback.
#[derive(Debug)]
pub(crate) struct Keycloak {
    process: Child,
    client: Client,
    folder: TempDir,
}

impl Keycloak {
    /// Starts it with the realm `zas` and waits until the realm answers.
    #[track_caller]
    pub(crate) fn start() -> Self {
        let installed = env::var_os("ZAS_KEYCLOAK").expect("`source hack/environment.sh` names it");
        let folder = tempfile::tempdir().expect("the temporary directory is writable");
        let home = folder.path().join("keycloak");
        // It writes below its own folder, which others use too.
        let copied = Command::new("cp")
            .arg("-a")
            .args([PathBuf::from(installed), home.clone()])
            .status();
        assert!(
            copied.is_ok_and(|status| status.success()),
            "hack/setup.sh test installs Keycloak"
        );
        let import = home.join("data/import");
        fs::create_dir_all(&import).expect("the folder is ours");
        fs::write(import.join("zas-realm.json"), REALM).expect("the folder is ours");
        let (port, management) = (free_port(), free_port());
        let log = File::create(folder.path().join("log")).expect("the folder is ours");
        let process = Command::new(home.join("bin/kc.sh"))
            .args([
                "start",
                "--optimized",
                "--import-realm",
                "--http-enabled=true",
                "--hostname-strict=false",
            ])
            .args(["--http-host=127.0.0.1", "--cache=local"])
            .arg(format!("--http-port={port}"))
            .arg(format!("--http-management-port={management}"))
            .env("JAVA_OPTS_APPEND", "-Xmx512m")
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a file can be shared"))
            .stdout(log)
            .process_group(0)
            .spawn()
            .expect("Java is installed");
        let mut keycloak = Self {
            process,
            client: Client::new(&format!("http://127.0.0.1:{port}"), None),
            folder,
        };
        keycloak.wait_until_ready();
        keycloak
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        let limit = Instant::now() + READY_LIMIT;
        let path = "/realms/zas/.well-known/openid-configuration";
        while Instant::now() < limit {
            if let Ok(answer) = self.client.get(path).try_send()
                && answer.status == 200
            {
                return;
            }
            if let Ok(Some(status)) = self.process.try_wait() {
                panic!("Keycloak ended with {status}:\n{}", self.log());
            }
            thread::sleep(POLL);
        }
        panic!("Keycloak is not ready after {READY_LIMIT:?}:\n{}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What its tokens have in `iss`.
    pub(crate) fn issuer(&self) -> String {
        format!("{}/realms/zas", self.client.origin())
    }

    /// An access token of a user, whose password is `password of` and the name, issued to a client.
    #[track_caller]
    pub(crate) fn token(&self, client: &str, user: &str) -> String {
        let form = format!(
            "grant_type=password&client_id={client}&username={user}&password=password%20of%20{user}&scope=openid"
        );
        let answer = self
            .client
            .post("/realms/zas/protocol/openid-connect/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.as_bytes())
            .send()
            .expect_status(200)
            .json();
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("it is bound").port()
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        // The script and the Java that it started. Fails when both have ended.
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}
