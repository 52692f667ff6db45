//! Small worlds, each with what one part of the protocol is about.

use crate::state::Tick;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// HEAD of the blob by a principal that may push; a positive answer spares the push that follows.
    Head(u8),
    /// POST, PATCH for all chunks but the last, closing PUT.
    Push(u8),
    /// Mount from the first repository to the second.
    Mount(u8, u8),
    /// PUT of a manifest that references the blob.
    Commit {
        /// Where.
        repository: u8,
        /// Which.
        manifest: u8,
        /// Whether the blob has to be there.
        is_required: bool,
    },
    /// DELETE of a manifest.
    DeleteManifest(u8, u8),
    /// DELETE of the blob.
    DeleteBlob(u8),
    /// GET of a manifest, then of its blob.
    Pull(u8, u8),
}

/// A background worker of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Takes due entries and reaps.
    Collector(u8),
    /// Deletes doomed bytes.
    Deleter(u8),
    /// Claims orphans.
    Sweeper(u8),
    /// Cancels idle uploads.
    Expirer(u8),
}

impl Worker {
    /// The replica it is part of.
    pub fn replica(self) -> u8 {
        match self {
            Self::Collector(replica)
            | Self::Deleter(replica)
            | Self::Sweeper(replica)
            | Self::Expirer(replica) => replica,
        }
    }
}

/// A blob that is there in the beginning, under name 0.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// The lease of repository 0's link.
    pub lease_until: Tick,
    /// Whether repository 0 has manifest 0, which references it.
    pub is_referenced: bool,
}

/// A bounded world.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What happens in it.
    pub sentence: &'static str,
    /// What is there in the beginning.
    pub stored: Option<Stored>,
    /// What each client asks for, in order.
    pub clients: &'static [&'static [Ask]],
    /// Server processes.
    pub replicas: u8,
    /// The workers that run.
    pub workers: &'static [Worker],
    /// Chunks of the blob.
    pub chunks: usize,
    /// The promised grace; a lease is twice as long.
    pub grace: Tick,
    /// The last tick.
    pub end: Tick,
    /// Requests whose client does not hear the answer.
    pub losses: u8,
    /// Crashes of one replica.
    pub crashes: u8,
    /// Power losses.
    pub power: u8,
    /// Times that the metadata store is opened again after a failed write, while requests go on.
    pub reopenings: u8,
    /// Whether the sweep is on.
    pub is_swept: bool,
    /// Whether a push of what is stored puts its bytes, which were just proved, in the place of the old ones.
    pub renews: bool,
}

/// What most scenarios have in common.
const QUIET: Scenario = Scenario {
    name: "",
    sentence: "",
    stored: None,
    clients: &[],
    replicas: 1,
    workers: &[],
    chunks: 1,
    grace: 1,
    end: 1,
    losses: 0,
    crashes: 0,
    power: 0,
    reopenings: 0,
    is_swept: true,
    renews: false,
};

const M0: Ask = Ask::Commit {
    repository: 0,
    manifest: 0,
    is_required: true,
};

/// One client, everything that can fail.
pub const PUSH: Scenario = Scenario {
    name: "push",
    sentence: "one client pushes an image to two replicas, with a lost answer, a power loss and a sweep",
    clients: &[&[Ask::Head(0), Ask::Push(0), M0]],
    replicas: 2,
    workers: &[Worker::Sweeper(0), Worker::Deleter(1)],
    end: 1,
    losses: 1,
    power: 1,
    ..QUIET
};

/// Upload in chunks to one process.
pub const RESUME: Scenario = Scenario {
    name: "resume",
    sentence: "one client uploads in chunks to one process, with two lost answers, a crash and a power loss",
    clients: &[&[Ask::Push(0), M0]],
    chunks: 2,
    end: 0,
    losses: 2,
    crashes: 1,
    power: 1,
    ..QUIET
};

