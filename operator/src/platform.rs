//! What kind of cluster this is: which optional APIs it has.

use std::collections::{BTreeMap, BTreeSet};

use kube::Client;

use crate::answers::{self, Answer};
use crate::children::ChildKind;

/// What the cluster offers beyond Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// Whether it is OpenShift: then its security context constraints choose users and groups.
    pub is_openshift: bool,
    optional: BTreeMap<ChildKind, Presence>,
}

/// Whether a cluster has a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It has.
    Present,
    /// It has not.
    #[default]
    Absent,
    /// It cannot be told: the server of the API group does not answer, for this reason. That is not absence, since
    /// objects of the kind may be there.
    Unknown(String),
}

impl Platform {
    /// A platform with these optional kinds.
    pub fn new(is_openshift: bool, optional: impl IntoIterator<Item = ChildKind>) -> Self {
        let present = |kind| (kind, Presence::Present);
        Self {
            is_openshift,
            optional: optional.into_iter().map(present).collect(),
        }
    }

    /// The same platform while it cannot be told whether it has this kind.
    #[must_use]
    pub fn without_answer_for(mut self, kind: ChildKind, why: &str) -> Self {
        self.optional.insert(kind, Presence::Unknown(why.to_owned()));
        self
    }

    /// Asks the API server.
    ///
    /// # Errors
    /// When it does not answer. That the server of a group does not is no error: its kinds are unknown then.
    pub async fn discover(client: &Client) -> kube::Result<Self> {
        let groups = client.list_api_groups().await?.groups;
        let groups: BTreeSet<String> = groups.into_iter().map(|group| group.name).collect();
        let mut optional = BTreeMap::new();
        for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
            if groups.contains(&kind.resource().group) {
                optional.insert(kind, presence(client, kind).await);
            }
        }
        Ok(Self {
            is_openshift: groups.contains("security.openshift.io"),
            optional,
        })
    }

    /// Whether the cluster has this kind.
    pub fn presence(&self, kind: ChildKind) -> Presence {
        if !kind.is_optional() {
            return Presence::Present;
        }
        self.optional.get(&kind).cloned().unwrap_or_default()
    }

    /// Whether the cluster is known to have this kind.
    pub fn has(&self, kind: ChildKind) -> bool {
        self.presence(kind) == Presence::Present
    }
}

async fn presence(client: &Client, kind: ChildKind) -> Presence {
    let resource = kind.resource();
    match client.list_api_group_resources(&resource.api_version).await {
        Ok(list) if list.resources.iter().any(|found| found.name == resource.plural) => Presence::Present,
        Ok(_) => Presence::Absent,
        // The group has no such version.
        Err(error) if answers::of(&error) == Answer::NotFound => Presence::Absent,
        Err(error) => {
            tracing::warn!(%error, api = resource.api_version, "cannot look into an API group");
            Presence::Unknown(answers::words(&error))
        }
    }
}
