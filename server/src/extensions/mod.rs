//! Extensions: parts of the server that can be switched off and are then absent.
//!
//! An extension is wiring only. It names its configuration section and hooks itself into the listeners; what it does
//! lives in `api` and `services` like everything else.

mod metrics;

use std::fmt::Debug;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use async_trait::async_trait;
use zas_blobs::BlobStore;
use zas_config::Configuration;
use zas_metadata::MetadataStore;

use crate::api::Observer;
use crate::services::ConfigurationProblems;
use crate::services::maintenance::{Collected, Scrubbed};
use crate::services::metrics::Reading;

pub use metrics::Metrics;

/// Whether a part of the server works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Healthy,
    /// It does not, for this reason; the server is not ready.
    Unhealthy(String),
}

/// A part of the server that can be switched off. Every hook but the name has a default that does nothing.
#[async_trait]
pub trait Extension: Debug + Send + Sync + 'static {
    /// The name in logs, and of the section below `extensions` in the configuration.
    fn name(&self) -> &'static str;

    /// Adds routes to the public listener.
    fn public_routes(&self, _routes: &mut ServiceConfig) {}

    /// Adds routes to the operational listener.
    fn operations_routes(&self, _routes: &mut ServiceConfig) {}

    /// Hears of every request on the public listener.
    fn observer(&self) -> Option<Arc<dyn Observer>> {
        None
    }

    /// May put itself in front of the metadata store.
    fn wrap_metadata(&self, store: Arc<dyn MetadataStore>) -> Arc<dyn MetadataStore> {
        store
    }

    /// May put itself in front of the blob store.
    fn wrap_blobs(&self, store: Arc<dyn BlobStore>) -> Arc<dyn BlobStore> {
        store
    }

    /// Gets numbers of the server's parts that it may show.
    fn add_readings(&self, _readings: &[Reading]) {}

    /// Hears of every round of collection.
    fn collected(&self, _round: Result<Collected, ()>) {}

    /// Hears of everything that the check of stored bytes did.
    fn scrubbed(&self, _done: Scrubbed) {}

    /// Begins work, after the stores are open and before the first request.
    ///
    /// # Errors
    /// A reason for which the server must not start.
    async fn start(&self) -> Result<(), String> {
        Ok(())
    }

    /// Whether it works.
    fn health(&self) -> Health {
        Health::Healthy
    }

    /// Ends its work, after the last request.
    async fn shutdown(&self) {}
}

/// The extensions that are switched on, in the order in which they start.
#[derive(Clone, Debug, Default)]
pub struct Extensions(Arc<[Arc<dyn Extension>]>);

impl Extensions {
    /// The extensions that the configuration switches on.
    pub fn from_configuration(configuration: &Configuration, problems: &Arc<ConfigurationProblems>) -> Self {
        let mut extensions: Vec<Arc<dyn Extension>> = Vec::new();
        let metrics = &configuration.extensions.metrics;
        if metrics.enabled {
            extensions.push(Arc::new(Metrics::new(metrics, problems)));
        }
        Self::of(extensions)
    }

    /// These extensions.
    pub fn of(extensions: Vec<Arc<dyn Extension>>) -> Self {
        Self(extensions.into())
    }

    /// All of them, in starting order.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<dyn Extension>> {
        self.0.iter()
    }

    /// The observer of requests; the first extension that has one.
    pub fn observer(&self) -> Option<Arc<dyn Observer>> {
        self.iter().find_map(|extension| extension.observer())
    }

    /// The metadata store behind every extension that puts itself in front of it.
    pub fn wrap_metadata(&self, store: Arc<dyn MetadataStore>) -> Arc<dyn MetadataStore> {
        self.iter()
            .fold(store, |store, extension| extension.wrap_metadata(store))
    }

    /// The blob store behind every extension that puts itself in front of it.
    pub fn wrap_blobs(&self, store: Arc<dyn BlobStore>) -> Arc<dyn BlobStore> {
        self.iter()
            .fold(store, |store, extension| extension.wrap_blobs(store))
    }

    /// Offers all the numbers of a part of the server.
    pub fn add_readings(&self, readings: &[Reading]) {
        self.iter().for_each(|extension| extension.add_readings(readings));
    }

    /// Tells all of a round of collection.
    pub fn collected(&self, round: Result<Collected, ()>) {
        self.iter().for_each(|extension| extension.collected(round));
    }

    /// Tells all of something that the check of stored bytes did.
    pub fn scrubbed(&self, done: Scrubbed) {
        self.iter().for_each(|extension| extension.scrubbed(done));
    }

    /// Starts all in order. When one fails, those before it are shut down again.
    ///
    /// # Errors
    /// The name and reason of the one that failed.
    pub async fn start(&self) -> Result<(), String> {
        for (position, extension) in self.iter().enumerate() {
            if let Err(reason) = extension.start().await {
                for started in self.iter().take(position).rev() {
                    started.shutdown().await;
                }
                return Err(format!("extension {} did not start: {reason}", extension.name()));
            }
            tracing::info!(extension = extension.name(), "started extension");
        }
        Ok(())
    }

    /// Shuts all down in reverse order.
    pub async fn shutdown(&self) {
        for extension in self.iter().rev() {
            extension.shutdown().await;
        }
    }

    /// The first that does not work, with its reason.
    pub fn unhealthy(&self) -> Option<String> {
        self.iter().find_map(|extension| match extension.health() {
            Health::Healthy => None,
            Health::Unhealthy(reason) => Some(format!("{}: {reason}", extension.name())),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug)]
    struct Recorded {
        name: &'static str,
        fails: bool,
        events: Arc<Mutex<Vec<String>>>,
    }

    #[async_trait]
    impl Extension for Recorded {
        fn name(&self) -> &'static str {
            self.name
        }

        async fn start(&self) -> Result<(), String> {
            self.events.lock().unwrap().push(format!("start {}", self.name));
            if self.fails {
                Err("broken".to_owned())
            } else {
                Ok(())
            }
        }

        fn health(&self) -> Health {
            if self.fails {
                Health::Unhealthy("broken".to_owned())
            } else {
                Health::Healthy
            }
        }

        async fn shutdown(&self) {
            self.events.lock().unwrap().push(format!("stop {}", self.name));
        }
    }

    fn extensions(fails: &[bool]) -> (Extensions, Arc<Mutex<Vec<String>>>) {
        let events = Arc::new(Mutex::new(Vec::new()));
        let names = ["a", "b", "c"];
        let all = names.iter().zip(fails).map(|(name, fails)| {
            Arc::new(Recorded {
                name,
                fails: *fails,
                events: Arc::clone(&events),
            }) as Arc<dyn Extension>
        });
        (Extensions::of(all.collect()), events)
    }

    #[tokio::test]
    async fn given_three_extensions_when_started_and_shut_down_then_the_order_is_reversed() {
        let (extensions, events) = extensions(&[false, false, false]);
        extensions.start().await.unwrap();
        extensions.shutdown().await;
        assert_eq!(
            *events.lock().unwrap(),
            ["start a", "start b", "start c", "stop c", "stop b", "stop a"]
        );
        assert_eq!(extensions.unhealthy(), None);
    }

    #[tokio::test]
    async fn given_a_failing_extension_when_started_then_those_before_it_are_shut_down() {
        let (extensions, events) = extensions(&[false, true, false]);
        let error = extensions.start().await.unwrap_err();
        assert_eq!(error, "extension b did not start: broken");
        assert_eq!(*events.lock().unwrap(), ["start a", "start b", "stop a"]);
        assert_eq!(extensions.unhealthy().as_deref(), Some("b: broken"));
    }
}
