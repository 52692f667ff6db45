//! The server's configuration out of the resource, through the server's own types.

use serde_json::{Map, Value, json};
use zas_config::{AccessControl, Configuration, ConfigurationFiles, ServerVersion};
use zas_crd::{ConditionReason, LogFormat, Size, TimeSpan, TlsType, ZotArtifactStoreSpec};

use crate::layout;
use crate::problem::Problem;

/// The first version whose server reads several configuration files.
const OLDEST_SERVER: &str = "0.2.0";

/// How long before the end of its Pod the server stops waiting for requests, in seconds.
const SHUTDOWN_MARGIN: i32 = 10;

/// The Pod's time to stop unless the resource says otherwise, in seconds.
pub const DEFAULT_GRACE_PERIOD: i32 = 30;

/// The free space that the server keeps by default, and the part of a small volume that it keeps instead.
const RESERVE: u64 = 1 << 30;
const RESERVE_SHARE: u64 = 16;

/// The configuration of a store, as the two files that its server reads. What is as it is by default is not stated,
/// so that servers of other versions understand as much as possible.
///
/// # Errors
/// The field that cannot be used, or that needs a newer server than `version`.
pub fn files(
    spec: &ZotArtifactStoreSpec,
    access_control: Option<&AccessControl>,
    volume_bytes: Option<u64>,
    version: &str,
) -> Result<ConfigurationFiles, Problem> {
    let configuration = configuration(spec, access_control, volume_bytes)?;
    let server: ServerVersion = version
        .parse()
        .map_err(|error| invalid(format!("spec.version: {error}")))?;
    if OLDEST_SERVER
        .parse()
        .is_ok_and(|oldest: ServerVersion| server < oldest)
    {
        return Err(invalid(format!(
            "spec.version {version} is too old for this operator, which runs servers from {OLDEST_SERVER} on"
        )));
    }
    let unknown = configuration.fields_unknown_to(server);
    if !unknown.is_empty() {
        return Err(Problem::new(
            ConditionReason::FeatureNeedsNewerVersion,
            format!(
                "server {version} does not know {}: raise spec.version, or remove what asks for it; the configuration \
                 in force stays",
                unknown.join(", ")
            ),
        ));
    }
    Ok(configuration.to_files())
}

/// The configuration of a store.
///
/// # Errors
/// The field that cannot be used.
pub fn configuration(
    spec: &ZotArtifactStoreSpec,
    access_control: Option<&AccessControl>,
    volume_bytes: Option<u64>,
) -> Result<Configuration, Problem> {
    let mut tree = Map::new();
    tree.insert("configVersion".to_owned(), 1.into());
    tree.insert("http".to_owned(), http(spec));
    tree.insert(
        "operations".to_owned(),
        json!({"listen": format!("[::]:{}", layout::OPERATIONS_PORT)}),
    );
    tree.insert("storage".to_owned(), storage(volume_bytes));
    tree.insert("limits".to_owned(), limits(spec)?);
    tree.insert("auth".to_owned(), auth(spec));
    if let Some(rules) = access_control {
        tree.insert(
            "accessControl".to_owned(),
            serde_json::to_value(rules).unwrap_or_default(),
        );
    }
    tree.insert("collection".to_owned(), collection(spec)?);
    tree.insert("log".to_owned(), log(spec));
    tree.insert("extensions".to_owned(), extensions(spec));
    serde_path_to_error::deserialize(Value::Object(tree)).map_err(|error| {
        invalid(format!(
            "the server's configuration, {}: {}",
            error.path(),
            error.inner()
        ))
    })
}

fn http(spec: &ZotArtifactStoreSpec) -> Value {
    let port = spec.http.port.unwrap_or(layout::DEFAULT_PORT);
    let grace = spec
        .pod
        .termination_grace_period_seconds
        .unwrap_or(DEFAULT_GRACE_PERIOD);
    // The rest is for closing the database.
    let drain = (grace - SHUTDOWN_MARGIN).max(grace / 2);
    let mut http = json!({"listen": format!("[::]:{port}"), "shutdownGrace": format!("{drain}s")});
    let mut set = |key: &str, value: Value| {
        if let Value::Object(fields) = &mut http {
            fields.insert(key.to_owned(), value);
        }
    };
    if let Some(url) = &spec.http.external_url {
        set("externalUrl", url.as_str().into());
    }
    if !spec.http.trusted_proxies.is_empty() {
        set("trustedProxies", spec.http.trusted_proxies.clone().into());
    }
    if let Some(cors) = spec
        .http
        .cors
        .as_ref()
        .filter(|cors| !cors.allowed_origins.is_empty())
    {
        set("cors", json!({"allowedOrigins": cors.allowed_origins}));
    }
    if spec.tls.tls_type == TlsType::Secret {
        let file = |key| format!("{}/{key}", layout::TLS);
        set(
            "tls",
            json!({
                "certificateFile": file(layout::TLS_CERTIFICATE_KEY),
                "privateKeyFile": file(layout::TLS_PRIVATE_KEY),
            }),
        );
    }
    http
}

