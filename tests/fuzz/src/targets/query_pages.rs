//! The parameters of listings, and the links that lead through their pages.

use actix_web::test::TestRequest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use serde_json::{Value, json};
use zas_core::{Digest, MediaType};

use crate::Verdict;
use crate::edge::{Answer, PAGE, World, block_on};
use crate::input::Input;

/// What an URI takes in a query as it is.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'%')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'_')
    .remove(b'~');

/// Most artifact types of one filter.
const MAX_ARTIFACT_TYPES: usize = 64;

/// The repository with many tags and referrers.
const REPOSITORY: &str = "many/tags";

const REPOSITORIES: [&str; 8] = ["a", "a-b", "a.b", "a/b", "a0", "a_b", "b", REPOSITORY];
const TAGS: [&str; 9] = ["0", "1.0", "1.0-x", "A", "Z", "_", "a", "latest", "z"];
const ARTIFACT_TYPES: [&str; 4] = ["a/b", "a@b", "a@b@", "é \u{0}\u{1}&=%+"];

/// What is listed, in order.
#[derive(Debug)]
struct Listed {
    path: String,
    key: &'static str,
    entries: Vec<Entry>,
}

/// An entry as the answer shows it, and what it sorts by.
#[derive(Clone, Debug)]
struct Entry {
    shown: String,
    artifact_type: String,
    digest: Option<Digest>,
}

struct Library {
    world: World,
    listings: [Listed; 3],
}

thread_local! {
    // Never dropped, like the runtime that it was made on.
    static LIBRARY: &'static Library = Box::leak(Box::new(block_on(Library::new())));
}

/// The first byte chooses the listing, the rest is the query.
///
/// The parameters are refused, or following the links shows exactly what is to be listed, in order and in pages of the
/// size allowed.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let choice = usize::from(input.byte());
    let query = percent_encode(input.rest(), QUERY).to_string();
    LIBRARY.with(|library| {
        let listed = &library.listings[choice % library.listings.len()];
        block_on(walk(&library.world, listed, &query))
    })
}

async fn walk(world: &World, listed: &Listed, query: &str) -> Verdict {
    let parameters = parameters(query);
    let Some(expected) = expected(listed, &parameters) else {
        assert_eq!(get(world, &listed.path, query).await.status, 400, "{query}");
        return Verdict::Refused;
    };
    let size = count(&parameters).flatten().unwrap_or(PAGE).min(PAGE);
    let expected: &[String] = if size == 0 { &[] } else { &expected };
    let mut shown = Vec::new();
    let mut next = Some(query.to_owned());
    for _ in 0..=expected.len() + 1 {
        let Some(query) = next.take() else { break };
        let answer = get(world, &listed.path, &query).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let page = entries(&answer, listed.key);
        assert!(page.len() <= size, "{} entries on a page of {size}", page.len());
        shown.extend(page);
        next = answer.header("link").map(|link| next_query(link, &listed.path));
    }
    assert_eq!(next, None, "the links do not end");
    assert_eq!(shown, expected, "{query}");
    Verdict::accepted_if(!parameters.is_empty())
}

async fn get(world: &World, path: &str, query: &str) -> Answer {
    world
        .send(TestRequest::get().uri(&format!("{path}?{query}")))
        .await
}

fn next_query(link: &str, path: &str) -> String {
    let target = link
        .strip_prefix('<')
        .and_then(|link| link.strip_suffix(">; rel=\"next\""));
    let query = target.and_then(|target| target.strip_prefix(path)?.strip_prefix('?'));
    query.expect("a link to the same listing").to_owned()
}

fn entries(answer: &Answer, key: &str) -> Vec<String> {
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let entries = body[key].as_array().expect("a list");
    entries
        .iter()
        .map(|entry| {
            entry["digest"]
                .as_str()
                .or(entry.as_str())
                .expect("an entry")
                .to_owned()
        })
        .collect()
}

/// The parameters of a query, in which a plus sign is a plus sign.
fn parameters(query: &str) -> Vec<(String, String)> {
    let read = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.find('=') {
            Some(at) => (read(&pair[..at]), read(&pair[at + 1..])),
            None => (read(pair), String::new()),
        })
        .collect()
}

