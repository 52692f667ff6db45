//! The API server's record of all requests.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

/// Records the metadata of every request once, when it has been answered.
pub(crate) const POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived"],
  "rules": [{"level": "Metadata"}]
}"#;

const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Who asked, for example `system:serviceaccount:zas-system:operator`.
    pub user: String,
    /// What was asked: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// The plural name of the resource; empty for a request that is about none, such as `/version`.
    pub resource: String,
    /// The API group of the resource; empty for the core group.
    pub group: String,
    /// For example `status`; empty when the whole object was meant.
    pub subresource: String,
    /// Empty for cluster-scoped resources and for requests about all namespaces.
    pub namespace: String,
    /// Empty for requests about a list, and for objects that the API server names.
    pub name: String,
    /// The status code of the answer.
    pub code: u16,
    /// When it was answered, in RFC 3339 with microseconds; compares as text.
    pub time: String,
}

impl AuditEvent {
    /// Whether the request was meant to change something.
    pub fn is_write(&self) -> bool {
        WRITES.contains(&self.verb.as_str())
    }
}

/// A place in the log: everything up to it had been answered when it was taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditMark(usize);

/// The events in the order of their answers.
#[derive(Clone, Debug)]
pub struct AuditLog {
    file: PathBuf,
}

impl AuditLog {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// The place in the log that has been reached. The API server writes an event before its answer, so
    /// nothing that was answered before comes after it.
    #[track_caller]
    pub fn mark(&self) -> AuditMark {
        AuditMark(self.text().len())
    }

    /// Everything answered so far.
    #[track_caller]
    pub fn events(&self) -> Vec<AuditEvent> {
        self.since(AuditMark::default())
    }

    /// Everything answered after `mark`.
    #[track_caller]
    pub fn since(&self, mark: AuditMark) -> Vec<AuditEvent> {
        let text = self.text();
        let text = text.get(mark.0..).expect("a log only grows");
        text.lines().map(parse).collect()
    }

    /// What `user` has tried to change after `mark`, refused attempts included.
    #[track_caller]
    pub fn writes_by(&self, user: &str, mark: AuditMark) -> Vec<AuditEvent> {
        let mut events = self.since(mark);
        events.retain(|event| event.user == user && event.is_write());
        events
    }

    /// The whole lines of the file: the last one may be in the middle of being written.
    fn text(&self) -> String {
        let mut text = fs::read_to_string(&self.file).unwrap_or_else(|error| {
            panic!(
                "{} cannot be read: {error}; was the control plane started with an audit log?",
                self.file.display()
            )
        });
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        text
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    verb: String,
    user: RawUser,
    #[serde(default)]
    object_ref: RawObject,
    response_status: Option<RawStatus>,
    stage_timestamp: String,
}

#[derive(Deserialize)]
struct RawUser {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawObject {
    resource: String,
    api_group: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct RawStatus {
    #[serde(default)]
    code: u16,
}

#[track_caller]
fn parse(line: &str) -> AuditEvent {
    let raw: RawEvent =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("no audit event: {error}: {line}"));
    AuditEvent {
        user: raw.user.username,
        verb: raw.verb,
        resource: raw.object_ref.resource,
        group: raw.object_ref.api_group,
        subresource: raw.object_ref.subresource,
        namespace: raw.object_ref.namespace,
        name: raw.object_ref.name,
        code: raw.response_status.map_or(0, |status| status.code),
        time: raw.stage_timestamp,
    }
}
