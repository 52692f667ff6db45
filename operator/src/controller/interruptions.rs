//! Watches that end: told once, however many there are and however often they are tried again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use kube::runtime::watcher;

use crate::answers::{self, Answer};
use crate::health::Health;
use crate::metrics::Metrics;

/// The interrupted watches of one scope: a namespace, or the whole cluster.
#[derive(Debug)]
pub(super) struct Interruptions {
    scope: String,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    interrupted: Mutex<Interrupted>,
}

#[derive(Debug, Default)]
struct Interrupted {
    /// Kinds whose watch does not work now.
    kinds: BTreeSet<&'static str>,
    /// Those of them that the operator has no right to watch.
    forbidden: BTreeSet<&'static str>,
    has_seen_everything: bool,
}

/// How loudly an interruption is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// To everybody.
    Aloud,
    /// To who looks for it: it has been told before, or follows from what was told.
    Quietly,
}

impl Interruptions {
    /// Nothing is known of this scope yet.
    pub(super) fn new(namespace: Option<&str>, metrics: Arc<Metrics>, health: Arc<Health>) -> Self {
        let scope = namespace.map_or_else(|| "the cluster".to_owned(), |name| format!("namespace {name}"));
        health.cannot_see(
            &scope,
            &format!("{scope}: the first list of objects is not complete"),
        );
        Self {
            scope,
            metrics,
            health,
            interrupted: Mutex::default(),
        }
    }

    /// The namespace, or the whole cluster, in words.
    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// A watch has ended. It goes on by itself, after a pause.
    pub(super) fn interrupted(&self, kind: &'static str, error: &watcher::Error) -> Told {
        self.metrics.watch_failed(kind);
        let is_forbidden = is_forbidden(error);
        let told = self.note(kind, is_forbidden);
        let scope = &self.scope;
        match told {
            Told::Aloud if is_forbidden => {
                tracing::warn!(scope, kind, %error, "the operator may not watch this scope: install its roles there, or take it from --watch-namespace");
            }
            Told::Aloud => tracing::warn!(scope, kind, %error, "a watch was interrupted"),
            Told::Quietly => tracing::debug!(scope, kind, %error, "a watch is still interrupted"),
        }
        told
    }

    fn note(&self, kind: &'static str, is_forbidden: bool) -> Told {
        let mut interrupted = self.interrupted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = interrupted.kinds.insert(kind);
        if !is_forbidden {
            return if is_new { Told::Aloud } else { Told::Quietly };
        }
        // One missing role is one fault, not one for each kind.
        let is_first = interrupted.forbidden.is_empty();
        interrupted.forbidden.insert(kind);
        if !interrupted.has_seen_everything {
            let kinds: Vec<&str> = interrupted.forbidden.iter().copied().collect();
            let why = format!(
                "{}: the operator may not watch {}: install its roles there",
                self.scope,
                kinds.join(", ")
            );
            self.health.cannot_see(&self.scope, &why);
        }
        if is_first { Told::Aloud } else { Told::Quietly }
    }

    /// A watch works.
    pub(super) fn works(&self, kind: &'static str) {
        let mut interrupted = self.interrupted.lock().unwrap_or_else(PoisonError::into_inner);
        interrupted.forbidden.remove(kind);
        if interrupted.kinds.remove(kind) {
            tracing::info!(scope = self.scope, kind, "a watch works again");
        }
    }

    /// Every first list is complete.
    pub(super) fn sees_everything(&self) {
        let mut interrupted = self.interrupted.lock().unwrap_or_else(PoisonError::into_inner);
        interrupted.has_seen_everything = true;
        self.health.sees(&self.scope);
    }
}

fn is_forbidden(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => answers::of(error) == Answer::LacksRight,
        watcher::Error::WatchError(_) | watcher::Error::NoResourceVersion => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn forbidden() -> watcher::Error {
        let status = json!({"status": "Failure", "code": 403, "reason": "Forbidden",
            "message": "secrets is forbidden: User \"operator\" cannot list resource \"secrets\" in API group \"\" in the namespace \"a\""});
        let status = serde_json::from_value(status).unwrap();
        watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn given_a_namespace_without_roles_when_every_watch_fails_again_and_again_then_it_is_told_once() {
        let interruptions = Interruptions::new(Some("a"), Arc::default(), Arc::default());
        let kinds = ["Secret", "ConfigMap", "Deployment", "Secret", "ConfigMap"];
        let told = kinds.map(|kind| interruptions.interrupted(kind, &forbidden()));
        let aloud = told.iter().filter(|told| **told == Told::Aloud).count();
        assert_eq!((told[0], aloud), (Told::Aloud, 1));

        for kind in kinds {
            interruptions.works(kind);
        }
        assert_eq!(
            interruptions.interrupted("Secret", &forbidden()),
            Told::Aloud,
            "it is lost anew"
        );
    }

    #[test]
    fn given_a_watch_that_breaks_when_it_fails_until_it_works_then_it_is_told_once_each_time() {
        let interruptions = Interruptions::new(None, Arc::default(), Arc::default());
        let broken = || interruptions.interrupted("Secret", &watcher::Error::NoResourceVersion);
        assert_eq!([broken(), broken()], [Told::Aloud, Told::Quietly]);
        assert_eq!(
            interruptions.interrupted("Route", &watcher::Error::NoResourceVersion),
            Told::Aloud
        );
        interruptions.works("Secret");
        assert_eq!(broken(), Told::Aloud);
    }
}
