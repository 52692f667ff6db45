//! Parts of blobs and conditional requests (RFC 9110, sections 13 and 14).

use zas_tests::{Blob, Repository, Response, random_bytes};

use super::blobs::ALGORITHMS;
use super::cases;
use crate::fixture::Fixture;

cases!(ranges:
    given_a_range_inside_when_asked_then_206,
    given_an_open_range_when_asked_then_the_rest,
    given_a_suffix_range_when_asked_then_the_end,
    given_a_range_past_the_end_when_asked_then_cut,
    given_a_suffix_longer_than_the_blob_when_asked_then_all_of_it,
    given_a_reversed_range_when_asked_then_416,
    given_a_range_outside_when_asked_then_416,
    given_any_range_of_the_empty_blob_when_asked_then_416,
    given_several_ranges_when_asked_then_206_with_each,
    given_a_range_that_is_none_when_asked_then_the_whole_blob,
    given_a_whole_blob_when_asked_then_ranges_are_offered,
    given_head_with_a_range_when_asked_then_the_whole_length,
    given_the_current_tag_in_if_range_when_asked_then_206,
    given_another_tag_in_if_range_when_asked_then_the_whole_blob,
    given_the_current_tag_in_if_none_match_when_asked_then_304,
    given_another_tag_in_if_none_match_when_asked_then_200,
);

/// One blob that lives in a row and one that has several pieces.
const SIZES: [usize; 2] = [2_048, 700_000];

fn each_blob(fixture: &Fixture<'_>, check: impl Fn(&Repository, &Blob)) {
    let repository = fixture.repository();
    for algorithm in ALGORITHMS {
        for size in SIZES {
            let blob = Blob::digested(random_bytes(fixture.seed(), size), algorithm);
            repository.push_blob(&blob);
            check(&repository, &blob);
        }
    }
}

fn get_range(repository: &Repository, blob: &Blob, range: &str) -> Response {
    repository
        .client
        .get(&repository.blob_path(&blob.digest))
        .header("range", range)
        .send()
}

/// Demands the bytes from `first` up to but without `end`.
#[track_caller]
fn expect_part(blob: &Blob, answer: Response, first: usize, end: usize) {
    let content_range = format!("bytes {first}-{}/{}", end - 1, blob.bytes.len());
    answer
        .expect_status(206)
        .expect_header("content-range", &content_range)
        .expect_header("content-length", &(end - first).to_string())
        .expect_header("docker-content-digest", &blob.digest)
        .expect_body(&blob.bytes[first..end]);
}

#[track_caller]
fn expect_unsatisfiable(blob: &Blob, answer: Response) {
    answer
        .expect_status(416)
        .expect_header("content-range", &format!("bytes */{}", blob.bytes.len()));
}

#[track_caller]
fn expect_whole(blob: &Blob, answer: Response) {
    answer
        .expect_status(200)
        .expect_no_header("content-range")
        .expect_body(&blob.bytes);
}

fn given_a_range_inside_when_asked_then_206(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        expect_part(blob, get_range(repository, blob, "bytes=500-1499"), 500, 1_500);
        expect_part(blob, get_range(repository, blob, "bytes=0-0"), 0, 1);
        let last = blob.bytes.len() - 1;
        expect_part(
            blob,
            get_range(repository, blob, &format!("bytes={last}-{last}")),
            last,
            last + 1,
        );
        expect_part(
            blob,
            get_range(repository, blob, &format!("bytes=0-{last}")),
            0,
            last + 1,
        );
        expect_part(
            blob,
            get_range(repository, blob, &format!("bytes=1-{}", last - 1)),
            1,
            last,
        );
    });
}

fn given_an_open_range_when_asked_then_the_rest(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        expect_part(
            blob,
            get_range(repository, blob, "bytes=500-"),
            500,
            blob.bytes.len(),
        );
        expect_part(blob, get_range(repository, blob, "bytes=0-"), 0, blob.bytes.len());
    });
}

fn given_a_suffix_range_when_asked_then_the_end(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        let length = blob.bytes.len();
        expect_part(
            blob,
            get_range(repository, blob, "bytes=-500"),
            length - 500,
            length,
        );
    });
}

fn given_a_range_past_the_end_when_asked_then_cut(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        let first = blob.bytes.len() - 48;
        let range = format!("bytes={first}-{}", first + 3_000);
        expect_part(blob, get_range(repository, blob, &range), first, blob.bytes.len());
    });
}

fn given_a_suffix_longer_than_the_blob_when_asked_then_all_of_it(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        expect_part(
            blob,
            get_range(repository, blob, "bytes=-9000000"),
            0,
            blob.bytes.len(),
        );
    });
}

fn given_a_reversed_range_when_asked_then_416(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        expect_unsatisfiable(blob, get_range(repository, blob, "bytes=500-0"));
    });
}

