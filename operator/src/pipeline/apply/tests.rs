//! Against an API server that answers as the test says.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;

use super::*;
use crate::children::ClaimFacts;
use crate::resources::tests::fixtures;

/// What was asked: method, path with query, body.
type Asked = (Method, String, String);

/// What is refused: a part of the path, the status, and the words of the server.
type Refusal = (&'static str, u16, String);

/// An API server that answers reads with 404 and writes with what they sent, unless it is told otherwise.
#[derive(Clone, Default)]
struct FakeServer {
    asked: Arc<Mutex<Vec<Asked>>>,
    told: Arc<Mutex<VecDeque<Refusal>>>,
    present: Arc<Mutex<Option<Value>>>,
}

impl FakeServer {
    /// The next write whose path contains `part` is answered with this status.
    fn refuse(&self, part: &'static str, status: u16) {
        self.refuse_saying(part, status, &format!("the server says {status}"));
    }

    /// The same in these words.
    fn refuse_saying(&self, part: &'static str, status: u16, words: &str) {
        let refusal = (part, status, words.to_owned());
        self.told.lock().unwrap().push_back(refusal);
    }

    fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| server.clone().answer(request));
        kube::Client::new(service, "artifacts")
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let path = parts.uri.to_string();
        self.asked
            .lock()
            .unwrap()
            .push((parts.method.clone(), path.clone(), body.clone()));
        if parts.method == Method::GET {
            let present = self.present.lock().unwrap().clone();
            return Ok(present.map_or_else(
                || status(404, "there is none"),
                |object| json_response(200, &object),
            ));
        }
        let mut told = self.told.lock().unwrap();
        if let Some(position) = told.iter().position(|(part, ..)| path.contains(part)) {
            let (_, code, words) = told.remove(position).unwrap();
            return Ok(status(code, &words));
        }
        let mut object: Value = serde_json::from_str(&body).unwrap();
        object["metadata"]["uid"] = json!("made");
        object["metadata"]["resourceVersion"] = json!("7");
        object["metadata"]["generation"] = json!(1);
        Ok(json_response(201, &object))
    }

    /// The paths of the writes since the last call, without their queries.
    fn writes(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        let writes = asked.into_iter().filter(|(method, ..)| method != Method::GET);
        writes
            .map(|(_, path, _)| path.split('?').next().unwrap().to_owned())
            .collect()
    }
}

