//! The ways to show who one is. Each is a file of its own behind this trait; all work at the same time.

use std::fmt::Debug;

use async_trait::async_trait;
use zas_core::Timestamp;

use super::policy::Asked;
use super::{AuthenticationError, Principal, RequestHead};

/// One kind of credentials.
#[async_trait(?Send)]
pub(super) trait Credential: Debug + Send + Sync {
    /// Who the head of a request shows to call; `None` when it shows nothing of this kind.
    ///
    /// # Errors
    /// Credentials of this kind are shown and not right: they are never passed over.
    async fn identify(
        &self,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<Option<Principal>, AuthenticationError>;

    /// The `WWW-Authenticate` that invites a client to show credentials of this kind, for what it was denied; for
    /// nothing in particular without.
    fn challenge(&self, denied: Option<Asked<'_>>) -> Option<String>;
}
