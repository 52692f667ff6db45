//! Access keys: made, listed and revoked by their owners and by the administrator, and found when a request is signed
//! with one.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use zas_core::{Clock, IdSource, Timestamp};
use zas_metadata::{
    AccessKey, CreateAccessKeyOutcome, ListAccessKeys, MetadataError, MetadataStore, NewAccessKey, Origin,
    Owner, Page, RevokeOutcome,
};
use zas_s3::access_key::AccessKeyId;
use zas_s3::sigv4::SecretKey;

use super::key_set::KeySet;
use super::users::random;
use super::{Access, Actor, Principal};

/// Most bytes of a description.
const MAX_DESCRIPTION_BYTES: usize = 256;

/// Keys that are looked at in one step when the keys of removed users are revoked.
const PAGE: usize = 500;

/// Most keys of one owner, so that nobody fills the store with them.
const MAX_KEYS: usize = 500;

/// Why something was not done with access keys.
#[derive(Debug, thiserror::Error)]
pub enum AccessKeyError {
    /// They belong to somebody else.
    #[error("only the owner of an access key and the administrator may do that")]
    Denied,
    /// Nobody signed in, so there is nobody to own a key.
    #[error("sign in to have access keys")]
    Anonymous,
    /// There is no such user.
    #[error("there is no user {0:?}")]
    UnknownUser(String),
    /// There is no such key.
    #[error("there is no access key {0:?}")]
    Unknown(String),
    /// What was asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The server has no keys to derive secrets from.
    #[error("this server makes no access keys: encryption.keys is not set")]
    NotConfigured,
    /// The system gives no randomness.
    #[error("an access key cannot be made at the moment: {0}")]
    Random(String),
    /// The store failed.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

type Result<T> = std::result::Result<T, AccessKeyError>;

/// A key that was made, with the secret, which is shown this once.
#[derive(Clone, Debug)]
pub struct CreatedAccessKey {
    /// The key.
    pub key: AccessKey,
    /// Its secret.
    pub secret: SecretKey,
}

/// What a new key shall be.
#[derive(Clone, Debug, Default)]
pub struct AccessKeyWish {
    /// The name of the user whose key it will be; the caller's without.
    pub user: Option<String>,
    /// What it is for.
    pub description: String,
    /// From when on it is worth nothing.
    pub expires_at: Option<Timestamp>,
}

/// Who has signed with an access key, and what the signature is checked with.
#[derive(Clone, Debug)]
pub struct KeyHolder {
    /// The owner of the key.
    pub principal: Principal,
    /// The secret of the key.
    pub secret: SecretKey,
}

/// The access keys of the store.
#[derive(Clone, Debug)]
pub struct AccessKeys {
    metadata: Arc<dyn MetadataStore>,
    access: Arc<Access>,
    keys: Option<Arc<KeySet>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl AccessKeys {
    /// The access keys of a store, whose secrets are derived from `keys`. Without keys there are none.
    pub fn new(
        metadata: Arc<dyn MetadataStore>,
        access: Arc<Access>,
        keys: Option<Arc<KeySet>>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self {
            metadata,
            access,
            keys,
            clock,
            ids,
        }
    }

    /// Makes sure that every key-encryption key that valid access keys need is there.
    ///
    /// # Errors
    /// What to do about those that are not.
    pub async fn check_kids(&self) -> std::result::Result<(), String> {
        let used = self.metadata.used_kids().await;
        let used = used.map_err(|error| format!("access keys cannot be read: {error}"))?;
        let has = |kid: &String| self.keys.as_ref().is_some_and(|keys| keys.get(kid).is_some());
        let missing: Vec<_> = used.into_iter().filter(|kid| !has(kid)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "encryption.keys lacks {}, which secrets of access keys are derived from: put the lines back, or revoke those \
             access keys first",
            missing.join(", ")
        ))
    }

    /// Makes a key for the caller, or for another user when the administrator calls.
    ///
    /// # Errors
    /// [`AccessKeyError`].
    pub async fn create(&self, caller: &Principal, wish: AccessKeyWish) -> Result<CreatedAccessKey> {
        let owner = self.owner(caller, wish.user.as_deref())?;
        let keys = self.keys.as_ref().ok_or(AccessKeyError::NotConfigured)?;
        let (kid, encryption_key) = keys.newest().ok_or(AccessKeyError::NotConfigured)?;
        self.check_wish(&wish)?;
        let owned = ListAccessKeys {
            owner: Some(stored(&owner)),
            after: None,
            count: MAX_KEYS,
        };
        if self.metadata.list_access_keys(owned).await?.entries.len() >= MAX_KEYS {
            let reason = format!("nobody has more than {MAX_KEYS} access keys, revoked ones included");
            return Err(AccessKeyError::Invalid(reason));
        }
        let random = random().map_err(|error| AccessKeyError::Random(error.to_string()))?;
        let id = AccessKeyId::from_random(random);
        let key = NewAccessKey {
            id: id.to_string(),
            owner: stored(&owner),
            kid: kid.to_owned(),
            expires_at: wish.expires_at,
            description: wish.description,
        };
        match self.metadata.create_access_key(&self.origin(caller), key).await? {
            CreateAccessKeyOutcome::Created(key) => {
                tracing::info!(id = key.id, owner = %owner, actor = caller.name(), "made access key");
                let secret = encryption_key.secret_of(&id);
                Ok(CreatedAccessKey { key, secret })
            }
            CreateAccessKeyOutcome::Exists => Err(AccessKeyError::Random(
                "the id was drawn before: try again".to_owned(),
            )),
        }
    }