fn status(code: u16, words: &str) -> Response<Body> {
    let reason = match code {
        404 => "NotFound",
        409 => "Conflict",
        403 => "Forbidden",
        422 => "Invalid",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    json_response(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": words}),
    )
}

fn json_response(code: u16, body: &Value) -> Response<Body> {
    Response::builder()
        .status(code)
        .body(Body::from(body.to_string().into_bytes()))
        .unwrap()
}

/// A store whose objects are applied.
struct Scene {
    server: FakeServer,
    client: kube::Client,
    ledger: Ledger,
    metrics: Metrics,
    key: StoreKey,
    observed: BTreeMap<ChildKey, Observed>,
    prepared: Vec<Prepared>,
}

fn scene() -> Scene {
    let server = FakeServer::default();
    let store = fixtures::store("{}");
    Scene {
        client: server.client(),
        server,
        ledger: Ledger::default(),
        metrics: Metrics::default(),
        key: store.key.clone(),
        observed: BTreeMap::new(),
        prepared: fixtures::build(&store),
    }
}

impl Scene {
    async fn apply(&self) -> Result<Applied, ReconcileError> {
        let apply = Apply {
            client: &self.client,
            ledger: &self.ledger,
            metrics: &self.metrics,
            key: &self.key,
            uid: "6b3b6a0e-0000-4000-8000-000000000001",
            observed: &self.observed,
        };
        apply.everything(&self.prepared).await
    }

    /// The watches have caught up with everything that was written.
    fn catch_up(&mut self) {
        for prepared in &self.prepared {
            if self.ledger.last(&self.key, &prepared.key).is_none() {
                continue;
            }
            let seen = Observed {
                uid: "made".to_owned(),
                resource_version: 7,
                generation: Some(1),
                labels: prepared.labels(),
                annotations: prepared.annotations(),
                ..Observed::default()
            };
            self.observed.insert(prepared.key.clone(), seen);
        }
    }
}

#[tokio::test]
async fn given_a_new_store_when_applied_then_everything_is_written_once_and_the_workload_last() {
    let mut scene = scene();
    let applied = scene.apply().await.unwrap();
    assert_eq!(applied.problems, []);
    let writes = scene.server.writes();
    assert_eq!(writes.len(), scene.prepared.len());
    assert!(
        writes.last().unwrap().ends_with("/deployments/store"),
        "{writes:?}"
    );

    scene.catch_up();
    let applied = scene.apply().await.unwrap();
    assert!(applied.written.is_empty());
    assert_eq!(
        scene.server.writes(),
        Vec::<String>::new(),
        "a settled store costs nothing"
    );
}

#[tokio::test]
async fn given_watches_that_are_behind_when_applied_again_then_nothing_is_written_twice() {
    let scene = scene();
    scene.apply().await.unwrap();
    scene.server.writes();
    let uid = json!({"metadata": {"name": "x", "uid": "made", "resourceVersion": "7", "generation": 1,
        "labels": {labels::STORE: "store"}}});
    *scene.server.present.lock().unwrap() = Some(uid);
    scene.apply().await.unwrap();
    assert_eq!(scene.server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn given_a_server_that_fails_in_the_middle_when_applied_again_then_only_the_rest_is_written() {
    let mut scene = scene();
    scene.server.refuse("/services/store-metrics", 500);
    let error = scene.apply().await.unwrap_err();
    assert!(
        matches!(&error, ReconcileError::Apply { key, .. } if key.name == "store-metrics"),
        "{error}"
    );
    assert_eq!(error.label(), "Apply");
    assert!(
        !scene
            .server
            .writes()
            .iter()
            .any(|path| path.contains("deployments")),
        "not before what it needs"
    );

    scene.catch_up();
    scene.apply().await.unwrap();
    let writes = scene.server.writes();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(writes[0].ends_with("/services/store-metrics") && writes[1].ends_with("/deployments/store"));
}

#[tokio::test]
async fn given_an_object_that_appears_just_now_when_created_then_it_is_somebody_elses() {
    let scene = scene();
    scene.server.refuse("/configmaps/store-settings", 409);
    let applied = scene.apply().await.unwrap();
    assert_eq!(applied.problems[0].1.reason, ConditionReason::ResourceConflict);
    assert!(applied.problems[0].1.message.contains("ConfigMap store-settings"));
    assert!(
        !scene
            .server
            .writes()
            .iter()
            .any(|path| path.contains("deployments"))
    );
}

#[tokio::test]
async fn given_an_object_that_changes_hands_when_updated_then_the_look_is_repeated() {
    let mut scene = scene();
    scene.apply().await.unwrap();
    scene.catch_up();
    let key = scene
        .prepared
        .iter()
        .find(|one| one.key.kind == ChildKind::Deployment)
        .unwrap()
        .key
        .clone();
    scene.observed.get_mut(&key).unwrap().generation = Some(2);
    scene.observed.get_mut(&key).unwrap().resource_version = 9;
    scene.server.refuse("/deployments/store", 409);
    let error = scene.apply().await.unwrap_err();
    assert!(
        matches!(error, ReconcileError::Apply { .. }),
        "another incarnation: {error}"
    );
    assert_eq!(scene.ledger.last(&scene.key, &key), None, "it is looked at anew");
}

#[tokio::test]
async fn given_refusals_that_a_person_must_put_right_when_applied_then_they_are_problems_with_the_servers_words()
 {
    let right =
        "deployments.apps \"store\" is forbidden: User \"operator\" cannot patch resource \"deployments\"";
    for (code, words, reason) in [
        (403, right, ConditionReason::PermissionDenied),
        (
            403,
            "deployments.apps \"store\" is forbidden: exceeded quota: deployments",
            ConditionReason::ApplyFailed,
        ),
        (
            403,
            "admission webhook \"images.example.com\" denied the request: not from here",
            ConditionReason::ApplyFailed,
        ),
        (
            422,
            "Deployment.apps is invalid: spec",
            ConditionReason::ApplyFailed,
        ),
    ] {
        let scene = scene();
        scene.server.refuse_saying("/deployments/store", code, words);
        let applied = scene.apply().await.unwrap();
        assert_eq!(applied.problems[0].1.reason, reason, "{words}");
        assert!(applied.problems[0].1.message.contains(words));
    }
}

/// A store whose claim has 10Gi where it shall have 20Gi.
async fn growing_scene() -> Scene {
    let mut scene = scene();
    scene.apply().await.unwrap();
    scene.catch_up();
    scene.server.writes();
    // Everything is to be written again.
    scene.ledger = Ledger::default();
    let claim = scene.observed.iter_mut();
    let mut claim = claim.filter(|(key, _)| key.kind == ChildKind::PersistentVolumeClaim);
    let (_, claim) = claim.next().unwrap();
    claim.facts = Facts::Claim(ClaimFacts {
        is_bound: true,
        requested: Some("10Gi".to_owned()),
        ..ClaimFacts::default()
    });
    scene
}

#[tokio::test]
async fn given_a_claim_that_may_not_grow_when_applied_then_that_is_said_and_everything_else_is_written() {
    for (code, words) in [
        (
            403,
            "only dynamically provisioned pvc can be resized and the storageclass must support resize",
        ),
        (403, "exceeded quota: storage, requested: requests.storage=10Gi"),
        (422, "spec.resources.requests.storage: Invalid value"),
    ] {
        let scene = growing_scene().await;
        scene
            .server
            .refuse_saying("/persistentvolumeclaims/data-store", code, words);

        let applied = scene.apply().await.unwrap();

        let [(_, problem)] = &applied.problems[..] else {
            panic!("{:?}", applied.problems)
        };
        assert_eq!(problem.reason, ConditionReason::VolumeExpansionRefused);
        assert!(
            problem.message.contains("data-store cannot grow") && problem.message.contains(words),
            "{}",
            problem.message
        );
        assert!(applied.is_complete(ChildKind::PersistentVolumeClaim));
        assert_eq!(applied.written.len(), scene.prepared.len() - 1);
        let writes = scene.server.writes();
        assert_eq!(writes.len(), scene.prepared.len());
        assert!(
            writes.last().unwrap().ends_with("/deployments/store"),
            "{writes:?}"
        );
    }
}

#[tokio::test]
async fn given_a_claim_that_the_operator_may_not_write_when_it_grows_then_the_missing_right_is_named() {
    let scene = growing_scene().await;
    let words = "persistentvolumeclaims \"data-store\" is forbidden: User \"operator\" cannot patch resource \"persistentvolumeclaims\"";
    scene
        .server
        .refuse_saying("/persistentvolumeclaims/data-store", 403, words);

    let applied = scene.apply().await.unwrap();

    assert_eq!(applied.problems[0].1.reason, ConditionReason::PermissionDenied);
    assert!(!applied.is_complete(ChildKind::PersistentVolumeClaim));
}

#[tokio::test]
async fn given_a_claim_of_another_making_when_it_is_refused_then_nothing_is_started_on_it() {
    // It does not grow: something else about it is wrong.
    let mut scene = growing_scene().await;
    for claim in scene.observed.values_mut() {
        if let Facts::Claim(facts) = &mut claim.facts {
            facts.requested = Some("20Gi".to_owned());
        }
    }
    scene.server.refuse("/persistentvolumeclaims/data-store", 422);

    let applied = scene.apply().await.unwrap();

    assert_eq!(applied.problems[0].1.reason, ConditionReason::ApplyFailed);
    let writes = scene.server.writes();
    assert!(
        !writes.is_empty() && !writes.iter().any(|path| path.contains("deployments")),
        "{writes:?}"
    );
}

#[tokio::test]
async fn given_a_busy_server_when_applied_then_the_look_fails_and_is_repeated() {
    let scene = scene();
    scene.server.refuse("/deployments/store", 429);
    assert!(scene.apply().await.is_err());
    assert!(scene.apply().await.is_ok());
}

#[tokio::test]
async fn given_a_strangers_object_when_applied_then_it_is_not_written() {
    let scene = scene();
    *scene.server.present.lock().unwrap() = Some(json!({"metadata": {"name": "x", "uid": "theirs",
        "ownerReferences": [{"apiVersion": "v1", "kind": "Other", "name": "them", "uid": "u", "controller": true}]}}));
    let applied = scene.apply().await.unwrap();
    assert!(
        applied
            .problems
            .iter()
            .all(|(_, problem)| problem.reason == ConditionReason::ResourceConflict)
    );
    assert!(applied.problems[0].1.message.contains("controlled by Other them"));
    assert_eq!(scene.server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn given_an_object_that_is_being_deleted_when_applied_then_it_is_waited_for() {
    let mut scene = scene();
    scene.apply().await.unwrap();
    scene.catch_up();
    scene.server.writes();
    let key = scene.prepared[0].key.clone();
    scene.observed.get_mut(&key).unwrap().is_leaving = true;
    let applied = scene.apply().await.unwrap();
    assert_eq!(applied.leaving, [key]);
    assert_eq!(scene.server.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn given_generated_credentials_when_made_then_by_a_manager_of_their_own() {
    let scene = scene();
    let apply = Apply {
        client: &scene.client,
        ledger: &scene.ledger,
        metrics: &scene.metrics,
        key: &scene.key,
        uid: "",
        observed: &scene.observed,
    };
    apply
        .credentials("store-admin", &[("username", "admin"), ("password", "secret")])
        .await
        .unwrap();
    let asked = scene.server.asked.lock().unwrap().clone();
    let (_, path, body) = &asked[0];
    assert!(
        path.contains(CREDENTIALS_MANAGER) && !path.contains("force=true"),
        "{path}"
    );
    assert!(body.contains("\"stringData\""), "{body}");
}

#[tokio::test]
async fn given_a_service_that_a_quota_refuses_when_applied_then_the_server_is_started_all_the_same() {
    let scene = scene();
    scene.server.refuse_saying(
        "/services/store",
        403,
        "services \"store\" is forbidden: exceeded quota: balancers",
    );
    let applied = scene.apply().await.unwrap();
    assert_eq!(applied.problems[0].1.reason, ConditionReason::ApplyFailed);
    let writes = scene.server.writes();
    assert!(
        writes.iter().any(|path| path.ends_with("/deployments/store")),
        "{writes:?}"
    );
}

#[tokio::test]
async fn given_data_that_no_watch_has_shown_when_they_are_there_then_they_are_not_taken_for_the_stores_own() {
    let scene = scene();
    let labelled = json!({"metadata": {"name": "x", "uid": "theirs", "resourceVersion": "3", "labels": {labels::STORE: "store"}}});
    *scene.server.present.lock().unwrap() = Some(labelled);
    let applied = scene.apply().await.unwrap();
    let kinds: Vec<_> = applied.leaving.iter().map(|key| key.kind).collect();
    assert_eq!(kinds, [ChildKind::Secret, ChildKind::PersistentVolumeClaim]);
    assert!(
        !scene
            .server
            .writes()
            .iter()
            .any(|path| path.contains("claims") || path.contains("secrets") || path.contains("deployments"))
    );
}
