//! AWS's published chunked uploads, in every cut, and every way of being broken.

use super::chunk_header::MAX_LINE_BYTES;
use super::trailer::MAX_TRAILER_BYTES;
use super::*;
use crate::checksum::ChecksumAlgorithm;
use crate::error::{ErrorCode, S3Error};
use crate::head::{Headers, Method, RequestHead};
use crate::sigv4::{Authentication, Expected, SecretKey, authenticate};
use crate::time::parse_basic;

const LENGTH: usize = 66_560;
const SCOPE: &str = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

/// "Example: PUT Object" of "Transferring Payload in Multiple Chunks".
const SIGNED: [&str; 3] = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];

/// "Example: PUT Object" of "Including Trailing Headers".
const WITH_TRAILER: [&str; 3] = [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
];
const TRAILER_SIGNATURE: &str = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";

fn chunks(signatures: [&str; 3]) -> Vec<u8> {
    let mut body = Vec::new();
    for (size, signature) in [65_536, 1024, 0].into_iter().zip(signatures) {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        body.resize(body.len() + size, b'a');
        if size > 0 {
            body.extend_from_slice(b"\r\n");
        }
    }
    body
}

fn signed_body() -> Vec<u8> {
    [chunks(SIGNED), b"\r\n".to_vec()].concat()
}

fn body_with_trailer(trailer: &str) -> Vec<u8> {
    [chunks(WITH_TRAILER), trailer.as_bytes().to_vec()].concat()
}

fn decoder(headers: &[(&str, &str)]) -> Result<ChunkDecoder, S3Error> {
    let headers: Headers<'_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let head = RequestHead::new(Method::Put, "/examplebucket/chunkObject.txt", "", headers).unwrap();
    let expected = Expected {
        region: "us-east-1",
        now: parse_basic("20130524T000000Z").unwrap(),
    };
    let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let payload = match authenticate(&head, &expected)? {
        Authentication::Signed(signed) => signed.verify(&secret)?.payload(BodyRule::MayBeChunked)?,
        Authentication::Anonymous(anonymous) => anonymous.payload(BodyRule::MayBeChunked)?,
    };
    match payload {
        Payload::Chunked(decoder) => Ok(*decoder),
        Payload::Whole { .. } => panic!("the body comes in chunks"),
    }
}

fn signed() -> ChunkDecoder {
    decoder(&[
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        (
            "authorization",
            &format!(
                "AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders=content-encoding;content-length;host;\
                 x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,\
                 Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
            ),
        ),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
    ])
    .unwrap()
}

fn signed_with_trailer() -> ChunkDecoder {
    decoder(&[
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        (
            "authorization",
            &format!(
                "AWS4-HMAC-SHA256 Credential={SCOPE},SignedHeaders=content-encoding;host;x-amz-content-sha256;\
                 x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,\
                 Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
            ),
        ),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("x-amz-trailer", "x-amz-checksum-crc32c"),
    ])
    .unwrap()
}

fn unsigned(length: &str, trailer: &str) -> Result<ChunkDecoder, S3Error> {
    decoder(&[
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", length),
        ("x-amz-trailer", trailer),
    ])
}

fn crc32(length: &str) -> ChunkDecoder {
    unsigned(length, "x-amz-checksum-crc32").unwrap()
}

/// Everything that a body decodes to when it arrives in slices of one size.
fn decode(mut decoder: ChunkDecoder, body: &[u8], slice: usize) -> Result<(Vec<u8>, Trailers), S3Error> {
    let mut content = Vec::new();
    for mut input in body.chunks(slice) {
        while let Some(data) = decoder.decode(&mut input)? {
            content.extend_from_slice(data);
        }
    }
    Ok((content, decoder.finish()?))
}

fn code(decoder: ChunkDecoder, body: &[u8]) -> ErrorCode {
    let by_byte = decode(decoder, body, usize::MAX).unwrap_err();
    by_byte.code()
}

#[test]
fn given_the_published_signed_chunks_when_decoded_in_any_cut_then_the_content() {
    for slice in [1, 7, 85, 1024, 65_537, usize::MAX] {
        let (content, trailers) = decode(signed(), &signed_body(), slice).unwrap();
        assert_eq!(content, vec![b'a'; LENGTH], "slices of {slice}");
        assert_eq!(trailers, Trailers::default());
    }
}

