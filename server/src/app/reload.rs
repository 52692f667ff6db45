//! Putting a changed configuration in force while running.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use zas_config::Configuration;
use zas_metadata::MetadataStore;

use super::logging::LogLevel;
use super::tls::Certificates;
use super::{AppError, settings};
use crate::api::oci::OciApi;
use crate::services::auth::Access;
use crate::services::maintenance::{Collector, Scrubber};
use crate::services::registry::Registry;

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
    pub(super) log_level: LogLevel,
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
        ];
        let files = self.files.iter().chain(named.into_iter().flatten());
        files.map(|file| fingerprint(file)).collect()
    }

    /// Reads everything again. Whatever cannot be read leaves what was in force in force.
    fn reload(&mut self) {
        let configuration = match Configuration::load_files(&self.files, std::env::vars_os()) {
            Ok(configuration) => configuration,
            Err(error) => {
                tracing::error!(%error, "the changed configuration is wrong: the last good one stays in force");
                return;
            }
        };
        for field in self.current.changes_requiring_restart(&configuration) {
            tracing::warn!(%field, "this change takes effect at the next start");
        }
        // Fields that wait for a restart keep their running value, so a second change of them is told again.
        self.current = self.current.with_hot_changes(&configuration);
        self.apply(&self.current);
        tracing::info!("reloaded the configuration");
    }

    fn apply(&self, configuration: &Configuration) {
        self.log_level.change(&configuration.log);
        self.metadata.set_timing(settings::timing(configuration));
        self.registry.reconfigure(settings::registry(configuration));
        self.collector.reconfigure(settings::collection(configuration));
        self.scrubber.reconfigure(settings::scrub(configuration));
        self.api.reconfigure(configuration);
        if let Err(error) = self.access.reload(configuration) {
            tracing::error!(%error, "the changed users or rules are wrong: the last good ones stay in force");
        }
        if let Some(tls) = &configuration.http.tls
            && let Err(error) = self.certificates.reload(tls)
        {
            tracing::error!(%error, "the changed certificate is wrong: the last good one stays in force");
        }
    }
}

fn fingerprint(file: &Path) -> Fingerprint {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(file).ok()?;
    // The inode tells an exchanged file from one that was written in the same instant.
    Some((metadata.modified().ok()?, metadata.ino() ^ metadata.len()))
}
