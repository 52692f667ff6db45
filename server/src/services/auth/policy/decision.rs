//! Answers, and their words.

use std::fmt;

use zas_config::Action as Verb;

use super::{Asked, Resource};
use crate::services::auth::{Need, Principal};

/// The answer, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub(super) reason: Reason,
}

/// Why something is allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Allowed: the administrator that the configuration names may do everything.
    Administrator,
    /// Allowed: there are no rules, so whoever has signed in may do everything.
    NoRules,
    /// Allowed by a policy that names the user.
    UserPolicy,
    /// Allowed by a policy that names a group of the user.
    GroupPolicy,
    /// Allowed to everybody who has signed in.
    DefaultPolicy,
    /// Allowed to those who have not signed in.
    AnonymousPolicy,
    /// Allowed by the administrators' policy.
    AdminPolicy,
    /// Allowed: the owner of a bucket may do everything with it.
    Owner,
    /// Allowed to who began it.
    Beginner,
    /// Allowed to whoever has signed in.
    SignedIn,
    /// Denied: nothing allows it. The sentence says to whom, what and where.
    Denied(String),
}

impl Reason {
    pub(super) fn denied(principal: &Principal, asked: &Asked<'_>) -> Self {
        let name = principal.name();
        let name = if name.is_empty() { "anonymous" } else { name };
        let Asked { action, resource } = asked;
        Self::Denied(match (resource, action.need()) {
            (Resource::Repository(_), Need::Verb(verb)) => {
                format!("{name} may not {} {resource}", phrase(verb))
            }
            (_, need) => format!("{name} may not do {action} with {resource}: {}", wanting(need)),
        })
    }
}

impl Decision {
    /// Whether it may be done.
    pub fn is_allowed(&self) -> bool {
        !matches!(self.reason, Reason::Denied(_))
    }

    /// Why.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Administrator => "the administrator may do everything",
            Self::NoRules => "no rules are configured",
            Self::UserPolicy => "a policy names the user",
            Self::GroupPolicy => "a policy names a group of the user",
            Self::DefaultPolicy => "everybody who has signed in may",
            Self::AnonymousPolicy => "everybody may",
            Self::AdminPolicy => "administrators may",
            Self::Owner => "the owner of a bucket may do everything with it",
            Self::Beginner => "who began an upload may",
            Self::SignedIn => "whoever has signed in may",
            Self::Denied(sentence) => sentence,
        })
    }
}

const fn phrase(verb: Verb) -> &'static str {
    match verb {
        Verb::Read => "read from",
        Verb::Create => "push to",
        Verb::Update => "move tags in",
        Verb::Delete => "delete from",
        Verb::DetectManifestCollision => "delete what several tags share in",
    }
}

/// What would have allowed it.
const fn wanting(need: Need) -> &'static str {
    match need {
        Need::Verb(Verb::Read) => "no rule gives read",
        Need::Verb(Verb::Create) => "no rule gives create",
        Need::Verb(Verb::Update) => "no rule gives update",
        Need::Verb(Verb::Delete) => "no rule gives delete",
        Need::Verb(Verb::DetectManifestCollision) => "no rule gives it",
        Need::Write => "no rule gives create or update",
        Need::NewBucket => "that needs to sign in, and a rule that gives create",
        Need::Beginner => "only who began it, the owner of the bucket and the administrator may",
        Need::SignedIn => "that needs to sign in",
        Need::Owner => "only the owner of the bucket and the administrator may",
    }
}
