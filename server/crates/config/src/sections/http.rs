//! The two listeners.

use std::path::PathBuf;

use crate::section::section;
use crate::{Duration, ExternalUrl, ListenAddress, Network, Origin};

section! {
    /// The public listener, which serves clients.
    pub struct Http {
        /// Where clients connect. `[::]` stands for every address of the machine, of IPv4 too. Port 0 picks a free one,
        /// which the log names.
        restart "listen" listen: ListenAddress = loopback(8080);
        /// The address under which clients reach the server, when it differs from the one they connect to, such as
        /// behind a proxy.
        restart "externalUrl" external_url: Option<ExternalUrl> = None, example "https://registry.example.com";
        /// Certificate and key of the listener; plain HTTP without. The files are read again on a reload and when they
        /// change; switching TLS on or off needs a restart.
        restart "tls" tls: Option<Tls> = None;
        /// Which web pages browsers may call from; none without.
        restart "cors" cors: Option<Cors> = None;
        /// Networks of proxies whose word is believed: from a peer in them, `X-Forwarded-For` names the client, which is
        /// its last address outside of these networks, and `X-Forwarded-Proto` whether the client speaks TLS. From anybody
        /// else both headers are ignored. At most 32.
        restart "trustedProxies" trusted_proxies: Vec<Network> = Vec::new(), example "[10.128.0.0/14]", since "0.2.0";
        /// Threads that serve requests. 0 stands for one per core.
        restart "workers" workers: u32 = 0, in 0..=1024;
        /// How long requests and uploads may take to finish when the server stops.
        restart "shutdownGrace" shutdown_grace: Duration = Duration::seconds(30), in Duration::seconds(0)..=Duration::hours(1);
    }
}

section! {
    /// Certificate and key of a listener, both in PEM.
    pub struct Tls {
        /// The certificate followed by its intermediates.
        hot "certificateFile" certificate_file: PathBuf = PathBuf::new(), example "tls.crt";
        /// The private key of the certificate.
        hot "privateKeyFile" private_key_file: PathBuf = PathBuf::new(), example "tls.key";
    }
    required ["certificateFile", "privateKeyFile"]
}

section! {
    /// Calls by web pages of other origins.
    pub struct Cors {
        /// Origins that browsers may call from. `"*"` stands for all, and then browsers send no credentials.
        restart "allowedOrigins" allowed_origins: Vec<Origin> = Vec::new(), example "[https://ui.example.com]";
    }
    check |cors| {
        if cors.allowed_origins.len() > 1 && cors.allowed_origins.iter().any(Origin::is_any) {
            return Err("allowedOrigins has \"*\" beside other origins: credentials are never allowed with \"*\", so keep one or the other".to_owned());
        }
        Ok(())
    }
}

section! {
    /// The listener for operators, which must not be reachable by clients.
    pub struct Operations {
        /// Where `/livez`, `/readyz`, `/startupz`, `/version` and `/metrics` are served. Port 0 picks a free one, which the log names.
        restart "listen" listen: ListenAddress = loopback(9090);
    }
}

const fn loopback(port: u16) -> ListenAddress {
    ListenAddress::new(std::net::SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        port,
    ))
}
