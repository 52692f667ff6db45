//! What one client may ask of the server.

use crate::section::section;
use crate::{ByteSize, Duration};

section! {
    /// What one client may ask of the server.
    pub struct Limits {
        /// Largest manifest; a larger one is answered 413.
        hot "manifestSize" manifest_size: ByteSize = ByteSize::mib(4), in ByteSize::mib(4)..=ByteSize::mib(64);
        /// Most distinct references of one manifest.
        hot "manifestReferences" manifest_references: u32 = 4096, in 1..=65_536;
        /// Largest blob; without a limit when absent.
        hot "blobSize" blob_size: Option<ByteSize> = None, example "100GiB";
        /// Most `?tag=` values on a push by digest; more are answered 414.
        hot "tagParameters" tag_parameters: u32 = 46, in 10..=1000;
        /// Default and largest number of entries on a page of tags or of the catalog.
        hot "pageSize" page_size: u32 = 1000, in 1..=10_000;
        /// One page of referrers.
        hot "referrersPage" referrers_page: ReferrersPage = ReferrersPage::default();
        /// Uploads that may send bytes at the same time; more are answered 429 with Retry-After. A client, which is a user or
        /// else an address, gets the part of the free ones that those are of all: one alone three eighths.
        hot "concurrentUploads" concurrent_uploads: u32 = 1024, in 1..=65_536;
        /// Uploads that may be started and not yet finished, cancelled or expired; more are answered 429 with Retry-After.
        hot "openUploads" open_uploads: u32 = 20_000, in 1..=1_000_000, since "0.2.0";
        /// Bytes that the server holds for all clients together: five eighths for uploads that are received and not yet
        /// written, an eighth for what clients of HTTP/2 may send before somebody reads it, a quarter for manifests on their
        /// way in, long answers, and blobs on their way out.
        restart "memory" memory: ByteSize = ByteSize::mib(128), in ByteSize::mib(32)..=ByteSize::gib(16), since "0.2.0";
        /// How long a client may take to send the head of a request.
        restart "requestHeaderTimeout" request_header_timeout: Duration = Duration::seconds(15), in Duration::seconds(1)..=Duration::minutes(5);
        /// A request whose body stalls for so long is given up.
        hot "requestIdleTimeout" request_idle_timeout: Duration = Duration::seconds(60), in Duration::seconds(1)..=Duration::hours(1);
        /// Bytes a second that the body of a request must have on average; a slower one is given up after about
        /// `requestIdleTimeout`. Time in which the server is busy with what came does not count. 0 stands for any rate.
        hot "minimumRate" minimum_rate: ByteSize = ByteSize::kib(1), in ByteSize::kib(0)..=ByteSize::mib(1), since "0.2.0";
        /// How long an idle connection is kept open.
        restart "keepAlive" keep_alive: Duration = Duration::seconds(75), in Duration::seconds(1)..=Duration::hours(1);
    }
}

section! {
    /// One page of referrers.
    pub struct ReferrersPage {
        /// Most entries.
        hot "count" count: u32 = 1000, in 1..=10_000;
        /// Most bytes of descriptors.
        hot "size" size: ByteSize = ByteSize::mib(2), in ByteSize::kib(64)..=ByteSize::mib(4);
    }
}

impl Limits {
    /// The part of the memory that is for uploads, in bytes.
    pub fn upload_memory(&self) -> usize {
        self.memory.in_memory() / 8 * 5
    }

    /// The part of the memory that is for wide windows of HTTP/2, in bytes.
    pub fn window_memory(&self) -> usize {
        self.memory.in_memory() / 8
    }

    /// The part of the memory that is for everything else, in bytes: at least three of the largest manifests.
    pub fn body_memory(&self) -> usize {
        (self.memory.in_memory() / 4).max(3 * self.manifest_size.in_memory())
    }
}
