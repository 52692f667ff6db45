//! Who may do what: zot's `accessControl`.

use std::collections::{BTreeMap, BTreeSet};

use crate::section::section;
use crate::values::keyword::keywords;
use crate::{GroupName, PatternMap, UserName};

keywords! {
    /// Something a principal may be allowed to do.
    pub enum Action {
        /// Pull, and list tags and referrers.
        #[default]
        Read = "read",
        /// Push blobs and new tags.
        Create = "create",
        /// Move a tag that exists.
        Update = "update",
        /// Delete tags, manifests and blobs.
        Delete = "delete",
        /// A restriction, as zot has it: a digest that several tags share is not deleted, the answer is 409.
        DetectManifestCollision = "detectManifestCollision",
    }
}

section! {
    /// Who may do what. Among the patterns that match a repository the longest alone counts. In it are looked at:
    /// policies that name the user, policies that name a group, then `defaultPolicy` for everybody who signed in or
    /// `anonymousPolicy` for everybody who did not. What none of them allows, `adminPolicy` may.
    ///
    /// To S3 a bucket is `s3/<bucket>` and an object `s3/<bucket>/<key>`. Only patterns that begin with `s3/` match them,
    /// and `adminPolicy` does not speak of them; what is said of a bucket is said of its objects too, until a longer
    /// pattern matches. There `read` is to get and list, `create` to write keys that do not exist and to make the bucket,
    /// `update` to overwrite and to change tags. The owner of a bucket needs no rule.
    pub struct AccessControl {
        /// Rules by pattern of repository names, and behind `s3/` of buckets and keys.
        hot "repositories" repositories: PatternMap<RepositoryAccess> = PatternMap::default(), example "**";
        /// Groups that policies can name.
        hot "groups" groups: BTreeMap<GroupName, Group> = BTreeMap::new(), example "dev";
        /// What administrators may do in every repository, when the rules of the repository do not allow it.
        hot "adminPolicy" admin_policy: AdminPolicy = AdminPolicy::default();
    }
}

impl AccessControl {
    /// The groups that policies name and neither `groups` nor an issuer gives: nobody is in them, so a slip of the pen takes rights away
    /// without a word.
    pub fn undefined_groups(&self) -> BTreeSet<&GroupName> {
        let rules = self.repositories.iter();
        let policies = rules.flat_map(|(_, access)| &access.policies);
        let named = policies.flat_map(|policy| &policy.groups);
        let named = named.chain(&self.admin_policy.groups);
        let is_given = |group: &GroupName| group.is_of_issuer() || self.groups.contains_key(group);
        named.filter(|group| !is_given(group)).collect()
    }
}

section! {
    /// The rules of the repositories of one pattern.
    pub struct RepositoryAccess {
        /// What everybody may do who did not sign in.
        hot "anonymousPolicy" anonymous_policy: Vec<Action> = Vec::new(), example "[read]";
        /// What everybody may do who signed in. Says nothing about anonymous clients.
        hot "defaultPolicy" default_policy: Vec<Action> = Vec::new(), example "[read, create]";
        /// What some users and groups may do.
        hot "policies" policies: Vec<Policy> = Vec::new();
    }
}

section! {
    /// What some users and groups may do.
    pub struct Policy {
        /// The users.
        hot "users" users: Vec<UserName> = Vec::new(), example "[alice]";
        /// The groups.
        hot "groups" groups: Vec<GroupName> = Vec::new(), example "[dev]";
        /// What they may do. `detectManifestCollision` restricts `delete`: a digest that several tags share stays, and the
        /// answer is 409.
        hot "actions" actions: Vec<Action> = Vec::new(), example "[read, create, update, delete]";
    }
    refused { "conditions": "CEL conditions are not evaluated by this version, and ignoring them would allow too much" }
    check |policy| {
        if policy.users.is_empty() && policy.groups.is_empty() {
            return Err("a policy must name users or groups: for everybody who signed in use defaultPolicy".to_owned());
        }
        Ok(())
    }
}

section! {
    /// The members of a group.
    pub struct Group {
        /// The users.
        hot "users" users: Vec<UserName> = Vec::new(), example "[alice]";
    }
}

section! {
    /// What administrators may do in every repository.
    pub struct AdminPolicy {
        /// The users.
        hot "users" users: Vec<UserName> = Vec::new(), example "[admin]";
        /// The groups.
        hot "groups" groups: Vec<GroupName> = Vec::new(), example "[]";
        /// What they may do.
        hot "actions" actions: Vec<Action> = Vec::new(), example "[read, create, update, delete]";
    }
    refused { "conditions": "CEL conditions are not evaluated by this version, and ignoring them would allow too much" }
}
