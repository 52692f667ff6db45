//! Extensions: parts of the server that can be switched off and are then absent.
//!
//! An extension is wiring only. It names its configuration section, gets the services it may use, and returns routes,
//! observers, tasks and numbers as values; what it does lives in `api` and `services` like everything else. The model is
//! [`metrics`].

mod metrics;
mod s3api;
mod values;

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use zas_blobs::BlobStore;
use zas_config::Configuration;
use zas_metadata::MetadataStore;

use crate::api::Observer;
use crate::services::ConfigurationProblems;
use crate::services::maintenance::{Collected, Scrubbed};
use crate::services::metrics::Reading;

pub use metrics::Metrics;
pub use s3api::S3ApiExtension;
pub use values::{
    Exposition, Foundation, Health, HealthCheck, MaintenanceObserver, Parts, Reconfigure, Routes, Services,
    StoreLayer, Task,
};

/// A part of the server that can be switched off.
pub trait Extension: Debug + Send + Sync {
    /// The name in logs, and of the section below `extensions` in the configuration.
    fn name(&self) -> &'static str;

    /// What it gives before the stores are open.
    fn foundation(&self) -> Foundation {
        Foundation::default()
    }

    /// What it gives with these services, before the first request.
    ///
    /// # Errors
    /// A reason for which the server must not start.
    fn attach(&self, _services: &Services) -> Result<Parts, String> {
        Ok(Parts::default())
    }
}

/// The extensions that are switched on, with what they have given so far.
#[derive(Clone, Debug, Default)]
pub struct Extensions(Arc<All>);

#[derive(Debug, Default)]
struct All {
    extensions: Vec<(Box<dyn Extension>, Foundation)>,
    /// In the order of the extensions. Empty until they are attached.
    parts: OnceLock<Vec<(&'static str, Parts)>>,
}

impl Extensions {
    /// The extensions that the configuration switches on.
    pub fn from_configuration(configuration: &Configuration, problems: &Arc<ConfigurationProblems>) -> Self {
        let mut extensions: Vec<Box<dyn Extension>> = Vec::new();
        let metrics = &configuration.extensions.metrics;
        if metrics.enabled {
            extensions.push(Box::new(Metrics::new(metrics, problems)));
        }
        if configuration.extensions.s3api.enabled {
            extensions.push(Box::new(S3ApiExtension::new(configuration)));
        }
        Self::of(extensions)
    }

    /// These extensions.
    pub fn of(extensions: Vec<Box<dyn Extension>>) -> Self {
        let with_foundation = |extension: Box<dyn Extension>| {
            let foundation = extension.foundation();
            (extension, foundation)
        };
        Self(Arc::new(All {
            extensions: extensions.into_iter().map(with_foundation).collect(),
            parts: OnceLock::new(),
        }))
    }

    /// Gives all of them the services, in order, and returns their work, which is still to be begun. Done once.
    ///
    /// # Errors
    /// The name and reason of the first that does not start.
    pub fn attach(&self, services: &Services) -> Result<Vec<Task>, String> {
        let (mut all, mut tasks) = (Vec::new(), Vec::new());
        for (extension, _) in &self.0.extensions {
            let name = extension.name();
            let parts = extension.attach(services);
            let mut parts = parts.map_err(|reason| format!("extension {name} did not start: {reason}"))?;
            tasks.append(&mut parts.tasks);
            self.add_readings(&parts.readings);
            all.push((name, parts));
            tracing::info!(extension = name, "started extension");
        }
        let attached = self.0.parts.set(all);
        attached.map_err(|_| "the extensions are attached already".to_owned())?;
        Ok(tasks)
    }

    fn foundations(&self) -> impl Iterator<Item = &Foundation> {
        self.0.extensions.iter().map(|(_, foundation)| foundation)
    }

    fn parts(&self) -> impl Iterator<Item = &Parts> {
        self.0.parts.get().into_iter().flatten().map(|(_, parts)| parts)
    }

    /// The routes on the operational listener.
    pub fn operations_routes(&self) -> Vec<Routes> {
        self.foundations()
            .filter_map(|foundation| foundation.operations_routes.clone())
            .collect()
    }

    /// The routes on the public listener.
    pub fn public_routes(&self) -> Vec<Routes> {
        self.parts()
            .filter_map(|parts| parts.public_routes.clone())
            .collect()
    }

    /// Everybody who hears of requests.
    pub fn observers(&self) -> Arc<[Arc<dyn Observer>]> {
        self.parts().filter_map(|parts| parts.observer.clone()).collect()
    }

    /// The metadata store behind every extension that puts itself in front of it.
    pub fn wrap_metadata(&self, store: Arc<dyn MetadataStore>) -> Arc<dyn MetadataStore> {
        let layers = self
            .foundations()
            .filter_map(|foundation| foundation.layer.as_ref());
        layers.fold(store, |store, layer| layer.in_front_of_metadata(store))
    }

    /// The blob store behind every extension that puts itself in front of it.
    pub fn wrap_blobs(&self, store: Arc<dyn BlobStore>) -> Arc<dyn BlobStore> {
        let layers = self
            .foundations()
            .filter_map(|foundation| foundation.layer.as_ref());
        layers.fold(store, |store, layer| layer.in_front_of_blobs(store))
    }

    /// Offers the numbers of a part of the server to all who show some.
    pub fn add_readings(&self, readings: &[Reading]) {
        let expositions = self
            .foundations()
            .filter_map(|foundation| foundation.exposition.as_ref());
        expositions.for_each(|exposition| exposition.add(readings));
    }

    fn maintenance_observers(&self) -> impl Iterator<Item = &Arc<dyn MaintenanceObserver>> {
        self.parts()
            .filter_map(|parts| parts.maintenance_observer.as_ref())
    }

    /// Tells all who hear of it of a round of collection.
    pub fn collected(&self, round: Result<Collected, ()>) {
        self.maintenance_observers()
            .for_each(|observer| observer.collected(round));
    }

    /// Tells all who hear of it of something that the check of stored bytes did.
    pub fn scrubbed(&self, done: Scrubbed) {
        self.maintenance_observers()
            .for_each(|observer| observer.scrubbed(done));
    }

    /// Puts the hot part of a changed configuration in force.
    pub fn reconfigure(&self, configuration: &Configuration) {
        let all = self.parts().filter_map(|parts| parts.reconfigure.as_ref());
        all.for_each(|reconfigure| reconfigure.take(configuration));
    }

    /// The first that does not work, with its reason.
    pub fn unhealthy(&self) -> Option<String> {
        let all = self.0.parts.get().into_iter().flatten();
        all.filter_map(|(name, parts)| Some((name, parts.health.as_ref()?)))
            .find_map(|(name, check)| match check.health() {
                Health::Healthy => None,
                Health::Unhealthy(reason) => Some(format!("{name}: {reason}")),
            })
    }
}

#[cfg(test)]
mod tests;
