//! The command line, every part of which can also be set by the environment.

use std::net::SocketAddr;

use clap::Parser;

/// Runs Zot Artifact Store on Kubernetes and OpenShift: makes the cluster match the ZotArtifactStore resources.
#[derive(Clone, Debug, Parser)]
#[command(name = "zot-artifact-store-operator", version)]
pub struct Arguments {
    /// Namespaces to look after, separated by commas. All of them when empty, which takes rights in the whole cluster.
    #[arg(
        long,
        env = "WATCH_NAMESPACE",
        value_delimiter = ',',
        value_name = "NAMESPACES"
    )]
    pub watch_namespace: Vec<String>,

    /// The namespace that the operator runs in, for its lease.
    #[arg(
        long,
        env = "POD_NAMESPACE",
        default_value = "default",
        value_name = "NAMESPACE"
    )]
    pub namespace: String,

    /// The name of this replica in the lease and in events.
    #[arg(
        long,
        env = "POD_NAME",
        default_value = "zot-artifact-store-operator",
        value_name = "NAME"
    )]
    pub pod_name: String,

    /// The image of the server, used by stores that name none. Best by digest.
    #[arg(
        long,
        env = "RELATED_IMAGE_ZOT_ARTIFACT_STORE",
        default_value = concat!("quay.io/candlekeep/zot-artifact-store:", env!("CARGO_PKG_VERSION")),
        value_name = "IMAGE"
    )]
    pub server_image: String,

    /// The version of the server inside --server-image.
    #[arg(long, env = "OPERAND_VERSION", default_value = env!("CARGO_PKG_VERSION"), value_name = "VERSION")]
    pub server_version: String,

    /// How many stores may restart at the same time because the operator itself was upgraded.
    #[arg(long, env = "ROLLOUT_CONCURRENCY", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000), value_name = "STORES")]
    pub rollout_concurrency: u16,

    /// Host names that stores may claim in Routes and Ingresses must end with one of these, separated by commas. Any
    /// host when empty.
    #[arg(
        long,
        env = "ALLOWED_HOST_SUFFIXES",
        value_delimiter = ',',
        value_name = "SUFFIXES"
    )]
    pub allowed_host_suffixes: Vec<String>,

    /// Where /livez, /readyz and /metrics are served.
    #[arg(
        long,
        env = "HEALTH_ADDRESS",
        default_value = "[::]:8081",
        value_name = "ADDRESS"
    )]
    pub health_address: SocketAddr,

    /// The name of the lease, in the operator's namespace. Operators of different namespaces that run side by side in
    /// one need one each; the chart names it after its release.
    #[arg(long, env = "LEASE_NAME", default_value = crate::labels::MANAGER, value_name = "NAME")]
    pub lease_name: String,

    /// How long a replica that stopped without a word keeps the lease, in seconds. A successor takes over after that.
    #[arg(long, env = "LEASE_DURATION", default_value_t = 15, value_parser = clap::value_parser!(u16).range(5..=300), value_name = "SECONDS")]
    pub lease_duration: u16,

    /// How often the cluster is asked which optional APIs it has, in seconds.
    #[arg(long, env = "DISCOVERY_INTERVAL", hide = true, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=3600), value_name = "SECONDS")]
    pub discovery_interval: u16,

    /// Run without a lease. Only for a single replica that is started by hand.
    #[arg(long, env = "NO_LEADER_ELECTION")]
    pub no_leader_election: bool,

    /// What is logged, such as `info` or `info,kube=debug`.
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_name = "FILTER")]
    pub log_level: String,

    /// How lines of the log look.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Json, value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// How lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

impl Arguments {
    /// The namespaces to look after; `None` stands for all.
    pub fn scopes(&self) -> Vec<Option<String>> {
        let mut named: Vec<String> = self
            .watch_namespace
            .iter()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        named.sort_unstable();
        named.dedup();
        if named.is_empty() {
            return vec![None];
        }
        named.into_iter().map(Some).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parsed(arguments: &[&str]) -> Arguments {
        Arguments::parse_from([&["zot-artifact-store-operator"], arguments].concat())
    }

    #[test]
    fn given_the_command_line_when_built_then_it_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn given_namespaces_when_read_then_each_once_and_none_stands_for_all() {
        assert_eq!(parsed(&["--watch-namespace", ""]).scopes(), [None]);
        assert_eq!(
            parsed(&["--watch-namespace", "b,a, b"]).scopes(),
            [Some("a".to_owned()), Some("b".to_owned())]
        );
    }

    #[test]
    fn given_numbers_out_of_range_when_read_then_they_are_refused() {
        for wrong in [["--rollout-concurrency", "0"], ["--lease-duration", "1"]] {
            let words = [&["zot-artifact-store-operator"], &wrong[..]].concat();
            assert!(Arguments::try_parse_from(words).is_err(), "{wrong:?}");
        }
    }
}
