//! The watches that show the operator what there is, and when to look.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, DynamicResourceScope, PartialObjectMeta};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};

use super::context::Context;
use crate::children::{ChildKey, ChildKind, Facts, Observed, Watched};
use crate::labels;

/// Objects per page of the first list.
const PAGE: u32 = 100;

/// An object of a watch, reduced to what is kept.
type Seen = (ObjectMeta, Facts);

/// Follows one kind until the process ends.
pub(super) async fn follow(context: Arc<Context>, kind: ChildKind, namespace: Option<String>) {
    let resource = kind.resource();
    let everything = watcher::Config::default().page_size(PAGE);
    let own = everything.clone().labels(labels::SELECTOR);
    let metadata = || api::<PartialObjectMeta<DynamicObject>>(&context, namespace.as_ref(), &resource);
    match kind.watched() {
        Watched::EveryMetadata => take_in(&context, kind, watch(metadata(), everything), metadata_of).await,
        Watched::OwnMetadata => take_in(&context, kind, watch(metadata(), own), metadata_of).await,
        Watched::OwnObject => {
            let objects = api::<DynamicObject>(&context, namespace.as_ref(), &resource);
            take_in(&context, kind, watch(objects, own), move |object| {
                facts_of(kind, object)
            })
            .await;
        }
    }
}

fn api<K>(context: &Context, namespace: Option<&String>, resource: &ApiResource) -> Api<K>
where
    K: Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced_with(context.client.clone(), namespace, resource),
        None => Api::all_with(context.client.clone(), resource),
    }
}

fn metadata_of(object: PartialObjectMeta<DynamicObject>) -> Seen {
    (object.metadata, Facts::None)
}

fn facts_of(kind: ChildKind, object: DynamicObject) -> Seen {
    (object.metadata, Facts::of(kind, &object.data))
}

async fn take_in<K: Send>(
    context: &Context,
    kind: ChildKind,
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send,
    reduce: impl Fn(K) -> Seen + Send,
) {
    let mut events = Box::pin(events.default_backoff());
    let mut listing = HashSet::new();
    while let Some(event) = events.next().await {
        match event {
            Err(error) => {
                context.interruptions.interrupted(kind.name(), &error);
            }
            Ok(Event::Init) => listing.clear(),
            Ok(Event::InitApply(object)) => {
                let seen = reduce(object);
                listing.insert((text(seen.0.namespace.as_ref()), text(seen.0.name.as_ref())));
                changed(context, kind, seen);
            }
            Ok(Event::InitDone) => {
                context.interruptions.works(kind.name());
                for store in context.observations.listed(kind, &listing) {
                    context.trigger(&store);
                }
                listing.clear();
            }
            Ok(Event::Apply(object)) => {
                context.interruptions.works(kind.name());
                changed(context, kind, reduce(object));
            }
            Ok(Event::Delete(object)) => {
                context.interruptions.works(kind.name());
                gone(context, kind, reduce(object));
            }
        }
    }
}

fn changed(context: &Context, kind: ChildKind, (metadata, facts): Seen) {
    let (namespace, key) = place(kind, &metadata);
    let seen = Observed::new(&metadata, facts);
    for store in context.observations.seen(&namespace, key.clone(), seen) {
        context.trigger(&store);
    }
    wake_referring(context, &namespace, &key);
}

fn gone(context: &Context, kind: ChildKind, (metadata, _): Seen) {
    let (namespace, key) = place(kind, &metadata);
    let store = metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(labels::STORE));
    if let Some(store) = context
        .observations
        .gone(&namespace, &key, store.map(String::as_str))
    {
        context.trigger(&store);
    }
    context.learned.forget(kind, &namespace, &key.name);
    wake_referring(context, &namespace, &key);
}

fn wake_referring(context: &Context, namespace: &str, key: &ChildKey) {
    if key.kind.watched() != Watched::EveryMetadata {
        return;
    }
    for store in context.referring_to(key.kind, namespace, &key.name) {
        context.trigger(&store);
    }
}

fn place(kind: ChildKind, metadata: &ObjectMeta) -> (String, ChildKey) {
    let key = ChildKey {
        kind,
        name: text(metadata.name.as_ref()),
    };
    (text(metadata.namespace.as_ref()), key)
}

fn text(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}
