//! An API server in memory, with what a test wants to go wrong.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use k8s_openapi::ByteString;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;

pub(super) const NAMESPACE: &str = "artifacts";

/// The group of Routes.
const ROUTES: &str = "/apis/route.openshift.io/v1";

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;
type Line = io::Result<Frame<Bytes>>;

/// Lists, watches, reads, server-side application and deletion in one namespace. Watches continue from the version that
/// they state, or are told that it is too old.
#[derive(Clone, Default)]
pub(super) struct ApiServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    objects: BTreeMap<Place, Value>,
    version: u64,
    history: Vec<Change>,
    /// By plural name: changes up to this version are forgotten.
    floors: BTreeMap<String, u64>,
    watches: Vec<(String, UnboundedSender<Line>)>,
    unanswered: Option<&'static str>,
    has_routes: bool,
    /// Whether the server behind the group of Routes is down, as an aggregated one may be: the group is listed still.
    are_routes_down: bool,
    /// The published schema of the resource.
    schema: Option<Value>,
    /// When, and what.
    asked: Vec<(Instant, String)>,
}

/// Plural name and name.
type Place = (String, String);

struct Change {
    plural: String,
    version: u64,
    line: Bytes,
}

impl ApiServer {
    pub(super) fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| server.clone().answer(request));
        kube::Client::new(service, NAMESPACE)
    }

    /// From here on requests whose path contains this are never answered.
    pub(super) fn ignore(&self, part: &'static str) {
        self.state().unanswered = Some(part);
    }

    /// From here on every request is answered. Those that were ignored stay so.
    pub(super) fn answer_again(&self) {
        self.state().unanswered = None;
    }

    /// From here on this is the schema of the resource that is published.
    pub(super) fn publish_schema(&self, mut schema: Value) {
        schema["x-kubernetes-group-version-kind"] = json!([{"kind": zas_crd::KIND}]);
        self.state().schema = Some(schema);
    }

    /// From here on the cluster has Routes.
    pub(super) fn offer_routes(&self) {
        self.state().has_routes = true;
    }

    /// Whether the server of Routes answers 503.
    pub(super) fn set_routes_down(&self, are_down: bool) {
        self.state().are_routes_down = are_down;
    }

    /// When requests have come whose path contains this.
    pub(super) fn asked(&self, part: &str) -> Vec<Instant> {
        let state = self.state();
        let asked = state.asked.iter().filter(|(_, path)| path.contains(part));
        asked.map(|(when, _)| *when).collect()
    }

    /// An object, if it is there.
    pub(super) fn get(&self, plural: &str, name: &str) -> Option<Value> {
        let place = (plural.to_owned(), name.to_owned());
        self.state().objects.get(&place).cloned()
    }

    /// Creates or changes an object, as somebody else would.
    pub(super) fn put(&self, plural: &str, name: &str, content: &Value) {
        self.state().apply(&(plural.to_owned(), name.to_owned()), content);
    }

    /// Deletes an object, as somebody else would.
    pub(super) fn delete(&self, plural: &str, name: &str) {
        self.state().delete(&(plural.to_owned(), name.to_owned()));
    }

    /// Ends the watches of a kind in the middle of what they say. `meanwhile` happens before they can come back.
    pub(super) fn cut(&self, plural: &str, meanwhile: impl FnOnce(&Self)) {
        let cut = self.state().take_watches(plural);
        assert_ne!(cut.len(), 0, "nobody watches {plural}");
        meanwhile(self);
        for watch in cut {
            let torn = Bytes::from_static(b"{\"type\":\"MODI");
            let _ = watch.send(Ok(Frame::data(torn)));
            let _ = watch.send(Err(io::ErrorKind::ConnectionReset.into()));
        }
    }

    /// Ends the watches of a kind as too old: what happens `meanwhile` is in no history.
    pub(super) fn expire(&self, plural: &str, meanwhile: impl FnOnce(&Self)) {
        let expired = self.state().take_watches(plural);
        assert_ne!(expired.len(), 0, "nobody watches {plural}");
        meanwhile(self);
        let mut state = self.state();
        state.history.retain(|change| change.plural != plural);
        let floor = state.version;
        state.floors.insert(plural.to_owned(), floor);
        for watch in expired {
            let _ = watch.send(Ok(Frame::data(too_old())));
        }
    }

    async fn answer(self, request: Request<Body>) -> io::Result<Answer> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let is_ignored = {
            let mut state = self.state();
            state
                .asked
                .push((Instant::now(), format!("{} {path}", parts.method)));
            state.unanswered.is_some_and(|part| path.contains(part))
        };
        if is_ignored {
            std::future::pending::<()>().await;
        }
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let content: Value = serde_json::from_slice(&body).unwrap_or_default();
        let inside = format!("/namespaces/{NAMESPACE}/");
        let is_down = path.starts_with(ROUTES) && self.state().are_routes_down;
        if is_down {
            return Ok(unavailable());
        }
        let Some((_, inside)) = path.split_once(&inside) else {
            return Ok(json_answer(200, &self.state().discovery(&path)));
        };
        let words: Vec<&str> = inside.split('/').collect();
        let query = parts.uri.query().unwrap_or_default();
        Ok(self.state().serve(&parts.method, &words, query, &content))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn serve(&mut self, method: &Method, words: &[&str], query: &str, content: &Value) -> Answer {
        let place = |name: &str| (words[0].to_owned(), name.to_owned());
        match (method.as_str(), words) {
            ("GET", [plural]) if query.contains("watch=true") => self.watch(plural, query),
            ("GET", [plural]) => json_answer(200, &self.list(plural)),
            ("GET", [_, name]) => self
                .objects
                .get(&place(name))
                .map_or_else(not_found, |object| json_answer(200, object)),
            ("PATCH", [_, name]) => json_answer(200, &self.apply(&place(name), content)),
            ("PATCH", [_, name, "status"]) if self.objects.contains_key(&place(name)) => {
                let status = json!({"status": content["status"]});
                json_answer(200, &self.apply(&place(name), &status))
            }
            ("DELETE", [_, name]) => {
                self.delete(&place(name));
                json_answer(200, &json!({"kind": "Status", "status": "Success"}))
            }
            ("POST", [_]) => json_answer(201, content),
            _ => not_found(),
        }
    }

    /// Which optional APIs there are: none, or Routes.
    fn discovery(&self, path: &str) -> Value {
        const SCHEMAS: &str = "/openapi/v3/of-stores";
        if path == SCHEMAS {
            return json!({"components": {"schemas": {"store": self.schema}}});
        }
        if let ("/openapi/v3", Some(schema)) = (path, &self.schema) {
            let version = format!("{SCHEMAS}?hash={}", crate::hash::of_json(schema));
            return json!({"paths": {"apis/zot.candlekeep.io/v1alpha1": {"serverRelativeURL": version}}});
        }
        if path == ROUTES {
            let route = json!({"name": "routes", "singularName": "route", "namespaced": true, "kind": "Route", "verbs": []});
            return json!({"kind": "APIResourceList", "groupVersion": "route.openshift.io/v1", "resources": [route]});
        }
        let version = json!({"groupVersion": "route.openshift.io/v1", "version": "v1"});
        let group = json!({"name": "route.openshift.io", "versions": [version]});
        let groups: Vec<Value> = self.has_routes.then_some(group).into_iter().collect();
        json!({"kind": "APIGroupList", "groups": groups})
    }

    fn list(&self, plural: &str) -> Value {
        let items: Vec<&Value> = self
            .objects
            .iter()
            .filter(|((of, _), _)| of == plural)
            .map(|(_, object)| object)
            .collect();
        json!({"metadata": {"resourceVersion": self.version.to_string()}, "items": items})
    }

    fn watch(&mut self, plural: &str, query: &str) -> Answer {
        let from = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("resourceVersion="));
        let from: u64 = from
            .and_then(|text| text.parse().ok())
            .expect("watches state a version");
        let (sender, receiver) = mpsc::unbounded_channel();
        let body = BodyExt::boxed_unsync(StreamBody::new(UnboundedReceiverStream::new(receiver)));
        if self.floors.get(plural).is_some_and(|floor| from < *floor) {
            let _ = sender.send(Ok(Frame::data(too_old())));
            return Response::new(body);
        }
        for change in &self.history {
            if change.plural == plural && change.version > from {
                let _ = sender.send(Ok(Frame::data(change.line.clone())));
            }
        }
        self.watches.push((plural.to_owned(), sender));
        Response::new(body)
    }

    fn take_watches(&mut self, plural: &str) -> Vec<UnboundedSender<Line>> {
        let (taken, kept) = std::mem::take(&mut self.watches)
            .into_iter()
            .partition(|(of, _)| of == plural);
        self.watches = kept;
        taken
            .into_iter()
            .map(|(_, watch): (String, _)| watch)
            .filter(|watch| !watch.is_closed())
            .collect()
    }

    fn apply(&mut self, place: &Place, content: &Value) -> Value {
        self.version += 1;
        let version = self.version;
        let before = self.objects.get(place).cloned();
        let mut object = before.clone().unwrap_or_else(|| json!({}));
        merge(&mut object, content);
        encode(&mut object);
        let metadata = &mut object["metadata"];
        metadata["name"] = place.1.as_str().into();
        metadata["namespace"] = NAMESPACE.into();
        metadata["resourceVersion"] = version.to_string().into();
        let Some(before) = before else {
            metadata["uid"] = format!("uid-{version}").into();
            metadata["generation"] = 1.into();
            self.changed(place, "ADDED", object.clone());
            return object;
        };
        if object["spec"] != before["spec"] {
            let generation = before["metadata"]["generation"].as_i64().unwrap_or(0);
            object["metadata"]["generation"] = (generation + 1).into();
        }
        self.changed(place, "MODIFIED", object.clone());
        object
    }

    fn delete(&mut self, place: &Place) {
        let Some(mut object) = self.objects.get(place).cloned() else {
            return;
        };
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.changed(place, "DELETED", object);
        self.objects.remove(place);
    }

    fn changed(&mut self, place: &Place, how: &str, object: Value) {
        let line = format!("{}\n", json!({"type": how, "object": object}));
        let change = Change {
            plural: place.0.clone(),
            version: self.version,
            line: line.into(),
        };
        for (plural, watch) in &self.watches {
            if *plural == change.plural {
                // One that has ended hears of it when it comes back.
                let _ = watch.send(Ok(Frame::data(change.line.clone())));
            }
        }
        self.history.push(change);
        self.objects.insert(place.clone(), object);
    }
}

/// Secrets are written as text and read encoded.
fn encode(object: &mut Value) {
    let Some(Value::Object(texts)) = object
        .as_object_mut()
        .and_then(|fields| fields.remove("stringData"))
    else {
        return;
    };
    for (key, text) in texts {
        let bytes = ByteString(text.as_str().unwrap_or_default().into());
        object["data"][key] = serde_json::to_value(bytes).unwrap();
    }
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn too_old() -> Bytes {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 410,
        "reason": "Expired", "message": "too old resource version"});
    format!("{}\n", json!({"type": "ERROR", "object": status})).into()
}

fn unavailable() -> Answer {
    json_answer(
        503,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 503, "reason": "ServiceUnavailable",
            "message": "the server is currently unable to handle the request"}),
    )
}

fn not_found() -> Answer {
    json_answer(
        404,
        &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound",
            "message": "there is none"}),
    )
}

fn json_answer(code: u16, body: &Value) -> Answer {
    let body = Full::new(Bytes::from(body.to_string()));
    let body = body.map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(code).body(body).unwrap()
}
