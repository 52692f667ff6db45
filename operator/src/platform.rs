//! What kind of cluster this is: which optional APIs it has.

use std::collections::BTreeSet;

use kube::Client;

use crate::children::ChildKind;

/// What the cluster offers beyond Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// Whether it is OpenShift: then its security context constraints choose users and groups.
    pub is_openshift: bool,
    optional: BTreeSet<ChildKind>,
}

impl Platform {
    /// A platform with these optional kinds.
    pub fn new(is_openshift: bool, optional: impl IntoIterator<Item = ChildKind>) -> Self {
        Self {
            is_openshift,
            optional: optional.into_iter().collect(),
        }
    }

    /// Asks the API server.
    ///
    /// # Errors
    /// When it does not answer. A group that is absent, or whose server is down, is no error.
    pub async fn discover(client: &Client) -> kube::Result<Self> {
        let groups: BTreeSet<String> = client
            .list_api_groups()
            .await?
            .groups
            .into_iter()
            .map(|group| group.name)
            .collect();
        let mut optional = BTreeSet::new();
        for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
            let resource = kind.resource();
            if !groups.contains(&resource.group) {
                continue;
            }
            match client.list_api_group_resources(&resource.api_version).await {
                Ok(list) if list.resources.iter().any(|found| found.name == resource.plural) => {
                    optional.insert(kind);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, api = resource.api_version, "cannot look into an API group");
                }
            }
        }
        Ok(Self {
            is_openshift: groups.contains("security.openshift.io"),
            optional,
        })
    }

    /// Whether the cluster has this kind.
    pub fn has(&self, kind: ChildKind) -> bool {
        !kind.is_optional() || self.optional.contains(&kind)
    }
}
