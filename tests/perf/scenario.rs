//! The rows of the table: what each client does, how many there are, and what their result is compared with.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::connection::Connection;
use crate::fixture::{self, BLOBS, Fixture, PAGE_OF_REPOSITORIES, PAGE_OF_TAGS, STREAMS, TAGS};
use crate::limits::Limit;
use crate::load::{Load, Sample, drive};
use crate::payload::{Block, Payload, scatter};
use crate::registry::{get, manifest, push_blob, push_blob_streamed, put_manifest};
use crate::target::Address;

const MIB: u64 = 1024 * 1024;
/// Far more than any server does in the time of one scenario; payloads for all of them are hashed before.
const SMALL_BLOBS: u64 = 60_000;
const MEDIUM_BLOBS: u64 = 2_000;
const UNBOUNDED: u64 = u64::MAX;

/// What a scenario needs to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// The large blob.
    Stream,
    /// Small blobs.
    Blobs,
    /// The config and layer that manifests name, in each repository for manifests.
    Parts,
    /// A repository with many tags.
    Tags,
    /// Many repositories.
    Catalog,
}

/// In what the result is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// 1,000,000 bytes of content per second.
    Megabytes,
    /// Operations per second.
    Operations,
}

impl Unit {
    /// For the tables.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Megabytes => "MB/s",
            Self::Operations => "/s",
        }
    }

    /// The result of a run.
    pub(crate) fn rate(self, sample: &Sample) -> f64 {
        let seconds = sample.elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        match self {
            Self::Megabytes => sample.bytes as f64 / 1e6 / seconds,
            Self::Operations => sample.operations as f64 / seconds,
        }
    }
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// One large blob by POST, chunked PATCH and PUT.
    PushStreamDocker,
    /// One large blob by POST and PUT.
    PushStreamMonolithic,
    /// The large blob, one client.
    PullStream,
    /// The large blob, four clients.
    PullFourStreams,
    /// 1 MiB blobs by POST and PUT.
    PushMediumBlobs,
    /// 4 KiB blobs by POST and PUT.
    PushSmallBlobs,
    /// New manifests under new tags.
    PutManifests,
    /// Manifests by digest.
    GetManifestsByDigest,
    /// Manifests by tag.
    GetManifestsByTag,
    /// 1 KiB blobs.
    GetSmallBlobs,
    /// Pages of 1,000 tags from random places.
    ListTags,
    /// Pages of 100 repositories from random places.
    ListCatalog,
}

impl Scenario {
    /// All rows in the order of the table.
    pub(crate) const ALL: [Self; 12] = [
        Self::PushStreamDocker,
        Self::PushStreamMonolithic,
        Self::PullStream,
        Self::PullFourStreams,
        Self::PushMediumBlobs,
        Self::PushSmallBlobs,
        Self::PutManifests,
        Self::GetManifestsByDigest,
        Self::GetManifestsByTag,
        Self::GetSmallBlobs,
        Self::ListTags,
        Self::ListCatalog,
    ];

