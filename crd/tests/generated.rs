//! What is generated is current, complete and small enough.

#![expect(clippy::unwrap_used, reason = "what stands around the tests is part of them")]

mod support;

use std::fmt::Write;

use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use zas_crd::{ZotArtifactStore, ZotArtifactStoreSpec, ZotArtifactStoreStatus, definition, reference};

use support::root;

/// Where types of Kubernetes begin: they bring no bounds of their own.
const EMBEDDED: [&str; 8] = [
    "spec.pod.affinity",
    "spec.pod.containerSecurityContext",
    "spec.pod.extraEnv",
    "spec.pod.resources",
    "spec.pod.securityContext",
    "spec.pod.tolerations",
    "spec.pod.topologySpreadConstraints",
    "spec.network.policy.egress",
];
const EMBEDDED_VOLUMES: &str = "spec.pod.extraVolumes[].";
const EMBEDDED_CONDITIONS: &str = "status.conditions[]";
/// A rule of the group compares it with the names of volumes.
const NAME_OF_ANOTHER_FIELD: &str = "spec.pod.extraVolumeMounts[].name";

fn is_embedded(path: &str) -> bool {
    EMBEDDED
        .iter()
        .any(|start| path.len() > start.len() && path.starts_with(start))
        || (path.starts_with(EMBEDDED_VOLUMES) && path != "spec.pod.extraVolumes[].name")
        || path.starts_with(EMBEDDED_CONDITIONS)
}

fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    if !path.is_empty() {
        visit(path, schema);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let below = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        walk(property, &below, visit);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &format!("{path}[]"), visit);
    }
}

fn own(mut visit: impl FnMut(&str, &Value)) {
    let schema = definition::schema().unwrap();
    walk(&schema, "", &mut |path, node| {
        let ours = path.starts_with("spec") || path.starts_with("status");
        if ours && !is_embedded(path) {
            visit(path, node);
        }
    });
}

#[test]
fn given_the_types_when_the_definition_is_generated_then_the_file_in_config_is_the_same() {
    let path = root().join("config/crd/zotartifactstore_crd.yaml");
    assert!(
        std::fs::read_to_string(&path).unwrap() == definition::yaml().unwrap(),
        "{} is old: run crdgen --write",
        path.display()
    );
}

#[test]
fn given_the_types_when_the_reference_is_generated_then_the_page_in_docs_is_the_same() {
    let path = root().join("docs/RESOURCE.md");
    assert!(
        std::fs::read_to_string(&path).unwrap() == reference::page().unwrap(),
        "{} is old: run crdgen --write",
        path.display()
    );
}

#[test]
fn given_the_definition_when_it_is_generated_twice_then_it_is_the_same_and_names_its_revision() {
    assert_eq!(definition::yaml().unwrap(), definition::yaml().unwrap());
    let definition = definition::definition().unwrap();
    let revision = &definition["metadata"]["annotations"][definition::SCHEMA_REVISION_ANNOTATION];
    assert_eq!(revision.as_str().unwrap(), definition::schema_revision().unwrap());
    assert_eq!(revision.as_str().unwrap().len(), 12);
}

#[test]
fn given_the_yaml_when_it_is_read_then_it_is_the_definition() {
    let read: Value = serde_saphyr::from_str(&definition::yaml().unwrap()).unwrap();
    // YAML writes 1.0 where JSON has 1.0 too, but readers may take it for 1: compare as numbers.
    assert_eq!(numbers(read), numbers(definition::definition().unwrap()));
}

fn numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(numbers).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name, numbers(member)))
            .collect(),
        other => other,
    }
}

#[test]
fn given_the_definition_when_it_is_written_as_json_then_it_needs_less_than_64_kilobytes() {
    let size = definition::definition().unwrap().to_string().len();
    assert!(size < 64 * 1024, "{size} bytes");
}

#[test]
fn given_the_schema_when_it_is_outlined_then_it_is_the_one_that_was_agreed() {
    let mut outline = String::new();
    own(|path, node| {
        let kind = node["type"].as_str().unwrap_or("any");
        let _ = write!(outline, "{path}: {kind}");
        for key in ["default", "enum", "minimum", "maximum"] {
            if !node[key].is_null() && !node[key].is_object() {
                let _ = write!(outline, " {key}={}", node[key]);
            }
        }
        if let Some(rules) = node["x-kubernetes-validations"].as_array() {
            let _ = write!(outline, " rules={}", rules.len());
        }
        outline.push('\n');
    });
    insta::assert_snapshot!(outline);
}

fn has_grammar(node: &Value) -> bool {
    !node["pattern"].is_null() || !node["x-kubernetes-validations"].is_null()
}

