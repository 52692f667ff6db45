//! The CustomResourceDefinition as it is installed: the derived one, put into its final form.
//!
//! The result is the same on every machine: keys are sorted, descriptions are one line, and the annotation
//! [`SCHEMA_REVISION_ANNOTATION`] names the content. The default of a group states the defaults of its members: the API
//! server runs the group's rules on that default as it stands.

use kube::CustomResourceExt;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{CRD_NAME, ZotArtifactStore};

/// Annotation of the definition with [`schema_revision`]: an operator that finds another one runs on a definition
/// that is not its own.
pub const SCHEMA_REVISION_ANNOTATION: &str = "zot.candlekeep.io/schema-revision";

/// What comes before the revision in the description of the schema, where everybody may read it who may read schemas.
const REVISION_WORDS: &str = "Revision of this definition:";

const HEADER: &str = "# Generated from crd/src by crdgen --write. Do not edit.\n";

/// Why there is no definition.
#[derive(Debug)]
pub enum DefinitionError {
    /// The derived definition is not representable as JSON.
    Json(serde_json::Error),
    /// The definition is not representable as YAML.
    Yaml(serde_saphyr::ser::Error),
}

impl std::fmt::Display for DefinitionError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(error) => write!(formatter, "the definition cannot be written as JSON: {error}"),
            Self::Yaml(error) => write!(formatter, "the definition cannot be written as YAML: {error}"),
        }
    }
}

impl std::error::Error for DefinitionError {}

/// The definition as JSON, with its revision.
///
/// # Errors
/// When the derived definition is not representable, which no value of a field can cause.
pub fn definition() -> Result<Value, DefinitionError> {
    let mut spec = definition_spec()?;
    let revision = revision_of(&spec);
    if let Some(Value::String(description)) =
        spec.pointer_mut("/versions/0/schema/openAPIV3Schema/description")
    {
        *description = format!("{description} {REVISION_WORDS} {revision}.");
    }
    Ok(sorted(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": CRD_NAME,
            "annotations": { SCHEMA_REVISION_ANNOTATION: revision },
            "labels": { "app.kubernetes.io/part-of": "zot-artifact-store" },
        },
        "spec": spec,
    })))
}

/// A short hash of everything that the definition says: names, columns, subresources and schema.
///
/// # Errors
/// As [`definition`].
pub fn schema_revision() -> Result<String, DefinitionError> {
    definition_spec().map(|spec| revision_of(&spec))
}

/// The revision that an installed schema names in its description, as the API server publishes it.
#[must_use]
pub fn revision_in(schema: &Value) -> Option<&str> {
    let description = schema.get("description")?.as_str()?;
    let (_, revision) = description.rsplit_once(REVISION_WORDS)?;
    Some(revision.trim().trim_end_matches('.'))
}

/// `openAPIV3Schema` of the version.
///
/// # Errors
/// As [`definition`].
pub fn schema() -> Result<Value, DefinitionError> {
    let mut spec = definition_spec()?;
    let schema = spec
        .pointer_mut("/versions/0/schema/openAPIV3Schema")
        .map(Value::take);
    Ok(schema.unwrap_or_default())
}

/// The definition as the file `config/crd/zotartifactstore_crd.yaml` holds it.
///
/// # Errors
/// As [`definition`].
pub fn yaml() -> Result<String, DefinitionError> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text =
        serde_saphyr::to_string_with_options(&definition()?, options).map_err(DefinitionError::Yaml)?;
    Ok(format!("{HEADER}{text}"))
}

fn definition_spec() -> Result<Value, DefinitionError> {
    let mut derived = serde_json::to_value(ZotArtifactStore::crd()).map_err(DefinitionError::Json)?;
    let mut spec = derived.get_mut("spec").map(Value::take).unwrap_or_default();
    if let Some(schema) = spec
        .pointer_mut("/versions/0/schema/openAPIV3Schema")
        .and_then(Value::as_object_mut)
    {
        settle(schema);
    }
    Ok(sorted(spec))
}

/// Puts one schema and those below it into their final form.
fn settle(schema: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    for child in ["items", "additionalProperties"] {
        if let Some(Value::Object(member)) = schema.get_mut(child) {
            settle(member);
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties
            .values_mut()
            .filter_map(Value::as_object_mut)
            .for_each(settle);
    }
}

fn revision_of(spec: &Value) -> String {
    let digest = Sha256::digest(spec.to_string().as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Sorts keys whatever map serde_json was built with, so that text and revision depend on content alone.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|(left, _), (right, _)| left.cmp(right));
            members
                .into_iter()
                .map(|(key, member)| (key, sorted(member)))
                .collect()
        }
        Value::Array(members) => members.into_iter().map(sorted).collect(),
        other => other,
    }
}