    /// Name in the tables and for choosing.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PushStreamDocker => "push one stream, chunked PATCH",
            Self::PushStreamMonolithic => "push one stream, single PUT",
            Self::PullStream => "pull one stream",
            Self::PullFourStreams => "pull 4 streams",
            Self::PushMediumBlobs => "push 1 MiB blobs, 16 clients",
            Self::PushSmallBlobs => "push 4 KiB blobs, 64 clients",
            Self::PutManifests => "put manifests, 64 clients",
            Self::GetManifestsByDigest => "get manifests by digest, 16 clients",
            Self::GetManifestsByTag => "get manifests by tag, 16 clients",
            Self::GetSmallBlobs => "get 1 KiB blobs, 16 clients",
            Self::ListTags => "list 1000 tags, 4 clients",
            Self::ListCatalog => "list 100 repositories, 4 clients",
        }
    }

    /// Unit of the result.
    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::PushStreamDocker
            | Self::PushStreamMonolithic
            | Self::PullStream
            | Self::PullFourStreams => Unit::Megabytes,
            _ => Unit::Operations,
        }
    }

    /// What the machine could do at best, in the unit of the result; `None` when nothing simple bounds it.
    pub(crate) fn limit(self) -> Option<Limit> {
        match self {
            Self::PushStreamDocker | Self::PushStreamMonolithic => Some(Limit::HashAndDisk),
            Self::PullStream => Some(Limit::CopyingLoopback),
            Self::PullFourStreams => Some(Limit::CopyingLoopbackFourStreams),
            Self::PushMediumBlobs => Some(Limit::HashAndDiskPerMebibyte),
            Self::PushSmallBlobs | Self::PutManifests => Some(Limit::DurableAppend),
            Self::GetManifestsByDigest | Self::GetManifestsByTag | Self::GetSmallBlobs => {
                Some(Limit::BareHttp)
            }
            Self::ListTags | Self::ListCatalog => None,
        }
    }

    /// What must be there.
    pub(crate) fn needs(self) -> Option<Needs> {
        match self {
            Self::PullStream | Self::PullFourStreams => Some(Needs::Stream),
            Self::PutManifests => Some(Needs::Parts),
            Self::GetManifestsByDigest | Self::GetManifestsByTag | Self::ListTags => Some(Needs::Tags),
            Self::GetSmallBlobs => Some(Needs::Blobs),
            Self::ListCatalog => Some(Needs::Catalog),
            _ => None,
        }
    }

    fn load(self, time: Duration) -> Load {
        let (clients, threads, count) = match self {
            Self::PushStreamDocker | Self::PushStreamMonolithic => (1, 1, 1),
            Self::PullStream => (1, 1, 3),
            Self::PullFourStreams => (4, 4, 8),
            Self::PushMediumBlobs => (16, 1, MEDIUM_BLOBS),
            Self::PushSmallBlobs => (64, 1, SMALL_BLOBS),
            Self::PutManifests => (64, 1, UNBOUNDED),
            Self::GetManifestsByDigest | Self::GetManifestsByTag | Self::GetSmallBlobs => (16, 1, UNBOUNDED),
            Self::ListTags | Self::ListCatalog => (4, 1, UNBOUNDED),
        };
        Load {
            clients,
            threads,
            count,
            time,
        }
    }
}

/// What one run needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// Whom to measure.
    pub(crate) address: &'a Address,
    /// What it holds.
    pub(crate) fixture: &'a Fixture,
    /// First of the numbers that this run may make content from.
    pub(crate) nonce: u64,
    /// No operation starts later than this.
    pub(crate) time: Duration,
    /// Length of the large blob in bytes.
    pub(crate) stream: u64,
}

