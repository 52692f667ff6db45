//! What the Pod refers to: pull secrets, and the Secrets and ConfigMaps of stated variables and volumes.

use k8s_openapi::api::core::v1::{KeyToPath, VolumeProjection};
use zas_crd::{ConditionReason, ExtraVolume, ZotArtifactStoreSpec};

use super::{Dereference, References};
use crate::children::ChildKind;
use crate::pipeline::plan::Component;

/// Where a Secret for pulls has its logins, by its type.
const PULL_KEYS: [&str; 2] = [".dockerconfigjson", ".dockercfg"];

/// An object that the Pod cannot start without, and the keys of it.
#[derive(Debug, PartialEq, Eq)]
struct Needed {
    kind: ChildKind,
    name: String,
    keys: Vec<String>,
    field: String,
}

impl Dereference<'_> {
    /// Looks at everything that the Pod cannot start without. What is optional is not looked at.
    pub(super) async fn pod(&self, spec: &ZotArtifactStoreSpec, found: &mut References) -> kube::Result<()> {
        for reference in &spec.image.pull_secret_refs {
            self.pull_secret(&reference.name, found).await?;
        }
        for needed in needed(spec) {
            self.needed(&needed, found).await?;
        }
        Ok(())
    }

    async fn pull_secret(&self, name: &str, found: &mut References) -> kube::Result<()> {
        let field = "spec.image.pullSecretRefs";
        let component = Component::Workload;
        let Some(facts) = self.required_secret(component, name, field, found).await? else {
            return Ok(());
        };
        if !PULL_KEYS.iter().any(|key| facts.has(key)) {
            found.problem(
                component,
                ConditionReason::SecretInvalid,
                format!(
                    "Secret {name} ({field}) has no key {}: make it with kubectl create secret docker-registry",
                    PULL_KEYS.join(" or ")
                ),
            );
        }
        Ok(())
    }

    async fn needed(&self, needed: &Needed, found: &mut References) -> kube::Result<()> {
        let Needed {
            kind,
            name,
            keys,
            field,
        } = needed;
        let component = Component::Workload;
        let (reason, missing): (_, Vec<&String>) = if *kind == ChildKind::Secret {
            let Some(facts) = self.required_secret(component, name, field, found).await? else {
                return Ok(());
            };
            let missing = keys.iter().filter(|key| !facts.has_key(key));
            (ConditionReason::SecretInvalid, missing.collect())
        } else {
            let Some(facts) = self.required_config_map(component, name, field, found).await? else {
                return Ok(());
            };
            let missing = keys.iter().filter(|key| !facts.has_key(key));
            (ConditionReason::ConfigMapInvalid, missing.collect())
        };
        for key in missing {
            let kind = kind.name();
            let message = format!("{kind} {name} ({field}) has no key {key}: add it, or name another key");
            found.problem(component, reason, message);
        }
        Ok(())
    }
}

/// Everything that variables and volumes need.
fn needed(spec: &ZotArtifactStoreSpec) -> Vec<Needed> {
    let mut all = Vec::new();
    for variable in &spec.pod.extra_env {
        let field = format!("spec.pod.extraEnv {}", variable.name);
        let source = variable.value_from.as_ref();
        if let Some(one) = source.and_then(|source| source.secret_key_ref.as_ref()) {
            let keys = vec![one.key.clone()];
            all.extend(unless_optional(
                ChildKind::Secret,
                Some(&one.name),
                keys,
                one.optional,
                &field,
            ));
        }
        if let Some(one) = source.and_then(|source| source.config_map_key_ref.as_ref()) {
            let keys = vec![one.key.clone()];
            all.extend(unless_optional(
                ChildKind::ConfigMap,
                Some(&one.name),
                keys,
                one.optional,
                &field,
            ));
        }
    }
    for volume in &spec.pod.extra_volumes {
        all.extend(needed_by(volume));
    }
    all
}

