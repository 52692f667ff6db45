//! Somebody's machine: a home directory of its own, the clients installed on it, and a server to talk to.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;
use zas_tests::{Blobs, Client, Credentials, Metadata, Server, ServerBuilder};

/// The only user of the server.
pub(crate) const USER: &str = "alice";
/// The user's password, with characters that need care in shells and headers.
pub(crate) const PASSWORD: &str = "wonder:land $1";

/// What secrets of access keys are derived from, here.
const ENCRYPTION_KEYS: &str = "1: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// A home directory and a durable server whose certificate the clients here trust.
#[derive(Debug)]
pub(crate) struct Workstation {
    pub(crate) server: Server,
    home: TempDir,
}

impl Workstation {
    /// The server speaks TLS.
    pub(crate) fn with_tls() -> Self {
        Self::beside(durable_server().tls().start())
    }

    /// The server speaks plain HTTP.
    pub(crate) fn without_tls() -> Self {
        Self::beside(durable_server().start())
    }

    /// The server takes S3 too, and makes access keys. TLS or not.
    pub(crate) fn with_s3(has_tls: bool) -> Self {
        let keys = tempfile::NamedTempFile::new().expect("the temporary directory is writable");
        fs::write(keys.path(), ENCRYPTION_KEYS).expect("the temporary directory is writable");
        let server = durable_server()
            .section("extensions", json!({"s3api": {"enabled": true}}))
            .section("encryption", json!({"keys": keys.path()}));
        // The server reads the file when it starts.
        if has_tls {
            Self::beside(server.tls().start())
        } else {
            Self::beside(server.start())
        }
    }

    fn beside(server: Server) -> Self {
        let home = tempfile::Builder::new().prefix("zas-clients-").tempdir();
        let station = Self {
            server,
            home: home.expect("the temporary directory is writable"),
        };
        station.write("storage.conf", station.container_storage());
        if let Some(certificate) = station.server.certificate() {
            station.write("ca.crt", &certificate.pem);
            // Where skopeo and podman look for the authorities of one registry.
            let trusted = format!(".config/containers/certs.d/{}/ca.crt", station.registry());
            station.write(&trusted, &certificate.pem);
        }
        station
    }

    /// Host and port of the server, as clients write them in front of a repository.
    pub(crate) fn registry(&self) -> String {
        self.server.client().authority().to_owned()
    }

    /// A repository or reference on the server.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.registry())
    }

    /// An HTTP client signed in as the user, to check what a tool did.
    pub(crate) fn http(&self) -> Client {
        self.server
            .client()
            .with_credentials(Some(Credentials::new(USER, PASSWORD)))
    }

    /// A path in the home directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A path in the home directory as an argument.
    pub(crate) fn argument(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file in the home directory.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("the file is in the home directory"))
            .expect("home is writable");
        fs::write(path, content).expect("home is writable");
    }

    /// The content of a file in the home directory.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name} cannot be read: {error}"))
    }

    /// Runs a program that must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn run<S: AsRef<OsStr>>(&self, program: &str, arguments: &[S]) -> String {
        self.run_with_input(program, arguments, "")
    }

    /// Runs a program that must succeed with `input` on its standard input.
    #[track_caller]
    pub(crate) fn run_with_input<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        input: &str,
    ) -> String {
        let output = self.execute(program, arguments, input);
        assert!(
            output.status.success(),
            "{}",
            described(program, arguments, &output)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a program that must fail, and returns what it complained about.
    #[track_caller]
    pub(crate) fn run_refused<S: AsRef<OsStr>>(&self, program: &str, arguments: &[S]) -> String {
        let output = self.execute(program, arguments, "");
        assert!(
            !output.status.success(),
            "expected a failure: {}",
            described(program, arguments, &output)
        );
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    #[track_caller]
    fn execute<S: AsRef<OsStr>>(&self, program: &str, arguments: &[S], input: &str) -> Output {
        self.write("standard-input", input);
        let input = fs::File::open(self.path("standard-input")).expect("the file was just written");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.home.path())
            .stdin(Stdio::from(input));
        command
            .env("HOME", self.home.path())
            .env("REGISTRY_AUTH_FILE", self.path("auth.json"));
        command.env("CONTAINERS_STORAGE_CONF", self.path("storage.conf"));
        for inherited in [
            "XDG_RUNTIME_DIR",
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "DOCKER_CONFIG",
        ] {
            command.env_remove(inherited);
        }
        command
            .env("AWS_ENDPOINT_URL", self.server.client().origin())
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        // Some clients refuse to start beside a bundle that they cannot use.
        command.env_remove("AWS_CA_BUNDLE");
        if self.server.certificate().is_some() {
            command
                .env("SSL_CERT_FILE", self.path("ca.crt"))
                .env("AWS_CA_BUNDLE", self.path("ca.crt"));
        }
        match command.output() {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!(
                    "{program} is not on the PATH: `hack/setup.sh test` installs it, `make test-integration` finds it"
                )
            }
            Err(error) => panic!("{program} cannot be run: {error}"),
        }
    }

    /// Plain directories instead of overlay mounts, which need privileges.
    fn container_storage(&self) -> String {
        let directory = |name: &str| self.path(name).display().to_string();
        let (graph, run) = (directory("containers"), directory("containers-run"));
        format!("[storage]\ndriver = \"vfs\"\ngraphroot = \"{graph}\"\nrunroot = \"{run}\"\n")
    }
}

/// The engines that installations use; no access rules, so that only users who signed in may do anything.
fn durable_server() -> ServerBuilder {
    let server = Server::builder()
        .metadata(Metadata::RocksDb)
        .blobs(Blobs::Filesystem);
    server.user(Credentials::new(USER, PASSWORD))
}

fn described<S: AsRef<OsStr>>(program: &str, arguments: &[S], output: &Output) -> String {
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.as_ref().to_string_lossy())
        .collect();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (printed, complaint) = (text(&output.stdout), text(&output.stderr));
    format!(
        "{program} {} ended with {}\n{printed}{complaint}",
        words.join(" "),
        output.status
    )
}

/// The words of a command line; arguments with spaces are passed as a list instead.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// Whether two directories of the same machine hold the same file.
#[track_caller]
pub(crate) fn assert_same_file(one: &Path, other: &Path) {
    let read = |path: &Path| fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        read(one) == read(other),
        "{} and {} differ",
        one.display(),
        other.display()
    );
}
