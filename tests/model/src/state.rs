//! What a state of the store consists of: rows, bytes, requests under way, and what clients were promised.
//!
//! There is one digest. Operations treat the references of a manifest one by one, and nothing that one digest's rows
//! do depends on another's.

/// Abstract time.
pub type Tick = u8;

/// Upload ids that clients may use.
pub const UPLOADS: usize = 3;
/// Claims of an upload in one start of the metadata store.
pub const CLAIMS: u8 = 3;
/// Starts of the metadata store: in the beginning, after a power loss, and after it was opened again.
pub const STARTS: u8 = 2;
/// Physical names of an upload: one for each claim in each start. A request writes one chunk.
pub const NAMES_OF_UPLOAD: u8 = CLAIMS * STARTS;
/// Physical names: those of the uploads, and those after the digest for the model without that rule.
pub const NAMES: usize = (UPLOADS + 1) * NAMES_OF_UPLOAD as usize;
/// What takes the place of an upload in the names after the digest.
pub const DIGEST: u8 = UPLOADS as u8;
/// Chunks of a blob at most.
pub const CHUNKS: usize = 2;
/// Repositories.
pub const REPOSITORIES: usize = 2;

/// A piece of a file as long as a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cell {
    /// Behind the end.
    #[default]
    Absent,
    /// Zeros where bytes should be.
    Hole,
    /// The blob's first or second chunk.
    Chunk(u8),
}

/// A file, as processes see it and as it will be after power loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct File {
    /// With what is in memory only.
    pub cached: [Cell; CHUNKS],
    /// What the disk holds.
    pub durable: [Cell; CHUNKS],
}

impl File {
    /// Whether there is a file at all.
    pub fn is_there(&self) -> bool {
        let mut cells = self.cached.iter().chain(&self.durable);
        cells.any(|cell| *cell != Cell::Absent)
    }

    /// What did not reach the disk reads as zeros: the length got there, the bytes did not.
    pub fn lose_power(&mut self) {
        for (cached, durable) in self.cached.iter_mut().zip(&mut self.durable) {
            if cached != durable && *durable == Cell::Absent {
                *durable = Cell::Hole;
            }
            *cached = *durable;
        }
    }
}

/// Where a blob's chunks are: the physical name of each.
pub type Extents = [u8; CHUNKS];

/// Who writes an upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch {
    /// The start of the metadata store in which the claim was made.
    pub start: u8,
    /// The number of the claim.
    pub claim: u8,
}

/// The row of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Upload {
    /// Its present writer.
    pub epoch: Epoch,
    /// Chunks known to be durable.
    pub saved: u8,
    /// Where they are.
    pub extents: Extents,
    /// Whether its present writer may be writing a name that is not listed.
    pub is_writing: bool,
    /// Whether a tick passed since it was touched.
    pub is_idle: bool,
}

/// A repository holds the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// Collection leaves it alone until then.
    pub lease_until: Tick,
    /// What brought it.
    pub upload: Option<u8>,
}

/// What is known of a physical name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// It holds the blob.
    Live,
    /// Its bytes go then.
    Doomed(Tick),
}

/// The metadata store, shared by all replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rows {
    /// By id.
    pub uploads: [Option<Upload>; UPLOADS],
    /// The one blob.
    pub blob: Option<Extents>,
    /// By repository.
    pub links: [Option<Link>; REPOSITORIES],
    /// By repository: a bit for each manifest that has an edge to the blob.
    pub edges: [u8; REPOSITORIES],
    /// By repository: a bit for each manifest.
    pub manifests: [u8; REPOSITORIES],
    /// By repository: the manifest that its one tag points to.
    pub tags: [Option<u8>; REPOSITORIES],
    /// By repository: a bit for each tick with a due entry.
    pub due: [u32; REPOSITORIES],
    /// By name.
    pub locations: [Option<Location>; NAMES],
}

/// How far a client is in its program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Client {
    /// The next operation.
    pub at: u8,
    /// The upload under way.
    pub upload: Option<u8>,
    /// Whether a request of it is under way that it still listens to.
    pub is_waiting: bool,
    /// How often it began again because a blob was missing.
    pub restarts: u8,
}

