//! A store as its objects are built from it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use zas_crd::{API_VERSION, DeletionPolicy, KIND, TlsType, ZotArtifactStoreSpec};

use crate::children::{Observed, StoreKey};
use crate::labels;
use crate::layout;
use crate::platform::Platform;

/// The names of everything that belongs to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(String);

impl Names {
    /// The names for the store of this name.
    pub fn of(store: &str) -> Self {
        Self(store.to_owned())
    }

    /// Deployment, Service, Ingress, Route, ServiceAccount, NetworkPolicy, ServiceMonitor and PrometheusRule bear the
    /// name of the store.
    pub fn store(&self) -> &str {
        &self.0
    }

    /// The Service of the operational port, apart so that a load balancer never publishes it.
    pub fn metrics_service(&self) -> String {
        format!("{}-metrics", self.0)
    }

    /// The ConfigMap whose name changes with its content, which is what makes a Deployment roll.
    pub fn restart_configuration(&self, content: &str) -> String {
        let hash = crate::hash::short(content.as_bytes());
        format!("{}{hash}", self.restart_configuration_prefix())
    }

    /// What the names of all ConfigMaps of [`Names::restart_configuration`] begin with.
    pub fn restart_configuration_prefix(&self) -> String {
        format!("{}-config-", self.0)
    }

    /// The ConfigMap that the server reads while running.
    pub fn hot_configuration(&self) -> String {
        format!("{}-settings", self.0)
    }

    /// The generated credentials of the administrator.
    pub fn administrator(&self) -> String {
        format!("{}-admin", self.0)
    }

    /// The claim.
    pub fn claim(&self) -> String {
        format!("data-{}", self.0)
    }
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    /// The image.
    pub image: String,
    /// The version inside it.
    pub version: String,
}

/// What a Pod runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Image and version.
    pub operand: Operand,
    /// The configuration that needs a restart, as YAML.
    pub configuration: String,
}

/// Where an object with data comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was made for this incarnation of the store, or is still to be made.
    Own,
    /// It was there before, made for this incarnation of a store when that is known. It is never deleted with this
    /// store.
    Adopted(Option<String>),
}

impl Origin {
    /// Where an object that may be there comes from.
    pub fn of(seen: Option<&Observed>, uid: &str) -> Self {
        let Some(seen) = seen else { return Self::Own };
        let made_for = seen.annotations.get(labels::MADE_FOR_ANNOTATION);
        let is_own = match made_for {
            Some(made_for) => made_for == uid,
            None => seen.controller.as_deref() == Some(uid),
        };
        if is_own {
            return Self::Own;
        }
        Self::Adopted(made_for.cloned())
    }
}

/// The proxy for connections to the outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// `HTTP_PROXY`.
    pub http: Option<String>,
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `NO_PROXY`.
    pub none: Option<String>,
}

/// A store as its objects are built from it.
#[derive(Clone, Debug)]
pub struct ResolvedStore {
    /// Namespace and name.
    pub key: StoreKey,
    /// The incarnation of the resource.
    pub uid: String,
    /// What was asked for.
    pub spec: ZotArtifactStoreSpec,
    /// What everything is called.
    pub names: Names,
    /// What the cluster offers.
    pub platform: Platform,
    /// The proxy, the operator's own unless the resource states one.
    pub proxy: ProxySettings,
    /// Where the claim comes from.
    pub claim_origin: Origin,
    /// Where the generated credentials come from.
    pub credentials_origin: Origin,
    /// PEM of the authority behind `tls.secretRef`, when it names one: what a reencrypting Route must trust.
    pub server_authority: Option<String>,
    /// The namespace of the operator, which may read the operational port.
    pub operator_namespace: String,
}

impl ResolvedStore {
    /// Whether the server itself speaks TLS.
    pub fn speaks_tls(&self) -> bool {
        self.spec.tls.tls_type == TlsType::Secret
    }

    /// The port for clients inside the Pod.
    pub fn port(&self) -> i32 {
        self.spec.http.port.unwrap_or(layout::DEFAULT_PORT)
    }

    /// The port of the Service.
    pub fn service_port(&self) -> i32 {
        let stated = self
            .spec
            .exposure
            .service
            .as_ref()
            .and_then(|service| service.port);
        stated.unwrap_or(if self.speaks_tls() { 443 } else { 80 })
    }

    /// The Secret with the administrator's name and password.
    pub fn administrator_secret(&self) -> String {
        match &self.spec.access.admin_ref {
            Some(given) => given.name.clone(),
            None => self.names.administrator(),
        }
    }

    /// The claim that the Pod mounts.
    pub fn claim_name(&self) -> String {
        let existing = self.spec.data_volume.existing_claim.clone();
        existing.unwrap_or_else(|| self.names.claim())
    }

    /// The owner of everything that can be made again.
    pub fn owner(&self) -> OwnerReference {
        OwnerReference {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            name: self.key.name.clone(),
            uid: self.uid.clone(),
            controller: Some(true),
            block_owner_deletion: None,
        }
    }

    /// The owner of the claim or of generated credentials: none when they are to outlive the resource, or were there
    /// before it. The rule holds from the first application on, so nothing is left to do when the resource is deleted.
    pub fn owner_of_data(&self, origin: &Origin) -> Option<OwnerReference> {
        match (self.spec.deletion_policy, origin) {
            (DeletionPolicy::Delete, Origin::Own) => Some(self.owner()),
            (DeletionPolicy::Retain, _) | (_, Origin::Adopted(_)) => None,
        }
    }

    /// The annotation that says for which incarnation an object with data was made.
    pub fn made_for(&self, origin: &Origin) -> Option<(String, String)> {
        let made_for = match origin {
            Origin::Own => Some(self.uid.clone()),
            Origin::Adopted(made_for) => made_for.clone(),
        };
        Some((labels::MADE_FOR_ANNOTATION.to_owned(), made_for?))
    }
}
