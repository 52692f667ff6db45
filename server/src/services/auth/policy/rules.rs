//! Rules arranged by user and by group.

use std::collections::{BTreeMap, HashMap, HashSet};

use zas_config::{Action as Verb, AdminPolicy, Group, GroupName, RepositoryAccess, UserName};

use super::Reason;

/// Some of the actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct ActionSet(u8);

impl ActionSet {
    pub(super) fn of(actions: &[Verb]) -> Self {
        Self(actions.iter().fold(0, |bits, action| bits | bit(*action)))
    }

    pub(super) const fn contains(self, verb: Verb) -> bool {
        self.0 & bit(verb) != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

const fn bit(verb: Verb) -> u8 {
    match verb {
        Verb::Read => 1,
        Verb::Create => 1 << 1,
        Verb::Update => 1 << 2,
        Verb::Delete => 1 << 3,
        Verb::DetectManifestCollision => 1 << 4,
    }
}

/// The rules of one pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    users: HashMap<UserName, ActionSet>,
    groups: HashMap<GroupName, ActionSet>,
    signed_in: ActionSet,
    pub(super) anonymous: ActionSet,
}

impl Rules {
    pub(super) fn new(access: &RepositoryAccess) -> Self {
        let mut rules = Self {
            signed_in: ActionSet::of(&access.default_policy),
            anonymous: ActionSet::of(&access.anonymous_policy),
            ..Self::default()
        };
        for policy in &access.policies {
            let actions = ActionSet::of(&policy.actions);
            for user in &policy.users {
                rules.users.entry(user.clone()).or_default().add(actions);
            }
            for group in &policy.groups {
                rules.groups.entry(group.clone()).or_default().add(actions);
            }
        }
        rules
    }

    /// What allows the action to a user who is in these groups.
    pub(super) fn reason_to_allow<'g>(
        &self,
        user: &UserName,
        mut groups: impl Iterator<Item = &'g GroupName>,
        verb: Verb,
    ) -> Option<Reason> {
        let allows = |actions: Option<&ActionSet>| actions.is_some_and(|actions| actions.contains(verb));
        if allows(self.users.get(user)) {
            return Some(Reason::UserPolicy);
        }
        if groups.any(|group| allows(self.groups.get(group))) {
            return Some(Reason::GroupPolicy);
        }
        self.signed_in.contains(verb).then_some(Reason::DefaultPolicy)
    }
}

/// Who administers, by name or by group, and what they may do.
#[derive(Clone, Debug, Default)]
pub(super) struct Administrators {
    users: HashSet<UserName>,
    groups: HashSet<GroupName>,
    actions: ActionSet,
}

impl Administrators {
    pub(super) fn new(policy: &AdminPolicy) -> Self {
        Self {
            users: policy.users.iter().cloned().collect(),
            groups: policy.groups.iter().cloned().collect(),
            actions: ActionSet::of(&policy.actions),
        }
    }

    pub(super) fn may<'g>(
        &self,
        user: &UserName,
        mut groups: impl Iterator<Item = &'g GroupName>,
        verb: Verb,
    ) -> bool {
        self.actions.contains(verb)
            && (self.users.contains(user) || groups.any(|group| self.groups.contains(group)))
    }
}

/// The groups that each user is in.
#[derive(Clone, Debug, Default)]
pub(super) struct Memberships(HashMap<UserName, Vec<GroupName>>);

impl Memberships {
    pub(super) fn new(groups: &BTreeMap<GroupName, Group>) -> Self {
        let mut memberships: HashMap<UserName, Vec<GroupName>> = HashMap::new();
        for (name, group) in groups {
            for user in &group.users {
                memberships.entry(user.clone()).or_default().push(name.clone());
            }
        }
        Self(memberships)
    }

    pub(super) fn of(&self, user: &UserName) -> &[GroupName] {
        self.0.get(user).map_or(&[], Vec::as_slice)
    }
}
