//! Known values, saved states, parts, and what requests promise.

use super::*;
use crate::error::{ErrorCode, S3Error};
use crate::head::{Headers, Method, RequestHead};
use crate::payload::Trailers;

const CONTENT: &[u8] = b"123456789";

/// The check values of the CRC catalogue and of FIPS 180, in base64.
const KNOWN: [(ChecksumAlgorithm, &str); 5] = [
    (ChecksumAlgorithm::Crc32, "y/Q5Jg=="),
    (ChecksumAlgorithm::Crc32C, "4waSgw=="),
    (ChecksumAlgorithm::Crc64Nvme, "rosUhgp5mIg="),
    (ChecksumAlgorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
    (
        ChecksumAlgorithm::Sha256,
        "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
    ),
];

fn content(length: u32) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

fn digests(headers: &[(&str, &str)]) -> Result<ExpectedDigests, S3Error> {
    let headers: Headers<'_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    ExpectedDigests::of(&RequestHead::new(Method::Put, "/b/k", "", headers).unwrap())
}

#[test]
fn given_known_content_when_summed_then_the_known_values() {
    for (algorithm, expected) in KNOWN {
        let checksum = RunningChecksum::of(algorithm, CONTENT);
        assert_eq!(checksum.base64(), expected, "{algorithm}");
        assert_eq!(Checksum::parse(algorithm, expected), Some(checksum));
        assert_eq!(format!("{checksum:?}"), format!("{algorithm}:{expected}"));
    }
}

#[test]
fn given_texts_that_are_no_checksum_when_parsed_then_none() {
    for text in ["", "y/Q5Jg", "y/Q5Jg==x", "y_Q5Jg==", "AAAAAAA="] {
        assert_eq!(Checksum::parse(ChecksumAlgorithm::Crc32, text), None, "{text}");
    }
}

#[test]
fn given_a_state_saved_at_any_offset_when_resumed_then_the_checksum_is_that_of_the_whole() {
    let content = content(1000);
    for algorithm in ChecksumAlgorithm::ALL {
        for cut in [0, 1, 63, 64, 65, 500, 1000] {
            let mut first = RunningChecksum::new(algorithm);
            first.update(&content[..cut]);
            let stored = first.state().bytes().to_vec();

            let mut second = RunningChecksum::resume(algorithm, &ChecksumState::from_bytes(stored)).unwrap();
            second.update(&content[cut..]);

            assert_eq!(second.algorithm(), algorithm);
            assert_eq!(
                second.finish(),
                RunningChecksum::of(algorithm, &content),
                "{algorithm} cut at {cut}"
            );
        }
    }
}

#[test]
fn given_an_md5_saved_at_any_offset_when_resumed_then_that_of_the_whole() {
    let content = content(200);
    let mut whole = RunningMd5::new();
    whole.update(&content);
    let whole = whole.finish();
    for cut in [0, 1, 64, 65, 200] {
        let mut first = RunningMd5::new();
        first.update(&content[..cut]);
        let mut second = RunningMd5::resume(&first.state()).unwrap();
        second.update(&content[cut..]);
        assert_eq!(second.finish(), whole, "cut at {cut}");
    }
}

#[test]
fn given_a_damaged_state_when_resumed_then_refused() {
    for algorithm in ChecksumAlgorithm::ALL {
        for bytes in [vec![], vec![0; 3], vec![255; 9], vec![255; 4096]] {
            let state = ChecksumState::from_bytes(bytes);
            assert!(RunningChecksum::resume(algorithm, &state).is_err(), "{algorithm}");
            assert!(RunningMd5::resume(&state).is_err());
        }
    }
    let too_wide = ChecksumState::from_bytes(vec![0, 0, 0, 0, 1, 0, 0, 0]);
    assert!(RunningChecksum::resume(ChecksumAlgorithm::Crc32, &too_wide).is_err());
}

#[test]
fn given_a_state_with_a_damaged_count_of_blocks_when_resumed_then_refused() {
    let mut md5 = RunningMd5::new();
    md5.update(&[7; 192]);
    let mut states = vec![(None, md5.state(), 16)];
    for (algorithm, chaining) in [(ChecksumAlgorithm::Sha1, 20), (ChecksumAlgorithm::Sha256, 32)] {
        let mut running = RunningChecksum::new(algorithm);
        running.update(&[7; 192]);
        states.push((Some(algorithm), running.state(), chaining));
    }
    for (algorithm, state, chaining) in states {
        let mut bytes = state.bytes().to_vec();
        assert_eq!(
            bytes[chaining..chaining + 8],
            [3, 0, 0, 0, 0, 0, 0, 0],
            "counted elsewhere"
        );
        bytes[chaining + 6] = 2;
        let state = ChecksumState::from_bytes(bytes);
        let refused = match algorithm {
            Some(algorithm) => RunningChecksum::resume(algorithm, &state).is_err(),
            None => RunningMd5::resume(&state).is_err(),
        };
        assert!(refused, "{algorithm:?}");
    }
}

fn parts(algorithm: ChecksumAlgorithm, content: &[u8], cuts: &[usize]) -> Vec<PartChecksum> {
    let mut rest = content;
    let mut parts = Vec::new();
    for cut in cuts.iter().chain([&usize::MAX]) {
        let (part, behind) = rest.split_at((*cut).min(rest.len()));
        rest = behind;
        parts.push(PartChecksum {
            checksum: RunningChecksum::of(algorithm, part),
            length: part.len() as u64,
        });
    }
    parts
}

#[test]
fn given_the_crcs_of_parts_when_combined_then_that_of_the_whole() {
    let content = content(100_000);
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
    ] {
        for cuts in [&[][..], &[50_000], &[1, 65_536, 3], &[100_000]] {
            let parts = parts(algorithm, &content, cuts);
            assert_eq!(
                ObjectChecksum::of_parts(ChecksumType::FullObject, &parts),
                Some(ObjectChecksum::FullObject(RunningChecksum::of(
                    algorithm, &content
                ))),
                "{algorithm} {cuts:?}"
            );
        }
    }
}

