//! The vocabulary of `status.conditions`: types, statuses and reasons.

use std::fmt;

/// Types of conditions. Available, Progressing and Degraded are always reported, Ready sums them up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// Available, not Degraded, and settled.
    Ready,
    /// The store serves clients.
    Available,
    /// The operator or the cluster is still bringing about what the spec asks for.
    Progressing,
    /// Something is wrong that somebody has to put right.
    Degraded,
    /// The operator leaves everything untouched.
    Paused,
    /// A newer version waits for consent.
    UpdateAvailable,
    /// Route, Ingress or load balancer have been admitted.
    ExposureReady,
    /// The claim is bound and has the size that was asked for.
    StorageReady,
}

impl ConditionType {
    /// All types, in the order in which they are reported.
    pub const ALL: [Self; 8] = [
        Self::Ready,
        Self::Available,
        Self::Progressing,
        Self::Degraded,
        Self::Paused,
        Self::UpdateAvailable,
        Self::ExposureReady,
        Self::StorageReady,
    ];

    /// The value of `type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Available => "Available",
            Self::Progressing => "Progressing",
            Self::Degraded => "Degraded",
            Self::Paused => "Paused",
            Self::UpdateAvailable => "UpdateAvailable",
            Self::ExposureReady => "ExposureReady",
            Self::StorageReady => "StorageReady",
        }
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It cannot be told.
    Unknown,
}

impl ConditionStatus {
    /// The value of `status`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for ConditionStatus {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl fmt::Display for ConditionStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Declares the reasons once: variant, spelling and meaning are the same name.
macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $name:ident),+ $(,)?) => {
        /// Reasons of conditions. Their spelling is part of the API: alerts and scripts compare it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ConditionReason {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl ConditionReason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The value of `reason`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What the reason means, as documentation says it.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($meaning),+).trim_ascii(),)+
                }
            }
        }
    };
}

reasons! {
    /// Everything is as the spec asks.
    AsExpected,
    /// The store is stopped because replicas is 0.
    Stopped,
    /// The operator is paused for this store.
    Paused,
    /// The operator works on this store.
    Active,
    /// The first server is being started.
    Starting,
    /// The server is being replaced because its configuration or version changed.
    RollingOut,
    /// The rollout waits because other stores are being rolled out.
    RolloutQueued,
    /// The rollout waits because a store that was restarted did not come up again.
    RolloutHalted,
    /// The rollout takes longer than it may.
    ProgressDeadlineExceeded,
    /// No server takes requests.
    NoReadyReplicas,
    /// The Pod cannot be created or scheduled, or its container does not start.
    PodFailing,
    /// Available, Progressing or Degraded says why the store is not ready.
    NotReady,
    /// A newer version waits for consent.
    UpdateAvailable,
    /// The newest version runs.
    UpToDate,
    /// The version is older than the data, or the step between the versions is not supported.
    UpgradeBlocked,
    /// A field needs a newer version of the server than the one that runs.
    FeatureNeedsNewerVersion,
    /// The spec cannot be carried out although the schema accepts it.
    InvalidSpec,
    /// A Secret does not exist.
    SecretMissing,
    /// A Secret lacks a key, or a value in it is not usable.
    SecretInvalid,
    /// A ConfigMap does not exist.
    ConfigMapMissing,
    /// A ConfigMap lacks a key, or a value in it is not usable.
    ConfigMapInvalid,
    /// The access control file is not valid; the last valid one stays in force.
    AccessControlInvalid,
    /// The ServiceAccount does not exist.
    ServiceAccountMissing,
    /// An object of the needed name exists and belongs to somebody else.
    ResourceConflict,
    /// The cluster refused an object.
    ApplyFailed,
    /// The operator lacks a permission.
    PermissionDenied,
    /// The installed definition of the resource is older than the operator.
    CRDOutdated,
    /// The cluster does not know a kind that the spec needs.
    APIMissing,
    /// The cluster does not tell now whether it knows a kind; what is there of it stays.
    APIUnavailable,
    /// An object of the store is being deleted; it is made again when it is gone.
    ObjectTerminating,
    /// The claim of the data does not exist; no empty one is made in its place.
    VolumeMissing,
    /// The claim of the data is being deleted; the server is not restarted, since that would end it.
    VolumeTerminating,
    /// The claim waits for a volume.
    VolumePending,
    /// The volume is being expanded.
    VolumeResizing,
    /// The claim lost its volume.
    VolumeLost,
    /// The size is below the size that the claim has.
    VolumeShrinkRefused,
    /// The storage class cannot expand volumes.
    VolumeExpansionRefused,
    /// The host is not among those that the operator may use.
    HostNotAllowed,
    /// A label of the host has more than 63 characters.
    HostInvalid,
    /// The Route waits to be admitted, or was refused.
    RouteNotAdmitted,
    /// The Ingress has no address yet.
    IngressPending,
    /// The load balancer has no address yet.
    LoadBalancerPending,
}

impl fmt::Display for ConditionReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