    fn check_wish(&self, wish: &AccessKeyWish) -> Result<()> {
        let description = &wish.description;
        if description.len() > MAX_DESCRIPTION_BYTES || description.chars().any(char::is_control) {
            let reason =
                format!("a description has at most {MAX_DESCRIPTION_BYTES} bytes and no control characters");
            return Err(AccessKeyError::Invalid(reason));
        }
        if wish.expires_at.is_some_and(|at| at <= self.clock.now()) {
            let reason = "the key would have expired before it is made";
            return Err(AccessKeyError::Invalid(reason.to_owned()));
        }
        Ok(())
    }

    /// The keys of the caller, those of another user, or those of all, by id.
    ///
    /// # Errors
    /// [`AccessKeyError`].
    pub async fn list(
        &self,
        caller: &Principal,
        user: Option<&str>,
        after: Option<String>,
        count: usize,
    ) -> Result<Page<AccessKey>> {
        let owner = self.owner(caller, user)?;
        let list = ListAccessKeys {
            owner: Some(stored(&owner)),
            after,
            count,
        };
        Ok(self.metadata.list_access_keys(list).await?)
    }

    /// Revokes a key, for good.
    ///
    /// # Errors
    /// [`AccessKeyError::Unknown`] also for keys of others, whose existence is nobody's business.
    pub async fn revoke(&self, caller: &Principal, id: &str) -> Result<()> {
        let unknown = || AccessKeyError::Unknown(id.to_owned());
        let key = self.metadata.access_key(id).await?.ok_or_else(unknown)?;
        let is_owner = actor(&key.owner).is_some_and(|owner| caller.is(&owner));
        if !is_owner && !caller.is_administrator() {
            return Err(unknown());
        }
        let revoked = self.metadata.revoke_access_key(&self.origin(caller), id).await?;
        if revoked == RevokeOutcome::Unknown {
            return Err(unknown());
        }
        tracing::info!(id, actor = caller.name(), "revoked access key");
        Ok(())
    }

    /// Who holds the key of an id, and its secret; `None` when there is no such key, when it is revoked or has expired,
    /// and when its owner is no user any more.
    ///
    /// # Errors
    /// Only failures of the store.
    pub async fn find(&self, id: &str) -> zas_metadata::Result<Option<KeyHolder>> {
        let (Some(keys), Ok(parsed)) = (&self.keys, id.parse::<AccessKeyId>()) else {
            return Ok(None);
        };
        let key = self.metadata.access_key(id).await?;
        let now = self.clock.now();
        let is_valid = |key: &AccessKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at);
        let Some(key) = key.filter(is_valid) else {
            return Ok(None);
        };
        let principal = actor(&key.owner).and_then(|owner| self.access.principal_of(&owner));
        let secret = keys
            .get(&key.kid)
            .map(|encryption_key| encryption_key.secret_of(&parsed));
        Ok(principal
            .zip(secret)
            .map(|(principal, secret)| KeyHolder { principal, secret }))
    }

    /// Revokes the keys of users who were removed, so that a user who is added under the same name later does not have
    /// them. Does nothing while it is not known who the users are.
    ///
    /// # Errors
    /// Only failures of the store; what was revoked stays revoked.
    pub async fn revoke_those_of_removed_users(&self) -> zas_metadata::Result<usize> {
        let (mut after, mut revoked) = (None, 0);
        loop {
            let list = ListAccessKeys {
                owner: None,
                after,
                count: PAGE,
            };
            let page = self.metadata.list_access_keys(list).await?;
            for key in page.entries.iter().filter(|key| key.revoked_at.is_none()) {
                let Some(owner) = actor(&key.owner) else { continue };
                if self.access.is_removed(&owner) {
                    let origin = self.origin(&Principal::ANONYMOUS);
                    self.metadata.revoke_access_key(&origin, &key.id).await?;
                    tracing::info!(id = key.id, %owner, "revoked access key: its owner is no user any more");
                    revoked += 1;
                }
            }
            after = page.entries.last().map(|key| key.id.clone());
            if !page.more {
                return Ok(revoked);
            }
        }
    }

    /// Revokes the keys of removed users now and whenever users may have been removed, until `stop` fires.
    pub async fn watch_users(&self, stop: &CancellationToken) {
        loop {
            if let Err(error) = self.revoke_those_of_removed_users().await {
                tracing::warn!(%error, "access keys of removed users are revoked at the next reload");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.access.reloaded() => {}
            }
        }
    }

    /// Whose keys are meant.
    fn owner(&self, caller: &Principal, user: Option<&str>) -> Result<Actor> {
        let identity = caller.identity().ok_or(AccessKeyError::Anonymous)?;
        let Some(user) = user.filter(|user| *user != identity.user.as_str()) else {
            return Ok(identity.actor.clone());
        };
        if !caller.is_administrator() {
            return Err(AccessKeyError::Denied);
        }
        let unknown = || AccessKeyError::UnknownUser(user.to_owned());
        let owner = Actor::local(&user.parse().map_err(|_| unknown())?);
        let principal = self.access.principal_of(&owner).ok_or_else(unknown)?;
        Ok(principal.actor())
    }

    fn origin(&self, caller: &Principal) -> Origin {
        Origin {
            operation: self.ids.upload_id(self.clock.now()).to_bytes(),
            actor: caller.actor().to_string(),
        }
    }
}

fn stored(actor: &Actor) -> Owner {
    Owner {
        issuer: actor.issuer().to_owned(),
        subject: actor.subject().to_owned(),
    }
}

fn actor(owner: &Owner) -> Option<Actor> {
    Actor::new(&owner.issuer, &owner.subject).ok()
}

#[cfg(test)]
#[path = "access_keys_tests.rs"]
mod tests;
