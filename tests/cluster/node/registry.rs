//! A store's registry as clients inside the cluster see it.

use std::net::SocketAddr;
use std::path::Path;

use zas_cluster_tests::{Node, Output};

/// A registry behind a Service, and an account on it.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    account: String,
}

impl Registry {
    pub(crate) fn new(address: SocketAddr, password: &str) -> Self {
        Self {
            address,
            account: format!("admin:{password}"),
        }
    }

    /// Pushes a docker-archive with skopeo.
    pub(crate) fn push(&self, node: &Node, archive: &Path, repository: &str) {
        let source = format!("docker-archive:{}", archive.display());
        let target = format!("docker://{}/{repository}", self.address);
        let arguments = [
            "skopeo",
            "copy",
            "--insecure-policy",
            "--dest-tls-verify=false",
            "--dest-creds",
            &self.account,
            &source,
            &target,
        ];
        node.run(&arguments).expect_success();
    }

    /// Pulls into a directory with skopeo; the digest of what was pulled.
    pub(crate) fn pull(&self, node: &Node, repository: &str, directory: &Path) {
        let source = format!("docker://{}/{repository}", self.address);
        let target = format!("dir:{}", directory.display());
        let arguments = [
            "skopeo",
            "copy",
            "--insecure-policy",
            "--src-tls-verify=false",
            "--src-creds",
            &self.account,
            &source,
            &target,
        ];
        node.run(&arguments).expect_success();
    }

    /// The digest of a tag.
    pub(crate) fn digest(&self, node: &Node, repository: &str) -> String {
        let source = format!("docker://{}/{repository}", self.address);
        let arguments = [
            "skopeo",
            "inspect",
            "--tls-verify=false",
            "--creds",
            &self.account,
            "--format",
            "{{.Digest}}",
            &source,
        ];
        node.run(&arguments).expect_success().trim().to_owned()
    }

    /// The status code of an anonymous request.
    pub(crate) fn anonymous(&self, node: &Node, path: &str) -> String {
        self.curl(
            node,
            &["--output", "/dev/null", "--write-out", "%{http_code}"],
            path,
        )
        .stdout()
        .to_owned()
    }

    /// Begins an upload; its path.
    pub(crate) fn begin_upload(&self, node: &Node, repository: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let headers = self.signed(
            node,
            &[
                "--fail",
                "--dump-header",
                "-",
                "--output",
                "/dev/null",
                "--request",
                "POST",
            ],
            &path,
        );
        header(headers.expect_success(), "location").expect("an upload has a location")
    }

    /// The shell command that sends a file from `offset` on, at a limited rate.
    pub(crate) fn slow_patch(&self, upload: &str, file: &Path, bytes_per_second: u64) -> Vec<String> {
        let rate = bytes_per_second.to_string();
        let url = format!("http://{}{upload}", self.address);
        let file = file.display().to_string();
        let words = [
            "curl",
            "--silent",
            "--user",
            &self.account,
            "--request",
            "PATCH",
            "--limit-rate",
            &rate,
            "--header",
            "Content-Type: application/octet-stream",
            "--upload-file",
            &file,
            &url,
        ];
        words.map(str::to_owned).to_vec()
    }

    /// Sends a file as the next chunk, which begins at `offset`.
    pub(crate) fn patch(&self, node: &Node, upload: &str, file: &Path, offset: u64, length: u64) -> String {
        let range = format!("Content-Range: {offset}-{}", offset + length - 1);
        let file = file.display().to_string();
        let arguments = [
            "--fail",
            "--dump-header",
            "-",
            "--request",
            "PATCH",
            "--header",
            "Content-Type: application/octet-stream",
            "--header",
            &range,
            "--upload-file",
            &file,
        ];
        let headers = self.signed(node, &arguments, upload);
        header(headers.expect_success(), "location").expect("an upload has a location")
    }

    /// How many bytes of an upload are kept.
    pub(crate) fn offset(&self, node: &Node, upload: &str) -> Option<u64> {
        let headers = self.signed(node, &["--fail", "--dump-header", "-"], upload);
        if !headers.is_success() {
            return None;
        }
        let range = header(headers.stdout(), "range")?;
        let last: u64 = range.strip_prefix("0-")?.parse().ok()?;
        Some(if last == 0 { 0 } else { last + 1 })
    }

    /// Closes an upload as the blob of this digest.
    pub(crate) fn close_upload(&self, node: &Node, upload: &str, digest: &str) {
        let separator = if upload.contains('?') { '&' } else { '?' };
        let path = format!("{upload}{separator}digest={digest}");
        let headers = self.signed(
            node,
            &["--fail", "--request", "PUT", "--header", "Content-Length: 0"],
            &path,
        );
        headers.expect_success();
    }

    /// Pulls a blob into a file.
    pub(crate) fn blob(&self, node: &Node, repository: &str, digest: &str, file: &Path) {
        let path = format!("/v2/{repository}/blobs/{digest}");
        let file = file.display().to_string();
        self.signed(node, &["--fail", "--output", &file], &path)
            .expect_success();
    }

    fn signed(&self, node: &Node, arguments: &[&str], path: &str) -> Output {
        self.curl(
            node,
            &[&["--user", self.account.as_str()], arguments].concat(),
            path,
        )
    }

    fn curl(&self, node: &Node, arguments: &[&str], path: &str) -> Output {
        let url = format!("http://{}{path}", self.address);
        let common = ["curl", "--silent", "--show-error", "--max-time", "120"];
        node.run(&[&common[..], arguments, &[url.as_str()]].concat())
    }
}

/// A header of an answer; of a location only the path.
fn header(headers: &str, name: &str) -> Option<String> {
    let value = headers.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })?;
    match value.strip_prefix("http://") {
        Some(rest) => rest.find('/').map(|at| rest.split_at(at).1.to_owned()),
        None => Some(value),
    }
}
