//! Users of the htpasswd file and the administrator, who show their passwords by Basic authentication.

use std::sync::Arc;

use async_trait::async_trait;
use zas_config::UserName;
use zas_core::Timestamp;

use super::basic::{self, Credentials};
use super::credential::Credential;
use super::passwords::{Passwords, SignIn};
use super::policy::Asked;
use super::{AuthenticationError, Principal, RequestHead};

/// The passwords that this server keeps itself.
#[derive(Debug)]
pub(super) struct LocalPasswords {
    pub(super) sign_in: SignIn,
    /// What was verified and what failed outlives the reading of files.
    pub(super) passwords: Arc<Passwords>,
    /// The name that clients show when they ask for a password.
    pub(super) realm: String,
}

#[async_trait(?Send)]
impl Credential for LocalPasswords {
    async fn identify(
        &self,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<Option<Principal>, AuthenticationError> {
        let Some(header) = head.headers.first("authorization") else {
            return Ok(None);
        };
        let (user, password) = match basic::read(header).map_err(AuthenticationError::Malformed)? {
            None => return Ok(None),
            Some(Credentials::Nobody) => return Ok(Some(Principal::ANONYMOUS)),
            Some(Credentials::Password { user, password }) => (user, password),
        };
        // A malformed user name is rejected without counting an attempt: nobody has it.
        let user: UserName = user.parse().map_err(|_| AuthenticationError::Rejected)?;
        let client = head.client;
        let verified = self
            .passwords
            .verify(&self.sign_in, &user, &password, client, now)
            .await;
        if verified == Err(AuthenticationError::Rejected) {
            tracing::warn!(%user, %client, "failed attempt to sign in");
        }
        verified.map(Some)
    }

    fn challenge(&self, _: Option<Asked<'_>>) -> Option<String> {
        Some(basic::challenge(&self.realm))
    }
}
