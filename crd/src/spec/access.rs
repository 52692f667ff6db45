//! `spec.access`: who may sign in with a password, and what they may do.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::references::{ConfigMapKeyRef, SecretKeyRef, SecretRef};

/// Who may sign in with a password, and what they may do.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Secret with username and password of the first administrator. Default: a Secret named after the store, with
    /// -admin, is generated. A change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_ref: Option<SecretRef>,

    /// What clients may do who did not sign in, where accessControl says nothing else: None, or Pull. A change takes
    /// effect without a restart.
    #[serde(default)]
    pub anonymous: AnonymousAccess,

    /// Secret key with lines user:hash, hashed with bcrypt or argon2id. Default: only the administrator signs in. A
    /// change takes effect without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub htpasswd_ref: Option<SecretKeyRef>,

    /// What users and groups may do. Default: everybody who signed in may do everything. A change takes effect
    /// without a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_control: Option<AccessControl>,
}

/// What clients may do who did not sign in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub enum AnonymousAccess {
    /// Nothing.
    #[default]
    None,
    /// Read every repository.
    Pull,
}

/// What users and groups may do, with zot's meaning: from a ConfigMap, or stated here.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq, Eq)]
#[x_kube(cel)]
#[x_kube(validation = (
    "!(has(self.configMapRef) && (has(self.repositories) || has(self.groups) || has(self.admin)))",
    "accessControl.configMapRef replaces the rules stated here: remove repositories, groups and admin, or remove configMapRef"
))]
#[serde(rename_all = "camelCase")]
pub struct AccessControl {
    /// ConfigMap key with the accessControl section of a zot configuration, unchanged. An invalid file keeps the last
    /// valid one in force and sets the condition Degraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<ConfigMapKeyRef>,

    /// Rules by pattern of repository names, at most 256. The longest matching pattern counts alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 256),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["pattern"])
    )]
    pub repositories: Vec<RepositoryRule>,

    /// Groups that policies can name, at most 256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 256),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub groups: Vec<UserGroup>,

    /// What administrators may do in every repository, when the rules of the repository do not allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<AdminPolicy>,
}

/// An action on a repository, in zot's spelling.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Pull and list.
    Read,
    /// Push what does not exist.
    Create,
    /// Move an existing tag.
    Update,
    /// Delete.
    Delete,
    /// A restriction: a digest that several tags share is not deleted, but answered with 409.
    DetectManifestCollision,
}

impl Action {
    /// The value as zot spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::DetectManifestCollision => "detectManifestCollision",
        }
    }
}

/// Rules for the repositories that match a pattern.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryRule {
    /// Pattern of whole repository names: "*" stands for any text inside one component, "**" for any number of
    /// components.
    #[schemars(with = "crate::grammar::RepositoryPattern")]
    pub pattern: String,

    /// What some users and groups may do, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"))]
    pub policies: Vec<RepositoryPolicy>,

    /// What everybody may do who signed in. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), extend("x-kubernetes-list-type" = "set"))]
    pub default_actions: Vec<Action>,

    /// What everybody may do who did not sign in. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), extend("x-kubernetes-list-type" = "set"))]
    pub anonymous_actions: Vec<Action>,
}

/// What some users and groups may do.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct RepositoryPolicy {
    /// Names of users, at most 256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<crate::grammar::NestedUserName>", length(max = 256), extend("x-kubernetes-list-type" = "set"))]
    pub users: Vec<String>,

    /// Names of groups, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<crate::grammar::NestedGroupName>", length(max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub groups: Vec<String>,

    /// What they may do.
    #[schemars(length(min = 1, max = 5), extend("x-kubernetes-list-type" = "set"))]
    pub actions: Vec<Action>,
}

/// A group of users.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct UserGroup {
    /// Name of the group.
    #[schemars(with = "crate::grammar::GroupName")]
    pub name: String,

    /// Names of its users, at most 1024.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<crate::grammar::NestedUserName>", length(max = 1024), extend("x-kubernetes-list-type" = "set"))]
    pub users: Vec<String>,
}

/// What administrators may do.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq, Eq)]
pub struct AdminPolicy {
    /// Names of users, at most 256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<crate::grammar::UserName>", length(max = 256), extend("x-kubernetes-list-type" = "set"))]
    pub users: Vec<String>,

    /// Names of groups, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<crate::grammar::GroupName>", length(max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub groups: Vec<String>,

    /// What they may do.
    #[schemars(length(min = 1, max = 5), extend("x-kubernetes-list-type" = "set"))]
    pub actions: Vec<Action>,
}
