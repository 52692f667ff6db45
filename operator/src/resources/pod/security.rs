//! Security settings: the `restricted` standard, field by field unless something else is stated.

use k8s_openapi::api::core::v1::{Capabilities, PodSecurityContext, SeccompProfile, SecurityContext};

use crate::store::ResolvedStore;

/// The group of the image's user, which makes volumes writable for it.
const GROUP: i64 = 1001;
const ROOT: i64 = 0;

/// The Pod's settings. OpenShift chooses user and groups itself and refuses others.
pub(super) fn pod(store: &ResolvedStore) -> PodSecurityContext {
    let stated = store.spec.pod.security_context.clone().unwrap_or_default();
    let group = (!store.platform.is_openshift).then_some(GROUP);
    PodSecurityContext {
        run_as_non_root: stated.run_as_non_root.or(allows_root(stated.run_as_user)),
        seccomp_profile: stated.seccomp_profile.or_else(|| {
            Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            })
        }),
        fs_group: stated.fs_group.or(group),
        // Without it every start walks over all files of the volume.
        fs_group_change_policy: stated
            .fs_group_change_policy
            .or_else(|| Some("OnRootMismatch".to_owned())),
        ..stated
    }
}

/// The container's settings; what is not stated comes from the Pod.
pub(super) fn container(store: &ResolvedStore) -> SecurityContext {
    let stated = store
        .spec
        .pod
        .container_security_context
        .clone()
        .unwrap_or_default();
    let is_root = stated.run_as_user == Some(ROOT);
    let may_escalate = must_escalate(&stated).then_some(true);
    SecurityContext {
        run_as_non_root: stated.run_as_non_root.or(is_root.then_some(false)),
        allow_privilege_escalation: stated.allow_privilege_escalation.or(may_escalate).or(Some(false)),
        capabilities: Some(capabilities(stated.capabilities)),
        read_only_root_filesystem: stated.read_only_root_filesystem.or(Some(true)),
        ..stated
    }
}

/// A stated root user runs: a default must not contradict what was stated.
fn allows_root(user: Option<i64>) -> Option<bool> {
    Some(user != Some(ROOT))
}

/// Kubernetes refuses these without escalation.
fn must_escalate(stated: &SecurityContext) -> bool {
    let capabilities = stated.capabilities.as_ref();
    let added = capabilities.and_then(|capabilities| capabilities.add.as_deref());
    let adds_everything = added
        .unwrap_or_default()
        .iter()
        .any(|name| matches!(name.as_str(), "SYS_ADMIN" | "CAP_SYS_ADMIN"));
    stated.privileged == Some(true) || adds_everything
}

/// Stated additions keep the default that everything else is dropped.
fn capabilities(stated: Option<Capabilities>) -> Capabilities {
    let stated = stated.unwrap_or_default();
    Capabilities {
        drop: stated.drop.or_else(|| Some(vec!["ALL".to_owned()])),
        add: stated.add,
    }
}
