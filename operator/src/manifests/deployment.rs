//! The operator's Deployment and what stands around it, for `config/manager`.

use super::roles::labels;
use super::{GeneratedFile, HEADER, IMAGE_REPOSITORY, NAME, VERSION, default_of, operations_port};

/// The files of `config/manager`.
pub(super) fn files() -> Vec<GeneratedFile> {
    vec![
        GeneratedFile {
            path: "config/manager/namespace.yaml",
            text: namespace(),
        },
        GeneratedFile {
            path: "config/manager/deployment.yaml",
            text: deployment(),
        },
        GeneratedFile {
            path: "config/manager/service.yaml",
            text: service(),
        },
    ]
}

fn namespace() -> String {
    format!(
        "{HEADER}\
apiVersion: v1
kind: Namespace
metadata:
  name: {NAME}
{}    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
",
        labels()
    )
}

/// Ports of the operator's container, as entries of `ports`.
pub(super) fn ports() -> String {
    format!(
        "- name: operations\n  containerPort: {}\n  protocol: TCP\n",
        operations_port()
    )
}

/// The probes of the operator's container. It answers as soon as it listens; it is ready while it waits for the lease.
pub(super) const PROBES: &str = "\
livenessProbe:
  httpGet: {path: /livez, port: operations}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: operations}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
";

/// The security settings of the operator's Pod. No user: OpenShift chooses one, elsewhere the image's counts.
pub(super) const POD_SECURITY: &str = "\
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
";

/// The security settings of the operator's container.
pub(super) const CONTAINER_SECURITY: &str = "\
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [\"ALL\"]
";

/// What the operator learns about its own Pod, as entries of `env`.
pub(super) const OWN_ENVIRONMENT: &str = "\
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
";

fn deployment() -> String {
    format!(
        "{HEADER}\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {NAME}
  namespace: {NAME}
{labels}spec:
  # Stores serve without the operator, and a Pod is replaced in seconds: a second replica would only wait. The lease
  # keeps the old and the new Pod of a rollout, or Pods on both sides of a broken network, from working at once.
  replicas: 1
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: {NAME}
  template:
    metadata:
      annotations:
        kubectl.kubernetes.io/default-container: operator
      labels:
        app.kubernetes.io/name: {NAME}
        app.kubernetes.io/part-of: zot-artifact-store
    spec:
      serviceAccountName: {NAME}
      automountServiceAccountToken: true
      securityContext:
{pod_security}      terminationGracePeriodSeconds: 20
      containers:
      - name: operator
        image: {IMAGE_REPOSITORY}:{VERSION}
        imagePullPolicy: IfNotPresent
        env:
{own_environment}        # All namespaces.
        - name: WATCH_NAMESPACE
          value: \"\"
        # The server that stores run which name no version, and its version: change both together.
        - name: RELATED_IMAGE_ZOT_ARTIFACT_STORE
          value: {server_image}
        - name: OPERAND_VERSION
          value: \"{server_version}\"
        ports:
{ports}{probes}        resources:
          requests:
            cpu: 10m
            memory: 32Mi
          limits:
            memory: 128Mi
        securityContext:
{container_security}        terminationMessagePolicy: FallbackToLogsOnError
",
        labels = labels(),
        pod_security = indented(POD_SECURITY, 8),
        own_environment = indented(OWN_ENVIRONMENT, 8),
        server_image = default_of("server_image"),
        server_version = default_of("server_version"),
        ports = indented(&ports(), 8),
        probes = indented(PROBES, 8),
        container_security = indented(CONTAINER_SECURITY, 10),
    )
}

fn service() -> String {
    format!(
        "{HEADER}\
apiVersion: v1
kind: Service
metadata:
  name: {NAME}-metrics
  namespace: {NAME}
{labels}spec:
  selector:
    app.kubernetes.io/name: {NAME}
  ports:
  - name: operations
    port: {port}
    targetPort: operations
    protocol: TCP
    appProtocol: http
",
        labels = labels(),
        port = operations_port(),
    )
}

fn indented(text: &str, spaces: usize) -> String {
    let margin = " ".repeat(spaces);
    text.lines().map(|line| format!("{margin}{line}\n")).collect()
}
