//! Names in the paths, queries and headers of requests.

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;
use zas_core::{Algorithm, Digest, MediaType, Reference, RepositoryName, Tag, UploadId};

use crate::Verdict;
use crate::input::Input;

const COMPONENT: &str = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*";
const MEDIA_NAME: &str = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*";
const UPLOAD_ID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}";

static REPOSITORY: LazyLock<Regex> = LazyLock::new(|| whole(&format!("{COMPONENT}(/{COMPONENT})*")));
static TAG: LazyLock<Regex> = LazyLock::new(|| whole("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"));
static DIGEST: LazyLock<Regex> = LazyLock::new(|| whole("sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}"));
static MEDIA_TYPE: LazyLock<Regex> = LazyLock::new(|| whole(&format!("{MEDIA_NAME}/{MEDIA_NAME}")));
static UPLOAD: LazyLock<Regex> = LazyLock::new(|| whole(UPLOAD_ID));

fn whole(expression: &str) -> Regex {
    Regex::new(&format!("\\A(?:{expression})\\z")).expect("a regular expression")
}

/// The bytes are taken for each kind of name.
///
/// A text is accepted exactly when the regular expression of the specification and the length allow it, and what is
/// accepted is written as it was.
pub(super) fn target(data: &[u8]) -> Verdict {
    let text = Input::of(data).text();
    let is_repository = text.len() <= 255 && REPOSITORY.is_match(&text);
    let (is_tag, is_digest) = (TAG.is_match(&text), DIGEST.is_match(&text));
    let is_media_type = text.len() <= 255 && MEDIA_TYPE.is_match(&text);
    check::<RepositoryName>(&text, is_repository);
    check::<Tag>(&text, is_tag);
    check::<Digest>(&text, is_digest);
    check::<Reference>(&text, is_tag || is_digest);
    check::<MediaType>(&text, is_media_type);
    check::<UploadId>(&text, UPLOAD.is_match(&text));
    check::<Algorithm>(&text, text == "sha256" || text == "sha512");
    check_header(&text);
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(Digest::from_key(&digest.to_key()), Some(digest));
        assert_eq!(format!("{}:{}", digest.algorithm(), digest.hex()), *text);
    }
    Verdict::accepted_if(is_repository || is_tag || is_digest || is_media_type)
}

fn check<T>(text: &str, is_allowed: bool)
where
    T: FromStr + Display + PartialEq + Debug,
    T::Err: Display,
{
    match text.parse::<T>() {
        Ok(value) => {
            assert!(is_allowed, "{text:?} was read as {value:?}");
            assert_eq!(value.to_string(), text);
            assert_eq!(value.to_string().parse::<T>().ok(), Some(value));
        }
        Err(error) => {
            assert!(!is_allowed, "{text:?} was refused: {error}");
            let message = error.to_string();
            assert!(!message.is_empty() && message.len() < 4096, "{message}");
        }
    }
}

fn check_header(value: &str) {
    let Ok(read) = MediaType::from_header(value) else {
        return;
    };
    assert!(
        value.trim_start().starts_with(read.as_str()),
        "{value:?} is {read}"
    );
    assert_eq!(
        MediaType::from_header(&format!(" {read} ; charset=utf-8")),
        Ok(read)
    );
}