/// Upload in chunks to two processes.
pub const ELSEWHERE: Scenario = Scenario {
    name: "resume elsewhere",
    sentence: "one client uploads in chunks to two replicas, with two lost answers and a crash",
    clients: &[&[Ask::Push(0), M0]],
    replicas: 2,
    chunks: 2,
    end: 0,
    losses: 2,
    crashes: 1,
    ..QUIET
};

/// Upload in chunks while the metadata store loses claims.
pub const REOPEN: Scenario = Scenario {
    name: "reopened",
    sentence: "one client uploads in chunks to two replicas whose metadata store is opened again without the last claim, with two lost answers and a crash",
    clients: &[&[Ask::Push(0), M0]],
    replicas: 2,
    chunks: 2,
    end: 0,
    losses: 2,
    crashes: 1,
    reopenings: 1,
    ..QUIET
};

/// Requests that leave bytes behind, no sweep.
pub const ABANDONED: Scenario = Scenario {
    name: "abandoned",
    sentence: "one client uploads in chunks to one process, with a lost answer and a crash; the sweep is off",
    clients: &[&[Ask::Push(0), M0]],
    workers: &[Worker::Deleter(0)],
    chunks: 2,
    end: 1,
    losses: 1,
    crashes: 1,
    is_swept: false,
    ..QUIET
};

/// Uploads that lie idle.
pub const EXPIRY: Scenario = Scenario {
    name: "expiry",
    sentence: "one client uploads in chunks while idle uploads expire, with a lost answer",
    clients: &[&[Ask::Push(0), M0]],
    replicas: 2,
    workers: &[Worker::Expirer(1), Worker::Deleter(1)],
    chunks: 2,
    end: 2,
    losses: 1,
    ..QUIET
};

/// Two clients, one digest, no sweep.
pub const DEDUPE: Scenario = Scenario {
    name: "dedupe",
    sentence: "two clients push one digest to two repositories while a replica collects; the sweep is off",
    stored: Some(Stored {
        lease_until: 0,
        is_referenced: false,
    }),
    clients: &[&[Ask::Push(0), M0], &[Ask::Push(1)]],
    replicas: 2,
    workers: &[Worker::Collector(0), Worker::Deleter(1)],
    end: 1,
    is_swept: false,
    ..QUIET
};

/// A blob that is nearly gone.
pub const LEASE: Scenario = Scenario {
    name: "lease",
    sentence: "a client asks HEAD for a blob whose lease ends, then references it, while both replicas collect, with a lost answer and a crash",
    stored: Some(Stored {
        lease_until: 2,
        is_referenced: false,
    }),
    clients: &[&[Ask::Head(0), Ask::Push(0), M0]],
    replicas: 2,
    workers: &[Worker::Collector(0), Worker::Collector(1)],
    grace: 2,
    end: 4,
    losses: 1,
    crashes: 1,
    ..QUIET
};

/// References to what is not there yet.
pub const ABSENT: Scenario = Scenario {
    name: "absent reference",
    sentence: "a client references a blob before it pushes it, and time passes, with a lost answer and a crash",
    clients: &[&[
        Ask::Commit {
            repository: 0,
            manifest: 0,
            is_required: false,
        },
        Ask::Push(0),
    ]],
    replicas: 2,
    workers: &[Worker::Collector(0), Worker::Collector(1)],
    end: 3,
    losses: 1,
    crashes: 1,
    ..QUIET
};

/// Deleting what others read.
pub const DELETE: Scenario = Scenario {
    name: "delete",
    sentence: "one client deletes a manifest, another pulls it, while both replicas collect, with a lost answer and a crash",
    stored: Some(Stored {
        lease_until: 0,
        is_referenced: true,
    }),
    clients: &[&[Ask::DeleteManifest(0, 0)], &[Ask::Pull(0, 0)]],
    replicas: 2,
    workers: &[Worker::Collector(0), Worker::Collector(1), Worker::Deleter(0)],
    end: 3,
    losses: 1,
    crashes: 1,
    ..QUIET
};

