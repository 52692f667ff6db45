//! The rules of the protocol as switches.

/// A rule of the storage protocol that the model can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// 2.1
    DurableBeforeRow,
    /// 2.2
    NameIsUpload,
    /// 2.2
    DuplicateIsDoomed,
    /// 2.2
    RenewalDooms,
    /// 2.3
    SweepAsksUploads,
    /// 2.3
    SweepAsksLocations,
    /// 2.4
    SaveAfterSync,
    /// 2.5
    EpochIsRequired,
    /// 2.5
    SuccessorWaits,
    /// 2.2
    OwnNames,
    /// 2.2
    NameIsNew,
    /// 2.2
    ClaimDooms,
    /// 2.8
    RetriedPutIsKnown,
    /// 1
    FinishIsOneOperation,
    /// 1
    MountIsOneOperation,
    /// 1
    CommitIsOneOperation,
    /// 3.1
    AnyLinkKeeps,
    /// 3.2
    EdgeForAbsent,
    /// 3.3
    HeadRenews,
    /// 3.3
    HeadAnswersFromRenewal,
    /// 3.4
    ReleaseLeases,
    /// 3.4
    ReleaseKeepsLongerLease,
    /// 3.4
    ReleaseQueues,
    /// 3.6
    UnlinkQueues,
    /// 4.1
    RunningTouches,
    /// 4.2
    ReapChecksEdge,
    /// 4.2
    ReapChecksLease,
    /// 4.2
    DoomThenDelete,
    /// 4.2
    BytesThenRow,
}

/// All rules that something breaks without, in the order of the page.
pub const ALL: [Rule; 28] = [
    Rule::FinishIsOneOperation,
    Rule::MountIsOneOperation,
    Rule::CommitIsOneOperation,
    Rule::DurableBeforeRow,
    Rule::NameIsUpload,
    Rule::OwnNames,
    Rule::NameIsNew,
    Rule::ClaimDooms,
    Rule::DuplicateIsDoomed,
    Rule::RenewalDooms,
    Rule::SweepAsksUploads,
    Rule::SweepAsksLocations,
    Rule::SaveAfterSync,
    Rule::EpochIsRequired,
    Rule::SuccessorWaits,
    Rule::RetriedPutIsKnown,
    Rule::AnyLinkKeeps,
    Rule::EdgeForAbsent,
    Rule::HeadRenews,
    Rule::HeadAnswersFromRenewal,
    Rule::ReleaseLeases,
    Rule::ReleaseQueues,
    Rule::UnlinkQueues,
    Rule::RunningTouches,
    Rule::ReapChecksEdge,
    Rule::ReapChecksLease,
    Rule::DoomThenDelete,
    Rule::BytesThenRow,
];

impl Rule {
    /// The section of the protocol.
    pub fn section(self) -> &'static str {
        match self {
            Self::FinishIsOneOperation | Self::MountIsOneOperation | Self::CommitIsOneOperation => "1",
            Self::DurableBeforeRow => "2.1",
            Self::NameIsUpload
            | Self::OwnNames
            | Self::NameIsNew
            | Self::ClaimDooms
            | Self::DuplicateIsDoomed
            | Self::RenewalDooms => "2.2",
            Self::SweepAsksUploads | Self::SweepAsksLocations => "2.3",
            Self::SaveAfterSync => "2.4",
            Self::EpochIsRequired | Self::SuccessorWaits => "2.5",
            Self::RetriedPutIsKnown => "2.8",
            Self::AnyLinkKeeps => "3.1",
            Self::EdgeForAbsent => "3.2",
            Self::HeadRenews | Self::HeadAnswersFromRenewal => "3.3",
            Self::ReleaseLeases | Self::ReleaseKeepsLongerLease | Self::ReleaseQueues => "3.4",
            Self::UnlinkQueues => "3.6",
            Self::RunningTouches => "4.1",
            Self::ReapChecksEdge | Self::ReapChecksLease | Self::DoomThenDelete | Self::BytesThenRow => "4.2",
        }
    }

    /// The rule, and how the model goes on without it.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::FinishIsOneOperation => {
                "`finish_upload` looks for the digest and acts on it in one operation (without: looks before it)"
            }
            Self::MountIsOneOperation => {
                "`mount_blob` looks for the source link and makes its own in one operation (without: looks before it)"
            }
            Self::CommitIsOneOperation => {
                "`commit_manifest` looks for the links and writes the edges in one operation (without: looks before it)"
            }
            Self::DurableBeforeRow => "bytes are durable before their row (without: synced after it)",
            Self::NameIsUpload => "a physical name begins with the upload's id (without: with the digest)",
            Self::DuplicateIsDoomed => {
                "a finish that finds the digest present dooms its own location (without: leaves it to the sweep)"
            }
            Self::RenewalDooms => {
                "a finish whose proved bytes take the place of stored ones dooms the old location (without: its bytes go at once)"
            }
            Self::SweepAsksUploads => "the sweep asks for an upload row (without: for locations only)",
            Self::SweepAsksLocations => "the sweep asks for a location row (without: for uploads only)",
            Self::SaveAfterSync => "an offset is saved after its bytes were synced (without: before)",
            Self::EpochIsRequired => {
                "save, finish and abort require the epoch of the claim (without: any epoch will do)"
            }
            Self::SuccessorWaits => {
                "in one process a successor waits for the end of its predecessor (without: both write)"
            }
            Self::OwnNames => {
                "each request that carries bytes writes a name of its own (without: all requests of an upload write one)"
            }
            Self::NameIsNew => {
                "no name is written twice: an epoch has the start of the metadata store in it, and a file is made only if there is none (without: neither)"
            }
            Self::ClaimDooms => {
                "a claim dooms the name that its predecessor did not list (without: leaves it to the sweep)"
            }
            Self::RetriedPutIsKnown => {
                "a closing PUT of an unknown upload that the link names is 201 (without: 404)"
            }
            Self::AnyLinkKeeps => {
                "a blob lives while any link of it lives (without: reap does not look for other links)"
            }
            Self::EdgeForAbsent => {
                "every reference writes its edge, present or absent (without: present ones only)"
            }
            Self::HeadRenews => "a positive HEAD renews the lease (without: it only reads)",
            Self::HeadAnswersFromRenewal => {
                "HEAD answers from the result of the renewal (without: from what it read before)"
            }
            Self::ReleaseLeases => {
                "removing an edge leases the link for a grace (without: the old lease stays)"
            }
            Self::ReleaseKeepsLongerLease => {
                "removing an edge leaves a longer lease as it is (without: cuts it to a grace from now)"
            }
            Self::ReleaseQueues => "removing an edge inserts a due entry (without: none)",
            Self::UnlinkQueues => "a client's blob DELETE inserts a due entry (without: none)",
            Self::RunningTouches => {
                "a running request touches its upload before it can expire (without: only at claim and save)"
            }
            Self::ReapChecksEdge => {
                "reap looks for edges again in its operation (without: trusts the look outside)"
            }
            Self::ReapChecksLease => {
                "reap reads the lease again in its operation (without: trusts the look outside)"
            }
            Self::DoomThenDelete => "reap dooms, bytes go after the delay (without: they go at once)",
            Self::BytesThenRow => {
                "the worker deletes bytes, then forgets the row (without: the other way round)"
            }
        }
    }
}

/// Which rules are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules(u32);

impl Rules {
    /// Every rule.
    pub const ALL: Self = Self(u32::MAX);

    /// Every rule but one.
    pub fn without(rule: Rule) -> Self {
        Self(!(1 << rule as u32))
    }

    /// Whether a rule is in force.
    pub fn has(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u32) != 0
    }
}
