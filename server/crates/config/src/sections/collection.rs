//! When unused content goes.

use crate::section::section;
use crate::{ByteSize, Duration};

section! {
    /// When unused content goes.
    pub struct Collection {
        /// Whether unused content is deleted at all.
        hot "enabled" enabled: bool = true;
        /// Pause between looks at what is due.
        hot "interval" interval: Duration = Duration::seconds(60), in Duration::seconds(1)..=Duration::hours(24);
        /// The time that a client has, after a positive answer about a blob, to use it. Less than an hour is for tests.
        hot "grace" grace: Duration = Duration::hours(24), in Duration::seconds(1)..=Duration::hours(24 * 365);
        /// The time between the end of a blob's row and the deletion of its bytes.
        hot "doomDelay" doom_delay: Duration = Duration::minutes(15), in Duration::seconds(0)..=Duration::hours(24);
        /// An upload without progress for so long is cancelled. Less than an hour is for tests.
        hot "uploadExpiry" upload_expiry: Duration = Duration::hours(24), in Duration::seconds(1)..=Duration::hours(24 * 365);
        /// How often stored bytes without a row are looked for. 0s stands for never.
        hot "orphanSweep" orphan_sweep: Duration = Duration::hours(24), in Duration::seconds(0)..=Duration::hours(24 * 365);
        /// How many of the stored files may be without a row, in percent, before a sweep leaves all of them alone and says so:
        /// then the rows are more likely lost than the bytes abandoned. 100 stands for any number.
        hot "orphanShare" orphan_share: u32 = 5, in 0..=100;
        /// How long after a check of all stored bytes against their digests the next one begins. What is found damaged is
        /// out of use until it is pushed again. 0s stands for never.
        hot "scrub" scrub: Duration = Duration::hours(24 * 14), in Duration::seconds(0)..=Duration::hours(24 * 365);
        /// How many bytes a second that check reads at most.
        hot "scrubRate" scrub_rate: ByteSize = ByteSize::mib(20), in ByteSize::mib(1)..=ByteSize::gib(16);
    }
}