/// The place of a writing request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Before the claim.
    Claim,
    /// Before the file is opened and cut.
    Open,
    /// Before the bytes are written.
    Write,
    /// Before they are durable.
    Sync,
    /// Before the row.
    Record,
    /// Before the row, having looked for the digest outside.
    RecordLooked(bool),
    /// Row written, bytes not yet durable.
    SyncLate,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Work {
    /// A PATCH or a closing PUT with one chunk.
    Write {
        /// The upload.
        upload: u8,
        /// The chunk.
        chunk: u8,
        /// The repository.
        repository: u8,
        /// Where it is.
        stage: Stage,
        /// Its claim.
        epoch: Epoch,
        /// Where the chunks are.
        extents: Extents,
    },
    /// A HEAD that has read and is about to renew.
    Renew(u8),
    /// A mount that has seen the source link.
    Grant(u8),
    /// A commit that has seen the link.
    WriteEdges(u8, u8),
    /// A pull that has the manifest, since then.
    Find(u8, Tick),
    /// A download that knows where the bytes are, since then.
    Read(Extents, Tick),
}

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Task {
    /// Who asked.
    pub client: u8,
    /// Who answers.
    pub replica: u8,
    /// Whether the client listens.
    pub is_heard: bool,
    /// What it does.
    pub work: Work,
}

/// Where a background worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkerState {
    /// Nowhere.
    Idle,
    /// A collector took a due entry and looked around outside the committer.
    Looked {
        /// The link's repository.
        repository: u8,
        /// When the entry was due.
        due_at: Tick,
        /// Whether there was an edge.
        edge: bool,
        /// Whether the lease was over.
        is_over: bool,
    },
    /// Without doom: a collector is about to delete bytes.
    DeletesNow(u8),
    /// A doomed name was taken.
    Taken(u8),
    /// The first of the two steps is done.
    HalfWay(u8),
    /// The sweep saw a name on the disk.
    Seen(u8),
    /// An idle upload was listed with its epoch.
    Listed(u8, Epoch),
}

/// What clients may rely on. The protocol does not know these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Promises {
    /// By repository: manifests that were acknowledged, not deleted, and whose blob was there then or since.
    pub owed: [u8; REPOSITORIES],
    /// By repository: when a positive answer about the blob was given, while it is younger than the grace.
    pub answered: [Option<Tick>; REPOSITORIES],
    /// By upload: the acknowledged offset.
    pub offsets: [u8; UPLOADS],
    /// A bit for each upload that was finished.
    pub finished: u8,
    /// A bit for each [`Breach`].
    pub broken: u8,
}

/// What is seen in a step rather than in a state.
#[derive(Clone, Copy, Debug)]
pub enum Breach {
    /// Bytes were deleted while a live location or an upload named them.
    NamedBytesDeleted = 1,
    /// A reader lost what it had been promised.
    ReaderFailed = 2,
    /// A retried closing request was refused although the first had succeeded.
    RetryRefused = 4,
}

/// How much may still go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Clients that do not hear an answer.
    pub losses: u8,
    /// Crashes of a replica.
    pub crashes: u8,
    /// Power losses of everything.
    pub power: u8,
    /// Failed writes after which the metadata store is opened again and has lost what was not durable.
    pub reopenings: u8,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The time.
    pub now: Tick,
    /// The next upload id.
    pub next_upload: u8,
    /// The shared rows.
    pub rows: Rows,
    /// The upload rows as a power loss would leave them: creating and claiming do not wait for the disk.
    pub synced_uploads: [Option<Upload>; UPLOADS],
    /// The same for what is known of names: a claim dooms one.
    pub synced_locations: [Option<Location>; NAMES],
    /// The start of the metadata store.
    pub start: u8,
    /// The shared bytes, by name.
    pub files: [File; NAMES],
    /// The clients.
    pub clients: Vec<Client>,
    /// The requests under way, sorted.
    pub tasks: Vec<Task>,
    /// The workers.
    pub workers: Vec<WorkerState>,
    /// What may still go wrong.
    pub budget: Budget,
    /// What was promised.
    pub promises: Promises,
}

impl State {
    /// Whether a name has bytes.
    pub fn has_bytes(&self, name: u8) -> bool {
        self.files[usize::from(name)].is_there()
    }

    /// The cells that a blob's extents lead to, as they survive power loss.
    pub fn durable_cells(&self, extents: Extents, chunks: usize) -> impl Iterator<Item = (usize, Cell)> + '_ {
        (0..chunks).map(move |chunk| {
            let file = &self.files[usize::from(extents[chunk])];
            (chunk, file.durable[chunk])
        })
    }

    /// Notes a breach.
    pub fn breach(&mut self, breach: Breach) {
        self.promises.broken |= breach as u8;
    }
}