#[test]
fn given_the_published_signed_trailer_when_decoded_then_its_checksum() {
    let signature = format!("x-amz-trailer-signature:{TRAILER_SIGNATURE}\r\n\r\n");
    for end in ["\r\n", "\n", "\n\r\n", "\r\n\r\n"] {
        let body = body_with_trailer(&format!("x-amz-checksum-crc32c:sOO8/Q=={end}{signature}"));
        for slice in [1, 100, usize::MAX] {
            let (content, trailers) = decode(signed_with_trailer(), &body, slice).unwrap();
            assert_eq!(content.len(), LENGTH);
            assert_eq!(trailers.checksum(ChecksumAlgorithm::Crc32C), Some("sOO8/Q=="));
        }
    }
}

#[test]
fn given_a_signed_body_when_any_part_is_changed_then_the_signature_does_not_match() {
    let body = signed_body();
    let second = 85 + 2 + 65_536 + 2 + 85;
    for position in [100, 60_000, second + 100] {
        let mut changed = body.clone();
        assert_eq!(changed[position], b'a');
        changed[position] = b'b';
        assert_eq!(
            code(signed(), &changed),
            ErrorCode::SignatureDoesNotMatch,
            "{position}"
        );
    }
    for chunk in 0..3 {
        let mut signatures = SIGNED;
        signatures[chunk] = TRAILER_SIGNATURE;
        assert_eq!(
            code(signed(), &chunks(signatures)),
            ErrorCode::SignatureDoesNotMatch
        );
    }
    let other =
        format!("x-amz-checksum-crc32c:AAAAAA==\r\nx-amz-trailer-signature:{TRAILER_SIGNATURE}\r\n\r\n");
    assert_eq!(
        code(signed_with_trailer(), &body_with_trailer(&other)),
        ErrorCode::SignatureDoesNotMatch
    );
}

#[test]
fn given_a_signed_trailer_when_incomplete_or_unannounced_then_malformed() {
    let signature = format!("x-amz-trailer-signature:{TRAILER_SIGNATURE}\r\n");
    for trailer in [
        String::new(),
        "\r\n".to_owned(),
        "x-amz-checksum-crc32c:sOO8/Q==\r\n\r\n".to_owned(),
        format!("{signature}\r\n"),
        format!("x-amz-checksum-crc32:sOO8/Q==\r\n{signature}\r\n"),
        format!("x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-meta-a:b\r\n{signature}\r\n"),
        format!("x-amz-checksum-crc32c:sOO8/Q==\r\n{signature}{signature}\r\n"),
        format!("x-amz-checksum-crc32c:sOO8/Q==\r\n{signature}x-amz-checksum-crc32c:sOO8/Q==\r\n"),
    ] {
        assert_eq!(
            code(signed_with_trailer(), &body_with_trailer(&trailer)),
            ErrorCode::MalformedTrailerError,
            "{trailer}"
        );
    }
}

#[test]
fn given_an_unsigned_body_when_decoded_then_content_and_trailer() {
    for end in ["\r\n\r\n", "\n\r\n\r\n", "\n", ""] {
        let body = format!("5\r\nhello\r\n6\r\n world\r\n0\r\nX-Amz-Checksum-CRC32: DUoRhQ=={end}");
        for slice in [1, 2, 3, usize::MAX] {
            let (content, trailers) = decode(crc32("11"), body.as_bytes(), slice).unwrap();
            assert_eq!(content, b"hello world");
            assert_eq!(trailers.checksum(ChecksumAlgorithm::Crc32), Some("DUoRhQ=="));
            assert_eq!(trailers.iter().count(), 1);
        }
    }
    let (content, _) = decode(crc32("0"), b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 1).unwrap();
    assert!(content.is_empty());
}

#[test]
fn given_a_body_that_ends_early_when_finished_then_incomplete() {
    let whole = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    for end in 0..whole.find("0\r\n").unwrap() + 2 {
        assert_eq!(
            code(crc32("5"), &whole.as_bytes()[..end]),
            ErrorCode::IncompleteBody,
            "after {end} bytes"
        );
    }
    let body = signed_body();
    let end = chunks(SIGNED).len() - 1;
    assert_eq!(code(signed(), &body[..end]), ErrorCode::IncompleteBody);
}

