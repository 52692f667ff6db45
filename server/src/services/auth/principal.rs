//! Who calls.

use std::fmt;
use std::sync::Arc;

use zas_config::{GroupName, UserName};
use zas_s3::access_key::CanonicalId;

/// The issuer of users of the htpasswd file.
const LOCAL: &str = "local";

/// The issuer of the administrator, so that a user of the same name owns nothing of what the administrator owns.
const ADMINISTRATOR: &str = "administrator";

/// The one form that every kind of credential ends in: somebody, or nobody in particular. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(Option<Arc<Identity>>);

/// Somebody who has shown credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who it is, for good: what is stored.
    pub actor: Actor,
    /// A name for people, in logs and answers.
    pub display_name: String,
    /// The name that rules match.
    pub user: UserName,
    /// The groups that the issuer says.
    pub groups: Vec<GroupName>,
    /// The roles that the credentials give.
    pub roles: Vec<Role>,
}

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything, whatever the rules say. Only the credentials of `auth.administrator` give it.
    Administrator,
}

/// Whom something that is stored is ascribed to: the pair of an issuer and what it calls somebody. Names change hands,
/// the pair does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    issuer: Box<str>,
    subject: Box<str>,
}

/// An issuer that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an issuer: write a URL, or a word without spaces")]
pub struct InvalidIssuer(String);

impl Actor {
    /// What an issuer calls somebody.
    ///
    /// # Errors
    /// An issuer that is empty or has a space: it could not be told from the subject.
    pub fn new(issuer: &str, subject: &str) -> Result<Self, InvalidIssuer> {
        if issuer.is_empty() || issuer.contains(char::is_whitespace) {
            return Err(InvalidIssuer(issuer.to_owned()));
        }
        Ok(Self {
            issuer: issuer.into(),
            subject: subject.into(),
        })
    }

    /// A user of this server's own file.
    pub fn local(user: &UserName) -> Self {
        Self {
            issuer: LOCAL.into(),
            subject: user.as_str().into(),
        }
    }

    /// The administrator of that name.
    pub fn administrator(user: &UserName) -> Self {
        Self {
            issuer: ADMINISTRATOR.into(),
            subject: user.as_str().into(),
        }
    }

    /// Nobody in particular, or the server itself.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// What owners of buckets and objects are shown by in S3.
    pub fn canonical_id(&self) -> CanonicalId {
        CanonicalId::of(&self.issuer, &self.subject)
    }

    /// Whether it is a user of this server's own file.
    pub fn is_local(&self) -> bool {
        &*self.issuer == LOCAL
    }

    /// Who vouches for the subject; empty for nobody.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What the issuer calls the actor; empty for nobody.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

/// As it is stored: the issuer, a space and the subject, which may have spaces itself; nothing for nobody.
impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.issuer.is_empty() {
            return Ok(());
        }
        write!(formatter, "{} {}", self.issuer, self.subject)
    }
}

impl Principal {
    /// Somebody without credentials.
    pub const ANONYMOUS: Self = Self(None);

    /// Somebody who has shown credentials.
    pub fn of(identity: Identity) -> Self {
        Self(Some(Arc::new(identity)))
    }

    /// A user who has shown the password of the htpasswd file.
    pub fn user(name: UserName) -> Self {
        Self::here(Actor::local(&name), name, Vec::new())
    }

    /// The administrator that the configuration names, who has shown the password.
    pub fn administrator(name: UserName) -> Self {
        Self::here(Actor::administrator(&name), name, vec![Role::Administrator])
    }

    fn here(actor: Actor, user: UserName, roles: Vec<Role>) -> Self {
        Self::of(Identity {
            actor,
            display_name: user.as_str().to_owned(),
            user,
            groups: Vec::new(),
            roles,
        })
    }

    /// Who it is, when credentials were shown.
    pub fn identity(&self) -> Option<&Identity> {
        self.0.as_deref()
    }

    /// The name for people; empty for anonymous.
    pub fn name(&self) -> &str {
        self.identity().map_or("", |identity| &identity.display_name)
    }

    /// Whom changes are ascribed to.
    pub fn actor(&self) -> Actor {
        self.identity()
            .map_or_else(Actor::nobody, |identity| identity.actor.clone())
    }

    /// Whether it is the one that something is ascribed to. Nobody in particular is never the same.
    pub fn is(&self, actor: &Actor) -> bool {
        self.identity().is_some_and(|identity| identity.actor == *actor)
    }

    /// Whether no credentials were shown.
    pub fn is_anonymous(&self) -> bool {
        self.0.is_none()
    }

    /// Whether everything is allowed, whatever the rules say.
    pub fn is_administrator(&self) -> bool {
        self.identity()
            .is_some_and(|identity| identity.roles.contains(&Role::Administrator))
    }
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    #[test]
    fn given_actors_when_written_then_issuer_and_subject_can_be_told_apart() {
        let alice = Actor::local(&"alice in ops".parse().unwrap());
        assert_eq!(alice.to_string(), "local alice in ops");
        let federated = Actor::new("https://id.example/realms/dev", "local alice").unwrap();
        assert_eq!(federated.to_string(), "https://id.example/realms/dev local alice");
        assert_eq!(Actor::nobody().to_string(), "");
        for issuer in ["", "local alice", "a\tb"] {
            assert!(Actor::new(issuer, "x").is_err(), "{issuer:?}");
        }
    }

    #[test]
    fn given_an_actor_when_shown_in_s3_then_by_a_hash_of_issuer_and_subject() {
        let alice = Actor::local(&"alice".parse().unwrap());
        let hash = sha2::Sha256::digest(b"zas-canonical-v1\0local\0alice");
        let expected: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(alice.canonical_id().as_str(), expected);
    }

    #[test]
    fn given_a_user_with_the_administrators_name_when_compared_then_role_and_issuer_tell_them_apart() {
        let (user, administrator) = (
            Principal::user("root".parse().unwrap()),
            Principal::administrator("root".parse().unwrap()),
        );
        assert!(administrator.is_administrator() && !user.is_administrator());
        assert_ne!(user.actor(), administrator.actor());
        assert_ne!(user, administrator);
    }
}
