//! Wrong answers, made by hand: each must be reported.

use zas_tests::{Algorithm, Blob, Document, media_type};

use super::*;
use crate::oracle::Manifest;
use crate::uploads::Recipe;

const REPOSITORY: &str = "crash/one";

/// A registry with one tagged image of one blob and one referrer of it, and a perfect observation of it.
struct Case {
    oracle: Oracle,
    uploads: Uploads,
    seen: Observed,
    image: String,
    referrer: String,
    blob: String,
}

impl Case {
    fn new() -> Self {
        let blob = Blob::random(1, 100).digest;
        let image = manifest("image", &blob, None);
        let referrer = manifest("referrer", &blob, Some(&image.document.digest));
        let (image_digest, referrer_digest) =
            (image.document.digest.clone(), referrer.document.digest.clone());
        let mut oracle = Oracle::default();
        oracle.add_manifest(image);
        oracle.add_manifest(referrer);
        for changes in [
            vec![(Fact::blob(REPOSITORY, &blob), Some(blob.clone()))],
            vec![
                (
                    Fact::manifest(REPOSITORY, &image_digest),
                    Some(image_digest.clone()),
                ),
                (Fact::tag(REPOSITORY, "latest"), Some(image_digest.clone())),
            ],
            vec![(
                Fact::manifest(REPOSITORY, &referrer_digest),
                Some(referrer_digest.clone()),
            )],
        ] {
            let ticket = oracle.begin(&changes);
            oracle.acknowledge(ticket);
        }
        let mut case = Self {
            oracle,
            uploads: Uploads::default(),
            seen: Observed::default(),
            image: image_digest,
            referrer: referrer_digest,
            blob,
        };
        case.show(Fact::blob(REPOSITORY, &case.blob), &case.blob.clone());
        case.show(Fact::manifest(REPOSITORY, &case.image), &case.image.clone());
        case.show(Fact::manifest(REPOSITORY, &case.referrer), &case.referrer.clone());
        case.show(Fact::tag(REPOSITORY, "latest"), &case.image.clone());
        case.seen
            .tags
            .insert(REPOSITORY.to_owned(), BTreeSet::from(["latest".to_owned()]));
        let subject = (REPOSITORY.to_owned(), case.image.clone());
        case.seen
            .referrers
            .insert(subject, BTreeSet::from([case.referrer.clone()]));
        case
    }

    fn show(&mut self, key: Fact, digest: &str) {
        let media_type = media_type::MANIFEST.to_owned();
        self.seen.keys.insert(
            key,
            Answer::Content {
                digest: digest.to_owned(),
                media_type,
            },
        );
    }

    fn hide(&mut self, key: Fact) {
        self.seen.keys.insert(key, Answer::Absent);
    }

    fn upload(&mut self, state: State, acknowledged: u64, sent: u64, progress: Progress) {
        let number = self.uploads.add(OpenUpload {
            repository: REPOSITORY.to_owned(),
            location: "/uploads/1".to_owned(),
            recipe: Recipe { seed: 2, size: 1000 },
            digest: Blob::random(2, 1000).digest,
            acknowledged,
            sent,
            state,
        });
        self.seen.uploads.insert(number, progress);
    }

    fn findings(&self) -> Vec<String> {
        judge(&self.oracle, &self.uploads, &self.seen, Unreferenced::Kept)
    }

    #[track_caller]
    fn assert_found(&self, text: &str) {
        let findings = self.findings();
        assert!(
            findings.iter().any(|finding| finding.contains(text)),
            "{text:?} is not among {findings:?}"
        );
    }
}

fn manifest(name: &str, blob: &str, subject: Option<&str>) -> Manifest {
    let content = serde_json::json!({"name": name, "blob": blob, "subject": subject});
    Manifest {
        document: Document::new(&content, media_type::MANIFEST, Algorithm::Sha256),
        blobs: vec![blob.to_owned()],
        subject: subject.map(str::to_owned),
    }
}

#[test]
fn given_right_answers_when_judged_then_nothing_is_found() {
    assert_eq!(Case::new().findings(), Vec::<String>::new());
}

#[test]
fn given_a_lost_tag_when_judged_then_it_is_found() {
    let mut case = Case::new();
    case.hide(Fact::tag(REPOSITORY, "latest"));
    case.assert_found("shows None");
    case.assert_found("the list of tags");
}

#[test]
fn given_a_lost_manifest_when_judged_then_it_is_found() {
    let mut case = Case::new();
    case.hide(Fact::manifest(REPOSITORY, &case.image));
    case.assert_found("which is absent by its digest");
}

#[test]
fn given_a_manifest_without_its_blob_when_judged_then_it_is_found_even_while_blobs_are_collected() {
    let mut case = Case::new();
    case.hide(Fact::blob(REPOSITORY, &case.blob));
    let findings = judge(
        &case.oracle,
        &case.uploads,
        &case.seen,
        Unreferenced::MayBeCollected,
    );
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("is there, its blob")),
        "{findings:?}"
    );
}

