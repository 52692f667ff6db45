//! Uploads that stay open: which of their requests were sent and answered at which length of the record.

use zas_tests::Blob;

/// A request of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was begun.
    Start,
    /// Its bytes up to here were sent.
    Append(usize),
    /// It was closed.
    Close,
    /// It was cancelled.
    Cancel,
}

#[derive(Clone, Debug)]
struct Request {
    step: Step,
    sent: u64,
    answered: Option<u64>,
    location: Option<String>,
}

/// An upload with all its requests.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) repository: String,
    /// The whole content.
    pub(crate) blob: Blob,
    requests: Vec<Request>,
}

/// Where an upload stands when the record ends somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The address that the server named last.
    pub(crate) location: String,
    /// All bytes below were acknowledged.
    pub(crate) acknowledged: usize,
    /// No byte from here on was sent.
    pub(crate) sent: usize,
    /// The closing request was sent.
    pub(crate) is_closing: bool,
    /// It was cancelled, or may have been.
    pub(crate) is_cancelling: bool,
    /// Closing or cancelling was answered.
    pub(crate) is_over: bool,
}

impl Upload {
    pub(crate) fn new(repository: &str, blob: Blob) -> Self {
        Self {
            repository: repository.to_owned(),
            blob,
            requests: Vec::new(),
        }
    }

    /// A request is about to be sent.
    pub(crate) fn send(&mut self, step: Step, record: u64) {
        self.requests.push(Request {
            step,
            sent: record,
            answered: None,
            location: None,
        });
    }

    /// The last request was answered; the server may have named a new address.
    pub(crate) fn acknowledge(&mut self, location: Option<String>, record: u64) {
        if let Some(request) = self.requests.last_mut() {
            request.answered = Some(record);
            request.location = location;
        }
    }

    /// Where it stands when the record has this length; `None` when its client does not know an address.
    pub(crate) fn at(&self, record: u64) -> Option<Standing> {
        let is_answered = |request: &&Request| request.answered.is_some_and(|answered| answered <= record);
        let sent = || self.requests.iter().filter(|request| request.sent <= record);
        let answered = || self.requests.iter().filter(is_answered);
        let end = |request: &Request| match request.step {
            Step::Append(end) => end,
            Step::Close => self.blob.bytes.len(),
            Step::Start | Step::Cancel => 0,
        };
        let is_last = |request: &Request| matches!(request.step, Step::Close | Step::Cancel);
        Some(Standing {
            location: answered()
                .filter_map(|request| request.location.clone())
                .next_back()?,
            acknowledged: answered().map(end).max().unwrap_or(0),
            sent: sent().map(end).max().unwrap_or(0),
            is_closing: sent().any(|request| request.step == Step::Close),
            is_cancelling: sent().any(|request| request.step == Step::Cancel),
            is_over: answered().any(is_last),
        })
    }
}
