//! Answers, and their words.

use std::fmt;

use zas_config::Action as Verb;

use super::Asked;
use crate::services::auth::Principal;

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
    /// Denied: nothing allows it. The sentence says to whom, what and where.
    Denied(String),
}

impl Reason {
    pub(super) fn denied(principal: &Principal, asked: &Asked<'_>) -> Self {
        let name = principal.name();
        let name = if name.is_empty() { "anonymous" } else { name };
        Self::Denied(format!(
            "{name} may not {} {}",
            phrase(asked.action.verb()),
            asked.resource
        ))
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
