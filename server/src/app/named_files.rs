//! The files that a configuration names and that a start reads: users, administrator, certificate and keys; and whether the
//! names in it fit together.
//!
//! The start and `--check-config` do it by the same function, so that they say the same.

use std::sync::Arc;

use zas_config::{AccessControl, Configuration};
use zas_core::{Clock, SystemClock};

use super::tls::Certificates;
use super::{AppError, store_folders};
use crate::services::auth::{Access, KeySet};
use crate::services::{ConfigurationPart, ConfigurationProblems};

/// What was read from them.
#[derive(Debug)]
pub(super) struct NamedFiles {
    pub(super) access: Access,
    pub(super) certificates: Certificates,
    /// What secrets are derived from.
    pub(super) keys: Option<Arc<KeySet>>,
}

impl NamedFiles {
    /// Reads them all.
    ///
    /// # Errors
    /// [`AppError::Configuration`] with everything for which the server does not start.
    pub(super) fn read(configuration: &Configuration, clock: Arc<dyn Clock>) -> Result<Self, AppError> {
        let mut reasons = undefined_groups(configuration);
        reasons.extend(store_folders::overlap(configuration));
        let access = Access::new(configuration, clock);
        let certificates = Certificates::load(configuration.http.tls.as_ref());
        let encryption = configuration.encryption.as_ref();
        let keys = encryption
            .map(|encryption| KeySet::load(&encryption.keys))
            .transpose();
        match (access, certificates, keys) {
            (Ok(access), Ok(certificates), Ok(keys)) if reasons.is_empty() => Ok(Self {
                access,
                certificates,
                keys: keys.map(Arc::new),
            }),
            (access, certificates, keys) => {
                reasons.extend(keys.err());
                reasons.extend(access.err().unwrap_or_default());
                reasons.extend(certificates.err());
                Err(AppError::Configuration(reasons))
            }
        }
    }
}

/// One sentence for each group that rules name and nobody defines. A reload goes on in spite of them, since the other rules
/// of the same file may revoke something.
pub(super) fn undefined_groups(configuration: &Configuration) -> Vec<String> {
    let rules = configuration.access_control.iter();
    let undefined = rules.flat_map(AccessControl::undefined_groups);
    let sentence = |group| {
        format!("accessControl: policies name the group {group}, which accessControl.groups does not define")
    };
    undefined.map(sentence).collect()
}

/// Reads what a start would read, and returns what it would go on in spite of.
///
/// # Errors
/// What it would refuse.
pub fn check(configuration: &Configuration) -> Result<Vec<String>, AppError> {
    let files = NamedFiles::read(configuration, Arc::new(SystemClock))?;
    let problems = files.access.problems();
    Ok([problems.users, problems.administrator].concat())
}

/// Notes what of users and administrator is not in force as it was written.
pub(super) fn note_problems(problems: &ConfigurationProblems, access: &Access) {
    let found = access.problems();
    problems.set(ConfigurationPart::Users, found.users);
    problems.set(ConfigurationPart::Administrator, found.administrator);
}
