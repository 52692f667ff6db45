//! The typed configuration of the server.
//!
//! [`Configuration::load_files`] reads YAML or JSON files and the environment into types that are valid by construction.
//! Each field is declared once, with its key, default, range, meaning and whether a reload applies it; the example
//! file, the reference page and the names of the environment variables are made from the same declaration.

mod configuration;
mod environment;
mod error;
mod layers;
mod load;
mod patterns;
mod reference;
mod section;
mod sections;
mod stated;
mod suggestion;
mod values;
mod written;

pub use configuration::{Configuration, ConfigurationFiles, fields};
pub use error::ConfigurationError;
pub use patterns::{GlobPattern, InvalidPattern, PatternMap};
pub use reference::{FieldReference, Reload, Shape, example_file, reference_page};
pub use sections::access_control::{AccessControl, Action, AdminPolicy, Group, Policy, RepositoryAccess};
pub use sections::auth::{Administrator, Auth, FailedAttempts, Htpasswd};
pub use sections::collection::Collection;
pub use sections::encryption::Encryption;
pub use sections::http::{Cors, Http, Operations, Tls};
pub use sections::limits::{Limits, ReferrersPage};
pub use sections::log::{Extensions, Log, LogFormat, LogLevel, Metrics, S3Api};
pub use sections::rbac::{Keycloak, Rbac, Usernames, is_of_api_server};
pub use sections::registry::{MissingReferences, Registry, RepositoryRules};
pub use sections::storage::{
    BlobLocation, BlobStorage, BlobStoreKind, MetadataEngine, MetadataLocation, MetadataStorage, Storage,
};
pub use values::byte_size::{ByteSize, InvalidByteSize};
pub use values::duration::{Duration, InvalidDuration};
pub use values::issuer::{InvalidIssuerUrl, InvalidNamePrefix, IssuerUrl, NamePrefix};
pub use values::network::{InvalidNetwork, Network};
pub use values::text::{
    DomainName, ExternalUrl, GroupName, InvalidDomainName, InvalidListenAddress, InvalidName, InvalidOrigin,
    ListenAddress, Origin, UserName,
};
pub use values::version::{InvalidServerVersion, ServerVersion};

#[cfg(test)]
mod tests;
