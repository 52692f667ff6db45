//! Which bucket and key a request is about (user guide, "Virtual hosting of buckets").

use crate::error::{ErrorCode, S3Error};
use crate::head::RequestHead;
use crate::names::{BucketName, ObjectKey};
use crate::percent;

/// How buckets are addressed beside path style.
#[derive(Clone, Copy, Debug, Default)]
pub struct Addressing<'a> {
    /// `BUCKET.domain` is a host of its own for each bucket.
    pub domain: Option<&'a str>,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// All of the store.
    Service,
    /// A bucket.
    Bucket(BucketName),
    /// A key in a bucket.
    Object(BucketName, ObjectKey),
}

impl<'a> Addressing<'a> {
    /// The bucket that a host names, not yet parsed; `None` where the path names it.
    pub fn bucket_of_host<'b>(&self, host: &'b str) -> Option<&'b str> {
        let (name, domain) = (
            without_port(host),
            self.domain.filter(|domain| !domain.is_empty())?,
        );
        let labels = name.len().checked_sub(domain.len())?;
        let (bucket, rest) = name.split_at_checked(labels)?;
        let bucket = bucket.strip_suffix('.')?;
        rest.eq_ignore_ascii_case(domain).then_some(bucket)
    }
}

fn without_port(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

impl Target {
    /// Reads host and path; the host is looked at first. The path is split before it is decoded, once: `%2F` and `//`
    /// in a key are what they are, and `+` is no space.
    ///
    /// # Errors
    /// `InvalidURI`, `InvalidBucketName`, `KeyTooLongError`.
    pub fn of(head: &RequestHead<'_>, addressing: &Addressing<'_>) -> Result<Self, S3Error> {
        let path = head.path.strip_prefix('/').unwrap_or(head.path);
        let host = head.headers.text("host")?.unwrap_or_default();
        if let Some(bucket) = addressing.bucket_of_host(host) {
            return Self::in_bucket(bucket.to_ascii_lowercase().parse()?, path);
        }
        if path.is_empty() {
            return Ok(Self::Service);
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let bucket = percent::decode(bucket).ok_or(ErrorCode::InvalidURI)?;
        let bucket = String::from_utf8_lossy(&bucket);
        Self::in_bucket(bucket.parse()?, key)
    }

    fn in_bucket(bucket: BucketName, key: &str) -> Result<Self, S3Error> {
        if key.is_empty() {
            return Ok(Self::Bucket(bucket));
        }
        let key = percent::decode(key).ok_or(ErrorCode::InvalidURI)?;
        Ok(Self::Object(bucket, ObjectKey::from_bytes(&key)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::{Headers, Method};

    const DOMAIN: Addressing<'_> = Addressing {
        domain: Some("s3.example.com"),
    };

    fn target(host: &str, path: &str) -> Result<Target, S3Error> {
        let headers: Headers<'_> = [("host", host.as_bytes())].into_iter().collect();
        let head = RequestHead::new(Method::Get, path, "", headers).unwrap();
        Target::of(&head, &DOMAIN)
    }

    fn bucket(name: &str) -> Target {
        Target::Bucket(name.parse().unwrap())
    }

    fn object(name: &str, key: &str) -> Target {
        Target::Object(
            name.parse().unwrap(),
            ObjectKey::from_bytes(key.as_bytes()).unwrap(),
        )
    }

    #[test]
    fn given_hosts_and_paths_when_read_then_the_host_is_looked_at_first() {
        for (host, path, expected) in [
            ("s3.example.com", "/", Target::Service),
            ("127.0.0.1:8080", "/", Target::Service),
            ("s3.example.com", "/photos", bucket("photos")),
            ("s3.example.com", "/photos/", bucket("photos")),
            ("s3.example.com", "/photos/a", object("photos", "a")),
            ("photos.s3.example.com", "/", bucket("photos")),
            ("photos.s3.example.com:8443", "/a/b", object("photos", "a/b")),
            ("PHOTOS.S3.example.com.", "/a", object("photos", "a")),
            (
                "my.photos.s3.example.com",
                "/other/a",
                object("my.photos", "other/a"),
            ),
            ("photoss3.example.com", "/other/a", object("other", "a")),
            ("[::1]:8080", "/photos/a", object("photos", "a")),
        ] {
            assert_eq!(target(host, path).unwrap(), expected, "{host}{path}");
        }
    }

    #[test]
    fn given_keys_in_any_encoding_when_read_then_decoded_once_and_never_taken_for_paths() {
        for (path, key) in [
            ("/photos//", "/"),
            ("/photos//a//b/", "/a//b/"),
            ("/photos/a+b", "a+b"),
            ("/photos/a%2Bb%20c", "a+b c"),
            ("/photos/a%2Fb", "a/b"),
            ("/photos/a%252Fb", "a%2Fb"),
            ("/photos/../other/a", "../other/a"),
            ("/photos/%2E%2E/%2e", "../."),
            ("/photos/%C3%BC", "ü"),
            ("/photos/ü", "ü"),
            ("/photos/%01%7F", "\u{1}\u{7f}"),
            ("/photos/sha256:ab", "sha256:ab"),
        ] {
            assert_eq!(target("h", path).unwrap(), object("photos", key), "{path}");
        }
        assert_eq!(target("h", "/pho%74os/a").unwrap(), object("photos", "a"));
    }

    #[test]
    fn given_paths_that_name_nothing_when_read_then_the_error_that_clients_know() {
        let long = format!("/photos/{}", "k".repeat(1025));
        for (host, path, code) in [
            ("h", "/Photos/a", ErrorCode::InvalidBucketName),
            ("h", "//photos/a", ErrorCode::InvalidBucketName),
            ("h", "/photos%2Fa", ErrorCode::InvalidBucketName),
            ("h", "/ph%FFtos/a", ErrorCode::InvalidBucketName),
            (".s3.example.com", "/photos/a", ErrorCode::InvalidBucketName),
            ("a_b.s3.example.com", "/photos/a", ErrorCode::InvalidBucketName),
            ("h", "/photos/%", ErrorCode::InvalidURI),
            ("h", "/photos/%zz", ErrorCode::InvalidURI),
            ("h", "/photos/%ff", ErrorCode::InvalidURI),
            ("h", "/ph%tos/a", ErrorCode::InvalidURI),
            ("h", &long, ErrorCode::KeyTooLongError),
        ] {
            assert_eq!(target(host, path).unwrap_err().code(), code, "{host}{path}");
        }
    }
}
