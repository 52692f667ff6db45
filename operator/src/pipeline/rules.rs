//! The rules of the definition, for resources that were stored before a rule existed.

use kube::core::CustomResourceExt;
use kube::core::cel::{CompiledSchema, ValidationError, Validator, compile_schema};
use zas_crd::{ConditionReason, ZotArtifactStore};

use crate::problem::Problem;

/// The rules, compiled once.
pub struct Rules {
    schema: CompiledSchema,
    validator: Validator,
}

impl Default for Rules {
    fn default() -> Self {
        let definition = serde_json::to_value(ZotArtifactStore::crd()).unwrap_or_default();
        let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema");
        Self {
            schema: compile_schema(schema.unwrap_or(&serde_json::Value::Null)),
            validator: Validator::new(),
        }
    }
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

    fn broken(name: &str, spec: serde_json::Value) -> Vec<Problem> {
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
