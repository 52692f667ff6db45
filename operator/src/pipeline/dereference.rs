//! Step one: reads what the resource refers to.

mod pod;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use zas_config::AccessControl;
use zas_crd::{ConditionReason, TlsType, ZotArtifactStoreSpec};

use super::access_control;
use super::plan::Component;
use super::secret_facts::SecretFacts;
use crate::children::{ChildKind, Observations, StoreKey};
use crate::layout;
use crate::problem::Problem;
use crate::store::Names;

/// What the resource refers to, as far as building needs it.
#[derive(Clone, Debug, Default)]
pub struct References {
    /// Access rules out of a ConfigMap: while it holds none that are valid, the last that were, as far as is known.
    pub access_control: Option<Arc<AccessControl>>,
    /// The authority of the server's certificate, in PEM.
    pub server_authority: Option<String>,
    /// Whether the generated credentials are still to be made.
    pub needs_credentials: bool,
    /// What is missing or cannot be used, by the component that needs it.
    pub problems: Vec<(Component, Problem)>,
    /// Every object that was looked at, existing or not: a change of one is a reason to look again.
    pub watched: Vec<(ChildKind, String)>,
}

/// What was learned of objects, until they change.
#[derive(Debug, Default)]
pub struct Learned {
    secrets: Remembered<SecretFacts>,
    texts: Remembered<ConfigMapFacts>,
    /// The access rules of each store that were valid last.
    rules: Mutex<HashMap<StoreKey, Arc<AccessControl>>>,
}

/// What is known of a ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ConfigMapFacts {
    texts: BTreeMap<String, String>,
    binaries: BTreeSet<String>,
}

impl ConfigMapFacts {
    fn of(map: ConfigMap) -> Self {
        Self {
            texts: map.data.unwrap_or_default(),
            binaries: map.binary_data.unwrap_or_default().into_keys().collect(),
        }
    }

    fn has_key(&self, key: &str) -> bool {
        self.texts.contains_key(key) || self.binaries.contains(key)
    }
}

/// What was learned of objects of one kind, by namespace and name, at which resource version.
type Remembered<T> = Mutex<Versions<T>>;
type Versions<T> = HashMap<(String, String), (u64, Arc<T>)>;

impl References {
    /// The problems of one component.
    pub fn problems_of(&self, component: Component) -> Vec<Problem> {
        let own = self.problems.iter().filter(|(of, _)| *of == component);
        own.map(|(_, problem)| problem.clone()).collect()
    }

    fn problem(&mut self, component: Component, reason: ConditionReason, message: String) {
        self.problems.push((component, Problem::new(reason, message)));
    }
}

impl Learned {
    /// Forgets a store that is gone.
    pub fn forget_store(&self, store: &StoreKey) {
        lock(&self.rules).remove(store);
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, kind: ChildKind, namespace: &str, name: &str) {
        let place = (namespace.to_owned(), name.to_owned());
        match kind {
            ChildKind::Secret => drop(lock(&self.secrets).remove(&place)),
            ChildKind::ConfigMap => drop(lock(&self.texts).remove(&place)),
            _ => {}
        }
    }
}

/// The step: reads references of one store.
pub struct Dereference<'a> {
    /// The connection.
    pub client: &'a kube::Client,
    /// What the watches know.
    pub observations: &'a Observations,
    /// What was learned before.
    pub learned: &'a Learned,
    /// The store.
    pub key: &'a StoreKey,
}