fn given_a_range_outside_when_asked_then_416(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        let length = blob.bytes.len();
        for range in [
            format!("bytes={length}-"),
            format!("bytes={}-{}", length + 5, length + 10),
            "bytes=-0".to_owned(),
        ] {
            expect_unsatisfiable(blob, get_range(repository, blob, &range));
        }
    });
}

fn given_any_range_of_the_empty_blob_when_asked_then_416(fixture: &Fixture<'_>) {
    let (repository, blob) = (fixture.repository(), Blob::new(*b""));
    repository.push_blob(&blob);
    expect_unsatisfiable(&blob, get_range(&repository, &blob, "bytes=0-0"));
    expect_whole(&blob, repository.get_blob(&blob.digest));
}

fn given_several_ranges_when_asked_then_206_with_each(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        let answer = get_range(repository, blob, "bytes=0-1,10-11")
            .expect_status(206)
            .expect_no_header("content-range");
        let length = answer.body.len().to_string();
        assert_eq!(answer.required_header("content-length"), length);
        let content_type = answer.required_header("content-type").to_owned();
        assert!(
            content_type.starts_with("multipart/byteranges; boundary="),
            "{content_type}"
        );
        let has = |part: &[u8]| answer.body.windows(part.len()).any(|window| window == part);
        assert!(
            has(&blob.bytes[0..2]) && has(&blob.bytes[10..12]),
            "a part is missing"
        );
        // More than the blob has, or too many to be worth it.
        let many: Vec<String> = (0..65).map(|at| format!("{at}-{at}")).collect();
        for range in ["bytes=0-,0-", &format!("bytes={}", many.join(","))] {
            expect_whole(blob, get_range(repository, blob, range));
        }
        expect_unsatisfiable(blob, get_range(repository, blob, "bytes=9999999-,8888888-"));
    });
}

fn given_a_range_that_is_none_when_asked_then_the_whole_blob(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        for range in [
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "items=0-1",
            "bytes 0-1",
        ] {
            expect_whole(blob, get_range(repository, blob, range));
        }
    });
}

fn given_a_whole_blob_when_asked_then_ranges_are_offered(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        repository
            .get_blob(&blob.digest)
            .expect_status(200)
            .expect_header("accept-ranges", "bytes");
        repository
            .head_blob(&blob.digest)
            .expect_status(200)
            .expect_header("accept-ranges", "bytes");
    });
}

fn given_head_with_a_range_when_asked_then_the_whole_length(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        // RFC 9110 section 14.2: a range says nothing to HEAD.
        let request = repository
            .client
            .head(&repository.blob_path(&blob.digest))
            .header("range", "bytes=0-1");
        request
            .send()
            .expect_status(200)
            .expect_header("content-length", &blob.bytes.len().to_string());
    });
}

fn entity_tag(repository: &Repository, blob: &Blob) -> String {
    let tag = repository
        .head_blob(&blob.digest)
        .expect_status(200)
        .required_header("etag")
        .to_owned();
    assert!(
        tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2,
        "{tag} is no strong entity tag"
    );
    tag
}

fn given_the_current_tag_in_if_range_when_asked_then_206(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        let tag = entity_tag(repository, blob);
        let request = repository
            .client
            .get(&repository.blob_path(&blob.digest))
            .header("range", "bytes=5-9");
        expect_part(blob, request.header("if-range", &tag).send(), 5, 10);
    });
}

fn given_another_tag_in_if_range_when_asked_then_the_whole_blob(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        let path = repository.blob_path(&blob.digest);
        for other in [
            "\"something else\"",
            "W/\"weak\"",
            "Thu, 01 Jan 1970 00:00:00 GMT",
        ] {
            let request = repository
                .client
                .get(&path)
                .header("range", "bytes=5-9")
                .header("if-range", other);
            expect_whole(blob, request.send());
        }
    });
}

fn given_the_current_tag_in_if_none_match_when_asked_then_304(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        let tag = entity_tag(repository, blob);
        let path = repository.blob_path(&blob.digest);
        for value in [
            tag.clone(),
            "*".to_owned(),
            format!("\"other\", {tag}"),
            format!("W/{tag}"),
        ] {
            for method in ["GET", "HEAD"] {
                let answer = repository
                    .client
                    .request(method, &path)
                    .header("if-none-match", &value)
                    .send();
                answer
                    .expect_status(304)
                    .expect_header("etag", &tag)
                    .expect_body(b"");
            }
        }
    });
}

fn given_another_tag_in_if_none_match_when_asked_then_200(fixture: &Fixture<'_>) {
    each_blob(fixture, |repository, blob| {
        let request = repository.client.get(&repository.blob_path(&blob.digest));
        expect_whole(blob, request.header("if-none-match", "\"other\"").send());
    });
}