#[test]
fn given_a_lying_length_when_decoded_then_incomplete_and_nothing_beyond_it_is_given() {
    let body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    for length in ["0", "4", "6", "18446744073709551615"] {
        assert_eq!(code(crc32(length), body), ErrorCode::IncompleteBody, "{length}");
    }
    let mut decoder = crc32("4");
    let mut input = &body[..];
    assert!(decoder.decode(&mut input).is_err());
    assert!(
        decoder.decode(&mut input).is_err(),
        "a decoder that failed fails for good"
    );
    let huge = b"ffffffffffffffff\r\na";
    assert_eq!(
        code(crc32("18446744073709551615"), huge),
        ErrorCode::IncompleteBody
    );
}

#[test]
fn given_what_are_no_chunks_when_decoded_then_invalid() {
    let long = format!("{}\r\n", "0".repeat(MAX_LINE_BYTES));
    for body in [
        "hello",
        "5\nhello\r\n",
        "5\r\nhelloX\n",
        "5\r\nhello\rX",
        "5;chunk-signature=0\r\n",
        &format!("0;chunk-signature={}\r\n", SIGNED[0]),
        "\r\n",
        &long,
    ] {
        let error = decode(crc32("5"), body.as_bytes(), 1).unwrap_err();
        let expected = if body == "hello" {
            ErrorCode::IncompleteBody
        } else {
            ErrorCode::InvalidRequest
        };
        assert_eq!(error.code(), expected, "{body:?}");
    }
    let unsigned_chunk = b"10400\r\n";
    assert_eq!(code(signed(), unsigned_chunk), ErrorCode::InvalidRequest);
    let more = [signed_body(), b"x".to_vec()].concat();
    assert_eq!(code(signed(), &more), ErrorCode::InvalidRequest);
}

#[test]
fn given_a_line_without_an_end_when_fed_byte_by_byte_then_refused_at_the_limit() {
    let mut decoder = crc32("5");
    let mut taken = 0;
    let error = loop {
        if let Err(error) = decoder.decode(&mut &b"0"[..]) {
            break error;
        }
        taken += 1;
    };
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
    assert_eq!(taken, MAX_LINE_BYTES);
}

#[test]
fn given_a_trailer_beyond_the_limit_when_fed_then_malformed() {
    let body = format!("0\r\n{}", "x".repeat(MAX_TRAILER_BYTES + 1));
    for slice in [1000, usize::MAX] {
        let error = decode(crc32("0"), body.as_bytes(), slice).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MalformedTrailerError);
    }
}

#[test]
fn given_small_signed_chunks_when_another_follows_then_refused_as_aws_does() {
    let mut decoder = signed();
    let signatures = SIGNED.map(|signature| format!(";chunk-signature={signature}\r\n"));
    let body = format!("2000{}", signatures[0]);
    assert!(decoder.decode(&mut body.as_bytes()).is_ok());

    let small = super::decoder::tests_support::after_a_small_chunk(signed());
    let next = format!("1{}", signatures[1]);
    assert_eq!(code(small, next.as_bytes()), ErrorCode::InvalidChunkSizeError);
}

#[test]
fn given_headers_of_a_chunked_body_when_wrong_then_named() {
    let refusal = |length: &str, trailer: &str| unsigned(length, trailer).unwrap_err().code();
    assert_eq!(refusal("x", "x-amz-checksum-crc32"), ErrorCode::InvalidArgument);
    assert_eq!(refusal("+1", "x-amz-checksum-crc32"), ErrorCode::InvalidArgument);
    for trailer in ["x-amz-meta-a", "", "x-amz-checksum-crc32,,"] {
        assert_eq!(refusal("1", trailer), ErrorCode::InvalidRequest);
    }
    let without_length = decoder(&[("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")]);
    assert_eq!(
        without_length.unwrap_err().code(),
        ErrorCode::MissingContentLength
    );
    let both = unsigned("0", "x-amz-checksum-crc32, X-Amz-Checksum-SHA256").unwrap();
    assert_eq!(both.announced().len(), 2);
    assert_eq!(both.expected_length(), 0);
}

#[test]
fn given_values_of_the_payload_header_when_parsed_then_known_or_refused_by_name() {
    assert_eq!(
        ContentSha256::parse("UNSIGNED-PAYLOAD").unwrap(),
        ContentSha256::Unsigned
    );
    assert_eq!(
        ContentSha256::parse(&"0a".repeat(32)).unwrap(),
        ContentSha256::Digest([10; 32])
    );
    let sigv4a = ContentSha256::parse("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD").unwrap_err();
    assert_eq!(sigv4a.code(), ErrorCode::NotImplemented);
    for text in ["", "unsigned-payload", &"0A".repeat(32)] {
        let error = ContentSha256::parse(text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{text}");
    }
}
