//! Whether the installed definition of the resource is the one that this operator was built with.
//!
//! The API server publishes the schema to everybody who is signed in, so this takes no right on definitions. The revision is
//! part of the schema's description.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use kube::Client;
use serde_json::Value;
use zas_crd::{ConditionReason, GROUP, KIND, VERSION, definition};

use crate::metrics::Metrics;
use crate::problem::Problem;

/// Fields that a message names; the rest is a number.
const MAX_NAMED_FIELDS: usize = 5;

/// What is known of the installed definition.
#[derive(Debug, Default)]
pub struct InstalledDefinition {
    metrics: Arc<Metrics>,
    /// Whether it refused a status because of a field that it does not know.
    refuses_status: AtomicBool,
    /// Fields of this operator's definition that it lacks.
    lacks: ArcSwap<Vec<String>>,
    /// The address of the schema that was read last; it changes with the content.
    read: Mutex<Option<String>>,
}

impl InstalledDefinition {
    /// A definition of which nothing is known yet, which is taken for the right one.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            ..Self::default()
        }
    }

    /// Reads the installed schema, when it has changed. Returns whether something else is known now.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn check(&self, client: &Client) -> kube::Result<bool> {
        let Some(address) = address(client).await? else {
            return Ok(false);
        };
        if self.last_read().as_ref() == Some(&address) {
            return Ok(false);
        }
        let document = get(client, &address).await?;
        let Some(installed) = published_schema(&document) else {
            return Ok(false);
        };
        let lacks = self.compare(installed);
        self.set_last_read(address);
        let is_news = *self.lacks.swap(Arc::new(lacks.clone())) != lacks;
        // A definition that was exchanged may know what the one before it refused.
        self.refuses_status.store(false, Ordering::Relaxed);
        self.count();
        Ok(is_news)
    }

    /// Compares a schema with this operator's own. Returns the fields that it lacks.
    fn compare(&self, installed: &Value) -> Vec<String> {
        let own = definition::schema_revision().unwrap_or_default();
        let found = definition::revision_in(installed);
        let is_same = found == Some(own.as_str());
        self.metrics.set_crd_differs(!is_same);
        if is_same {
            return Vec::new();
        }
        let mut lacks = Vec::new();
        missing(
            &definition::schema().unwrap_or_default(),
            installed,
            "",
            &mut lacks,
        );
        let found = found.unwrap_or("none");
        if lacks.is_empty() {
            tracing::info!(
                found,
                own,
                "the installed definition is of another revision than this operator, and has all of its fields"
            );
        } else {
            tracing::warn!(
                found,
                own,
                ?lacks,
                "the installed definition is older than this operator"
            );
        }
        lacks
    }

    /// Notes whether the definition took a whole status.
    pub fn took_status(&self, took: bool) {
        self.refuses_status.store(!took, Ordering::Relaxed);
        self.count();
    }

    /// Whether the definition refused fields of a status when that was written last.
    pub fn refuses_status(&self) -> bool {
        self.refuses_status.load(Ordering::Relaxed)
    }

    /// What is wrong with it.
    pub fn problem(&self) -> Option<Problem> {
        let lacks = self.lacks.load();
        if lacks.is_empty() && !self.refuses_status() {
            return None;
        }
        let mut named: Vec<&str> = lacks.iter().take(MAX_NAMED_FIELDS).map(String::as_str).collect();
        let rest = lacks.len().saturating_sub(named.len());
        let rest = format!("{rest} more");
        if lacks.len() > named.len() {
            named.push(&rest);
        }
        let what = if named.is_empty() {
            String::new()
        } else {
            format!(", without {}", named.join(", "))
        };
        Some(Problem::new(
            ConditionReason::CRDOutdated,
            format!(
                "the installed CustomResourceDefinition is older than this operator{what}: install the one that came with it"
            ),
        ))
    }

    fn count(&self) {
        self.metrics.set_crd_outdated(self.problem().is_some());
    }

    fn last_read(&self) -> Option<String> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_last_read(&self, address: String) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }
}

/// Where the API server publishes the schemas of the resource's group.
async fn address(client: &Client) -> kube::Result<Option<String>> {
    let index = get(client, "/openapi/v3").await?;
    let group = index
        .get("paths")
        .and_then(|paths| paths.get(format!("apis/{GROUP}/{VERSION}")));
    let address = group.and_then(|group| group.get("serverRelativeURL")?.as_str());
    Ok(address.map(str::to_owned))
}

async fn get(client: &Client, address: &str) -> kube::Result<Value> {
    let request = http::Request::get(address).body(Vec::new());
    client.request(request.map_err(kube::Error::HttpError)?).await
}

fn published_schema(document: &Value) -> Option<&Value> {
    let schemas = document.pointer("/components/schemas")?.as_object()?;
    schemas.values().find(|schema| {
        let kinds = schema
            .get("x-kubernetes-group-version-kind")
            .and_then(Value::as_array);
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind.get("kind") == Some(&KIND.into())))
    })
}

/// Adds the paths of the fields that `own` has and `installed` has not.
fn missing(own: &Value, installed: &Value, path: &str, lacks: &mut Vec<String>) {
    let own_fields = own.get("properties").and_then(Value::as_object);
    for (name, field) in own_fields.into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match installed.get("properties").and_then(|fields| fields.get(name)) {
            Some(found) => missing(field, found, &path, lacks),
            None => lacks.push(path),
        }
    }
    for inner in ["items", "additionalProperties"] {
        if let (Some(own), Some(installed)) = (own.get(inner), installed.get(inner)) {
            missing(own, installed, path, lacks);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Value {
        definition::definition().unwrap()["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take()
    }

    #[test]
    fn given_the_operators_own_definition_when_compared_then_nothing_is_wrong() {
        let metrics = Arc::<Metrics>::default();
        let installed = InstalledDefinition::new(Arc::clone(&metrics));
        assert_eq!(installed.compare(&own()), Vec::<String>::new());
        assert!(metrics.encode().contains("zas_operator_crd_differs 0"));
    }

    #[test]
    fn given_an_older_definition_when_compared_then_the_fields_that_it_lacks_are_named() {
        let metrics = Arc::<Metrics>::default();
        let installed = InstalledDefinition::new(Arc::clone(&metrics));
        let mut older = own();
        older["description"] = "A store.".into();
        let http = older["properties"]["spec"]["properties"]["http"]["properties"].as_object_mut();
        http.unwrap().remove("cors");
        let users = older["properties"]["status"]["properties"].as_object_mut();
        users.unwrap().remove("dataVolume");
        let lacks = installed.compare(&older);
        assert_eq!(lacks, ["spec.http.cors", "status.dataVolume"]);
        installed.lacks.store(Arc::new(lacks));
        let problem = installed.problem().unwrap();
        assert_eq!(problem.reason, ConditionReason::CRDOutdated);
        assert!(problem.message.contains("spec.http.cors"), "{}", problem.message);
        assert!(metrics.encode().contains("zas_operator_crd_differs 1"));
    }

    #[test]
    fn given_a_newer_definition_when_compared_then_it_is_told_apart_from_an_older_one() {
        let installed = InstalledDefinition::default();
        let mut newer = own();
        newer["description"] = "A store. Revision of this definition: 000000000000.".into();
        newer["properties"]["spec"]["properties"]["later"] = serde_json::json!({"type": "string"});
        assert_eq!(installed.compare(&newer), Vec::<String>::new());
        assert_eq!(installed.problem(), None);
    }
}
