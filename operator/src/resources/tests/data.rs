//! Accounts, configuration, credentials and claims.

use serde_json::json;

use super::fixtures::store;
use super::{all, at, only};
use crate::children::ChildKind;
use crate::store::Origin;

#[test]
fn given_a_named_account_when_built_then_none_is_made_and_the_pod_uses_it() {
    let store = store("serviceAccount: {name: mine}");
    assert!(all(&store, ChildKind::ServiceAccount).is_empty());
    assert_eq!(super::pod_of(&store)["serviceAccountName"], "mine");
}

#[test]
fn given_an_account_when_built_then_it_carries_annotations_and_no_token() {
    let account = only(
        &store("serviceAccount: {annotations: {a: b}}"),
        ChildKind::ServiceAccount,
    );
    assert_eq!(at(&account, "/metadata/annotations"), &json!({"a": "b"}));
    assert_eq!(account["automountServiceAccountToken"], false);
}

#[test]
fn given_both_configurations_when_built_then_only_the_restart_part_is_immutable_and_named_by_content() {
    let before = store("{}");
    let mut after = before.clone();
    after.release.configuration.push_str("# more\n");
    let names = |store| {
        all(store, ChildKind::ConfigMap)
            .into_iter()
            .map(|map| map.key.name)
    };
    let (before_names, after_names): (Vec<_>, Vec<_>) = (names(&before).collect(), names(&after).collect());
    assert_ne!(before_names[0], after_names[0]);
    assert_eq!(before_names[1], after_names[1]);
    let maps = all(&before, ChildKind::ConfigMap);
    assert_eq!(maps[0].object["immutable"], true);
    assert_eq!(
        maps[0].object["data"]["config.yaml"],
        before.release.configuration
    );
    assert!(maps[1].object.get("immutable").is_none());
    assert_eq!(maps[1].object["data"]["config.yaml"], before.hot_configuration);
}

#[test]
fn given_no_administrator_when_built_then_the_secret_is_claimed_without_content() {
    let secret = only(&store("{}"), ChildKind::Secret);
    let mut fields: Vec<_> = secret.as_object().unwrap().keys().cloned().collect();
    fields.sort();
    assert_eq!(fields, ["apiVersion", "kind", "metadata", "type"]);
    assert_eq!(
        (&secret["type"], &secret["metadata"]["name"]),
        (&json!("Opaque"), &json!("store-admin"))
    );
}

#[test]
fn given_an_administrator_when_built_then_no_secret_is_made() {
    let store = store("access: {adminRef: {name: mine}}");
    assert!(all(&store, ChildKind::Secret).is_empty());
}

#[test]
fn given_a_claim_of_the_operator_when_built_then_it_states_what_was_asked_for_only() {
    let spec = only(&store("{}"), ChildKind::PersistentVolumeClaim)["spec"].clone();
    assert_eq!(
        spec,
        json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}})
    );
}

#[test]
fn given_an_existing_claim_when_built_then_none_is_made() {
    let store = store("dataVolume: {existingClaim: old}");
    assert!(all(&store, ChildKind::PersistentVolumeClaim).is_empty());
}

#[test]
fn given_data_that_were_there_before_when_they_go_with_the_store_by_policy_then_these_do_not() {
    for kind in [ChildKind::PersistentVolumeClaim, ChildKind::Secret] {
        let mut store = store("deletionPolicy: Delete");
        let made = only(&store, kind)["metadata"].clone();
        assert_eq!(made["ownerReferences"][0]["uid"], json!(store.uid), "{kind:?}");
        assert_eq!(
            made["annotations"]["zot.candlekeep.io/made-for"],
            json!(store.uid)
        );

        store.claim_origin = Origin::Adopted(Some("before".to_owned()));
        store.credentials_origin = Origin::Adopted(None);
        let adopted = only(&store, kind)["metadata"].clone();
        assert!(adopted.get("ownerReferences").is_none(), "{kind:?}: {adopted}");
        assert_ne!(
            adopted["annotations"]["zot.candlekeep.io/made-for"],
            json!(store.uid)
        );
    }
}
