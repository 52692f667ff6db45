//! Uploads that are left open: how far each was acknowledged and how far it may have come.

use std::collections::BTreeMap;

use zas_tests::Response;

/// How the bytes of a blob are made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recipe {
    pub(crate) seed: u64,
    pub(crate) size: usize,
}

/// Where an upload stands in the eyes of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// More may follow.
    Open,
    /// The closing request was sent and not answered.
    Closing,
    /// The cancelling request was sent and not answered.
    Cancelling,
    /// The server said that it is gone.
    Cancelled,
}

/// An upload that was begun.
#[derive(Clone, Debug)]
pub(crate) struct OpenUpload {
    pub(crate) repository: String,
    /// The address that the server named last.
    pub(crate) location: String,
    pub(crate) recipe: Recipe,
    /// The digest of the whole content.
    pub(crate) digest: String,
    /// All bytes below were acknowledged.
    pub(crate) acknowledged: u64,
    /// No byte at or above was ever sent.
    pub(crate) sent: u64,
    pub(crate) state: State,
}

/// What the server says about an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is no such upload.
    Unknown,
    /// So many bytes are there.
    Offset(u64),
}

/// All uploads that are not known to be over.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    next: u64,
    open: BTreeMap<u64, OpenUpload>,
}

impl Uploads {
    /// Adds one and returns its number.
    pub(crate) fn add(&mut self, upload: OpenUpload) -> u64 {
        self.next += 1;
        self.open.insert(self.next, upload);
        self.next
    }

    /// Changes one.
    pub(crate) fn update(&mut self, number: u64, change: impl FnOnce(&mut OpenUpload)) {
        if let Some(upload) = self.open.get_mut(&number) {
            change(upload);
        }
    }

    /// Forgets one that is over.
    pub(crate) fn remove(&mut self, number: u64) {
        self.open.remove(&number);
    }

    /// One of them.
    pub(crate) fn get(&self, number: u64) -> Option<&OpenUpload> {
        self.open.get(&number)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &OpenUpload)> {
        self.open.iter().map(|(number, upload)| (*number, upload))
    }

    /// The open ones of a repository whose offset is known.
    pub(crate) fn open_in(&self, repository: &str) -> Vec<u64> {
        let is_own = |upload: &OpenUpload| {
            let is_known = upload.acknowledged == upload.sent;
            upload.repository == repository && upload.state == State::Open && is_known
        };
        self.iter()
            .filter(|(_, upload)| is_own(upload))
            .map(|(number, _)| number)
            .collect()
    }

    /// Takes what the server said after a restart as the new truth.
    pub(crate) fn settle(&mut self, observed: &BTreeMap<u64, Progress>) {
        self.open.retain(|number, upload| match observed.get(number) {
            Some(Progress::Offset(offset)) => {
                upload.acknowledged = *offset;
                upload.sent = *offset;
                upload.state = State::Open;
                true
            }
            Some(Progress::Unknown) => false,
            None => true,
        });
    }
}

/// Reads the offset out of the answer to a status request: `Range: 0-<last>`.
///
/// `0-0` is how servers write that nothing is there; no client of this test ever sends a single first byte.
pub(crate) fn offset(answer: &Response) -> Option<u64> {
    let Some(range) = answer.header("range") else {
        return Some(0);
    };
    let last: u64 = range.strip_prefix("0-")?.parse().ok()?;
    Some(if last == 0 { 0 } else { last + 1 })
}