/// A new manifest for what an old one referenced.
pub const REPLACE: Scenario = Scenario {
    name: "replace",
    sentence: "one client deletes a manifest, another commits one with the same blob, while both replicas collect, with a crash",
    stored: Some(Stored {
        lease_until: 0,
        is_referenced: true,
    }),
    clients: &[
        &[Ask::DeleteManifest(0, 0)],
        &[
            Ask::Head(0),
            Ask::Push(0),
            Ask::Commit {
                repository: 0,
                manifest: 1,
                is_required: true,
            },
        ],
    ],
    replicas: 2,
    workers: &[Worker::Collector(0), Worker::Collector(1)],
    end: 3,
    crashes: 1,
    ..QUIET
};

/// Two repositories share a blob.
pub const MOUNT: Scenario = Scenario {
    name: "mount",
    sentence: "a client mounts a blob whose lease at its source ends, then references it, while both replicas collect, with a lost answer and a crash",
    stored: Some(Stored {
        lease_until: 1,
        is_referenced: false,
    }),
    clients: &[&[
        Ask::Mount(0, 1),
        Ask::Commit {
            repository: 1,
            manifest: 0,
            is_required: true,
        },
    ]],
    replicas: 2,
    workers: &[Worker::Collector(0), Worker::Collector(1), Worker::Deleter(0)],
    end: 4,
    losses: 1,
    crashes: 1,
    ..QUIET
};

/// A client deletes a blob.
pub const UNLINK: Scenario = Scenario {
    name: "unlink",
    sentence: "one client deletes a referenced blob, another mounts it from there, while both replicas collect, with a lost answer and a crash",
    stored: Some(Stored {
        lease_until: 0,
        is_referenced: true,
    }),
    clients: &[&[Ask::DeleteBlob(0)], &[Ask::Mount(0, 1)]],
    replicas: 2,
    workers: &[Worker::Collector(0), Worker::Collector(1), Worker::Deleter(0)],
    end: 3,
    losses: 1,
    crashes: 1,
    ..QUIET
};

/// A digest comes back while its old bytes go.
pub const RETURN: Scenario = Scenario {
    name: "return",
    sentence: "a digest is pushed again while both replicas delete its old bytes, with a crash; the sweep is off",
    stored: Some(Stored {
        lease_until: 0,
        is_referenced: false,
    }),
    clients: &[&[Ask::Head(0), Ask::Push(0), M0]],
    replicas: 2,
    workers: &[Worker::Collector(0), Worker::Deleter(0), Worker::Deleter(1)],
    end: 2,
    crashes: 1,
    is_swept: false,
    ..QUIET
};

/// Stored bytes give way to the same ones, proved once more.
pub const RENEWAL: Scenario = Scenario {
    name: "renewal",
    sentence: "a stored digest is pushed again, so that the proved bytes take the place of the old ones, while another client pulls these, with a lost answer and a crash; the sweep is off",
    stored: Some(Stored {
        lease_until: 2,
        is_referenced: true,
    }),
    clients: &[&[Ask::Push(0)], &[Ask::Pull(0, 0)]],
    workers: &[Worker::Collector(0), Worker::Deleter(0)],
    end: 2,
    losses: 1,
    crashes: 1,
    is_swept: false,
    renews: true,
    ..QUIET
};

/// Two clients push one digest to one repository.
pub const TWINS: Scenario = Scenario {
    name: "twins",
    sentence: "two clients push one digest to the same repository, and one answer is lost",
    clients: &[&[Ask::Push(0), M0], &[Ask::Push(0)]],
    end: 0,
    losses: 1,
    ..QUIET
};

/// Scenarios in which every property holds.
pub const ALL: [Scenario; 15] = [
    PUSH, RESUME, ELSEWHERE, REOPEN, ABANDONED, EXPIRY, DEDUPE, LEASE, ABSENT, DELETE, REPLACE, MOUNT,
    UNLINK, RETURN, RENEWAL,
];