fn storage(volume_bytes: Option<u64>) -> Value {
    let mut blobs = json!({"path": layout::BLOBS});
    // The default would leave nothing of a small volume.
    let share = volume_bytes
        .map(|bytes| bytes / RESERVE_SHARE)
        .filter(|share| *share < RESERVE);
    if let (Some(share), Value::Object(fields)) = (share, &mut blobs) {
        fields.insert("reserve".to_owned(), share.into());
    }
    json!({"metadata": {"path": layout::METADATA}, "blobs": blobs})
}

fn limits(spec: &ZotArtifactStoreSpec) -> Result<Value, Problem> {
    let mut limits = Map::new();
    if let Some(size) = &spec.limits.max_manifest_size {
        limits.insert(
            "manifestSize".to_owned(),
            bytes(size, "spec.limits.maxManifestSize")?.into(),
        );
    }
    if let Some(count) = spec.limits.max_concurrent_uploads {
        limits.insert("concurrentUploads".to_owned(), count.into());
    }
    Ok(Value::Object(limits))
}

fn auth(spec: &ZotArtifactStoreSpec) -> Value {
    let administrator = json!({
        "usernameFile": format!("{}/{}", layout::ADMINISTRATOR, layout::USERNAME_KEY),
        "passwordFile": format!("{}/{}", layout::ADMINISTRATOR, layout::PASSWORD_KEY),
    });
    match spec.access.htpasswd_ref {
        None => json!({"administrator": administrator}),
        Some(_) => json!({
            "administrator": administrator,
            "htpasswd": {"path": format!("{}/{}", layout::USERS, layout::HTPASSWD_FILE)},
        }),
    }
}

fn collection(spec: &ZotArtifactStoreSpec) -> Result<Value, Problem> {
    let stated = spec.maintenance.garbage_collection.clone().unwrap_or_default();
    let mut collection = Map::new();
    let mut set = |key: &str, span: Option<&TimeSpan>, field: &str| -> Result<(), Problem> {
        if let Some(span) = span {
            collection.insert(key.to_owned(), duration(span, field)?.into());
        }
        Ok(())
    };
    let interval = stated.interval.unwrap_or_else(|| TimeSpan::new("1h"));
    set(
        "interval",
        Some(&interval),
        "spec.maintenance.garbageCollection.interval",
    )?;
    set(
        "grace",
        stated.grace.as_ref(),
        "spec.maintenance.garbageCollection.grace",
    )?;
    set(
        "uploadExpiry",
        spec.limits.upload_expiry.as_ref(),
        "spec.limits.uploadExpiry",
    )?;
    if let Some(enabled) = stated.enabled {
        collection.insert("enabled".to_owned(), enabled.into());
    }
    Ok(Value::Object(collection))
}

fn log(spec: &ZotArtifactStoreSpec) -> Value {
    let format = match spec.logging.format.unwrap_or_default() {
        LogFormat::Json => "json",
        LogFormat::Text => "text",
    };
    json!({"level": spec.logging.level.unwrap_or_default().as_str(), "format": format})
}

fn extensions(spec: &ZotArtifactStoreSpec) -> Value {
    let metrics = &spec.extensions.metrics;
    let mut section = json!({"enabled": metrics.enabled});
    if let (Some(true), Value::Object(fields)) = (metrics.per_repository, &mut section) {
        fields.insert("perRepository".to_owned(), true.into());
    }
    json!({ "metrics": section })
}

fn bytes(size: &Size, field: &str) -> Result<u64, Problem> {
    size.bytes().map_err(|error| invalid(format!("{field}: {error}")))
}

/// The span as the server's grammar has it.
fn duration(span: &TimeSpan, field: &str) -> Result<String, Problem> {
    let millis = span
        .duration()
        .map_err(|error| invalid(format!("{field}: {error}")))?
        .as_millis();
    Ok(format!("{millis}ms"))
}

fn invalid(message: String) -> Problem {
    Problem::new(ConditionReason::InvalidSpec, message)
}

#[cfg(test)]
mod tests;