#[test]
fn given_other_bytes_when_judged_then_they_are_found() {
    let mut case = Case::new();
    case.show(Fact::blob(REPOSITORY, &case.blob), &Blob::random(9, 100).digest);
    case.assert_found("expected one of");
    case.seen.keys.insert(
        Fact::tag(REPOSITORY, "latest"),
        Answer::Broken("answered 500".to_owned()),
    );
    case.assert_found("answered 500");
}

#[test]
fn given_another_media_type_when_judged_then_it_is_found() {
    let mut case = Case::new();
    let answer = Answer::Content {
        digest: case.image.clone(),
        media_type: "text/plain".to_owned(),
    };
    case.seen
        .keys
        .insert(Fact::manifest(REPOSITORY, &case.image), answer);
    case.assert_found("came as text/plain");
}

#[test]
fn given_a_deleted_tag_that_is_back_when_judged_then_it_is_found() {
    let mut case = Case::new();
    let ticket = case.oracle.begin(&[(Fact::tag(REPOSITORY, "latest"), None)]);
    case.oracle.acknowledge(ticket);
    case.assert_found("expected one of {None}");
}

#[test]
fn given_an_unanswered_push_of_which_half_is_there_when_judged_then_it_is_found() {
    // Given
    let mut case = Case::new();
    let new = manifest("new", &case.blob.clone(), None);
    let digest = new.document.digest.clone();
    case.oracle.add_manifest(new);
    let changes = [
        (Fact::manifest(REPOSITORY, &digest), Some(digest.clone())),
        (Fact::tag(REPOSITORY, "latest"), Some(digest.clone())),
    ];
    case.oracle.begin(&changes);
    // When nothing of it or all of it is there
    case.hide(Fact::manifest(REPOSITORY, &digest));
    assert_eq!(case.findings(), Vec::<String>::new());
    case.show(Fact::manifest(REPOSITORY, &digest), &digest);
    case.assert_found("by half");
    case.show(Fact::tag(REPOSITORY, "latest"), &digest);
    // Then only the half is wrong
    assert_eq!(case.findings(), Vec::<String>::new());
}

#[test]
fn given_an_unanswered_push_when_another_moved_its_tag_meanwhile_then_the_tag_tells_nothing() {
    // Given
    let mut case = Case::new();
    let [lost, other] = ["lost", "other"].map(|name| manifest(name, &case.blob.clone(), None));
    let digests = [&lost, &other].map(|manifest| manifest.document.digest.clone());
    case.oracle.add_manifest(lost);
    case.oracle.add_manifest(other);
    let changes = |digest: &String| {
        [
            (Fact::manifest(REPOSITORY, digest), Some(digest.clone())),
            (Fact::tag(REPOSITORY, "latest"), Some(digest.clone())),
        ]
    };
    // When the one without an answer came first
    case.oracle.begin(&changes(&digests[0]));
    let acknowledged = case.oracle.begin(&changes(&digests[1]));
    case.oracle.acknowledge(acknowledged);
    for digest in &digests {
        case.show(Fact::manifest(REPOSITORY, digest), digest);
    }
    case.show(Fact::tag(REPOSITORY, "latest"), &digests[1]);
    // Then that is no half
    assert_eq!(case.findings(), Vec::<String>::new());
}

#[test]
fn given_a_missing_or_surplus_referrer_when_judged_then_it_is_found() {
    let mut case = Case::new();
    let subject = (REPOSITORY.to_owned(), case.image.clone());
    case.seen.referrers.insert(subject.clone(), BTreeSet::new());
    case.assert_found("is not listed as referrer");
    case.seen.referrers.insert(
        subject,
        BTreeSet::from([case.referrer.clone(), "sha256:0".to_owned()]),
    );
    case.assert_found("sha256:0 is listed as referrer");
}

#[test]
fn given_an_upload_behind_its_acknowledged_offset_when_judged_then_it_is_found() {
    let mut case = Case::new();
    case.upload(State::Open, 500, 800, Progress::Offset(499));
    case.assert_found("is at 499, acknowledged to 500");
}

#[test]
fn given_an_upload_beyond_what_was_sent_when_judged_then_it_is_found() {
    let mut case = Case::new();
    case.upload(State::Open, 500, 800, Progress::Offset(801));
    case.assert_found("is at 801");
}

#[test]
fn given_a_lost_upload_when_judged_then_it_is_found_unless_it_was_empty() {
    let mut case = Case::new();
    case.upload(State::Open, 0, 10, Progress::Unknown);
    assert_eq!(case.findings(), Vec::<String>::new());
    case.upload(State::Open, 500, 500, Progress::Unknown);
    case.assert_found("is gone with 500 bytes");
}

#[test]
fn given_a_closing_upload_that_left_neither_blob_nor_upload_when_judged_then_it_is_found() {
    let mut case = Case::new();
    case.upload(State::Closing, 500, 1000, Progress::Unknown);
    case.assert_found("is gone and made no blob");
}

#[test]
fn given_a_cancelled_upload_that_is_back_when_judged_then_it_is_found() {
    let mut case = Case::new();
    case.upload(State::Cancelled, 500, 500, Progress::Offset(500));
    case.assert_found("is back after its cancellation");
}
