//! Extensions as they are attached.

use std::sync::Mutex;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use tokio_util::sync::CancellationToken;
use zas_blobs::MemoryBlobs;
use zas_core::{ManualClock, SystemIds, Timestamp};
use zas_metadata::{MemoryMetadata, Timing};

use super::*;
use crate::api::RequestRecord;
use crate::services::auth::{Access, AccessKeys};
use crate::services::capacity::Shares;
use crate::services::objects::{Objects, ObjectsParts};
use crate::services::registry::{Registry, RegistryParts, RegistrySettings};

type Events = Arc<Mutex<Vec<String>>>;

#[derive(Debug)]
struct Recorded {
    name: &'static str,
    fails: bool,
    events: Events,
}

#[derive(Debug)]
struct Listener(&'static str, Events);

impl Observer for Listener {
    fn request_ended(&self, record: &RequestRecord) {
        let line = format!("{} heard of {}", self.0, record.route);
        self.1.lock().unwrap().push(line);
    }
}

impl Extension for Recorded {
    fn name(&self) -> &'static str {
        self.name
    }

    fn attach(&self, services: &Services) -> Result<Parts, String> {
        self.events.lock().unwrap().push(format!("attach {}", self.name));
        if self.fails {
            return Err("broken".to_owned());
        }
        let (name, events, clock) = (self.name, Arc::clone(&self.events), Arc::clone(&services.clock));
        let task = Task::new(name, move |stop: CancellationToken| async move {
            stop.cancelled().await;
            let line = format!("{name} ended at {}", clock.now().millis());
            events.lock().unwrap().push(line);
        });
        let health = if name == "b" {
            Health::Unhealthy("tired".to_owned())
        } else {
            Health::Healthy
        };
        Ok(Parts {
            observer: Some(Arc::new(Listener(name, Arc::clone(&self.events)))),
            tasks: vec![task],
            health: Some(HealthCheck::new(move || health.clone())),
            ..Parts::default()
        })
    }
}

fn extensions(fails: &[bool]) -> (Extensions, Events) {
    let events = Events::default();
    let all = ["a", "b", "c"].iter().zip(fails).map(|(name, fails)| {
        Box::new(Recorded {
            name,
            fails: *fails,
            events: Arc::clone(&events),
        }) as Box<dyn Extension>
    });
    (Extensions::of(all.collect()), events)
}

fn services() -> Services {
    let configuration = Configuration::default();
    let clock = Arc::new(ManualClock::starting_at(Timestamp::from_millis(7_000)));
    let clock: Arc<dyn zas_core::Clock> = clock;
    let timing = Timing {
        grace: Duration::from_secs(1),
        doom_delay: Duration::from_secs(1),
    };
    let parts = RegistryParts {
        metadata: Arc::new(MemoryMetadata::new(Arc::clone(&clock), timing)),
        blobs: Arc::new(MemoryBlobs::new()),
        clock: Arc::clone(&clock),
        ids: Arc::new(SystemIds::default()),
    };
    let access = Arc::new(Access::new(&configuration, Arc::clone(&clock)).unwrap());
    let access_keys = AccessKeys::new(
        Arc::clone(&parts.metadata),
        Arc::clone(&access),
        None,
        Arc::clone(&clock),
        Arc::clone(&parts.ids),
    );
    let registry = Registry::new(parts.clone(), RegistrySettings::in_test(), 1);
    let objects = Objects::new(ObjectsParts {
        metadata: Arc::clone(&parts.metadata),
        clock: Arc::clone(&clock),
        ids: Arc::clone(&parts.ids),
        registry: registry.clone(),
    });
    Services {
        metadata: parts.metadata,
        blobs: parts.blobs,
        clock,
        ids: parts.ids,
        access,
        access_keys,
        registry,
        objects,
        memory: Arc::new(Shares::new(1)),
    }
}

#[tokio::test]
async fn given_several_extensions_when_attached_then_each_observer_hears_and_each_task_runs_until_the_stop() {
    // Given
    let (extensions, events) = extensions(&[false, false, false]);
    assert!(extensions.observers().is_empty() && extensions.unhealthy().is_none());

    // When
    let tasks = extensions.attach(&services()).unwrap();
    for observer in extensions.observers().iter() {
        observer.request_ended(&RequestRecord {
            route: "/v2/",
            repository: None,
            method: Method::GET,
            status: StatusCode::OK,
            duration: Duration::ZERO,
            received_bytes: 0,
            sent_bytes: 0,
        });
    }
    let stop = CancellationToken::new();
    let work: Vec<_> = tasks
        .into_iter()
        .map(|task| tokio::spawn(task.begin(stop.clone())))
        .collect();
    stop.cancel();
    for task in work {
        task.await.unwrap();
    }

    // Then
    let mut expected: Vec<String> = ["a", "b", "c"].map(|name| format!("attach {name}")).to_vec();
    expected.extend(["a", "b", "c"].map(|name| format!("{name} heard of /v2/")));
    expected.extend(["a", "b", "c"].map(|name| format!("{name} ended at 7000")));
    assert_eq!(*events.lock().unwrap(), expected);
    assert_eq!(extensions.unhealthy().as_deref(), Some("b: tired"));
}

#[tokio::test]
async fn given_a_failing_extension_when_attached_then_the_start_fails_by_its_name_and_nothing_runs() {
    let (extensions, events) = extensions(&[false, true, false]);
    let error = extensions.attach(&services()).unwrap_err();
    assert_eq!(error, "extension b did not start: broken");
    assert_eq!(*events.lock().unwrap(), ["attach a", "attach b"]);
    assert!(extensions.observers().is_empty());
}
