//! Where things lie inside the server's Pod. Users may not mount anything under `/config`, `/data` or `/tmp`.

/// The part of the configuration that needs a restart: the immutable ConfigMap.
pub const RESTART_CONFIGURATION: &str = "/config/server";
/// The part of the configuration that is taken over while running.
pub const HOT_CONFIGURATION: &str = "/config/hot";
/// The file in both, and the key in both ConfigMaps.
pub const CONFIGURATION_FILE: &str = "config.yaml";
/// The administrator's name and password, as two files.
pub const ADMINISTRATOR: &str = "/config/administrator";
/// The keys of the administrator's Secret, which are the names of those files.
pub const USERNAME_KEY: &str = "username";
/// See [`USERNAME_KEY`].
pub const PASSWORD_KEY: &str = "password";
/// The users, from `access.htpasswdRef`.
pub const USERS: &str = "/config/users";
/// The file of the users, whatever the key of the Secret is called.
pub const HTPASSWD_FILE: &str = "htpasswd";
/// The certificate, from `tls.secretRef`.
pub const TLS: &str = "/config/tls";
/// The keys of a TLS Secret, which are the names of its files.
pub const TLS_CERTIFICATE_KEY: &str = "tls.crt";
/// See [`TLS_CERTIFICATE_KEY`].
pub const TLS_PRIVATE_KEY: &str = "tls.key";
/// The authority that signed the certificate, which a reencrypting Route must know.
pub const TLS_AUTHORITY_KEY: &str = "ca.crt";
/// Additional certificate authorities, from `network.trustedCaRef`.
pub const TRUSTED_AUTHORITIES: &str = "/config/trusted-ca";
/// The file of those authorities, whatever the key of the ConfigMap is called.
pub const TRUSTED_AUTHORITIES_FILE: &str = "ca-bundle.crt";
/// The claim.
pub const DATA: &str = "/data";
/// The database on the claim.
pub const METADATA: &str = "/data/metadata";
/// The files on the claim.
pub const BLOBS: &str = "/data/blobs";
/// Scratch space: the root file system is read-only.
pub const TEMPORARY: &str = "/tmp";

/// The port for clients unless `http.port` says otherwise.
pub const DEFAULT_PORT: i32 = 8080;
/// The port for probes and metrics.
pub const OPERATIONS_PORT: i32 = 9090;
