//! The rules of the definition, for resources that were stored before a rule existed.

use kube::core::CustomResourceExt;
use kube::core::cel::{CompiledSchema, ValidationError, Validator, compile_schema};
use serde_json::Value;
use zas_crd::{ConditionReason, ZotArtifactStore};

use crate::problem::Problem;

/// The rules, compiled once.
pub struct Rules {
    schema: CompiledSchema,
    validator: Validator,
}

impl Default for Rules {
    fn default() -> Self {
        let mut definition = serde_json::to_value(ZotArtifactStore::crd()).unwrap_or_default();
        let schema = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema");
        let mut schema = schema.map(Value::take).unwrap_or_default();
        keep_rules(&mut schema);
        Self {
            schema: compile_schema(&schema),
            validator: Validator::new(),
        }
    }
}

/// Removes what has neither rules nor defaults: most of the schema, which would stay in memory for nothing. Returns
/// whether anything is left.
fn keep_rules(schema: &mut Value) -> bool {
    let Value::Object(fields) = schema else {
        return false;
    };
    fields.remove("description");
    let mut is_kept = fields.contains_key("x-kubernetes-validations") || fields.contains_key("default");
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.retain(|_, property| keep_rules(property));
        is_kept |= !properties.is_empty();
    }
    for inner in ["items", "additionalProperties"] {
        is_kept |= fields.get_mut(inner).is_some_and(keep_rules);
    }
    is_kept
}

impl Rules {
    /// The rules that a resource breaks. Those about changes do not apply: what is stored has been accepted.
    pub fn broken_by(&self, resource: &ZotArtifactStore) -> Vec<Problem> {
        let object = serde_json::to_value(resource).unwrap_or_default();
        let Err(violations) = self.validator.validate_compiled(&self.schema, &object, None) else {
            return Vec::new();
        };
        let problem = |violation: &ValidationError| {
            Problem::new(
                ConditionReason::InvalidSpec,
                format!("{}: {}", violation.field_path, violation.message),
            )
        };
        violations.as_slice().iter().map(problem).collect()
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Rules").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn broken(name: &str, spec: Value) -> Vec<Problem> {
        Rules::default().broken_by(&ZotArtifactStore::new(
            name,
            serde_json::from_value(spec).unwrap(),
        ))
    }

    #[test]
    fn given_the_minimal_resource_when_checked_then_nothing_is_broken() {
        assert_eq!(broken("store", json!({})), []);
    }

    #[test]
    fn given_broken_rules_when_checked_then_each_says_what_to_change() {
        let problems = broken(
            "store",
            json!({"tls": {"type": "Secret"}, "image": {"reference": "a/b:1"}}),
        );
        let messages: String = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            messages.contains("tls.secretRef") && messages.contains("spec.version"),
            "{messages}"
        );
        assert!(broken("Store", json!({}))[0].message.contains("metadata.name"));
    }
}
