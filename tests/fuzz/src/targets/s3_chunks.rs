//! Bodies that come in chunks.

use zas_s3::payload::{BodyRule, ChunkDecoder, Payload};
use zas_s3::sigv4::{Authentication, authenticate};
use zas_s3::{ErrorCode, Method, RequestHead};

use super::s3_client::{DATE, authorization, expected, secret, sign_chunk, sign_request};
use crate::Verdict;
use crate::input::Input;

/// The checksum that may follow.
const TRAILER: &str = "x-amz-checksum-crc32";

/// The first byte chooses whether the rest is a body in unsigned chunks or content for signed ones.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    if input.byte() % 4 == 3 {
        signed(input)
    } else {
        unsigned(input)
    }
}

/// A byte says in which pieces the body arrives, a byte how much is declared; the rest is the body. It is taken
/// exactly when a slow and simple reading takes it, in any cut.
fn unsigned(mut input: Input<'_>) -> Verdict {
    let (cut, length) = (usize::from(input.byte()).max(1), usize::from(input.byte()));
    let body = input.rest();
    let whole = decode(unsigned_decoder(length), body, body.len().max(1));
    assert_eq!(
        decode(unsigned_decoder(length), body, cut),
        whole,
        "in pieces of {cut}"
    );
    let expected = simple(body, length);
    assert_eq!(whole.as_ref().ok(), expected.as_ref(), "{}", body.escape_ascii());
    Verdict::accepted_if(whole.is_ok())
}

/// A byte says in which pieces the body arrives, two which byte of it is changed; the rest is content. What is whole
/// is taken, and what was changed is not.
fn signed(mut input: Input<'_>) -> Verdict {
    let cut = usize::from(input.byte()).max(1);
    let changed = usize::from(input.byte()) << 8 | usize::from(input.byte());
    let content = input.rest();
    let (mut decoder, seed) = signed_decoder(content.len());
    let mut body = signed_body(content, &seed);
    assert_eq!(decode(decoder, &body, cut).as_deref(), Ok(content));
    if changed == 0 {
        return Verdict::Accepted;
    }
    let place = changed % body.len();
    body[place] ^= 1;
    (decoder, _) = signed_decoder(content.len());
    let refused = decode(decoder, &body, cut);
    assert!(refused.is_err(), "byte {place} of {}", body.escape_ascii());
    Verdict::Refused
}

fn decode(mut decoder: ChunkDecoder, body: &[u8], cut: usize) -> Result<Vec<u8>, ErrorCode> {
    let mut content = Vec::new();
    for mut piece in body.chunks(cut) {
        while let Some(data) = decoder.decode(&mut piece).map_err(|error| error.code())? {
            content.extend_from_slice(data);
        }
    }
    decoder.finish().map_err(|error| error.code())?;
    Ok(content)
}

/// Chunks with sizes in hexadecimal, an empty one, and the trailer's line once between empty ones.
fn simple(body: &[u8], length: usize) -> Option<Vec<u8>> {
    let (mut content, mut rest) = (Vec::new(), body);
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let is_size = (1..=16).contains(&line.len()) && line.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(line, 16).ok().filter(|_| is_size)?;
        rest = &rest[end + 2..];
        if size == 0 {
            break;
        }
        content.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
    let lines = std::str::from_utf8(rest).ok()?.split('\n').map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let [line] = lines[..] else { return None };
    let (name, _) = line.split_once(':')?;
    (name.eq_ignore_ascii_case(TRAILER) && content.len() == length).then_some(content)
}

fn unsigned_decoder(length: usize) -> ChunkDecoder {
    decoder(&[
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", &length.to_string()),
        ("x-amz-trailer", TRAILER),
    ])
}

/// A decoder of signed chunks, and the signature that the first chunk continues.
fn signed_decoder(length: usize) -> (ChunkDecoder, String) {
    const MODE: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    const NAMES: &str = "host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length";
    let canonical = format!(
        "PUT\n/photos/a\n\nhost:h\nx-amz-content-sha256:{MODE}\nx-amz-date:{DATE}\n\
         x-amz-decoded-content-length:{length}\n\n{NAMES}\n{MODE}"
    );
    let seed = sign_request(&canonical);
    let decoder = decoder(&[
        ("host", "h"),
        ("x-amz-content-sha256", MODE),
        ("x-amz-date", DATE),
        ("x-amz-decoded-content-length", &length.to_string()),
        ("authorization", &authorization(NAMES, &seed)),
    ]);
    (decoder, seed)
}

fn signed_body(content: &[u8], seed: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let mut previous = seed.to_owned();
    // Only the last chunk may be short, and an empty one ends the body.
    let chunks = content.chunks(8192).chain(std::iter::once(&[][..]));
    for chunk in chunks {
        previous = sign_chunk(&previous, chunk);
        body.extend_from_slice(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    body
}

fn decoder(headers: &[(&str, &str)]) -> ChunkDecoder {
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let head = RequestHead::new(Method::Put, "/photos/a", "", headers).expect("a head");
    let payload = match authenticate(&head, &expected()).expect("credentials, or none") {
        Authentication::Anonymous(anonymous) => anonymous.payload(BodyRule::MayBeChunked),
        Authentication::Signed(signed) => {
            let verified = signed.verify(&secret()).expect("the right signature");
            verified.payload(BodyRule::MayBeChunked)
        }
    };
    match payload.expect("a body in chunks") {
        Payload::Chunked(decoder) => *decoder,
        Payload::Whole { .. } => panic!("the body comes in chunks"),
    }
}
