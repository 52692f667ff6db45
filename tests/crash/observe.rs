//! Asks a restarted server for everything the oracle knows of. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;

use zas_tests::{Algorithm, Client, Fact, Response, Transcript};

use crate::oracle::Oracle;
use crate::uploads::{Progress, Uploads, offset};

const THREADS: usize = 4;

/// What the server answered about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 404.
    Absent,
    /// Content whose bytes have this digest.
    Content { digest: String, media_type: String },
    /// Anything else, described.
    Broken(String),
}

/// Everything that was seen of a quiet server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    pub(crate) keys: BTreeMap<Fact, Answer>,
    /// The listed tags of each repository.
    pub(crate) tags: BTreeMap<String, BTreeSet<String>>,
    /// The listed referrers of each subject in each repository.
    pub(crate) referrers: BTreeMap<(String, String), BTreeSet<String>>,
    pub(crate) uploads: BTreeMap<u64, Progress>,
    /// Answers that do not fit any of these.
    pub(crate) broken: Vec<String>,
}

enum Seen {
    Fact(Fact, Answer),
    Tags(String, BTreeSet<String>),
    Referrers((String, String), BTreeSet<String>),
    Upload(u64, Progress),
    Broken(String),
}

enum Question {
    Fact(Fact),
    Tags(String),
    Referrers((String, String)),
    Upload(u64, String),
}

/// Asks about everything, on a few connections at a time.
pub(crate) fn observe(client: &Client, oracle: &Oracle, uploads: &Uploads) -> Observed {
    let questions = Mutex::new(questions(oracle, uploads).into_iter());
    let next = || questions.lock().expect("no thread panics with it").next();
    let ask_all = || {
        let client = client.with_transcript(Transcript::default());
        let mut seen = Vec::new();
        while let Some(question) = next() {
            seen.push(ask(&client, question));
        }
        seen
    };
    let mut observed = Observed::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(ask_all)).collect();
        for thread in threads {
            thread
                .join()
                .expect("questions do not panic")
                .into_iter()
                .for_each(|seen| observed.add(seen));
        }
    });
    observed
}

impl Observed {
    fn add(&mut self, seen: Seen) {
        match seen {
            Seen::Fact(key, answer) => drop(self.keys.insert(key, answer)),
            Seen::Tags(repository, tags) => drop(self.tags.insert(repository, tags)),
            Seen::Referrers(subject, digests) => drop(self.referrers.insert(subject, digests)),
            Seen::Upload(number, progress) => drop(self.uploads.insert(number, progress)),
            Seen::Broken(what) => self.broken.push(what),
        }
    }

    /// The digest a key was seen to lead to; `None` when it was not asked for or its answer was broken.
    pub(crate) fn value(&self, key: &Fact) -> Option<Option<String>> {
        match self.keys.get(key)? {
            Answer::Absent => Some(None),
            Answer::Content { digest, .. } => Some(Some(digest.clone())),
            Answer::Broken(_) => None,
        }
    }

    /// Whether a key was seen.
    pub(crate) fn has(&self, key: &Fact) -> bool {
        matches!(self.keys.get(key), Some(Answer::Content { .. }))
    }
}

fn questions(oracle: &Oracle, uploads: &Uploads) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut repositories = BTreeSet::new();
    let mut subjects = BTreeSet::new();
    for (key, _) in oracle.expectations() {
        repositories.insert(key.repository().to_owned());
        questions.push(Question::Fact(key.clone()));
        if let Fact::Manifest { repository, digest } = key {
            let subject = oracle
                .manifest(digest)
                .and_then(|manifest| manifest.subject.clone());
            subjects.extend(subject.map(|subject| (repository.clone(), subject)));
        }
    }
    questions.extend(repositories.into_iter().map(Question::Tags));
    questions.extend(subjects.into_iter().map(Question::Referrers));
    questions.extend(
        uploads
            .iter()
            .map(|(number, upload)| Question::Upload(number, upload.location.clone())),
    );
    questions
}

fn ask(client: &Client, question: Question) -> Seen {
    match question {
        Question::Fact(key) => {
            let answer = ask_key(client, &key);
            Seen::Fact(key, answer)
        }
        Question::Tags(repository) => {
            let path = format!("/v2/{repository}/tags/list?n=1000");
            list(client, &path, "tags", None).map_or_else(Seen::Broken, |tags| Seen::Tags(repository, tags))
        }
        Question::Referrers((repository, subject)) => {
            let path = format!("/v2/{repository}/referrers/{subject}");
            list(client, &path, "manifests", Some("digest")).map_or_else(Seen::Broken, |digests| {
                Seen::Referrers((repository, subject), digests)
            })
        }
        Question::Upload(number, location) => match client.get(&location).try_send() {
            Ok(answer) if answer.status == 404 => Seen::Upload(number, Progress::Unknown),
            Ok(answer) if answer.status == 204 => match offset(&answer) {
                Some(offset) => Seen::Upload(number, Progress::Offset(offset)),
                None => Seen::Broken(format!("{location} has the range {:?}", answer.header("range"))),
            },
            answer => Seen::Broken(unexpected(&location, answer)),
        },
    }
}

fn ask_key(client: &Client, key: &Fact) -> Answer {
    let path = key.path();
    match client.get(&path).try_send() {
        Ok(answer) if answer.status == 404 => Answer::Absent,
        Ok(answer) if answer.status == 200 => {
            let digest = Algorithm::Sha256.digest(&answer.body);
            let header = answer.header("docker-content-digest").unwrap_or_default();
            if header != digest {
                return Answer::Broken(format!(
                    "{path}: {} bytes of {digest} said to be {header}",
                    answer.body.len()
                ));
            }
            Answer::Content {
                digest,
                media_type: answer.header("content-type").unwrap_or_default().to_owned(),
            }
        }
        answer => Answer::Broken(unexpected(&path, answer)),
    }
}

/// The strings in the array `member`, or the `field` of each object in it; all pages.
fn list(client: &Client, path: &str, member: &str, field: Option<&str>) -> Result<BTreeSet<String>, String> {
    let mut all = BTreeSet::new();
    let mut path = path.to_owned();
    loop {
        let answer = match client.get(&path).try_send() {
            Ok(answer) if answer.status == 200 => answer,
            Ok(answer) if answer.status == 404 && field.is_none() => return Ok(all),
            answer => return Err(unexpected(&path, answer)),
        };
        let document = answer.json();
        let entries = document
            .get(member)
            .and_then(|entries| entries.as_array())
            .cloned()
            .unwrap_or_default();
        let texts = entries
            .iter()
            .filter_map(|entry| field.map_or(Some(entry), |field| entry.get(field))?.as_str());
        all.extend(texts.map(str::to_owned));
        let next = answer
            .header("link")
            .and_then(|link| link.split_once('<')?.1.split_once('>'))
            .map(|(next, _)| next);
        match next {
            Some(next) => next.clone_into(&mut path),
            None => return Ok(all),
        }
    }
}

fn unexpected<E: std::fmt::Debug>(path: &str, answer: Result<Response, E>) -> String {
    match answer {
        Ok(answer) => format!("{path} was answered {}: {}", answer.status, answer.text()),
        Err(error) => format!("{path} was not answered: {error:?}"),
    }
}
