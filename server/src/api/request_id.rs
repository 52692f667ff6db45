//! Request ids: the client's when it is well-formed, else a new one.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::http::header::HeaderMap;

/// The header that carries the id, in both directions.
pub(super) const REQUEST_ID_HEADER: &str = "x-request-id";

thread_local! {
    /// The request whose work this thread does at the moment.
    static CURRENT: RefCell<Option<RequestId>> = const { RefCell::new(None) };
    /// What makes the ids of this thread random.
    static SEED: RandomState = RandomState::new();
    /// How many there were.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
}

/// Identifies one request in logs and answers. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id that the client sent, if it is short and harmless in a log, else a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let sent = headers
            .get(REQUEST_ID_HEADER)
            .and_then(|value| value.to_str().ok());
        let is_harmless = |text: &&str| {
            (1..=128).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        };
        sent.filter(is_harmless)
            .map_or_else(Self::new, |sent| Self(sent.into()))
    }

    /// A new id: random, and without asking the system for randomness with every request.
    fn new() -> Self {
        let number = NUMBER.replace(NUMBER.get().wrapping_add(1));
        let half = |half: u8| SEED.with(|seed| seed.hash_one((number, half))).to_ne_bytes();
        let mut random = [0; 16];
        let (low, high) = random.split_at_mut(8);
        low.copy_from_slice(&half(0));
        high.copy_from_slice(&half(1));
        let id = uuid::Builder::from_random_bytes(random).into_uuid();
        Self((*id.hyphenated().encode_lower(&mut [0; 36])).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Hands the id of the request whose work this thread does to `show`: every line of the log that is written meanwhile
    /// carries it.
    pub fn with_current(show: impl FnOnce(&str)) {
        CURRENT.with_borrow(|current| {
            if let Some(id) = current {
                show(id.as_str());
            }
        });
    }

    /// Does some work of this request.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let outer = CURRENT.replace(Some(self.clone()));
        let _restored = Restored(outer);
        work()
    }
}

/// Puts back which request's work was done before, also when the work panics.
struct Restored(Option<RequestId>);

impl Drop for Restored {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

pin_project_lite::pin_project! {
    /// The answering of a request, whose work it is whenever it is polled.
    #[derive(Debug)]
    pub(super) struct Answering<F> {
        pub(super) id: RequestId,
        #[pin]
        pub(super) answer: F,
    }
}

impl<F: Future> Future for Answering<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.id.during(|| this.answer.poll(context))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn id_for(sent: &'static str) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static(REQUEST_ID_HEADER),
            HeaderValue::from_static(sent),
        );
        RequestId::of(&headers)
    }

    #[tokio::test]
    async fn given_two_requests_whose_work_alternates_when_asked_then_each_has_its_own_id() {
        async fn current_after_a_pause() -> Option<String> {
            tokio::task::yield_now().await;
            let mut current = None;
            RequestId::with_current(|id| current = Some(id.to_owned()));
            current
        }
        let answering = |id| Answering {
            id: id_for(id),
            answer: current_after_a_pause(),
        };
        let (first, second) = tokio::join!(answering("first"), answering("second"));
        assert_eq!(first.as_deref(), Some("first"));
        assert_eq!(second.as_deref(), Some("second"));
        assert_eq!(current_after_a_pause().await, None);
    }

    #[test]
    fn given_a_harmless_id_when_sent_then_it_is_kept_and_others_are_replaced() {
        assert_eq!(id_for("build-42").as_str(), "build-42");
        assert_ne!(id_for("a b").as_str(), "a b");
        assert_ne!(id_for("").as_str(), "");
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