#[test]
fn given_the_checksums_of_parts_when_composed_then_that_of_the_joined_ones() {
    let content = content(1000);
    for algorithm in ChecksumAlgorithm::ALL {
        let parts = parts(algorithm, &content, &[300, 300]);
        let joined: Vec<u8> = parts
            .iter()
            .flat_map(|part| part.checksum.bytes().to_vec())
            .collect();
        let composite = ObjectChecksum::of_parts(ChecksumType::Composite, &parts).unwrap();
        let expected = RunningChecksum::of(algorithm, &joined);

        assert_eq!(composite.text(), format!("{}-3", expected.base64()));
        assert_eq!(composite.kind(), ChecksumType::Composite);
        assert_eq!(
            ObjectChecksum::parse(algorithm, &composite.text()).unwrap(),
            composite
        );
        assert!(composite.expect(composite).is_ok());
        let full = ObjectChecksum::FullObject(expected);
        assert_eq!(composite.expect(full).unwrap_err().code(), ErrorCode::BadDigest);
    }
}

#[test]
fn given_parts_that_cannot_be_joined_when_asked_then_none() {
    let sha = parts(ChecksumAlgorithm::Sha256, CONTENT, &[1]);
    assert_eq!(ObjectChecksum::of_parts(ChecksumType::FullObject, &sha), None);
    assert_eq!(ObjectChecksum::of_parts(ChecksumType::Composite, &[]), None);
    let mixed = [sha[0], parts(ChecksumAlgorithm::Crc32, CONTENT, &[1])[0]];
    assert_eq!(ObjectChecksum::of_parts(ChecksumType::Composite, &mixed), None);
}

#[test]
fn given_algorithms_and_types_when_chosen_then_as_aws_allows() {
    let full = Some(ChecksumType::FullObject);
    let composite = Some(ChecksumType::Composite);
    for (algorithm, asked, expected) in [
        (ChecksumAlgorithm::Crc32, None, composite),
        (ChecksumAlgorithm::Crc32C, full, full),
        (ChecksumAlgorithm::Crc32, composite, composite),
        (ChecksumAlgorithm::Crc64Nvme, None, full),
        (ChecksumAlgorithm::Crc64Nvme, composite, None),
        (ChecksumAlgorithm::Sha1, full, None),
        (ChecksumAlgorithm::Sha256, None, composite),
    ] {
        assert_eq!(algorithm.typed(asked).ok(), expected, "{algorithm} {asked:?}");
    }
    let error = ChecksumAlgorithm::Sha256.typed(full).unwrap_err();
    assert_eq!(
        error.message(),
        "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."
    );
    assert_eq!(ChecksumType::parse("COMPOSITE").unwrap(), ChecksumType::Composite);
    assert!(ChecksumType::parse("composite").is_err());
}

