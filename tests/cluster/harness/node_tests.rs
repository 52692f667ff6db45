use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use kube::api::Api;

use crate::remains::{containers_of, processes_of};
use crate::{ImageBuild, Node, eventually, standin_base, wait_until};

const LIMIT: Duration = Duration::from_secs(120);

/// Answers every request with the content of a file, as Perl belongs to what is essential.
const DOCKERFILE: &str = r#"ARG BASE
FROM ${BASE}
ARG GREETING
RUN echo "${GREETING}" >/greeting
CMD ["perl", "-MIO::Socket::INET", "-e", "my $listener = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die; while (my $client = $listener->accept) { while (my $line = <$client>) { last if length($line) < 3 } open(my $file, '<', '/greeting'); print $client qq(HTTP/1.0 200 OK\r\n\r\n), <$file>; close $client }"]
"#;

const OBJECTS: &str = r#"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: local, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: greeter}
spec: {selector: {app: greeter}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: greeter, labels: {app: greeter}}
spec:
  securityContext: {runAsUser: 1000660000, runAsGroup: 0, runAsNonRoot: true}
  containers:
  - name: greeter
    image: zas.local/greeter:1
    imagePullPolicy: Never
    readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"#;

fn greeter_image(directory: &Path) -> PathBuf {
    let dockerfile = directory.join("Dockerfile");
    fs::write(&dockerfile, DOCKERFILE).unwrap();
    let archive = directory.join("greeter.tar");
    ImageBuild::new("zas.local/greeter:1", dockerfile, directory)
        .argument("BASE", standin_base())
        .argument("GREETING", "hello from the pod")
        .write_to(&archive);
    archive
}

async fn wait_for_the_pod(pods: &Api<Pod>) {
    eventually("the pod is ready", LIMIT, async || {
        let status = pods.get_opt("greeter").await.unwrap()?.status?;
        let ready = status
            .conditions?
            .into_iter()
            .find(|condition| condition.type_ == "Ready")?;
        (ready.status == "True").then_some(())
    })
    .await;
}

fn ask(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn given_a_node_when_a_pod_runs_then_its_service_answers_its_claim_is_bound_and_nothing_is_left_afterwards()
 {
    let scratch = tempfile::tempdir().unwrap();
    let image = greeter_image(scratch.path());
    let node = Node::start();
    let directory = node.directory.path().to_owned();
    let client = node.control_plane().client().await;

    node.import_image(&image);
    let volume = node.persistent_volume("first", "local", "1Gi", &["ReadWriteOnce"]);
    node.control_plane().apply(OBJECTS);
    wait_for_the_pod(&Api::default_namespaced(client.clone())).await;

    let claims: Api<PersistentVolumeClaim> = Api::default_namespaced(client.clone());
    let claim = claims.get("data").await.unwrap();
    assert_eq!(claim.status.unwrap().phase.as_deref(), Some("Bound"));

    let services: Api<Service> = Api::default_namespaced(client);
    let service = services.get("greeter").await.unwrap();
    let address: IpAddr = service.spec.unwrap().cluster_ip.unwrap().parse().unwrap();
    let url = format!("http://{address}");
    // The way to a pod is laid a moment after the pod is ready.
    eventually("the Service answers", LIMIT, async || {
        let answer = node.run(&[
            "curl",
            "--fail",
            "--silent",
            "--show-error",
            "--max-time",
            "10",
            &url,
        ]);
        (answer.is_success() && answer.stdout() == "hello from the pod\n").then_some(())
    })
    .await;
    let forward = node.forward(SocketAddr::new(address, 80));
    let answer = ask(forward.address());
    assert!(answer.ends_with("hello from the pod\n"), "{answer:?}");

    let write = [
        "exec",
        "greeter",
        "--",
        "sh",
        "-c",
        "id -u >/data/user && cat /data/user",
    ];
    let written = node.control_plane().kubectl(&write);
    assert_eq!(written.expect_success(), "1000660000\n");
    assert_eq!(fs::read_to_string(volume.join("user")).unwrap(), "1000660000\n");

    // The pod's pause container and its own.
    let containers = containers_of(&directory);
    assert_eq!(containers.len(), 2, "{containers:?}");
    assert!(
        containers
            .iter()
            .all(|one| one.runs() && !one.control_groups().is_empty())
    );
    drop(forward);
    drop(node);

    assert_eq!(processes_of(&directory), Vec::<PathBuf>::new());
    for container in containers {
        // Whoever adopts a process that has ended takes a moment to notice.
        wait_until(&format!("{container:?} is gone"), LIMIT, || {
            !container.runs() && container.control_groups().is_empty()
        });
    }
    assert!(!directory.try_exists().unwrap());
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    assert!(!mounts.contains(directory.to_str().unwrap()), "{mounts}");
}
