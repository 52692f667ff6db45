//! Putting a changed configuration in force while running.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use zas_config::Configuration;
use zas_metadata::MetadataStore;

use super::logging::Logging;
use super::tls::Certificates;
use super::{AppError, named_files, settings};
use crate::api::oci::OciApi;
use crate::extensions::Extensions;
use crate::services::auth::Access;
use crate::services::maintenance::{Collector, Scrubber};
use crate::services::registry::Registry;
use crate::services::{ConfigurationPart, ConfigurationProblems};

/// How often the files are looked at. Mounted configuration changes by exchanging links, which file events miss.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);

/// Everything that takes new settings.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) files: Vec<PathBuf>,
    pub(super) current: Configuration,
    pub(super) metadata: Arc<dyn MetadataStore>,
    pub(super) registry: Registry,
    pub(super) collector: Arc<Collector>,
    pub(super) scrubber: Arc<Scrubber>,
    pub(super) access: Arc<Access>,
    pub(super) api: Arc<OciApi>,
    pub(super) certificates: Certificates,
    pub(super) problems: Arc<ConfigurationProblems>,
    pub(super) logging: Logging,
    pub(super) extensions: Extensions,
}

/// What changes about a file when it is written or exchanged.
type Fingerprint = Option<(SystemTime, u64)>;

impl Reloader {
    /// Reloads on SIGHUP and when a file changes, until `stop` fires.
    pub(super) fn run(mut self, stop: CancellationToken) -> Result<impl Future<Output = ()>, AppError> {
        let mut hang_up = signal(SignalKind::hangup()).map_err(AppError::Signals)?;
        Ok(async move {
            // Nothing is known of what changed between the start and now, so the first look reads everything.
            let mut seen = Vec::new();
            loop {
                let asked = tokio::select! {
                    () = stop.cancelled() => return,
                    _ = hang_up.recv() => true,
                    () = tokio::time::sleep(WATCH_INTERVAL) => false,
                };
                let now = self.fingerprints();
                if asked || now != seen {
                    self.reload();
                }
                seen = now;
            }
        })
    }

    fn fingerprints(&self) -> Vec<Fingerprint> {
        let tls = self.current.http.tls.as_ref();
        let auth = self.current.auth.as_ref();
        let htpasswd = auth.and_then(|auth| auth.htpasswd.as_ref());
        let administrator = auth.and_then(|auth| auth.administrator.as_ref());
        let named = [
            tls.map(|tls| &tls.certificate_file),
            tls.map(|tls| &tls.private_key_file),
            htpasswd.map(|htpasswd| &htpasswd.path),
            administrator.map(|administrator| &administrator.username_file),
            administrator.map(|administrator| &administrator.password_file),
            administrator.and_then(|administrator| administrator.access_key_id_file.as_ref()),
            administrator.and_then(|administrator| administrator.secret_access_key_file.as_ref()),
        ];
        let files = self.files.iter().chain(named.into_iter().flatten());
        files.map(|file| fingerprint(file)).collect()
    }

    /// Reads everything again. Whatever cannot be read leaves what was in force in force, and keeps nothing else back:
    /// users are revoked while the configuration files are wrong, and rules change while a line of the users' file is.
    fn reload(&mut self) {
        match Configuration::load_files(&self.files, std::env::vars_os()) {
            Ok(configuration) => {
                let undefined = named_files::undefined_groups(&configuration);
                self.problems.set(ConfigurationPart::Files, undefined);
                self.adopt(&configuration);
            }
            Err(error) => self
                .problems
                .set(ConfigurationPart::Files, vec![error.to_string()]),
        }
        self.apply(&self.current);
        let left = self.problems.all().len();
        if left == 0 {
            tracing::info!("reloaded the configuration");
        } else {
            tracing::warn!(
                problems = left,
                "reloaded what of the configuration can be used; /readyz names the problems"
            );
        }
    }

    fn adopt(&mut self, configuration: &Configuration) {
        for field in self.current.changes_requiring_restart(configuration) {
            tracing::warn!(%field, "this change takes effect at the next start");
        }
        // Fields that wait for a restart keep their running value, so a second change of them is told again.
        self.current = self.current.with_hot_changes(configuration);
    }

    fn apply(&self, configuration: &Configuration) {
        self.logging.change_level(&configuration.log);
        self.metadata.set_timing(settings::timing(configuration));
        self.registry.reconfigure(settings::registry(configuration));
        self.collector.reconfigure(settings::collection(configuration));
        self.scrubber.reconfigure(settings::scrub(configuration));
        self.api.reconfigure(configuration);
        self.access.reload(configuration);
        self.extensions.reconfigure(configuration);
        named_files::note_problems(&self.problems, &self.access);
        if let Some(tls) = &configuration.http.tls {
            let reloaded = self.certificates.reload(tls);
            self.problems.set(
                ConfigurationPart::Certificate,
                reloaded.err().into_iter().collect(),
            );
        }
    }
}

fn fingerprint(file: &Path) -> Fingerprint {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(file).ok()?;
    // The inode tells an exchanged file from one that was written in the same instant, the time of the last change of
    // its attributes one that became readable.
    let changed = metadata.ctime_nsec().cast_unsigned() ^ metadata.ctime().cast_unsigned();
    Some((
        metadata.modified().ok()?,
        metadata.ino() ^ metadata.len() ^ changed,
    ))
}