impl Run<'_> {
    /// Runs a scenario once. What is pushed is new each time.
    pub(crate) fn measure(&self, scenario: Scenario) -> Result<Sample> {
        let load = scenario.load(self.time);
        match scenario {
            Scenario::PushStreamDocker => {
                self.push_payloads(load, self.stream, async |connection, payload, digest| {
                    push_blob_streamed(connection, STREAMS, payload, digest).await
                })
            }
            Scenario::PushStreamMonolithic => self.push(load, STREAMS, self.stream),
            Scenario::PushMediumBlobs => self.push(load, BLOBS, MIB),
            Scenario::PushSmallBlobs => self.push(load, BLOBS, 4096),
            Scenario::PullStream | Scenario::PullFourStreams => self.pull_stream(load),
            Scenario::PutManifests => self.put_manifests(load),
            Scenario::GetManifestsByDigest => self.get_from(load, TAGS, "manifests", &self.fixture.manifests),
            Scenario::GetSmallBlobs => self.get_from(load, BLOBS, "blobs", &self.fixture.blobs),
            Scenario::GetManifestsByTag => self.get_manifests_by_tag(load),
            Scenario::ListTags => self.list_tags(load),
            Scenario::ListCatalog => self.list_catalog(load),
        }
    }

    fn push(&self, load: Load, repository: &str, length: u64) -> Result<Sample> {
        self.push_payloads(load, length, async |connection, payload, digest| {
            push_blob(connection, repository, payload, digest).await
        })
    }

    fn push_payloads<F>(&self, load: Load, length: u64, push: F) -> Result<Sample>
    where
        F: AsyncFn(&mut Connection, Payload, &str) -> Result<u64> + Sync,
    {
        let mut block = Block::new();
        let payload = |index: u64| Payload {
            nonce: self.nonce + index,
            length,
        };
        let digests: Vec<String> = (0..load.count)
            .map(|index| payload(index).digest(&mut block))
            .collect();
        drive(load, self.address, async |connection, index| {
            let digest = digests
                .get(index as usize)
                .context("more pushes than were prepared")?;
            push(connection, payload(index), digest).await
        })
    }

    fn pull_stream(&self, load: Load) -> Result<Sample> {
        let stream = self.fixture.stream.as_ref().context("no large blob was made")?;
        let path = format!("/v2/{STREAMS}/blobs/{}", stream.digest);
        drive(load, self.address, async |connection, _| {
            let (head, length) = connection.download(&path, |_| {}).await?;
            ensure!(head.status == 200, "the large blob was answered {}", head.status);
            ensure!(length == stream.size, "the large blob came with {length} bytes");
            Ok(length)
        })
    }

    fn put_manifests(&self, load: Load) -> Result<Sample> {
        let (config, layer) = self.fixture.parts.as_ref().context("no parts were made")?;
        drive(load, self.address, async |connection, index| {
            let note = format!("{:x}", self.nonce + index);
            let body = manifest(config, layer, &note);
            put_manifest(connection, &fixture::manifest_repository(index), &note, &body).await
        })
    }

    fn get_from(&self, load: Load, repository: &str, kind: &str, digests: &[String]) -> Result<Sample> {
        let paths: Vec<String> = digests
            .iter()
            .map(|digest| format!("/v2/{repository}/{kind}/{digest}"))
            .collect();
        self.get_paths(load, &paths)
    }

    fn get_manifests_by_tag(&self, load: Load) -> Result<Sample> {
        let count = self.fixture.manifests.len() as u64;
        let paths: Vec<String> = (0..count)
            .map(|index| format!("/v2/{TAGS}/manifests/{}", fixture::tag(index)))
            .collect();
        self.get_paths(load, &paths)
    }

    /// Pages that are full: they start at most where a whole page still follows.
    fn list_tags(&self, load: Load) -> Result<Sample> {
        let starts = (self.fixture.manifests.len() as u64)
            .saturating_sub(PAGE_OF_TAGS)
            .max(1);
        let paths: Vec<String> = (0..starts)
            .map(|index| {
                format!(
                    "/v2/{TAGS}/tags/list?n={PAGE_OF_TAGS}&last={}",
                    fixture::tag(index)
                )
            })
            .collect();
        self.get_paths(load, &paths)
    }

    fn list_catalog(&self, load: Load) -> Result<Sample> {
        let starts = self
            .fixture
            .repositories
            .saturating_sub(PAGE_OF_REPOSITORIES)
            .max(1);
        let paths: Vec<String> = (0..starts)
            .map(|index| {
                format!(
                    "/v2/_catalog?n={PAGE_OF_REPOSITORIES}&last={}",
                    fixture::catalog_repository(index)
                )
            })
            .collect();
        self.get_paths(load, &paths)
    }

    fn get_paths(&self, load: Load, paths: &[String]) -> Result<Sample> {
        ensure!(!paths.is_empty(), "nothing to get was made");
        drive(load, self.address, async |connection, index| {
            let choice = (scatter(self.nonce + index) % paths.len() as u64) as usize;
            get(
                connection,
                paths.get(choice).map(String::as_str).unwrap_or_default(),
            )
            .await
        })
    }
}
