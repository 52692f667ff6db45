//! Asks a server that was started on a state of the disk for everything that must be there.

use std::collections::{BTreeMap, BTreeSet};

use zas_tests::{Algorithm, Client, Fact, FactValue, Request, Response, with_query};

use crate::oracle::{Expected, Oracle};
use crate::server::Unreferenced;
use crate::uploads::{Standing, Upload};

/// What was found on one server.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Every broken promise.
    pub(crate) findings: Vec<String>,
    /// How many manifests, tags and blobs were there and whole.
    pub(crate) found: usize,
    /// How many uploads were finished from the offset that the server had saved.
    pub(crate) resumed: usize,
}

/// Compares a server with what may be seen when the record has this length.
pub(crate) fn check(
    client: &Client,
    oracle: &Oracle,
    uploads: &[Upload],
    record: u64,
    unreferenced: Unreferenced,
) -> Report {
    let expected = oracle.at(record);
    let mut check = Check {
        client,
        unreferenced,
        report: Report::default(),
        seen: BTreeMap::new(),
    };
    for key in expected.keys.keys() {
        let value = check.ask(key);
        check.seen.insert(key.clone(), value);
    }
    check.judge_keys(&expected);
    check.judge_manifests(oracle);
    check.judge_tag_lists();
    for upload in uploads {
        if let Some(standing) = upload.at(record) {
            check.resume(upload, &standing);
        }
    }
    check.report
}

struct Check<'a> {
    client: &'a Client,
    unreferenced: Unreferenced,
    report: Report,
    /// What each key showed; nothing when its answer was a finding already.
    seen: BTreeMap<Fact, Option<FactValue>>,
}

