//! What is measured: a registry at an address.

use std::str::FromStr;

use anyhow::{Error, Result, ensure};

/// Host and port of a plain HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// A server on this machine.
    pub(crate) fn loopback(port: u16) -> Self {
        Self(format!("127.0.0.1:{port}"))
    }

    /// `host:port`.
    pub(crate) fn host(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        let host = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let host = host.filter(|host| !host.is_empty() && !host.contains(['/', '@', '?']));
        ensure!(host.is_some(), "{url} is not of the form http://HOST:PORT");
        let host = host.unwrap_or_default();
        Ok(Self(if host.contains(':') {
            host.to_owned()
        } else {
            format!("{host}:80")
        }))
    }
}

/// A registry under measurement.
#[derive(Debug)]
pub(crate) struct Target {
    /// Short name for the tables.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) address: Address,
    /// What it says about its version, if it was started here.
    pub(crate) version: String,
    /// Its process, if it was started here: memory and processor time are read there.
    pub(crate) process: Option<crate::process::Process>,
}
