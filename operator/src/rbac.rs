//! What the operator may do, each right with its reason. The manifests of every kind of installation are made from
//! this table.

/// Where a right is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the namespaces of the stores.
    Stores,
    /// In the operator's own namespace.
    Own,
}

/// Some verbs on some resources of an API group, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// Where.
    pub reach: Reach,
    /// The API group; empty for the core.
    pub group: &'static str,
    /// Plural names, subresources after a slash.
    pub resources: &'static [&'static str],
    /// What is done.
    pub verbs: &'static [&'static str],
    /// Why.
    pub because: &'static str,
}

/// Writing by server-side apply takes `patch`, and `create` when the object is not there yet.
const APPLIED: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

/// Everything that the operator does.
pub const RIGHTS: &[Right] = &[
    Right {
        reach: Reach::Stores,
        group: "zot.candlekeep.io",
        resources: &["zotartifactstores"],
        verbs: &["get", "list", "watch"],
        because: "it looks after them",
    },
    Right {
        reach: Reach::Stores,
        group: "zot.candlekeep.io",
        resources: &["zotartifactstores/status"],
        verbs: &["patch"],
        because: "it reports, and writes nothing else of the resource",
    },
    Right {
        reach: Reach::Stores,
        group: "zot.candlekeep.io",
        resources: &["zotartifactstores/finalizers"],
        verbs: &["update"],
        because: "clusters with OwnerReferencesPermissionEnforcement, such as OpenShift, ask for it before a store may own an object",
    },
    Right {
        reach: Reach::Stores,
        group: "apps",
        resources: &["deployments"],
        verbs: APPLIED,
        because: "the server runs in one",
    },
    Right {
        reach: Reach::Stores,
        group: "",
        resources: &["services", "configmaps", "serviceaccounts"],
        verbs: APPLIED,
        because: "addresses, configuration and identity of the server; ConfigMaps that stores refer to are read",
    },
    Right {
        reach: Reach::Stores,
        group: "",
        resources: &["secrets"],
        verbs: APPLIED,
        because: "generated credentials are written once; Secrets that stores refer to are checked for their keys; none is ever deleted by the operator, but clusters with OwnerReferencesPermissionEnforcement ask for that right before the deletion policy may change their owner",
    },
    Right {
        reach: Reach::Stores,
        group: "",
        resources: &["persistentvolumeclaims"],
        verbs: APPLIED,
        because: "the data lies on one; none is ever deleted by the operator, the right is needed as for Secrets",
    },
    Right {
        reach: Reach::Stores,
        group: "",
        resources: &["pods"],
        verbs: &["list"],
        because: "a Pod that does not start says why",
    },
    Right {
        reach: Reach::Stores,
        group: "networking.k8s.io",
        resources: &["ingresses", "networkpolicies"],
        verbs: APPLIED,
        because: "access from outside, and who may reach the server at all",
    },
    Right {
        reach: Reach::Stores,
        group: "route.openshift.io",
        resources: &["routes"],
        verbs: APPLIED,
        because: "access from outside on OpenShift",
    },
    Right {
        reach: Reach::Stores,
        group: "route.openshift.io",
        resources: &["routes/custom-host"],
        verbs: &["create", "update", "patch"],
        because: "OpenShift asks for it before a Route may state its host or certificate",
    },
    Right {
        reach: Reach::Stores,
        group: "monitoring.coreos.com",
        resources: &["servicemonitors", "prometheusrules"],
        verbs: APPLIED,
        because: "metrics and alerts, where the Prometheus operator is installed",
    },
    Right {
        reach: Reach::Stores,
        group: "events.k8s.io",
        resources: &["events"],
        verbs: &["create", "patch"],
        because: "what changes is told as events of the store",
    },
    Right {
        reach: Reach::Own,
        group: "coordination.k8s.io",
        resources: &["leases"],
        verbs: &["get", "create", "patch"],
        because: "one replica works, the others wait",
    },
];

/// The rights of people, aggregated into the roles that every cluster has. Whoever may edit a store can run Pods of
/// its shape, so `edit` here belongs to nobody who may not create Pods.
pub const PEOPLE: &[(&str, &[&str], &str)] = &[
    (
        "view",
        &["get", "list", "watch"],
        "sees stores and their state, never their Secrets",
    ),
    (
        "edit",
        &[
            "get",
            "list",
            "watch",
            "create",
            "update",
            "patch",
            "delete",
            "deletecollection",
        ],
        "runs stores, which is as much as creating Pods",
    ),
    (
        "admin",
        &[
            "get",
            "list",
            "watch",
            "create",
            "update",
            "patch",
            "delete",
            "deletecollection",
        ],
        "as edit, in namespaces whose administration is handed on",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::children::ChildKind;

    #[test]
    fn given_every_kind_that_is_made_when_looked_up_then_it_may_be_watched_and_written_and_data_never_deleted()
     {
        for kind in ChildKind::ALL {
            let (group, _, plural) = kind.coordinates();
            let right = RIGHTS
                .iter()
                .find(|right| right.group == group && right.resources.contains(&plural))
                .unwrap_or_else(|| panic!("no right on {plural}"));
            // Setting the owner of what exists takes the right to delete it.
            for verb in ["get", "list", "watch", "create", "patch", "delete"] {
                assert!(right.verbs.contains(&verb), "{verb} {plural}");
            }
        }
    }

    #[test]
    fn given_the_table_when_read_then_there_are_no_wildcards_no_repeats_and_a_reason_each() {
        let mut seen = BTreeSet::new();
        for right in RIGHTS {
            assert!(!right.because.is_empty());
            for resource in right.resources {
                assert!(seen.insert((right.group, resource)), "{resource} twice");
                assert!(
                    !resource.contains('*') && !right.verbs.contains(&"*"),
                    "{resource}"
                );
            }
        }
    }
}
