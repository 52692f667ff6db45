//! The evaluator: may this principal do this to that?
//!
//! The rules are those of the configuration's `accessControl`, with zot's semantics: the longest pattern that matches
//! the repository decides alone, and what it does not allow only the administrators' policy can still allow.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;

use zas_config::{AccessControl, Action, GroupName, RepositoryAccess, UserName};
use zas_core::{Reference, RepositoryName};

use super::Principal;

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

/// The answer, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    reason: Reason,
}

/// Why something is allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
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

/// The rules, prepared for being asked on every request.
#[derive(Clone, Debug, Default)]
pub struct AccessPolicy {
    rules: Option<AccessControl>,
    groups: HashMap<UserName, HashSet<GroupName>>,
}

impl AccessPolicy {
    /// The rules of a configuration. Without any, whoever has signed in may do everything and nobody else anything.
    pub fn new(rules: Option<AccessControl>) -> Self {
        let mut groups: HashMap<UserName, HashSet<GroupName>> = HashMap::new();
        for (name, group) in rules.iter().flat_map(|rules| &rules.groups) {
            for user in &group.users {
                groups.entry(user.clone()).or_default().insert(name.clone());
            }
        }
        Self { rules, groups }
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

    /// Whether there may be anything that the principal is allowed to do.
    pub fn may_enter(&self, principal: &Principal) -> bool {
        let is_open = |rule: &RepositoryAccess| !rule.anonymous_policy.is_empty();
        let has_open_rule = || {
            self.rules
                .iter()
                .flat_map(|rules| rules.repositories.iter())
                .any(|(_, rule)| is_open(rule))
        };
        !principal.is_anonymous() || has_open_rule()
    }

    fn reason_to_allow(
        &self,
        principal: &Principal,
        action: Action,
        repository: &RepositoryName,
    ) -> Option<Reason> {
        let Some(rules) = &self.rules else {
            return (!principal.is_anonymous()).then_some(Reason::NoRules);
        };
        let rule = rules.repositories.longest_match(repository).map(|(_, rule)| rule);
        let Some(user) = principal.user() else {
            let is_open = rule.is_some_and(|rule| rule.anonymous_policy.contains(&action));
            return is_open.then_some(Reason::AnonymousPolicy);
        };
        rule.and_then(|rule| self.reason_in(rule, user, action))
            .or_else(|| {
                let admin = &rules.admin_policy;
                let is_admin = admin.users.contains(user) || self.is_member(user, &admin.groups);
                (is_admin && admin.actions.contains(&action)).then_some(Reason::AdminPolicy)
            })
    }

    fn reason_in(&self, rule: &RepositoryAccess, user: &UserName, action: Action) -> Option<Reason> {
        let allowing = || {
            rule.policies
                .iter()
                .filter(|policy| policy.actions.contains(&action))
        };
        if allowing().any(|policy| policy.users.contains(user)) {
            return Some(Reason::UserPolicy);
        }
        if allowing().any(|policy| self.is_member(user, &policy.groups)) {
            return Some(Reason::GroupPolicy);
        }
        rule.default_policy
            .contains(&action)
            .then_some(Reason::DefaultPolicy)
    }

    fn is_member(&self, user: &UserName, groups: &[GroupName]) -> bool {
        self.groups
            .get(user)
            .is_some_and(|own| groups.iter().any(|group| own.contains(group)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use zas_config::Configuration;

    use super::*;

    const RULES: &str = r#"
configVersion: 1
accessControl:
  groups:
    developers: { users: [alice, bob] }
    operators: { users: [olga] }
  adminPolicy: { users: [root], groups: [operators], actions: [read, delete] }
  repositories:
    "**": { anonymousPolicy: [read] }
    "team/**":
      defaultPolicy: [read]
      policies:
        - { users: [carol], actions: [read, create] }
        - { groups: [developers], actions: [create, update] }
    "team/secret/**":
      policies: [{ users: [alice], actions: [read] }]
    "team/secret/open": { anonymousPolicy: [read, create] }
    "locked/*": {}
"#;

    fn policy(text: &str) -> AccessPolicy {
        AccessPolicy::new(
            Configuration::parse(Path::new("test.yaml"), text)
                .unwrap()
                .access_control,
        )
    }

    fn principal(name: &str) -> Principal {
        if name.is_empty() {
            Principal::Anonymous
        } else {
            Principal::User(name.parse().unwrap())
        }
    }

    fn decide(policy: &AccessPolicy, who: &str, action: Action, repository: &str) -> Decision {
        let (principal, repository) = (principal(who), repository.parse().unwrap());
        let resource = Resource::Repository(&repository);
        policy.decide(&AccessRequest {
            principal: &principal,
            action,
            resource,
            context: RequestContext::default(),
        })
    }

    #[test]
    fn given_zots_rules_when_asked_then_each_answer_has_its_reason() {
        use Action::{Create, Delete, Read, Update};
        let policy = policy(RULES);
        let denied = None;
        let table = [
            // The widest pattern: open to anonymous, closed to everybody else, as zot has it.
            ("", Read, "library/alpine", Some(Reason::AnonymousPolicy)),
            ("", Create, "library/alpine", denied.clone()),
            ("", Update, "library/alpine", denied.clone()),
            ("", Delete, "library/alpine", denied.clone()),
            ("alice", Read, "library/alpine", denied.clone()),
            ("alice", Create, "library/alpine", denied.clone()),
            // A longer pattern decides alone: nothing of the wider one is added.
            ("", Read, "team/app", denied.clone()),
            ("", Create, "team/app", denied.clone()),
            ("dave", Read, "team/app", Some(Reason::DefaultPolicy)),
            ("dave", Create, "team/app", denied.clone()),
            ("dave", Update, "team/app", denied.clone()),
            ("dave", Delete, "team/app", denied.clone()),
            ("carol", Read, "team/app", Some(Reason::UserPolicy)),
            ("carol", Create, "team/app", Some(Reason::UserPolicy)),
            ("carol", Update, "team/app", denied.clone()),
            ("carol", Delete, "team/app", denied.clone()),
            ("alice", Read, "team/app", Some(Reason::DefaultPolicy)),
            ("alice", Create, "team/app", Some(Reason::GroupPolicy)),
            ("alice", Update, "team/app", Some(Reason::GroupPolicy)),
            ("alice", Delete, "team/app", denied.clone()),
            ("bob", Update, "team/deep/er/app", Some(Reason::GroupPolicy)),
            ("bob", Delete, "team/deep/er/app", denied.clone()),
            // A still longer one takes rights away again.
            ("alice", Read, "team/secret/plan", Some(Reason::UserPolicy)),
            ("alice", Create, "team/secret/plan", denied.clone()),
            ("bob", Read, "team/secret/plan", denied.clone()),
            ("carol", Read, "team/secret/plan", denied.clone()),
            ("", Read, "team/secret/plan", denied.clone()),
            ("", Read, "team/secret/open", Some(Reason::AnonymousPolicy)),
            ("", Create, "team/secret/open", Some(Reason::AnonymousPolicy)),
            ("alice", Read, "team/secret/open", denied.clone()),
            // A rule that allows nothing.
            ("", Read, "locked/box", denied.clone()),
            ("alice", Read, "locked/box", denied.clone()),
            // A single star does not cross a slash, so the widest pattern decides.
            ("", Read, "locked/box/inner", Some(Reason::AnonymousPolicy)),
            // Administrators: by name, by group, and only what their policy lists.
            ("root", Read, "locked/box", Some(Reason::AdminPolicy)),
            ("root", Delete, "team/secret/plan", Some(Reason::AdminPolicy)),
            ("root", Create, "team/app", denied.clone()),
            ("root", Update, "locked/box", denied.clone()),
            ("root", Read, "team/app", Some(Reason::DefaultPolicy)),
            ("olga", Delete, "library/alpine", Some(Reason::AdminPolicy)),
            ("olga", Read, "locked/box", Some(Reason::AdminPolicy)),
            ("olga", Create, "locked/box", denied.clone()),
            ("bob", Delete, "library/alpine", denied),
        ];
        for (who, action, repository, expected) in table {
            let decision = decide(&policy, who, action, repository);
            assert_eq!(
                decision.is_allowed(),
                expected.is_some(),
                "{who} {action:?} {repository}: {}",
                decision.reason()
            );
            if let Some(expected) = expected {
                assert_eq!(decision.reason(), &expected, "{who} {action:?} {repository}");
            }
        }
    }

    #[test]
    fn given_no_rules_when_asked_then_whoever_signed_in_may_and_nobody_else() {
        let policy = policy("configVersion: 1\n");
        assert!(decide(&policy, "alice", Action::Delete, "a").is_allowed());
        assert!(!decide(&policy, "", Action::Read, "a").is_allowed());
        assert!(policy.may_enter(&principal("alice")));
        assert!(!policy.may_enter(&Principal::Anonymous));
    }

    #[test]
    fn given_something_open_when_anonymous_comes_then_they_may_enter_and_listings_agree_with_decisions() {
        let policy = policy(RULES);
        assert!(policy.may_enter(&Principal::Anonymous));
        for repository in ["library/alpine", "team/app", "team/secret/open", "locked/box"] {
            for who in ["", "alice", "root", "dave"] {
                let name = repository.parse().unwrap();
                let listed = policy.may_read(&principal(who), &name);
                assert_eq!(
                    listed,
                    decide(&policy, who, Action::Read, repository).is_allowed(),
                    "{who} {repository}"
                );
            }
        }
    }

    #[test]
    fn given_a_denial_when_shown_then_it_says_who_what_and_where() {
        let policy = policy(RULES);
        let reason = decide(&policy, "dave", Action::Create, "team/app");
        assert_eq!(
            reason.reason().to_string(),
            "dave may not push to repository team/app"
        );
        let reason = decide(&policy, "", Action::Read, "team/app");
        assert_eq!(
            reason.reason().to_string(),
            "anonymous may not read from repository team/app"
        );
    }
}