fn needed_by(volume: &ExtraVolume) -> Vec<Needed> {
    let field = format!("spec.pod.extraVolumes {}", volume.name);
    let mut all = Vec::new();
    if let Some(one) = &volume.secret {
        let keys = keys(one.items.as_deref());
        all.extend(unless_optional(
            ChildKind::Secret,
            one.secret_name.as_ref(),
            keys,
            one.optional,
            &field,
        ));
    }
    if let Some(one) = &volume.config_map {
        let keys = keys(one.items.as_deref());
        all.extend(unless_optional(
            ChildKind::ConfigMap,
            Some(&one.name),
            keys,
            one.optional,
            &field,
        ));
    }
    let projected = volume.projected.as_ref();
    let sources = projected.and_then(|projected| projected.sources.as_deref());
    all.extend(
        sources
            .unwrap_or_default()
            .iter()
            .flat_map(|source| projection(source, &field)),
    );
    let csi = volume
        .csi
        .as_ref()
        .and_then(|csi| csi.node_publish_secret_ref.as_ref());
    all.extend(
        csi.and_then(|one| unless_optional(ChildKind::Secret, Some(&one.name), Vec::new(), None, &field)),
    );
    all
}

fn projection(source: &VolumeProjection, field: &str) -> Vec<Needed> {
    let secret = source.secret.as_ref().and_then(|one| {
        let keys = keys(one.items.as_deref());
        unless_optional(ChildKind::Secret, Some(&one.name), keys, one.optional, field)
    });
    let config_map = source.config_map.as_ref().and_then(|one| {
        let keys = keys(one.items.as_deref());
        unless_optional(ChildKind::ConfigMap, Some(&one.name), keys, one.optional, field)
    });
    secret.into_iter().chain(config_map).collect()
}

fn keys(items: Option<&[KeyToPath]>) -> Vec<String> {
    let items = items.unwrap_or_default().iter();
    items.map(|item| item.key.clone()).collect()
}

fn unless_optional(
    kind: ChildKind,
    name: Option<&String>,
    keys: Vec<String>,
    optional: Option<bool>,
    field: &str,
) -> Option<Needed> {
    // The API server lets a name be empty; then there is nothing to look for.
    let name = name.filter(|name| !name.is_empty() && optional != Some(true))?;
    Some(Needed {
        kind,
        name: name.clone(),
        keys,
        field: field.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn given_references_of_every_kind_when_read_then_all_but_the_optional_are_needed() {
        let secret = |key: &str, optional: bool| json!({"secretKeyRef": {"name": "s1", "key": key, "optional": optional}});
        let spec = json!({"pod": {
            "extraEnv": [
                {"name": "A", "valueFrom": secret("k", false)}, {"name": "B", "valueFrom": secret("gone", true)},
                {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c1", "key": "k"}}},
                {"name": "D", "value": "plain"}, {"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            ],
            "extraVolumes": [
                {"name": "a", "secret": {"secretName": "s2", "items": [{"key": "x", "path": "p"}]}},
                {"name": "b", "configMap": {"name": "c2"}}, {"name": "c", "configMap": {"name": "c3", "optional": true}},
                {"name": "d", "projected": {"sources": [
                    {"secret": {"name": "s3"}}, {"configMap": {"name": "c4", "items": [{"key": "y", "path": "p"}]}},
                    {"secret": {"name": "s4", "optional": true}}, {"serviceAccountToken": {"path": "t"}},
                ]}},
                {"name": "e", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s5"}}},
                {"name": "f", "emptyDir": {}},
            ],
        }});
        let all = needed(&serde_json::from_value(spec).unwrap());
        let told: Vec<_> = all
            .iter()
            .map(|one| {
                format!(
                    "{} {} [{}] {}",
                    one.kind.name(),
                    one.name,
                    one.keys.join(","),
                    one.field
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "Secret s1 [k] spec.pod.extraEnv A",
                "ConfigMap c1 [k] spec.pod.extraEnv C",
                "Secret s2 [x] spec.pod.extraVolumes a",
                "ConfigMap c2 [] spec.pod.extraVolumes b",
                "Secret s3 [] spec.pod.extraVolumes d",
                "ConfigMap c4 [y] spec.pod.extraVolumes d",
                "Secret s5 [] spec.pod.extraVolumes e",
            ]
        );
    }
}