#[test]
fn given_names_when_looked_up_then_the_algorithm() {
    for algorithm in ChecksumAlgorithm::ALL {
        assert_eq!(
            ChecksumAlgorithm::of_name(&algorithm.name().to_lowercase()),
            Some(algorithm)
        );
        assert_eq!(ChecksumAlgorithm::of_header(algorithm.header()), Some(algorithm));
        assert_eq!(
            ChecksumAlgorithm::of_element(algorithm.element()),
            Some(algorithm)
        );
    }
    assert_eq!(ChecksumAlgorithm::of_header("x-amz-checksum-mode"), None);
}

#[test]
fn given_the_md5s_of_parts_when_joined_then_the_entity_tag_of_the_object() {
    let mut hello = RunningMd5::new();
    hello.update(b"hello");
    let hello = hello.finish();
    let of_one = "62109206880d38a4010a98e11243924a-1";
    assert_eq!(multipart_etag(&[hello]).as_str(), of_one);
    assert!(multipart_etag(&vec![hello; 10_000]).as_str().ends_with("-10000"));
}

#[test]
fn given_promised_digests_when_right_then_verified_and_when_wrong_bad_digest() {
    let computed = RunningChecksum::of(ChecksumAlgorithm::Crc32, b"hello");
    let mut md5 = RunningMd5::new();
    md5.update(b"hello");
    let md5 = md5.finish();
    let none = Trailers::default();

    let right = digests(&[
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
    ])
    .unwrap();
    assert!(right.require().is_ok());
    assert_eq!(right.algorithm(), ChecksumAlgorithm::Crc32);
    assert!(right.verify(md5, computed, &none).is_ok());

    let wrong_md5 = digests(&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")]).unwrap();
    let wrong_crc = digests(&[("x-amz-checksum-crc32", "AAAAAA==")]).unwrap();
    for wrong in [wrong_md5, wrong_crc] {
        let error = wrong.verify(md5, computed, &none).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadDigest);
    }
    let trailer = digests(&[("x-amz-trailer", "x-amz-checksum-crc32")]).unwrap();
    let error = trailer.verify(md5, computed, &none).unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::InvalidRequest,
        "a trailer that is not there proves nothing"
    );
}

#[test]
fn given_promises_that_are_malformed_when_read_then_refused() {
    for (headers, code) in [
        (&[("content-md5", "bad")][..], ErrorCode::InvalidDigest),
        (&[("content-md5", "")], ErrorCode::InvalidDigest),
        (&[("x-amz-checksum-crc32", "bad")], ErrorCode::InvalidRequest),
        (
            &[
                ("x-amz-checksum-crc32", "NhCmhg=="),
                ("x-amz-checksum-crc32c", "NhCmhg=="),
            ],
            ErrorCode::InvalidRequest,
        ),
        (
            &[
                ("x-amz-checksum-crc32", "NhCmhg=="),
                ("x-amz-trailer", "x-amz-checksum-crc32"),
            ],
            ErrorCode::InvalidRequest,
        ),
        (&[("x-amz-trailer", "x-amz-meta-a")], ErrorCode::InvalidRequest),
        (
            &[("x-amz-sdk-checksum-algorithm", "CRC32")],
            ErrorCode::InvalidRequest,
        ),
        (
            &[("x-amz-sdk-checksum-algorithm", "MD4")],
            ErrorCode::InvalidRequest,
        ),
        (
            &[
                ("x-amz-sdk-checksum-algorithm", "SHA1"),
                ("x-amz-checksum-crc32", "NhCmhg=="),
            ],
            ErrorCode::InvalidRequest,
        ),
    ] {
        assert_eq!(digests(headers).unwrap_err().code(), code, "{headers:?}");
    }
    let nothing = digests(&[]).unwrap();
    assert_eq!(nothing.require().unwrap_err().code(), ErrorCode::InvalidRequest);
    assert_eq!(nothing.algorithm(), ChecksumAlgorithm::Crc64Nvme);
}