impl std::fmt::Debug for Dereference<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Dereference")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Dereference<'_> {
    /// Reads everything that the specification refers to. An object is fetched once for each of its versions.
    ///
    /// # Errors
    /// When the API server does not answer. What is missing is a problem, not an error.
    pub async fn references(&self, spec: &ZotArtifactStoreSpec) -> kube::Result<References> {
        let mut found = References::default();
        self.administrator(spec, &mut found).await?;
        self.users(spec, &mut found).await?;
        self.certificate(spec, &mut found).await?;
        self.route_certificate(spec, &mut found).await?;
        self.access_control(spec, &mut found).await?;
        self.trusted_authorities(spec, &mut found).await?;
        self.ingress_certificate(spec, &mut found).await?;
        self.pod(spec, &mut found).await?;
        Ok(found)
    }

    async fn administrator(&self, spec: &ZotArtifactStoreSpec, found: &mut References) -> kube::Result<()> {
        let keys = [layout::USERNAME_KEY, layout::PASSWORD_KEY];
        let Some(given) = &spec.access.admin_ref else {
            let name = Names::of(&self.key.name).administrator();
            let facts = self.secret(&name, found).await?;
            found.needs_credentials = !facts.is_some_and(|facts| keys.iter().all(|key| facts.has(key)));
            return Ok(());
        };
        let field = "spec.access.adminRef";
        let component = Component::Credentials;
        if let Some(facts) = self.required_secret(component, &given.name, field, found).await? {
            require_keys(component, &facts, &keys, &given.name, field, found);
        }
        Ok(())
    }

    async fn users(&self, spec: &ZotArtifactStoreSpec, found: &mut References) -> kube::Result<()> {
        let Some(given) = &spec.access.htpasswd_ref else {
            return Ok(());
        };
        let field = "spec.access.htpasswdRef";
        let component = Component::Credentials;
        let Some(facts) = self.required_secret(component, &given.name, field, found).await? else {
            return Ok(());
        };
        require_keys(
            component,
            &facts,
            &[given.key.as_str()],
            &given.name,
            field,
            found,
        );
        if let Some(complaint) = facts.htpasswd_complaint(&given.key) {
            found.problem(
                component,
                ConditionReason::SecretInvalid,
                format!(
                    "key {} of Secret {} ({field}) is no htpasswd file: {complaint}",
                    given.key, given.name
                ),
            );
        }
        Ok(())
    }

    async fn certificate(&self, spec: &ZotArtifactStoreSpec, found: &mut References) -> kube::Result<()> {
        let Some(given) = spec
            .tls
            .secret_ref
            .as_ref()
            .filter(|_| spec.tls.tls_type == TlsType::Secret)
        else {
            return Ok(());
        };
        let field = "spec.tls.secretRef";
        let component = Component::Credentials;
        if let Some(facts) = self
            .certificate_secret(component, &given.name, field, found)
            .await?
        {
            found.server_authority.clone_from(&facts.authority);
        }
        Ok(())
    }

    async fn route_certificate(
        &self,
        spec: &ZotArtifactStoreSpec,
        found: &mut References,
    ) -> kube::Result<()> {
        let Some(given) = spec
            .exposure
            .route
            .as_ref()
            .and_then(|route| route.certificate_ref.as_ref())
        else {
            return Ok(());
        };
        let field = "spec.exposure.route.certificateRef";
        self.certificate_secret(Component::Route, &given.name, field, found)
            .await?;
        Ok(())
    }

    async fn ingress_certificate(
        &self,
        spec: &ZotArtifactStoreSpec,
        found: &mut References,
    ) -> kube::Result<()> {
        let ingress = spec.exposure.ingress.as_ref();
        let Some(given) = ingress.and_then(|ingress| ingress.tls_secret_ref.as_ref()) else {
            return Ok(());
        };
        let field = "spec.exposure.ingress.tlsSecretRef";
        self.certificate_secret(Component::Ingress, &given.name, field, found)
            .await?;
        Ok(())
    }

    async fn certificate_secret(
        &self,
        component: Component,
        name: &str,
        field: &str,
        found: &mut References,
    ) -> kube::Result<Option<Arc<SecretFacts>>> {
        let Some(facts) = self.required_secret(component, name, field, found).await? else {
            return Ok(None);
        };
        let keys = [layout::TLS_CERTIFICATE_KEY, layout::TLS_PRIVATE_KEY];
        let is_complete = require_keys(component, &facts, &keys, name, field, found);
        if let Some(complaint) = facts.tls_complaint.as_ref().filter(|_| is_complete) {
            found.problem(
                component,
                ConditionReason::SecretInvalid,
                format!("Secret {name} ({field}) cannot be used: {complaint}"),
            );
        }
        Ok(Some(facts))
    }

    async fn access_control(&self, spec: &ZotArtifactStoreSpec, found: &mut References) -> kube::Result<()> {
        let rules = spec.access.access_control.as_ref();
        let Some(given) = rules.and_then(|rules| rules.config_map_ref.as_ref()) else {
            return Ok(());
        };
        let field = "spec.access.accessControl.configMapRef";
        let component = Component::Configuration;
        let text = self
            .required_text(component, &given.name, &given.key, field, found)
            .await?;
        match text.as_deref().map(access_control::parse_file) {
            Some(Ok(rules)) => {
                let rules = Arc::new(rules);
                lock(&self.learned.rules).insert(self.key.clone(), Arc::clone(&rules));
                found.access_control = Some(rules);
                return Ok(());
            }
            Some(Err(error)) => found.problem(
                component,
                ConditionReason::AccessControlInvalid,
                format!(
                    "key {} of ConfigMap {} ({field}) holds no valid access rules, the last valid ones stay in force: \
                     {error}",
                    given.key, given.name
                ),
            ),
            None => {}
        }
        found.access_control = lock(&self.learned.rules).get(self.key).cloned();
        Ok(())
    }

    async fn trusted_authorities(
        &self,
        spec: &ZotArtifactStoreSpec,
        found: &mut References,
    ) -> kube::Result<()> {
        let Some(given) = &spec.network.trusted_ca_ref else {
            return Ok(());
        };
        let field = "spec.network.trustedCaRef";
        let component = Component::Workload;
        if let Some(text) = self
            .required_text(component, &given.name, &given.key, field, found)
            .await?
            && !text.contains("-----BEGIN CERTIFICATE-----")
        {
            found.problem(
                component,
                ConditionReason::ConfigMapInvalid,
                format!(
                    "key {} of ConfigMap {} ({field}) holds no certificate in PEM",
                    given.key, given.name
                ),
            );
        }
        Ok(())
    }

    async fn required_secret(
        &self,
        component: Component,
        name: &str,
        field: &str,
        found: &mut References,
    ) -> kube::Result<Option<Arc<SecretFacts>>> {
        let facts = self.secret(name, found).await?;
        if facts.is_none() {
            found.problem(
                component,
                ConditionReason::SecretMissing,
                format!(
                    "Secret {name} ({field}) does not exist in namespace {}: create it",
                    self.key.namespace
                ),
            );
        }
        Ok(facts)
    }

    async fn secret(&self, name: &str, found: &mut References) -> kube::Result<Option<Arc<SecretFacts>>> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.key.namespace);
        self.learn(
            ChildKind::Secret,
            name,
            &self.learned.secrets,
            found,
            async || {
                let secret = api.get_opt(name).await?;
                Ok(secret.map(|secret| SecretFacts::of(&secret.data.unwrap_or_default())))
            },
        )
        .await
    }

    async fn required_text(
        &self,
        component: Component,
        name: &str,
        key: &str,
        field: &str,
        found: &mut References,
    ) -> kube::Result<Option<String>> {
        let Some(facts) = self.required_config_map(component, name, field, found).await? else {
            return Ok(None);
        };
        let text = facts.texts.get(key).filter(|text| !text.is_empty()).cloned();
        if text.is_none() {
            found.problem(
                component,
                ConditionReason::ConfigMapInvalid,
                format!("ConfigMap {name} ({field}) has no key {key}: add it, or name another key"),
            );
        }
        Ok(text)
    }

    async fn required_config_map(
        &self,
        component: Component,
        name: &str,
        field: &str,
        found: &mut References,
    ) -> kube::Result<Option<Arc<ConfigMapFacts>>> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.key.namespace);
        let facts = self
            .learn(
                ChildKind::ConfigMap,
                name,
                &self.learned.texts,
                found,
                async || Ok(api.get_opt(name).await?.map(ConfigMapFacts::of)),
            )
            .await?;
        if facts.is_none() {
            found.problem(
                component,
                ConditionReason::ConfigMapMissing,
                format!(
                    "ConfigMap {name} ({field}) does not exist in namespace {}: create it",
                    self.key.namespace
                ),
            );
        }
        Ok(facts)
    }

    /// What is known of the object at the version that the watch has seen; fetched when that version is new.
    async fn learn<T>(
        &self,
        kind: ChildKind,
        name: &str,
        remembered: &Remembered<T>,
        found: &mut References,
        fetch: impl AsyncFnOnce() -> kube::Result<Option<T>>,
    ) -> kube::Result<Option<Arc<T>>> {
        found.watched.push((kind, name.to_owned()));
        let namespace = &self.key.namespace;
        let place = (namespace.clone(), name.to_owned());
        let version = self.observations.version(kind, namespace, name);
        if let Some((seen, facts)) = lock(remembered).get(&place)
            && version == Some(*seen)
        {
            return Ok(Some(Arc::clone(facts)));
        }
        let Some(facts) = fetch().await?.map(Arc::new) else {
            lock(remembered).remove(&place);
            return Ok(None);
        };
        // A version that the watch has not shown yet is not remembered: it will come, and be a reason to look again.
        if let Some(version) = version {
            lock(remembered).insert(place, (version, Arc::clone(&facts)));
        }
        Ok(Some(facts))
    }
}

fn lock<T>(remembered: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under the lock is complete in itself, so what a panicking thread left is sound.
    remembered.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reports keys that are absent or empty. Returns whether there are none.
fn require_keys(
    component: Component,
    facts: &SecretFacts,
    keys: &[&str],
    name: &str,
    field: &str,
    found: &mut References,
) -> bool {
    let missing: Vec<&str> = keys.iter().copied().filter(|key| !facts.has(key)).collect();
    if missing.is_empty() {
        return true;
    }
    found.problem(
        component,
        ConditionReason::SecretInvalid,
        format!(
            "Secret {name} ({field}) has no key {}: add it",
            missing.join(" and no key ")
        ),
    );
    false
}
