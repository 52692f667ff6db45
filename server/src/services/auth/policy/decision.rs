//! Answers, and their words.

use std::fmt;

use zas_config::Action;
use zas_core::RepositoryName;

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
    /// Denied: nothing allows it.
    Denied {
        /// Who asked; empty for anonymous.
        actor: String,
        /// What they wanted to do.
        action: Action,
        /// To which repository.
        repository: RepositoryName,
    },
}

impl Decision {
    /// Whether it may be done.
    pub fn is_allowed(&self) -> bool {
        !matches!(self.reason, Reason::Denied { .. })
    }

    /// Why.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Administrator => formatter.write_str("the administrator may do everything"),
            Self::NoRules => formatter.write_str("no rules are configured"),
            Self::UserPolicy => formatter.write_str("a policy names the user"),
            Self::GroupPolicy => formatter.write_str("a policy names a group of the user"),
            Self::DefaultPolicy => formatter.write_str("everybody who has signed in may"),
            Self::AnonymousPolicy => formatter.write_str("everybody may"),
            Self::AdminPolicy => formatter.write_str("administrators may"),
            Self::Denied {
                actor,
                action,
                repository,
            } => {
                let actor = if actor.is_empty() { "anonymous" } else { actor };
                write!(
                    formatter,
                    "{actor} may not {} repository {repository}",
                    verb(*action)
                )
            }
        }
    }
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Read => "read from",
        Action::Create => "push to",
        Action::Update => "move tags in",
        Action::Delete => "delete from",
        Action::DetectManifestCollision => "detect collisions in",
    }
}