/// The first value of a parameter.
fn value<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// The parameter `n`; `None` when it must be refused.
fn count(parameters: &[(String, String)]) -> Option<Option<usize>> {
    match value(parameters, "n") {
        None | Some("") => Some(None),
        Some(text) if !text.bytes().all(|byte| byte.is_ascii_digit()) => None,
        Some(text) => Some(Some(text.parse().unwrap_or(usize::MAX))),
    }
}

/// What all pages together show; `None` when the parameters must be refused.
fn expected(listed: &Listed, parameters: &[(String, String)]) -> Option<Vec<String>> {
    count(parameters)?;
    if listed.key != "manifests" {
        let last = value(parameters, "last").unwrap_or_default();
        let behind = listed.entries.iter().filter(|entry| entry.shown.as_str() > last);
        return Some(behind.map(|entry| entry.shown.clone()).collect());
    }
    let types: Vec<&str> = parameters
        .iter()
        .filter(|(key, value)| key == "artifactType" && !value.is_empty())
        .map(|(_, value)| value.as_str())
        .collect();
    let after = match value(parameters, "after") {
        None => None,
        Some(text) => {
            let (artifact_type, digest) = text.rsplit_once('@')?;
            Some((artifact_type.to_owned(), digest.parse::<Digest>().ok()?))
        }
    };
    if types.len() > MAX_ARTIFACT_TYPES {
        return None;
    }
    let is_shown = |entry: &&Entry| {
        let place = entry.digest.map(|digest| (entry.artifact_type.clone(), digest));
        (types.is_empty() || types.contains(&entry.artifact_type.as_str()))
            && (after.is_none() || place > after)
    };
    Some(
        listed
            .entries
            .iter()
            .filter(is_shown)
            .map(|entry| entry.shown.clone())
            .collect(),
    )
}

impl Library {
    async fn new() -> Self {
        let world = World::new().await;
        for name in REPOSITORIES {
            push(&world, name, "latest", &manifest(name, None)).await;
        }
        for tag in TAGS {
            push(&world, REPOSITORY, tag, &manifest("tagged", None)).await;
        }
        let subject = manifest("subject", None);
        let subject = (Digest::sha256_of(subject.as_bytes()), subject.len());
        let mut referrers = Vec::new();
        for (artifact_type, number) in ARTIFACT_TYPES
            .iter()
            .flat_map(|kind| [(kind, 1), (kind, 2), (kind, 3)])
        {
            let manifest = manifest(
                &format!("{artifact_type}{number}"),
                Some((artifact_type, subject)),
            );
            let digest = Digest::sha256_of(manifest.as_bytes());
            push(&world, REPOSITORY, &digest.to_string(), &manifest).await;
            referrers.push(Entry {
                shown: digest.to_string(),
                artifact_type: (*artifact_type).to_owned(),
                digest: Some(digest),
            });
        }
        referrers.sort_by_key(|entry| (entry.artifact_type.clone(), entry.digest));

        let listings = [
            Listed::of_names("/v2/_catalog".to_owned(), "repositories", &REPOSITORIES),
            Listed::of_names(format!("/v2/{REPOSITORY}/tags/list"), "tags", &TAGS),
            Listed {
                path: format!("/v2/{REPOSITORY}/referrers/{}", subject.0),
                key: "manifests",
                entries: referrers,
            },
        ];
        Self { world, listings }
    }
}

impl Listed {
    fn of_names(path: String, key: &'static str, names: &[&str]) -> Self {
        let mut names = names.to_vec();
        names.sort_unstable();
        let entries = names.iter().map(|name| Entry {
            shown: (*name).to_owned(),
            artifact_type: String::new(),
            digest: None,
        });
        Self {
            path,
            key,
            entries: entries.collect(),
        }
    }
}

/// An index without children, which needs no blobs.
fn manifest(title: &str, referral: Option<(&str, (Digest, usize))>) -> String {
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_INDEX,
        "manifests": [],
        "annotations": { "title": title },
    });
    if let Some((artifact_type, (subject, size))) = referral {
        manifest["artifactType"] = artifact_type.into();
        manifest["subject"] =
            json!({ "mediaType": MediaType::OCI_INDEX, "digest": subject.to_string(), "size": size });
    }
    manifest.to_string()
}

async fn push(world: &World, repository: &str, reference: &str, manifest: &str) {
    let request = TestRequest::put()
        .uri(&format!("/v2/{repository}/manifests/{reference}"))
        .insert_header(("Content-Type", MediaType::OCI_INDEX))
        .set_payload(manifest.to_owned());
    let answer = world.send(request).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}
