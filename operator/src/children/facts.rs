//! What the operator wants to know of an object beyond its metadata.

use serde_json::Value;

use super::ChildKind;

/// What is known of an object beyond its metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Facts {
    /// Nothing: its metadata say everything.
    #[default]
    None,
    /// Of the Deployment.
    Deployment(DeploymentFacts),
    /// Of the claim.
    Claim(ClaimFacts),
    /// Of a Service.
    Service(ServiceFacts),
    /// Of the Ingress.
    Ingress(IngressFacts),
    /// Of the Route.
    Route(RouteFacts),
}

/// How far a Deployment is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentFacts {
    /// Pods that it is told to run.
    pub wanted: i32,
    /// The generation that its status speaks of.
    pub observed_generation: i64,
    /// Pods that exist.
    pub replicas: i32,
    /// Pods of the newest template.
    pub updated: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Pods that serve.
    pub available: i32,
    /// The image that its server container runs.
    pub image: Option<String>,
    /// Why it does not get on: the message of a false `Progressing` condition.
    pub stuck: Option<String>,
    /// Why no Pod can be made: the message of a true `ReplicaFailure` condition.
    pub failure: Option<String>,
}

/// How far a claim is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimFacts {
    /// Whether a volume is bound to it.
    pub is_bound: bool,
    /// Whether the volume that was bound to it is gone.
    pub is_lost: bool,
    /// The size that is asked for.
    pub requested: Option<String>,
    /// The size that is there.
    pub capacity: Option<String>,
    /// The class, once known.
    pub storage_class: Option<String>,
    /// Why it cannot grow, if so.
    pub resize_failure: Option<String>,
}

/// Where a Service is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Its address inside the cluster.
    pub cluster_ip: Option<String>,
    /// Host name or address of its load balancer.
    pub load_balancer: Option<String>,
    /// Whether it has, or waits for, a load balancer.
    pub is_load_balanced: bool,
    /// The first port that it offers.
    pub port: Option<i32>,
    /// Whether that port speaks TLS.
    pub speaks_tls: bool,
}

/// Where an Ingress is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngressFacts {
    /// Whether a controller took it over.
    pub has_address: bool,
    /// The host that it stands for.
    pub host: Option<String>,
    /// Whether it ends TLS for that host.
    pub has_tls: bool,
}

/// What a router says of a Route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteFacts {
    /// The host under which it was admitted.
    pub admitted_host: Option<String>,
    /// Why it was not, in the router's words.
    pub refusal: Option<String>,
}

impl Facts {
    /// Reads the facts of an object of this kind out of everything but its metadata.
    pub fn of(kind: ChildKind, object: &Value) -> Self {
        match kind {
            ChildKind::Deployment => Self::Deployment(deployment(object)),
            ChildKind::PersistentVolumeClaim => Self::Claim(claim(object)),
            ChildKind::Service => Self::Service(service(object)),
            ChildKind::Ingress => Self::Ingress(IngressFacts {
                has_address: !entries(object, "/status/loadBalancer/ingress").is_empty(),
                host: text(object, "/spec/rules/0/host"),
                has_tls: !entries(object, "/spec/tls").is_empty(),
            }),
            ChildKind::Route => Self::Route(route(object)),
            _ => Self::None,
        }
    }
}

fn deployment(object: &Value) -> DeploymentFacts {
    let containers = entries(object, "/spec/template/spec/containers");
    let server = containers
        .iter()
        .find(|container| text(container, "/name").as_deref() == Some(crate::resources::SERVER_CONTAINER));
    DeploymentFacts {
        wanted: number(object, "/spec/replicas"),
        observed_generation: object
            .pointer("/status/observedGeneration")
            .and_then(Value::as_i64)
            .unwrap_or(0),
        replicas: number(object, "/status/replicas"),
        updated: number(object, "/status/updatedReplicas"),
        ready: number(object, "/status/readyReplicas"),
        available: number(object, "/status/availableReplicas"),
        image: server.and_then(|container| text(container, "/image")),
        stuck: condition(object, "Progressing", "False"),
        failure: condition(object, "ReplicaFailure", "True"),
    }
}

fn claim(object: &Value) -> ClaimFacts {
    ClaimFacts {
        is_bound: text(object, "/status/phase").as_deref() == Some("Bound"),
        is_lost: text(object, "/status/phase").as_deref() == Some("Lost"),
        requested: text(object, "/spec/resources/requests/storage"),
        capacity: text(object, "/status/capacity/storage"),
        storage_class: text(object, "/spec/storageClassName"),
        resize_failure: condition(object, "ControllerResizeError", "True")
            .or_else(|| condition(object, "NodeResizeError", "True")),
    }
}

fn service(object: &Value) -> ServiceFacts {
    let balancers = entries(object, "/status/loadBalancer/ingress");
    ServiceFacts {
        cluster_ip: text(object, "/spec/clusterIP")
            .filter(|address| !address.is_empty() && address != "None"),
        load_balancer: balancers
            .first()
            .and_then(|entry| text(entry, "/hostname").or_else(|| text(entry, "/ip"))),
        is_load_balanced: text(object, "/spec/type").as_deref() == Some("LoadBalancer"),
        port: Some(number(object, "/spec/ports/0/port")).filter(|port| *port > 0),
        speaks_tls: text(object, "/spec/ports/0/appProtocol").as_deref() == Some("https"),
    }
}

fn route(object: &Value) -> RouteFacts {
    let mut facts = RouteFacts::default();
    for ingress in entries(object, "/status/ingress") {
        for condition in entries(ingress, "/conditions") {
            if text(condition, "/type").as_deref() != Some("Admitted") {
                continue;
            }
            match text(condition, "/status").as_deref() {
                Some("True") => facts.admitted_host = facts.admitted_host.or_else(|| text(ingress, "/host")),
                Some("False") => {
                    facts.refusal = text(condition, "/message").or_else(|| text(condition, "/reason"));
                }
                _ => {}
            }
        }
    }
    facts
}

/// The message of a condition of this type and status.
fn condition(object: &Value, kind: &str, status: &str) -> Option<String> {
    entries(object, "/status/conditions")
        .iter()
        .find(|condition| {
            text(condition, "/type").as_deref() == Some(kind)
                && text(condition, "/status").as_deref() == Some(status)
        })
        .map(|condition| text(condition, "/message").unwrap_or_default())
}

fn entries<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(object: &Value, pointer: &str) -> Option<String> {
    object.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

fn number(object: &Value, pointer: &str) -> i32 {
    object
        .pointer(pointer)
        .and_then(Value::as_i64)
        .and_then(|number| i32::try_from(number).ok())
        .unwrap_or(0)
}