#[test]
fn given_every_field_when_the_schema_is_read_then_it_is_documented_and_bounded() {
    let mut faults = Vec::new();
    let mut fields = 0;
    own(|path, node| {
        fields += 1;
        let is_field = !path.ends_with("[]");
        if is_field
            && node["description"]
                .as_str()
                .is_none_or(|text| !text.ends_with('.'))
        {
            faults.push(format!("{path} has no description that is a sentence"));
        }
        let status = path.starts_with("status");
        match node["type"].as_str() {
            Some("string")
                if node["enum"].is_null()
                    && (node["maxLength"].is_null()
                        || (!has_grammar(node) && !status && path != NAME_OF_ANOTHER_FIELD)) =>
            {
                faults.push(format!("{path} is a string without maxLength or grammar"));
            }
            Some("integer") if node["minimum"].is_null() && path != "status.observedGeneration" => {
                faults.push(format!("{path} is a number without a range"));
            }
            Some("array") if node["maxItems"].is_null() || node["x-kubernetes-list-type"].is_null() => {
                faults.push(format!("{path} is a list without maxItems or list type"));
            }
            Some("object") if node["additionalProperties"].is_object() && node["maxProperties"].is_null() => {
                faults.push(format!("{path} is a map without maxProperties"));
            }
            _ => {}
        }
    });
    assert!(fields > 150, "only {fields} fields");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn given_references_when_the_schema_is_read_then_each_is_atomic_and_has_a_name() {
    let mut references = 0;
    own(|path, node| {
        if path.ends_with("Ref") {
            references += 1;
            assert_eq!(node["x-kubernetes-map-type"], "atomic", "{path}");
            assert_eq!(node["properties"]["name"]["minLength"], 1, "{path}");
        }
    });
    assert!(references >= 8, "only {references} references");
}

#[test]
fn given_an_empty_spec_when_it_is_read_then_it_is_the_default_spec() {
    let read: ZotArtifactStoreSpec = serde_json::from_value(json!({})).unwrap();
    assert_eq!(read, ZotArtifactStoreSpec::default());
    assert_eq!(read.replicas, 1);
    assert!(read.extensions.metrics.enabled);
}

#[test]
fn given_the_default_spec_when_the_api_server_defaults_an_empty_one_then_they_are_the_same() {
    let schema = definition::schema().unwrap();
    let defaulted = support::defaulted(&schema, &support::object("store", &json!({})));
    assert_eq!(
        defaulted["spec"],
        serde_json::to_value(ZotArtifactStoreSpec::default()).unwrap()
    );
}

#[test]
fn given_an_empty_status_when_it_is_written_then_it_holds_no_null() {
    assert_eq!(
        serde_json::to_value(ZotArtifactStoreStatus::default()).unwrap(),
        json!({})
    );
}

#[test]
fn given_the_constants_when_the_kind_is_asked_then_they_agree() {
    let store = ZotArtifactStore::new("store", ZotArtifactStoreSpec::default());
    assert_eq!(store.name_any(), "store");
    assert_eq!(ZotArtifactStore::api_version(&()), zas_crd::API_VERSION);
    assert_eq!(ZotArtifactStore::kind(&()), zas_crd::KIND);
    assert_eq!(ZotArtifactStore::plural(&()), zas_crd::PLURAL);
    assert_eq!(
        format!("{}.{}", zas_crd::PLURAL, zas_crd::GROUP),
        zas_crd::CRD_NAME
    );
    assert_eq!(
        format!("{}/{}", zas_crd::GROUP, zas_crd::VERSION),
        zas_crd::API_VERSION
    );
}

#[test]
fn given_the_definition_when_kubectl_prints_a_list_then_the_columns_are_these() {
    let definition = definition::definition().unwrap();
    let version = &definition["spec"]["versions"][0];
    let columns: Vec<_> = version["additionalPrinterColumns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| &column["name"])
        .collect();
    // Those with a priority are shown only by --output=wide.
    assert_eq!(
        version["additionalPrinterColumns"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|column| !column["priority"].is_null())
            .count(),
        0
    );
    assert_eq!(
        columns,
        [
            "Ready",
            "Reason",
            "Available",
            "Replicas",
            "Version",
            "URL",
            "Age"
        ]
    );
    assert_eq!(
        version["subresources"]["scale"]["specReplicasPath"],
        ".spec.replicas"
    );
    assert_eq!(definition["spec"]["names"]["shortNames"], json!(["zas"]));
    assert_eq!(definition["spec"]["names"]["categories"], json!(["zot"]));
}

#[test]
fn given_the_definition_when_its_schema_is_published_then_the_description_tells_the_revision() {
    let definition = definition::definition().unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let revision = definition::schema_revision().unwrap();
    assert_eq!(definition::revision_in(schema), Some(revision.as_str()));
    assert_eq!(definition::revision_in(&definition::schema().unwrap()), None);
}
