//! The configuration of a test server.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::data_directory::DataDirectory;
use crate::mount::Mount;
use crate::server::Launch;
use crate::{Certificate, Credentials, FailedStart, Server};

/// bcrypt's lowest cost: tests verify passwords often and protect nothing.
const BCRYPT_COST: u32 = 4;

/// Where facts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// In memory, gone with the process.
    Memory,
    /// In RocksDB under the server's directory.
    RocksDb,
}

/// Where bytes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blobs {
    /// In memory, gone with the process.
    Memory,
    /// In files under the server's directory.
    Filesystem,
}

/// What a test server is started with. Everything not named is the server's default.
#[derive(Clone, Debug)]
pub struct ServerBuilder {
    metadata: Metadata,
    blobs: Blobs,
    users: Vec<Credentials>,
    certificate: Option<Certificate>,
    sections: Map<String, Value>,
    mounts: Vec<(String, Vec<(String, String)>)>,
    launch: Launch,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        let sections = Map::new();
        Self {
            metadata: Metadata::Memory,
            blobs: Blobs::Memory,
            users: Vec::new(),
            certificate: None,
            sections,
            mounts: Vec::new(),
            launch: Launch::default(),
        }
    }
}

impl ServerBuilder {
    /// Chooses the metadata engine; memory by default.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Chooses the blob store; memory by default.
    pub fn blobs(mut self, blobs: Blobs) -> Self {
        self.blobs = blobs;
        self
    }

    /// Adds a user to the password file.
    pub fn user(mut self, credentials: Credentials) -> Self {
        self.users.push(credentials);
        self
    }

    /// The section `accessControl`. Without it every user may do everything and anonymous callers nothing.
    pub fn access_control(self, rules: Value) -> Self {
        self.section("accessControl", rules)
    }

    /// Everybody may do everything without signing in.
    pub fn open_to_everybody(self) -> Self {
        let everything = ["read", "create", "update", "delete"];
        self.access_control(
            json!({"repositories": {"**": {"anonymousPolicy": everything, "defaultPolicy": everything}}}),
        )
    }

    /// Speaks TLS with a new self-signed certificate.
    pub fn tls(mut self) -> Self {
        self.certificate = Some(Certificate::self_signed());
        self
    }

    /// What happens to manifests whose references are absent, in repositories that match `pattern`:
    /// `Refuse`, `AcceptInIndexes` or `Accept`.
    pub fn missing_references(self, pattern: &str, policy: &str) -> Self {
        self.section(
            "registry",
            json!({"repositories": {pattern: {"missingReferences": policy}}}),
        )
    }

    /// Merges into the section `limits`.
    pub fn limits(self, limits: Value) -> Self {
        self.section("limits", limits)
    }

    /// Merges into the section `collection`.
    pub fn collection(self, timing: Value) -> Self {
        self.section("collection", timing)
    }

    /// Merges `content` into a top-level section of the configuration.
    pub fn section(mut self, name: &str, content: Value) -> Self {
        merge(self.sections.entry(name).or_insert_with(|| json!({})), content);
        self
    }

    /// Mounts files at a directory of the server's as Kubernetes does.
    pub fn mount(mut self, directory: &str, files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        self.mounts.push((directory.to_owned(), files.collect()));
        self
    }

    /// Names a further configuration file, which overrides those before it.
    pub fn more_configuration(mut self, file: &str) -> Self {
        self.launch.more_configuration.push(file.to_owned());
        self
    }

    /// Starts another program than the server under test.
    pub fn program(mut self, program: PathBuf) -> Self {
        self.launch.program = Some(program);
        self
    }

    /// Sets a variable of the server's environment.
    pub fn environment(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.launch.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Lets the server log into a pipe that nobody reads.
    pub fn unread_log(mut self) -> Self {
        self.launch.has_unread_log = true;
        self
    }

    /// Starts a server in a new directory and waits until it is ready.
    #[track_caller]
    pub fn start(self) -> Server {
        let directory = self.directory();
        Server::start(directory, self.certificate, self.launch)
    }

    /// Starts a server that is expected to end by itself.
    #[track_caller]
    pub fn start_in_vain(self, prepare: impl FnOnce(&Path)) -> FailedStart {
        let directory = self.directory();
        prepare(directory.path());
        Server::start_in_vain(directory, &self.launch)
    }

    fn directory(&self) -> DataDirectory {
        let directory = DataDirectory::create();
        directory.write("config.json", &self.configuration().to_string());
        if !self.users.is_empty() {
            directory.write("htpasswd", &password_file(&self.users));
        }
        if let Some(certificate) = &self.certificate {
            directory.write("tls.crt", &certificate.pem);
            directory.write("tls.key", &certificate.private_key_pem);
        }
        for (name, files) in &self.mounts {
            Mount::create(directory.file(name), files);
        }
        directory
    }

    fn configuration(&self) -> Value {
        let metadata = match self.metadata {
            Metadata::Memory => json!({"engine": "memory"}),
            Metadata::RocksDb => json!({"engine": "rocksdb", "path": "data/metadata"}),
        };
        let blobs = match self.blobs {
            Blobs::Memory => json!({"store": "memory"}),
            Blobs::Filesystem => json!({"store": "filesystem", "path": "data/blobs", "reserve": 0}),
        };
        let mut configuration = json!({
            "configVersion": 1,
            "http": {"listen": "127.0.0.1:0"},
            "operations": {"listen": "127.0.0.1:0"},
            "storage": {"metadata": metadata, "blobs": blobs},
            "log": {"level": "info", "format": "text"},
        });
        if self.certificate.is_some() {
            let tls = json!({"certificateFile": "tls.crt", "privateKeyFile": "tls.key"});
            merge(&mut configuration, json!({"http": {"tls": tls}}));
        }
        if !self.users.is_empty() {
            merge(
                &mut configuration,
                json!({"auth": {"htpasswd": {"path": "htpasswd"}}}),
            );
        }
        merge(&mut configuration, Value::Object(self.sections.clone()));
        configuration
    }
}

fn password_file(users: &[Credentials]) -> String {
    let line = |user: &Credentials| {
        let hash = bcrypt::hash(&user.password, BCRYPT_COST).expect("the cost is in range");
        format!("{}:{hash}\n", user.name)
    };
    users.iter().map(line).collect()
}

/// Objects are merged member by member, everything else is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_two_sections_of_one_name_when_configured_then_both_are_kept() {
        let builder = ServerBuilder::default()
            .missing_references("a/**", "Accept")
            .missing_references("b/**", "Refuse")
            .limits(json!({"pageSize": 5}));
        let configuration = builder.configuration();
        assert_eq!(
            configuration["registry"]["repositories"]["a/**"]["missingReferences"],
            "Accept"
        );
        assert_eq!(
            configuration["registry"]["repositories"]["b/**"]["missingReferences"],
            "Refuse"
        );
        assert_eq!(configuration["limits"]["pageSize"], 5);
    }
}
