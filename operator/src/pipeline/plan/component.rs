//! The components of a store, and what can become of one.

use crate::children::ChildKind;
use crate::problem::Problem;
use crate::resources::Prepared;

/// A part of a store that is planned by itself. The order is that of what is told about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// The ServiceAccount.
    Identity,
    /// What the administrator, users and the server itself prove who they are with.
    Credentials,
    /// The configuration of the server.
    Configuration,
    /// The claim of the data.
    Storage,
    /// The server.
    Workload,
    /// Addresses inside the cluster, and who may use them.
    Network,
    /// The address by OpenShift's router.
    Route,
    /// The address by an Ingress controller.
    Ingress,
    /// What Prometheus scrapes.
    ServiceMonitor,
    /// Alerts.
    PrometheusRule,
}

impl Component {
    /// The kinds of its objects. No kind belongs to two components.
    pub fn kinds(self) -> &'static [ChildKind] {
        match self {
            Self::Identity => &[ChildKind::ServiceAccount],
            Self::Credentials => &[ChildKind::Secret],
            Self::Configuration => &[ChildKind::ConfigMap],
            Self::Storage => &[ChildKind::PersistentVolumeClaim],
            Self::Workload => &[ChildKind::Deployment],
            Self::Network => &[ChildKind::Service, ChildKind::NetworkPolicy],
            Self::Route => &[ChildKind::Route],
            Self::Ingress => &[ChildKind::Ingress],
            Self::ServiceMonitor => &[ChildKind::ServiceMonitor],
            Self::PrometheusRule => &[ChildKind::PrometheusRule],
        }
    }
}

/// What becomes of a component.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// These are its objects, all of them.
    Ready(Vec<Prepared>),
    /// It cannot be as it is asked for. These objects are as good as can be had; whatever else there is of its kinds
    /// stays as it is.
    Keep(Vec<Prepared>, Vec<Problem>),
    /// It cannot be as it is asked for, and has nothing yet: nothing is made.
    Blocked(Vec<Problem>),
}

impl Plan {
    /// What is to be applied.
    pub fn objects(&self) -> &[Prepared] {
        match self {
            Self::Ready(objects) | Self::Keep(objects, _) => objects,
            Self::Blocked(_) => &[],
        }
    }

    /// What is wrong.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Ready(_) => &[],
            Self::Keep(_, problems) | Self::Blocked(problems) => problems,
        }
    }

    /// Whether it is as it is asked for, and that is not: not to be.
    pub fn is_wanted(&self) -> bool {
        matches!(self, Self::Ready(objects) if !objects.is_empty())
    }

    /// Whether it is as it is asked for.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }
}
