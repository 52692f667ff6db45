//! A self-signed certificate for the loopback address and clients that trust exactly it.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// A certificate with its private key, valid for `localhost` and `127.0.0.1`.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate in PEM form.
    pub pem: String,
    /// The private key in PEM form.
    pub private_key_pem: String,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Makes a new key and signs it with itself.
    pub fn self_signed() -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let issued = rcgen::generate_simple_self_signed(names).expect("the names are valid");
        Self {
            pem: issued.cert.pem(),
            private_key_pem: issued.signing_key.serialize_pem(),
            der: issued.cert.der().clone(),
        }
    }
}

/// A TLS client that trusts `certificate` and nothing else.
pub(crate) fn client_configuration(certificate: Option<&Certificate>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    if let Some(certificate) = certificate {
        roots
            .add(certificate.der.clone())
            .expect("the certificate is well-formed");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
