//! What is written about the server's work, and the parts that can be switched.

use crate::section::section;
use crate::values::keyword::keywords;
use crate::{DomainName, Rbac};

keywords! {
    /// The least serious lines that are written.
    pub enum LogLevel {
        /// What an operator must act on.
        Error = "error",
        /// What an operator should know.
        Warn = "warn",
        /// One line per request and per change.
        #[default]
        Info = "info",
        /// What a developer needs.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

keywords! {
    /// How lines are written.
    pub enum LogFormat {
        /// One JSON object per line.
        #[default]
        Json = "json",
        /// For people.
        Text = "text",
    }
}

section! {
    /// What is written about the server's work.
    pub struct Log {
        /// The least serious lines that are written.
        hot "level" level: LogLevel = LogLevel::Info;
        /// Whether lines are JSON objects or text for people.
        restart "format" format: LogFormat = LogFormat::Json;
    }
}

section! {
    /// Parts of the server that can be switched.
    pub struct Extensions {
        /// Metrics for Prometheus on the operations listener.
        restart "metrics" metrics: Metrics = Metrics::default();
        /// The S3 API beside the distribution API, on the public listener.
        restart "s3api" s3api: S3Api = S3Api::default();
        /// Users of other systems, such as Keycloak, beside those of `auth`.
        restart "rbac" rbac: Rbac = Rbac::default(), since "0.2.0";
    }
}

section! {
    /// The S3 API: buckets and objects, at the root of the public listener.
    pub struct S3Api {
        /// Whether it is served.
        restart "enabled" enabled: bool = false;
        /// The domain below which each bucket has a host of its own (`<bucket>.<domain>`), beside `<host>/<bucket>`, which
        /// always works. Clients must be able to resolve these hosts, and the certificate must be good for them.
        restart "domain" domain: Option<DomainName> = None, example "s3.example.org";
        /// The region that clients sign their requests for.
        restart "region" region: String = "us-east-1".to_owned();
    }
}

section! {
    /// Metrics for Prometheus.
    pub struct Metrics {
        /// Whether `/metrics` is served.
        restart "enabled" enabled: bool = true;
        /// Whether requests, bytes, pulls and pushes are counted for each repository too, as
        /// `zas_repository_requests_total`, `zas_repository_received_bytes_total`, `zas_repository_sent_bytes_total`,
        /// `zas_repository_pulls_total` and `zas_repository_pushes_total` with the label `repository`. Counted is what was
        /// allowed on repositories that exist; after the first 1,000 names the others share the name `_other`.
        restart "perRepository" per_repository: bool = false, since "0.2.0";
    }
}
