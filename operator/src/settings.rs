//! What the command line and the environment say about all stores.

use std::time::Duration;

use crate::arguments::Arguments;
use crate::store::{Operand, ProxySettings};

/// What holds for all stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What stores run that do not say otherwise.
    pub operand: Operand,
    /// Host names must end with one of these; any may be claimed when empty.
    pub allowed_host_suffixes: Vec<String>,
    /// The namespace that the operator runs in.
    pub namespace: String,
    /// The operator's own proxy, which the servers get too.
    pub proxy: ProxySettings,
    /// How many stores may restart at the same time because the operator was upgraded.
    pub rollout_concurrency: usize,
    /// How often the cluster is asked which APIs it has.
    pub discovery: Duration,
}

impl Settings {
    /// Reads the command line, and the usual proxy variables by `variable`.
    pub fn new(arguments: &Arguments, variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |upper: &str, lower: &str| {
            variable(upper)
                .or_else(|| variable(lower))
                .filter(|value| !value.is_empty())
        };
        Self {
            operand: Operand {
                image: arguments.server_image.clone(),
                version: arguments.server_version.clone(),
            },
            allowed_host_suffixes: arguments
                .allowed_host_suffixes
                .iter()
                .map(|suffix| suffix.trim().to_ascii_lowercase())
                .filter(|suffix| !suffix.is_empty())
                .collect(),
            namespace: arguments.namespace.clone(),
            proxy: ProxySettings {
                http: either("HTTP_PROXY", "http_proxy"),
                https: either("HTTPS_PROXY", "https_proxy"),
                none: either("NO_PROXY", "no_proxy"),
            },
            rollout_concurrency: usize::from(arguments.rollout_concurrency),
            discovery: Duration::from_secs(u64::from(arguments.discovery_interval)),
        }
    }

    /// Whether a store may claim this host: it is a suffix or ends with one after a dot.
    pub fn allows_host(&self, host: &str) -> bool {
        let is_below = |suffix: &String| {
            let suffix = suffix.trim_start_matches('.');
            host == suffix || host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'))
        };
        self.allowed_host_suffixes.is_empty() || self.allowed_host_suffixes.iter().any(is_below)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn settings(suffixes: &str) -> Settings {
        let arguments = Arguments::parse_from(["operator", "--allowed-host-suffixes", suffixes]);
        Settings::new(&arguments, |name| {
            (name == "https_proxy").then(|| "http://proxy:3128".to_owned())
        })
    }

    #[test]
    fn given_suffixes_when_hosts_are_claimed_then_only_whole_labels_count() {
        let settings = settings("apps.example.com,.internal");
        for (host, is_allowed) in [
            ("apps.example.com", true),
            ("store.apps.example.com", true),
            ("evilapps.example.com", false),
            ("store.internal", true),
            ("example.com", false),
        ] {
            assert_eq!(settings.allows_host(host), is_allowed, "{host}");
        }
    }

    #[test]
    fn given_no_suffixes_when_a_host_is_claimed_then_it_may_be_and_the_proxy_is_known() {
        let settings = settings("");
        assert!(settings.allows_host("anything.example.com"));
        assert_eq!(settings.proxy.https.as_deref(), Some("http://proxy:3128"));
        assert_eq!(settings.proxy.http, None);
    }
}
