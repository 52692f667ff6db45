//! Bad input: texts in the place of a digest.

use zas_tests::Algorithm;

use super::bad_paths::put_tag;
use super::cases;
use crate::fixture::Fixture;

cases!(bad_digests:
    given_malformed_digests_when_blobs_are_asked_then_400,
    given_malformed_digests_when_manifests_are_used_then_400,
);

fn malformed_digests() -> Vec<String> {
    let good = Algorithm::Sha256.digest(b"x");
    let hex = good.trim_start_matches("sha256:").to_owned();
    vec![
        "sha256:".to_owned(),
        "sha256:abc".to_owned(),
        format!("sha256:{}", hex.to_uppercase()),
        format!("{good}0"),
        format!("sha256:{}", "g".repeat(64)),
        format!("sha512:{hex}"),
        format!("SHA256:{hex}"),
        format!(":{hex}"),
        "md5:d41d8cd98f00b204e9800998ecf8427e".to_owned(),
        format!("sha256:sha256:{hex}"),
        format!("sha256:{}", "a".repeat(3_000)),
        format!("sha256:{}%00", "a".repeat(63)),
    ]
}

fn given_malformed_digests_when_blobs_are_asked_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for digest in malformed_digests().iter().map(String::as_str).chain(["latest"]) {
        let path = repository.blob_path(digest);
        repository
            .client
            .get(&path)
            .send()
            .expect_error(400, "DIGEST_INVALID");
        repository
            .client
            .delete(&path)
            .send()
            .expect_error(400, "DIGEST_INVALID");
        repository
            .client
            .head(&path)
            .send()
            .expect_status(400)
            .expect_body(b"");
        let upload = repository.start_upload();
        upload
            .finish(digest, b"content")
            .expect_error(400, "DIGEST_INVALID");
        let at_once = zas_tests::with_query(&repository.uploads_path(), &[("digest", digest)]);
        repository
            .client
            .post(&at_once)
            .body(b"content")
            .send()
            .expect_error(400, "DIGEST_INVALID");
    }
}

fn given_malformed_digests_when_manifests_are_used_then_400(fixture: &Fixture<'_>) {
    let repository = fixture.repository();
    for digest in malformed_digests().iter().filter(|digest| digest.contains(':')) {
        put_tag(fixture, &repository, digest).expect_error(400, "DIGEST_INVALID");
        repository
            .get_manifest(digest)
            .expect_error(400, "DIGEST_INVALID");
        repository
            .delete_manifest(digest)
            .expect_error(400, "DIGEST_INVALID");
        repository
            .head_manifest(digest)
            .expect_status(400)
            .expect_body(b"");
    }
}
