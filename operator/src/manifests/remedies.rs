//! What to do about the reason of a condition, for the documentation. The message of a condition names the object and
//! the field; this says where to look.

use zas_crd::ConditionReason as Reason;

/// What to do; empty when there is nothing to do.
pub(super) fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::AsExpected | Reason::Active | Reason::UpToDate => "",
        Reason::Stopped => "Set `spec.replicas` to 1 to start it.",
        Reason::Paused => "Set `spec.paused` to false when your work is done.",
        Reason::Starting | Reason::RollingOut => {
            "Wait; `kubectl get pods -l zot.candlekeep.io/store=NAME` shows the Pod."
        }
        Reason::RolloutQueued => "Wait, or raise `--rollout-concurrency` of the operator.",
        Reason::RolloutHalted => {
            "Put the store that the message names right: the others go on when it serves. To restart one of them nevertheless, state its `spec.version`."
        }
        Reason::ProgressDeadlineExceeded | Reason::NoReadyReplicas | Reason::PodFailing => {
            "Look at the Pod: `kubectl describe pod -l zot.candlekeep.io/store=NAME`, and at its log."
        }
        Reason::NotReady => "Look at the other conditions.",
        Reason::UpdateAvailable => "Set `spec.version` to `status.pendingUpdate` when it suits you.",
        Reason::UpgradeBlocked => {
            "State the version that the message names; to go back, restore a snapshot of the volume."
        }
        Reason::FeatureNeedsNewerVersion => {
            "Raise `spec.version`, or remove the field that the message names."
        }
        Reason::InvalidSpec => "Change the field that the message names.",
        Reason::SecretMissing | Reason::ConfigMapMissing => {
            "Make the object that the message names, in the namespace of the store."
        }
        Reason::SecretInvalid | Reason::ConfigMapInvalid => {
            "Put the key that the message names right; nothing has to be restarted."
        }
        Reason::AccessControlInvalid => "Correct the file; the last valid rules are in force until then.",
        Reason::ServiceAccountMissing => {
            "Make the account that `spec.serviceAccount.name` states, or remove the field."
        }
        Reason::ResourceConflict => "Rename the store, or delete the other object when nobody needs it.",
        Reason::ApplyFailed => {
            "The message is the answer of the API server: quota, admission policy, or a field that it refuses."
        }
        Reason::PermissionDenied => "Install the roles that came with this version of the operator.",
        Reason::CRDOutdated => "Install the definition that came with this version of the operator.",
        Reason::APIMissing => "Install the operator that brings the kind, or switch off what asks for it.",
        Reason::APIUnavailable => {
            "Look at what serves the API group that the message names: `kubectl get apiservices`. Nothing is built or deleted meanwhile."
        }
        Reason::ObjectTerminating => {
            "Wait; when it takes long, somebody else's finalizer holds the object that the message names."
        }
        Reason::VolumeMissing => {
            "Make the claim that the message names, restored from a backup if it held data, with the label `zot.candlekeep.io/store: NAME` unless `spec.dataVolume.existingClaim` states it."
        }
        Reason::VolumeTerminating => {
            "Copy the data off while the server runs, for example with `skopeo sync`; a deletion cannot be taken back. Then delete the Pod, and the store says what to do next."
        }
        Reason::VolumePending => {
            "`kubectl describe pvc` says why: no storage class, no room, or a volume that waits for its Pod."
        }
        Reason::VolumeResizing => "Wait; some storage grows only while the Pod restarts.",
        Reason::VolumeLost => "Restore the volume; the claim cannot be bound again.",
        Reason::VolumeShrinkRefused => "State at least the size that the claim has.",
        Reason::VolumeExpansionRefused => {
            "Use a storage class with `allowVolumeExpansion`, raise the quota, or move the data to a larger claim; the rest of the change is in force."
        }
        Reason::HostNotAllowed => "Use a host below one of the operator's `--allowed-host-suffixes`.",
        Reason::HostInvalid => "State a shorter host, or shorten the names of the store and its namespace.",
        Reason::RouteNotAdmitted => {
            "`kubectl describe route` has the router's answer: often the host is taken."
        }
        Reason::IngressPending => {
            "Check that the ingress controller of `spec.exposure.ingress.className` runs."
        }
        Reason::LoadBalancerPending => "Check that the cluster offers load balancers, and its quota.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_every_reason_that_is_bad_news_when_documented_then_it_says_what_to_do() {
        for reason in Reason::ALL {
            let is_good_news = matches!(reason, Reason::AsExpected | Reason::Active | Reason::UpToDate);
            assert_eq!(remedy(*reason).is_empty(), is_good_news, "{reason}");
        }
    }
}
