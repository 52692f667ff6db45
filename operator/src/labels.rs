//! Labels and annotations on everything that the operator makes.

use std::collections::BTreeMap;

/// Names the store that an object belongs to. Claims and credentials that outlive their store are recognised by it.
pub const STORE: &str = "zot.candlekeep.io/store";

/// The version of the server that a Deployment runs.
pub const VERSION_ANNOTATION: &str = "zot.candlekeep.io/version";

/// Hash of the Pod template that was applied last: a change of it is a rollout.
pub const TEMPLATE_ANNOTATION: &str = "zot.candlekeep.io/template-hash";

/// On a claim or a generated Secret: the incarnation of the store that it was made for. One that bears another, or none,
/// was there before the store.
pub const MADE_FOR_ANNOTATION: &str = "zot.candlekeep.io/made-for";

/// On a claim: the size that it was made with. What the server is told of its volume comes from this, so that a volume
/// which grows restarts nothing.
pub const FIRST_SIZE_ANNOTATION: &str = "zot.candlekeep.io/first-size";

/// The value of `app.kubernetes.io/managed-by`, the field manager, and the default name of the lease.
pub const MANAGER: &str = "zot-artifact-store-operator";

/// Selects everything that belongs to a store: what the operator made, and what was handed over to it by the label.
pub const SELECTOR: &str = STORE;

/// The labels of everything that belongs to the store. Labels of the resource itself are not copied: tools that prune
/// by label would take the objects for their own.
pub fn of(store: &str) -> BTreeMap<String, String> {
    [
        ("app.kubernetes.io/name", "zot-artifact-store"),
        ("app.kubernetes.io/instance", store),
        ("app.kubernetes.io/managed-by", MANAGER),
        (STORE, store),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// The labels that select the Pods of a store. Never changes: a Deployment's selector cannot.
pub fn selector(store: &str) -> BTreeMap<String, String> {
    [(STORE.to_owned(), store.to_owned())].into()
}
