use serde_json::Value;
use zas_crd::ConditionReason;

use super::*;
use crate::rbac::{PEOPLE, RIGHTS, Reach};

fn text(path: &str) -> String {
    let files = files().unwrap();
    let file = files.into_iter().find(|file| file.path == path);
    file.unwrap_or_else(|| panic!("{path} is not generated")).text
}

/// The documents of a generated YAML file.
fn documents(path: &str) -> Vec<Value> {
    text(path)
        .split("---\n")
        .map(|document| serde_saphyr::from_str(document).unwrap())
        .collect()
}

fn rule_count(reach: Reach) -> usize {
    RIGHTS.iter().filter(|right| right.reach == reach).count()
}

#[test]
fn given_the_rights_when_roles_are_written_then_every_right_is_a_rule_of_the_role_with_its_reach() {
    let (stores, lease) = (
        documents("config/rbac/stores.yaml"),
        documents("config/rbac/lease.yaml"),
    );
    assert_eq!(stores[0]["kind"], "ClusterRole");
    assert_eq!(lease[0]["kind"], "Role");
    assert_eq!(
        stores[0]["rules"].as_array().unwrap().len(),
        rule_count(Reach::Stores)
    );
    assert_eq!(
        lease[0]["rules"].as_array().unwrap().len(),
        rule_count(Reach::Own)
    );
    let secrets = stores[0]["rules"].as_array().unwrap().iter();
    let secrets: Vec<_> = secrets.filter(|rule| rule["resources"][0] == "secrets").collect();
    assert_eq!(secrets.len(), 1);
    assert_eq!(secrets[0]["apiGroups"][0], "");
    // The right to delete one is needed to change its owner; nothing needs more.
    assert!(
        !secrets[0]["verbs"]
            .as_array()
            .unwrap()
            .contains(&"deletecollection".into())
    );
}

#[test]
fn given_the_roles_when_bound_then_only_to_the_account_of_the_deployment() {
    let account = documents("config/rbac/service_account.yaml").remove(0);
    let deployment = documents("config/manager/deployment.yaml").remove(0);
    let name = &account["metadata"]["name"];
    assert_eq!(
        &deployment["spec"]["template"]["spec"]["serviceAccountName"],
        name
    );
    for path in ["config/rbac/stores.yaml", "config/rbac/lease.yaml"] {
        let binding = documents(path).remove(1);
        assert_eq!(binding["subjects"].as_array().unwrap().len(), 1, "{path}");
        assert_eq!(&binding["subjects"][0]["name"], name, "{path}");
        assert_eq!(
            binding["subjects"][0]["namespace"], account["metadata"]["namespace"],
            "{path}"
        );
        assert_eq!(
            binding["roleRef"]["name"],
            documents(path)[0]["metadata"]["name"],
            "{path}"
        );
    }
}

#[test]
fn given_the_roles_of_people_when_written_then_each_is_added_to_one_role_and_only_readers_cannot_write() {
    let roles = documents("config/rbac/people.yaml");
    assert_eq!(roles.len(), PEOPLE.len());
    for (role, (name, verbs, _)) in roles.iter().zip(PEOPLE) {
        let label = format!("rbac.authorization.k8s.io/aggregate-to-{name}");
        assert_eq!(role["metadata"]["labels"][label], "true");
        let writes = role["rules"][0]["verbs"]
            .as_array()
            .unwrap()
            .contains(&"patch".into());
        assert_eq!(writes, verbs.contains(&"patch"), "{name}");
        assert_eq!(
            role["rules"][1]["verbs"],
            serde_json::json!(["get"]),
            "status is the operator's, {name}"
        );
    }
}

#[test]
fn given_the_deployment_when_written_then_it_passes_the_restricted_standard_and_names_no_user() {
    let deployment = documents("config/manager/deployment.yaml").remove(0);
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(
        container["securityContext"]["capabilities"]["drop"],
        serde_json::json!(["ALL"])
    );
    for context in [&pod["securityContext"], &container["securityContext"]] {
        for key in ["runAsUser", "runAsGroup", "fsGroup"] {
            assert_eq!(context.get(key), None, "OpenShift chooses {key}");
        }
    }
}

#[test]
fn given_the_definition_when_it_becomes_a_template_then_only_the_switches_are_added() {
    let definition = zas_crd::definition::yaml().unwrap();
    let template = text("charts/zot-artifact-store-operator/templates/crd.yaml");
    let lines: Vec<&str> = template.lines().collect();
    assert_eq!(lines[0], "{{- if include \"operator.installsDefinition\" . }}");
    assert_eq!(lines[lines.len() - 1], "{{- end }}");
    let switches = ["{{- if", "{{- end", "helm.sh/resource-policy"];
    let rest: Vec<&str> = lines
        .into_iter()
        .filter(|line| !switches.iter().any(|switch| line.trim().starts_with(switch)))
        .collect();
    assert_eq!(rest, definition.lines().collect::<Vec<_>>());
}

#[test]
fn given_a_page_when_renewed_then_tables_hold_every_reason_and_right_and_other_text_stays() {
    let page = "# Title\n<!-- reasons -->\nold\n<!-- /reasons -->\nkept\n<!-- rights -->\n<!-- /rights -->\n<!-- people -->\n<!-- /people -->\nend\n";
    let renewed = super::page(page).unwrap();
    for reason in ConditionReason::ALL {
        assert!(
            renewed.contains(&format!("| `{reason}` | {} |", reason.meaning())),
            "{reason}"
        );
    }
    for right in RIGHTS {
        assert!(renewed.contains(right.because), "{right:?}");
    }
    assert!(renewed.contains("kept\n") && renewed.ends_with("end\n") && !renewed.contains("old\n"));
    assert_eq!(
        super::page(&renewed).unwrap(),
        renewed,
        "renewing twice changes nothing"
    );
}

#[test]
fn given_a_page_without_a_place_for_a_table_when_renewed_then_the_marker_is_named() {
    let error = super::page("# Title\n").unwrap_err().to_string();
    assert!(error.contains("<!-- reasons -->"), "{error}");
}
