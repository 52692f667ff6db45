//! The evaluator: may this principal do this to that?
//!
//! The rules are those of the configuration's `accessControl`, with zot's semantics: the longest pattern that matches
//! the repository decides alone, and what it does not allow only the administrators' policy can still allow. The one
//! administrator of `auth.administrator` may do everything, whatever the rules say, and so may the owner of a bucket with
//! it. To everybody else a bucket is the text `s3/<bucket>` and its objects are `s3/<bucket>/<key>`, which only patterns
//! match that begin with `s3/`.

mod decision;
mod resource;
mod rules;

use zas_config::{AccessControl, Action as Verb, PatternMap};
use zas_core::RepositoryName;

use super::{Identity, Need, Principal, WriteRight};
pub use decision::{Decision, Reason};
pub use resource::{Asked, Resource};
use rules::{Administrators, Memberships, Rules};

/// The rules, prepared for being asked on every request: an answer costs a few look-ups, whatever their number.
#[derive(Clone, Debug, Default)]
pub struct AccessPolicy {
    prepared: Option<Prepared>,
    /// Whether others than users of this server's own sign in too.
    is_federated: bool,
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
    /// The rules of a configuration. Without any, whoever has signed in may do everything with repositories and nobody
    /// else anything.
    pub fn new(rules: Option<&AccessControl>) -> Self {
        Self {
            prepared: rules.map(Prepared::new),
            is_federated: false,
        }
    }

    /// The same rules where others than users of this server's own sign in too. Then nobody may do everything for want of
    /// rules: whoever a realm lets in would own the registry.
    #[must_use]
    pub fn beside_other_issuers(self) -> Self {
        Self {
            is_federated: true,
            ..self
        }
    }

    /// Answers whether the principal may do what is asked.
    pub fn decide(&self, principal: &Principal, asked: &Asked<'_>) -> Decision {
        let permission = self.permission(principal, asked);
        Decision {
            reason: permission.map_or_else(|| Reason::denied(principal, asked), |(reason, _)| reason),
        }
    }

    /// Whether the principal may do what is asked, without the words, and which keys it may write.
    pub fn allows(&self, principal: &Principal, asked: &Asked<'_>) -> Option<WriteRight> {
        self.permission(principal, asked).map(|(_, right)| right)
    }

    fn permission(&self, principal: &Principal, asked: &Asked<'_>) -> Option<(Reason, WriteRight)> {
        let Asked { action, resource } = asked;
        if principal.is_administrator() {
            return Some((Reason::Administrator, WriteRight::Any));
        }
        if resource.owner().is_some_and(|owner| principal.is(owner)) {
            return Some((Reason::Owner, WriteRight::Any));
        }
        let by_rules = |verb| self.reason_to_allow(principal, verb, resource);
        let reason = match action.need() {
            Need::Verb(verb) => by_rules(verb),
            Need::Write => return write_permission(by_rules(Verb::Create), by_rules(Verb::Update)),
            // A bucket has an owner, which is somebody.
            Need::NewBucket if principal.is_anonymous() => None,
            Need::NewBucket if self.prepared.is_none() => self.without_rules(principal),
            Need::NewBucket => by_rules(Verb::Create),
            Need::Beginner => {
                let began = resource.beginner().is_some_and(|beginner| principal.is(beginner));
                began.then_some(Reason::Beginner)
            }
            Need::SignedIn => (!principal.is_anonymous()).then_some(Reason::SignedIn),
            Need::Owner => None,
        };
        reason.map(|reason| (reason, WriteRight::Any))
    }

    /// Whether the principal may read a repository, for listings of many.
    pub fn may_read(&self, principal: &Principal, repository: &RepositoryName) -> bool {
        self.reason_to_allow(principal, Verb::Read, &Resource::Repository(repository))
            .is_some()
    }

    /// Whether a rule of the repository gives the principal `detectManifestCollision`. The action takes something away,
    /// so nobody has it for being an administrator or because there are no rules.
    pub fn detects_collisions(&self, principal: &Principal, repository: &RepositoryName) -> bool {
        let reason = self.reason_to_allow(
            principal,
            Verb::DetectManifestCollision,
            &Resource::Repository(repository),
        );
        !matches!(
            reason,
            None | Some(Reason::Administrator | Reason::NoRules | Reason::AdminPolicy)
        )
    }

    /// Whether there may be anything that the principal is allowed to do.
    pub fn may_enter(&self, principal: &Principal) -> bool {
        !principal.is_anonymous() || self.prepared.as_ref().is_some_and(|rules| rules.is_open)
    }

    /// Where nobody wrote rules, users of this server's own may do everything, as long as there are no others.
    fn without_rules(&self, principal: &Principal) -> Option<Reason> {
        let is_local = principal
            .identity()
            .is_some_and(|identity| identity.actor.is_local());
        (is_local && !self.is_federated).then_some(Reason::NoRules)
    }

    fn reason_to_allow(&self, principal: &Principal, verb: Verb, resource: &Resource<'_>) -> Option<Reason> {
        if principal.is_administrator() {
            return Some(Reason::Administrator);
        }
        match &self.prepared {
            // Without rules repositories belong to all who signed in; a bucket belongs to its owner.
            None if resource.is_bucket() => None,
            None => self.without_rules(principal),
            Some(rules) => rules.reason_to_allow(principal.identity(), verb, resource),
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
            administrators: Administrators::new(&rules.admin_policy),
            memberships,
            is_open: rules
                .repositories
                .iter()
                .any(|(_, access)| !access.anonymous_policy.is_empty()),
        }
    }

    fn reason_to_allow(
        &self,
        identity: Option<&Identity>,
        verb: Verb,
        resource: &Resource<'_>,
    ) -> Option<Reason> {
        let matched = resource.matched()?;
        let rules = self
            .repositories
            .longest_match_where(matched.first_component(), |pattern| matched.is_meant_by(pattern))
            .map(|(_, rules)| rules);
        let Some(identity) = identity else {
            return rules
                .filter(|rules| rules.anonymous.contains(verb))
                .map(|_| Reason::AnonymousPolicy);
        };
        let user = &identity.user;
        let groups = || self.memberships.of(user).iter().chain(&identity.groups);
        rules
            .and_then(|rules| rules.reason_to_allow(user, groups(), verb))
            .or_else(|| {
                // The administrators' policy speaks of repositories.
                let may = !resource.is_bucket() && self.administrators.may(user, groups(), verb);
                may.then_some(Reason::AdminPolicy)
            })
    }
}

fn write_permission(create: Option<Reason>, update: Option<Reason>) -> Option<(Reason, WriteRight)> {
    match (create, update) {
        (Some(reason), Some(_)) => Some((reason, WriteRight::Any)),
        (Some(reason), None) => Some((reason, WriteRight::Create)),
        (None, Some(reason)) => Some((reason, WriteRight::Update)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod s3_tests;
#[cfg(test)]
mod tests;
