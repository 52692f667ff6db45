//! The evaluator: may this principal do this to that?
//!
//! The rules are those of the configuration's `accessControl`, with zot's semantics: the longest pattern that matches
//! the repository decides alone, and what it does not allow only the administrators' policy can still allow. The one
//! administrator of `auth.administrator` may do everything, whatever the rules say.

mod decision;
mod rules;

use std::net::IpAddr;

use zas_config::{AccessControl, Action, PatternMap};
use zas_core::{Reference, RepositoryName};

use super::Principal;
pub use decision::{Decision, Reason};
use rules::{Administrators, Memberships, Rules};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// What they want to do.
    pub action: Action,
    /// To what.
    pub resource: Resource<'a>,
    /// Under which circumstances.
    pub context: RequestContext<'a>,
}

/// What something is done to.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// A repository and what is in it.
    Repository(&'a RepositoryName),
}

/// The circumstances of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestContext<'a> {
    /// Where it comes from.
    pub client: Option<IpAddr>,
    /// Its HTTP method.
    pub method: &'a str,
    /// The tag or digest it names.
    pub reference: Option<&'a Reference>,
    /// Whether it came over TLS.
    pub is_tls: bool,
}

/// The rules, prepared for being asked on every request: an answer costs a few look-ups, whatever their number.
#[derive(Clone, Debug, Default)]
pub struct AccessPolicy {
    prepared: Option<Prepared>,
}

#[derive(Clone, Debug)]
struct Prepared {
    repositories: PatternMap<Rules>,
    administrators: Administrators,
    memberships: Memberships,
    /// Whether anything is allowed to anonymous.
    is_open: bool,
}

impl AccessPolicy {
    /// The rules of a configuration. Without any, whoever has signed in may do everything and nobody else anything.
    pub fn new(rules: Option<&AccessControl>) -> Self {
        Self {
            prepared: rules.map(Prepared::new),
        }
    }

    /// Answers a request.
    pub fn decide(&self, request: &AccessRequest<'_>) -> Decision {
        let Resource::Repository(repository) = request.resource;
        let reason = self
            .reason_to_allow(request.principal, request.action, repository)
            .unwrap_or_else(|| Reason::Denied {
                actor: request.principal.name().to_owned(),
                action: request.action,
                repository: repository.clone(),
            });
        Decision { reason }
    }

    /// Whether the principal may read a repository, for listings of many.
    pub fn may_read(&self, principal: &Principal, repository: &RepositoryName) -> bool {
        self.reason_to_allow(principal, Action::Read, repository)
            .is_some()
    }

    /// Whether a rule of the repository gives the principal `detectManifestCollision`. The action takes something away,
    /// so nobody has it for being an administrator or because there are no rules.
    pub fn detects_collisions(&self, principal: &Principal, repository: &RepositoryName) -> bool {
        let reason = self.reason_to_allow(principal, Action::DetectManifestCollision, repository);
        !matches!(
            reason,
            None | Some(Reason::Administrator | Reason::NoRules | Reason::AdminPolicy)
        )
    }

    /// Whether there may be anything that the principal is allowed to do.
    pub fn may_enter(&self, principal: &Principal) -> bool {
        !principal.is_anonymous() || self.prepared.as_ref().is_some_and(|rules| rules.is_open)
    }

    fn reason_to_allow(
        &self,
        principal: &Principal,
        action: Action,
        repository: &RepositoryName,
    ) -> Option<Reason> {
        if principal.is_administrator() {
            return Some(Reason::Administrator);
        }
        match &self.prepared {
            None => (!principal.is_anonymous()).then_some(Reason::NoRules),
            Some(rules) => rules.reason_to_allow(principal, action, repository),
        }
    }
}

impl Prepared {
    fn new(rules: &AccessControl) -> Self {
        let memberships = Memberships::new(&rules.groups);
        let repositories = rules.repositories.iter();
        Self {
            repositories: repositories
                .map(|(pattern, access)| (pattern.clone(), Rules::new(access)))
                .collect(),
            administrators: Administrators::new(&rules.admin_policy, &rules.groups),
            memberships,
            is_open: rules
                .repositories
                .iter()
                .any(|(_, access)| !access.anonymous_policy.is_empty()),
        }
    }

    fn reason_to_allow(
        &self,
        principal: &Principal,
        action: Action,
        repository: &RepositoryName,
    ) -> Option<Reason> {
        let rules = self
            .repositories
            .longest_match(repository)
            .map(|(_, rules)| rules);
        let Some(user) = principal.user() else {
            return rules
                .filter(|rules| rules.anonymous.contains(action))
                .map(|_| Reason::AnonymousPolicy);
        };
        rules
            .and_then(|rules| rules.reason_to_allow(user, self.memberships.of(user), action))
            .or_else(|| {
                self.administrators
                    .may(user, action)
                    .then_some(Reason::AdminPolicy)
            })
    }
}

#[cfg(test)]
mod tests;
