//! The container of the server.

use k8s_openapi::api::core::v1::{Container, ContainerPort, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use zas_crd::ImagePullPolicy;

use super::{environment, probes, security, volumes};
use crate::layout;
use crate::resources::{OPERATIONS_PORT_NAME, REGISTRY_PORT_NAME, SERVER_CONTAINER, stated_list};
use crate::store::{Release, ResolvedStore};

/// The server with its two configuration files: the hot one comes second, since a later file overrides.
pub(super) fn server(store: &ResolvedStore, release: &Release) -> Container {
    let pull_policy = store.spec.image.pull_policy;
    Container {
        name: SERVER_CONTAINER.to_owned(),
        image: Some(release.operand.image.clone()),
        image_pull_policy: Some(
            pull_policy
                .unwrap_or(ImagePullPolicy::IfNotPresent)
                .as_str()
                .to_owned(),
        ),
        args: Some(arguments()),
        ports: Some(vec![
            port(REGISTRY_PORT_NAME, store.port()),
            port(OPERATIONS_PORT_NAME, layout::OPERATIONS_PORT),
        ]),
        env: stated_list(&environment::variables(store)),
        resources: Some(store.spec.pod.resources.clone().unwrap_or_else(resources)),
        startup_probe: Some(probes::startup(store)),
        readiness_probe: Some(probes::readiness(store)),
        liveness_probe: Some(probes::liveness(store)),
        security_context: Some(security::container(store)),
        // A server that cannot start says why in its last lines, and the status of the Pod shows them.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(volumes::mounts(store, release)),
        ..Container::default()
    }
}

fn arguments() -> Vec<String> {
    [layout::RESTART_CONFIGURATION, layout::HOT_CONFIGURATION]
        .into_iter()
        .flat_map(|folder| {
            let file = format!("{folder}/{}", layout::CONFIGURATION_FILE);
            ["--config".to_owned(), file]
        })
        .collect()
}

fn port(name: &str, number: i32) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

fn resources() -> ResourceRequirements {
    let amount = |resource: &str, quantity: &str| (resource.to_owned(), Quantity(quantity.to_owned()));
    ResourceRequirements {
        requests: Some([amount("cpu", "250m"), amount("memory", "256Mi")].into()),
        limits: Some([amount("memory", "1Gi")].into()),
        ..ResourceRequirements::default()
    }
}
