//! Numbers of each repository.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::MeasuredRequest;

/// Most names that become label values: each is kept until the process ends.
const MAX_REPOSITORIES: usize = 1000;

/// What the others share. No repository has this name: names begin with a letter or a digit.
const OTHER: &str = "_other";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RepositoryLabels {
    repository: String,
}

type Numbers = Family<RepositoryLabels, Counter>;

/// Counts requests, bytes, pulls and pushes by repository.
#[derive(Debug, Default)]
pub(super) struct RepositoryMetrics {
    names: Mutex<Names>,
    requests: Numbers,
    received_bytes: Numbers,
    sent_bytes: Numbers,
    pulls: Numbers,
    pushes: Numbers,
}

#[derive(Debug, Default)]
struct Names {
    known: HashSet<Box<str>>,
    /// Of repositories that nobody has seen yet: an upload's bytes come before the repository exists.
    unseen: HashMap<Box<str>, Traffic>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    requests: u64,
    received_bytes: u64,
    sent_bytes: u64,
}

/// The use of a repository by a request.
#[derive(Clone, Copy, Debug)]
pub struct MeasuredRepository<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether the answer shows that it exists.
    pub is_seen: bool,
    /// Whether a manifest was pulled.
    pub is_pull: bool,
    /// Whether a manifest was pushed.
    pub is_push: bool,
}

impl RepositoryMetrics {
    pub(super) fn register(&self, all: &mut Registry) {
        all.register(
            "repository_requests",
            "Allowed requests on repositories that exist",
            self.requests.clone(),
        );
        all.register_with_unit(
            "repository_received",
            "Bytes of request bodies by repository",
            Unit::Bytes,
            self.received_bytes.clone(),
        );
        all.register_with_unit(
            "repository_sent",
            "Bytes of answer bodies by repository",
            Unit::Bytes,
            self.sent_bytes.clone(),
        );
        all.register(
            "repository_pulls",
            "Manifests pulled by repository",
            self.pulls.clone(),
        );
        all.register(
            "repository_pushes",
            "Manifests pushed by repository",
            self.pushes.clone(),
        );
    }

    pub(super) fn request_ended(&self, request: &MeasuredRequest<'_>) {
        let Some(repository) = &request.repository else {
            return;
        };
        let traffic = Traffic {
            requests: 1,
            received_bytes: request.received_bytes,
            sent_bytes: request.sent_bytes,
        };
        let Some((name, traffic)) = self.names().admit(repository, traffic) else {
            return;
        };
        let labels = RepositoryLabels {
            repository: name.to_owned(),
        };
        self.requests.get_or_create(&labels).inc_by(traffic.requests);
        self.received_bytes
            .get_or_create(&labels)
            .inc_by(traffic.received_bytes);
        self.sent_bytes.get_or_create(&labels).inc_by(traffic.sent_bytes);
        self.pulls
            .get_or_create(&labels)
            .inc_by(u64::from(repository.is_pull));
        self.pushes
            .get_or_create(&labels)
            .inc_by(u64::from(repository.is_push));
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    /// The label to count under, with what was put off before. `None`: put off.
    fn admit<'a>(
        &mut self,
        repository: &MeasuredRepository<'a>,
        traffic: Traffic,
    ) -> Option<(&'a str, Traffic)> {
        let name = repository.name;
        if self.known.contains(name) {
            return Some((name, traffic));
        }
        if !repository.is_seen {
            self.put_off(name, traffic);
            return None;
        }
        let traffic = traffic.plus(self.unseen.remove(name).unwrap_or_default());
        if self.known.len() >= MAX_REPOSITORIES {
            return Some((OTHER, traffic));
        }
        self.known.insert(name.into());
        Some((name, traffic))
    }

    /// Names may be made up here, so there are never more than a bounded number.
    fn put_off(&mut self, name: &str, traffic: Traffic) {
        if let Some(before) = self.unseen.get_mut(name) {
            *before = before.plus(traffic);
            return;
        }
        if self.unseen.len() >= MAX_REPOSITORIES {
            self.unseen.clear();
        }
        self.unseen.insert(name.into(), traffic);
    }
}

impl Traffic {
    fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            received_bytes: self.received_bytes.saturating_add(other.received_bytes),
            sent_bytes: self.sent_bytes.saturating_add(other.sent_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::ServerMetrics;
    use super::*;

    fn count(metrics: &ServerMetrics, name: &str, is_seen: bool, received_bytes: u64) {
        let repository = MeasuredRepository {
            name,
            is_seen,
            is_pull: is_seen && received_bytes == 0,
            is_push: is_seen && received_bytes > 0,
        };
        metrics.request_ended(&MeasuredRequest {
            route: "/v2/{name}/manifests/{reference}",
            repository: Some(repository),
            method: "GET",
            status: 200,
            duration: Duration::from_millis(3),
            received_bytes,
            sent_bytes: 7,
        });
    }

    #[track_caller]
    fn expect(metrics: &ServerMetrics, lines: &[&str]) {
        let text = metrics.encode().unwrap();
        for line in lines {
            assert!(text.lines().any(|other| other == *line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn given_requests_when_the_repository_is_seen_then_counted_with_what_came_before() {
        let metrics = ServerMetrics::with_repositories();
        count(&metrics, "team/app", false, 100);
        count(&metrics, "team/app", false, 20);
        assert!(!metrics.encode().unwrap().contains("team/app"));
        count(&metrics, "team/app", true, 3);
        count(&metrics, "team/app", false, 1000);
        count(&metrics, "team/app", true, 0);
        expect(
            &metrics,
            &[
                "zas_repository_requests_total{repository=\"team/app\"} 5",
                "zas_repository_received_bytes_total{repository=\"team/app\"} 1123",
                "zas_repository_sent_bytes_total{repository=\"team/app\"} 35",
                "zas_repository_pulls_total{repository=\"team/app\"} 1",
                "zas_repository_pushes_total{repository=\"team/app\"} 1",
            ],
        );
    }

    #[test]
    fn given_more_names_than_allowed_when_counted_then_the_others_share_one() {
        let metrics = ServerMetrics::with_repositories();
        for number in 0..=MAX_REPOSITORIES + 1 {
            count(&metrics, &format!("r{number}"), true, 0);
        }
        count(&metrics, "r0", true, 0);
        expect(
            &metrics,
            &[
                "zas_repository_requests_total{repository=\"_other\"} 2",
                "zas_repository_pulls_total{repository=\"r0\"} 2",
                "zas_repository_pulls_total{repository=\"r999\"} 1",
            ],
        );
        assert!(!metrics.encode().unwrap().contains("\"r1000\""));
    }

    #[test]
    fn given_made_up_names_when_nobody_sees_them_then_neither_labels_nor_memory_grow() {
        let metrics = RepositoryMetrics::default();
        for number in 0..3 * MAX_REPOSITORIES {
            let name = format!("made/up/{number}");
            let repository = MeasuredRepository {
                name: &name,
                is_seen: false,
                is_pull: false,
                is_push: false,
            };
            assert!(metrics.names().admit(&repository, Traffic::default()).is_none());
            assert!(metrics.names().unseen.len() <= MAX_REPOSITORIES);
        }
        assert!(metrics.names().known.is_empty());
    }

    #[test]
    fn given_no_wish_for_repositories_when_counted_then_no_name_appears() {
        let metrics = ServerMetrics::new();
        count(&metrics, "team/app", true, 0);
        let text = metrics.encode().unwrap();
        assert!(
            !text.contains("team/app") && !text.contains("zas_repository"),
            "{text}"
        );
    }
}
