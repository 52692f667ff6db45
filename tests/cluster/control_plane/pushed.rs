//! What clients push to a server that a test has started.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use zas_cluster_tests::Server;
use zas_core::Algorithm;

use crate::mounted::Mounted;

/// So large that its bytes are in a file of their own.
const LARGE: usize = 1024 * 1024;

const REPOSITORY: &str = "team-a/app";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A client of a server, as the administrator.
pub(crate) struct Client<'a> {
    mounted: &'a Mounted,
    account: String,
    origin: String,
}

/// An image: its tag, and two blobs of which one is small.
pub(crate) struct Image {
    tag: &'static str,
    config: Vec<u8>,
    layer: Vec<u8>,
}

impl Image {
    /// An image that differs from those of other tags.
    pub(crate) fn new(tag: &'static str) -> Self {
        let layer: Vec<u8> = tag.bytes().cycle().take(LARGE).collect();
        let config = json!({"architecture": "amd64", "os": "linux", "config": {"Labels": {"tag": tag}}});
        Self {
            tag,
            config: config.to_string().into_bytes(),
            layer,
        }
    }

    fn manifest(&self) -> Vec<u8> {
        let descriptor = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()});
        json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &self.config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &self.layer)],
        })
        .to_string()
        .into_bytes()
    }
}

impl<'a> Client<'a> {
    pub(crate) fn new(server: &Server, mounted: &'a Mounted) -> Self {
        let word = |name: &str| {
            let file = mounted.file(&format!("/config/administrator/{name}"));
            fs::read_to_string(file).unwrap().trim().to_owned()
        };
        let speaks_tls = mounted.file("/config/tls/tls.crt").is_file();
        let scheme = if speaks_tls { "https" } else { "http" };
        Self {
            mounted,
            account: format!("{}:{}", word("username"), word("password")),
            origin: format!("{scheme}://{}", server.address()),
        }
    }

    /// Pushes an image, and reads it back.
    #[track_caller]
    pub(crate) fn push(&self, image: &Image) {
        for bytes in [&image.config, &image.layer] {
            let begun = self.expect(202, "POST", &format!("/v2/{REPOSITORY}/blobs/uploads/"), None);
            let location = begun.header("location");
            let separator = if location.contains('?') { '&' } else { '?' };
            let target = format!("{location}{separator}digest={}", digest(bytes));
            self.expect(
                201,
                "PUT",
                &target,
                Some((bytes.as_slice(), "application/octet-stream")),
            );
        }
        let target = format!("/v2/{REPOSITORY}/manifests/{}", image.tag);
        self.expect(201, "PUT", &target, Some((image.manifest().as_slice(), MANIFEST)));
        self.pull(image);
    }

    /// Reads an image, byte by byte.
    #[track_caller]
    pub(crate) fn pull(&self, image: &Image) {
        let by_tag = self.expect(
            200,
            "GET",
            &format!("/v2/{REPOSITORY}/manifests/{}", image.tag),
            None,
        );
        assert_eq!(
            by_tag.body,
            image.manifest(),
            "the manifest of {} has changed",
            image.tag
        );
        for bytes in [&image.config, &image.layer] {
            let path = format!("/v2/{REPOSITORY}/blobs/{}", digest(bytes));
            let blob = self.expect(200, "GET", &path, None);
            assert!(blob.body == *bytes, "a blob of {} has changed", image.tag);
        }
    }

    #[track_caller]
    fn expect(&self, code: u16, method: &str, target: &str, content: Option<(&[u8], &str)>) -> Answer {
        let answer = self.request(method, target, content);
        assert_eq!(
            answer.code,
            code,
            "{method} {target}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        answer
    }

    #[track_caller]
    fn request(&self, method: &str, target: &str, content: Option<(&[u8], &str)>) -> Answer {
        // A location may name the address that clients use outside.
        let path = target
            .split_once("://")
            .map_or(target, |(_, rest)| &rest[rest.find('/').unwrap_or(0)..]);
        let file = |name: &str| -> PathBuf { self.mounted.file(&format!("/tmp/{name}")) };
        let (headers, body) = (file("headers"), file("body"));
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--max-time",
            "60",
            "--request",
            method,
        ]);
        curl.args(["--user", &self.account, "--header", "Expect:"]);
        curl.arg("--cacert").arg(self.mounted.file("/config/tls/tls.crt"));
        curl.arg("--dump-header").arg(&headers).arg("--output").arg(&body);
        match content {
            Some((bytes, media_type)) => {
                let sent = file("sent");
                fs::write(&sent, bytes).unwrap();
                curl.arg("--data-binary").arg(format!("@{}", sent.display()));
                curl.args(["--header", &format!("Content-Type: {media_type}")]);
            }
            None if method == "POST" => {
                curl.args(["--header", "Content-Length: 0"]);
            }
            None => {}
        }
        curl.arg(format!("{}{path}", self.origin));
        let _ = fs::remove_file(&body);
        let done = curl.output().expect("curl is installed");
        assert!(
            done.status.success(),
            "{curl:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Answer::new(
            &fs::read_to_string(headers).unwrap(),
            fs::read(body).unwrap_or_default(),
        )
    }
}

struct Answer {
    code: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    fn new(head: &str, body: Vec<u8>) -> Self {
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        Self {
            code: code.expect("an answer has a code"),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body,
        }
    }

    #[track_caller]
    fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found
            .unwrap_or_else(|| panic!("there is no {name} in {:?}", self.headers))
            .1
            .clone()
    }
}

fn digest(bytes: &[u8]) -> String {
    Algorithm::Sha256.digest(bytes).to_string()
}
