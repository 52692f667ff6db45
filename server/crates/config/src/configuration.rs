//! The whole configuration.

use crate::reference::{FIRST_VERSION, FieldReference, Reload};
use crate::section::{Field, Section, Value, section};
use crate::stated::{self, Split};
use crate::{
    AccessControl, Auth, Collection, Encryption, Extensions, Http, Limits, Log, Operations, Registry, Storage,
};
use crate::{ServerVersion, written};

section! {
    /// The configuration of the server. Every field has a default but the version.
    pub struct Configuration {
        /// The version of this format. Only 1 exists; it must be stated.
        restart "configVersion" config_version: u32 = 1, in 1..=1;
        /// The public listener, which serves clients.
        restart "http" http: Http = Http::default();
        /// The listener for operators, which must not be reachable by clients.
        restart "operations" operations: Operations = Operations::default();
        /// Where rows and bytes are kept.
        restart "storage" storage: Storage = Storage::default();
        /// What the registry accepts.
        hot "registry" registry: Registry = Registry::default();
        /// What one client may ask of the server.
        hot "limits" limits: Limits = Limits::default();
        /// Who can sign in. Nobody can without this section.
        hot "auth" auth: Option<Auth> = None;
        /// What secrets are derived from. Without this section nobody has access keys.
        restart "encryption" encryption: Option<Encryption> = None, since "0.2.0";
        /// Who may do what, in the syntax and with the meaning of zot. Without this section everybody who signed in may
        /// do everything, and anonymous clients nothing.
        hot "accessControl" access_control: Option<AccessControl> = None;
        /// When unused content goes.
        hot "collection" collection: Collection = Collection::default();
        /// What is written about the server's work.
        restart "log" log: Log = Log::default();
        /// Parts of the server that can be switched.
        restart "extensions" extensions: Extensions = Extensions::default();
    }
    required ["configVersion"]
    check |configuration| {
        let (public, operations) = (configuration.http.listen, configuration.operations.listen);
        if public == operations && public.get().port() != 0 {
            return Err(format!("http.listen and operations.listen are both {public}: clients must not reach the operations listener"));
        }
        if let Some(keycloak) = &configuration.extensions.rbac.keycloak
            && configuration.auth.as_ref().is_some_and(Auth::has_users)
            && keycloak.usernames.prefix.is_empty()
        {
            return Err("extensions.rbac.keycloak.usernames.prefix is empty while users of auth sign in with passwords: a user of \
                        the same name would have the same rights; write a word and a colon, such as kc:".to_owned());
        }
        Ok(())
    }
}

impl Configuration {
    /// The paths of the fields that differ in `new` and are only read when the server starts.
    ///
    /// Empty when a reload applies everything. A part that appears or goes is named as a whole.
    pub fn changes_requiring_restart(&self, new: &Self) -> Vec<String> {
        let mut changed = Vec::new();
        self.restart_changes(new, Reload::Restart, "", &mut changed);
        changed
    }

    /// The configuration that a running server has after reading `new`: the fields that may change while it runs come
    /// from `new`, the others stay.
    #[must_use]
    pub fn with_hot_changes(&self, new: &Self) -> Self {
        let mut merged = self.clone();
        merged.adopt_hot(new, Reload::Restart);
        merged
    }

    /// The configuration as two files for [`Configuration::load_files`], which state only what is not as it is by
    /// default. The same configuration always gives the same texts, and a change of hot fields alone leaves
    /// [`ConfigurationFiles::restart`] as it was.
    pub fn to_files(&self) -> ConfigurationFiles {
        let Split { restart, mut hot } = Split::of(self.stated_fields());
        // Each file must be valid by itself.
        let version = restart.iter().filter(|field| field.key == VERSION_KEY);
        hot.splice(0..0, version.cloned());
        ConfigurationFiles {
            restart: written::document(&restart),
            hot: written::document(&hot),
        }
    }

    /// The paths of stated fields that a server of this version does not know and would refuse. A part that is unknown
    /// as a whole is named once.
    pub fn fields_unknown_to(&self, version: ServerVersion) -> Vec<String> {
        let mut unknown = Vec::new();
        stated::unknown_fields(&self.stated_fields(), version, "", &mut unknown);
        unknown
    }

    /// The configuration as YAML, with every field stated, that reads back as an equal one.
    ///
    /// # Errors
    /// Only when a path is not UTF-8.
    pub fn to_yaml(&self) -> Result<String, serde_saphyr::SerializeError> {
        serde_saphyr::to_string(self)
    }
}

/// A configuration in two YAML documents, each a valid configuration by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationFiles {
    /// What is only read when the server starts. A part whose presence needs a restart is here as a whole.
    pub restart: String,
    /// What takes effect when the file is read again.
    pub hot: String,
}

/// The field that every file must state.
const VERSION_KEY: &str = "configVersion";

/// Everything there is to know about every field, in the order of the file.
pub fn fields() -> Vec<FieldReference> {
    let mut rows = Vec::new();
    let root = Field {
        path: "",
        meaning: "",
        reload: Reload::Restart,
        range: None,
        example: None,
        is_absent: false,
        is_optional: false,
        is_required: false,
        since: FIRST_VERSION,
    };
    Configuration::describe_fields(&root, &Configuration::default(), &mut rows);
    rows
}