impl Check<'_> {
    fn find(&mut self, finding: String) {
        self.report.findings.push(finding);
    }

    /// Sends a request. An answer that says the server failed, or none, is a finding.
    fn send(&mut self, request: Request<'_>) -> Option<Response> {
        match request.try_send() {
            Ok(answer) if answer.status < 500 => Some(answer),
            Ok(answer) => {
                self.find(format!(
                    "{} was answered {}: {}",
                    answer.request,
                    answer.status,
                    answer.text()
                ));
                None
            }
            Err(error) => {
                self.find(format!("a request was not answered: {error:?}"));
                None
            }
        }
    }

    /// What a key shows; a blob must be whole when HEAD says that it is there.
    fn ask(&mut self, key: &Fact) -> Option<FactValue> {
        let path = key.path();
        if matches!(key, Fact::Blob { .. }) {
            let head = self.send(self.client.head(&path))?;
            if head.status == 404 {
                return Some(None);
            }
            let size: Option<usize> = head
                .header("content-length")
                .and_then(|length| length.parse().ok());
            let answer = self.send(self.client.get(&path))?;
            if answer.status != 200 || Some(answer.body.len()) != size {
                let (status, length) = (answer.status, answer.body.len());
                self.find(format!(
                    "{path}: HEAD said {size:?} bytes, GET was answered {status} with {length}"
                ));
                return None;
            }
            return self.content(&path, &answer);
        }
        let answer = self.send(accept_all(self.client.get(&path)))?;
        match answer.status {
            404 => Some(None),
            200 => self.content(&path, &answer),
            status => {
                self.find(format!("{path} was answered {status}: {}", answer.text()));
                None
            }
        }
    }

    fn content(&mut self, path: &str, answer: &Response) -> Option<FactValue> {
        let digest = Algorithm::Sha256.digest(&answer.body);
        let said = answer.header("docker-content-digest").unwrap_or_default();
        if said != digest {
            let length = answer.body.len();
            self.find(format!(
                "{path}: {length} bytes of {digest} are said to be {said}"
            ));
            return None;
        }
        self.report.found += 1;
        Some(Some(digest))
    }

    fn has(&self, key: &Fact) -> bool {
        matches!(self.seen.get(key), Some(Some(Some(_))))
    }

    /// That the blobs of a manifest which is there are there too is judged with the manifest.
    fn may_be_collected(&self, key: &Fact, value: &FactValue) -> bool {
        self.unreferenced == Unreferenced::Collected && value.is_none() && matches!(key, Fact::Blob { .. })
    }

    fn judge_keys(&mut self, expected: &Expected) {
        for (key, values) in &expected.keys {
            if let Some(Some(value)) = self.seen.get(key).cloned()
                && !values.contains(&value)
                && !self.may_be_collected(key, &value)
            {
                self.find(format!("{key:?} shows {value:?}, expected one of {values:?}"));
            }
        }
        for changes in &expected.pending {
            let telling = changes
                .iter()
                .filter(|(_, value, others)| others.len() == 1 && !others.contains(value));
            let outcomes: BTreeSet<bool> = telling
                .filter_map(|(key, value, _)| Some(self.seen.get(key)?.as_ref()? == value))
                .collect();
            if outcomes.len() > 1 {
                self.find(format!("an operation happened by half: {changes:?}"));
            }
        }
    }

    /// A manifest that is there is there with all its blobs, and a tag leads to a manifest that is there.
    fn judge_manifests(&mut self, oracle: &Oracle) {
        let present: Vec<(Fact, String)> = self
            .seen
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.clone()??)))
            .collect();
        for (key, digest) in present {
            match &key {
                Fact::Manifest { repository, .. } => match oracle.blobs_of(&digest) {
                    None => self.find(format!("{key:?} shows {digest}, which nobody pushed")),
                    Some(blobs) => {
                        let missing = blobs
                            .iter()
                            .filter(|blob| !self.has(&Fact::blob(repository, blob)));
                        let missing: Vec<&String> = missing.collect();
                        if !missing.is_empty() {
                            self.find(format!("{key:?} is there, its blobs {missing:?} are not"));
                        }
                    }
                },
                Fact::Tag { repository, .. } if !self.has(&Fact::manifest(repository, &digest)) => {
                    self.find(format!("{key:?} leads to {digest}, which is absent"));
                }
                _ => {}
            }
        }
    }

    /// A list shows exactly the tags that can be pulled.
    fn judge_tag_lists(&mut self) {
        let mut tags = BTreeMap::<String, BTreeSet<String>>::new();
        for key in self.seen.keys() {
            if let Fact::Tag { repository, tag } = key {
                let present = tags.entry(repository.clone()).or_default();
                if self.has(key) {
                    present.insert(tag.clone());
                }
            }
        }
        for (repository, present) in tags {
            let Some(answer) = self.send(self.client.get(&format!("/v2/{repository}/tags/list"))) else {
                continue;
            };
            let listed: BTreeSet<String> = match answer.status {
                404 => BTreeSet::new(),
                _ => {
                    let document = answer.json();
                    let names = document.get("tags").and_then(|tags| tags.as_array()).cloned();
                    let texts = names.unwrap_or_default();
                    texts
                        .iter()
                        .filter_map(|name| name.as_str())
                        .map(str::to_owned)
                        .collect()
                }
            };
            if listed != present {
                self.find(format!(
                    "{repository} lists the tags {listed:?} and has {present:?}"
                ));
            }
        }
    }

    /// Finishes an upload from the offset that the server names: what comes out must be what went in.
    fn resume(&mut self, upload: &Upload, standing: &Standing) {
        let location = &standing.location;
        let Some(answer) = self.send(self.client.get(location)) else {
            return;
        };
        let offset = match answer.status {
            204 => offset(&answer),
            404 => None,
            status => return self.find(format!("{location} was answered {status}: {}", answer.text())),
        };
        let blob = Fact::blob(&upload.repository, &upload.blob.digest);
        match offset {
            None if standing.acknowledged == 0 || standing.is_cancelling || standing.is_over => {}
            None if standing.is_closing && (self.has(&blob) || self.may_be_collected(&blob, &None)) => {}
            None => self.find(format!("{location} is gone: {standing:?}")),
            Some(_) if standing.is_over => self.find(format!("{location} is back: {standing:?}")),
            Some(offset) if !(standing.acknowledged..=standing.sent).contains(&offset) => {
                self.find(format!("{location} is at {offset}: {standing:?}"));
            }
            Some(offset) => self.finish(upload, location, offset),
        }
    }

    fn finish(&mut self, upload: &Upload, location: &str, offset: usize) {
        let content = &upload.blob;
        let rest = content.bytes.get(offset..).unwrap_or_default();
        let path = with_query(location, &[("digest", &content.digest)]);
        let Some(answer) = self.send(self.client.put(&path).body(rest)) else {
            return;
        };
        if answer.status != 201 {
            let (status, text) = (answer.status, answer.text());
            return self.find(format!(
                "{location} cannot be finished from {offset}: {status}: {text}"
            ));
        }
        let digest = self.ask(&Fact::blob(&upload.repository, &content.digest));
        if digest != Some(Some(content.digest.clone())) {
            return self.find(format!(
                "{location} was finished from {offset} and became {digest:?}"
            ));
        }
        self.report.resumed += usize::from(offset > 0);
    }
}

/// Reads `Range: 0-<last>`. No client of this test ever sends a single first byte, so `0-0` says that nothing is there.
fn offset(answer: &Response) -> Option<usize> {
    let Some(range) = answer.header("range") else {
        return Some(0);
    };
    let last: usize = range.strip_prefix("0-")?.parse().ok()?;
    Some(if last == 0 { 0 } else { last + 1 })
}

fn accept_all(request: Request<'_>) -> Request<'_> {
    request.header("accept", zas_tests::media_type::MANIFEST)
}
