//! The server's certificate, exchanged while running.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zas_config::Tls;

/// The certificate in use; `None` when the server speaks plain HTTP.
#[derive(Clone, Debug)]
pub(super) struct Certificates(Option<Arc<Current>>);

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Certificates {
    /// Reads the files of the configuration.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub(super) fn load(tls: Option<&Tls>) -> Result<Self, String> {
        let Some(tls) = tls else { return Ok(Self(None)) };
        let key = read(tls).map_err(|reason| format!("http.tls: {reason}"))?;
        Ok(Self(Some(Arc::new(Current(ArcSwap::from_pointee(key))))))
    }

    /// The server's side of TLS; connections made after an exchange get the new certificate.
    pub(super) fn server_config(&self) -> Option<ServerConfig> {
        let current = self.0.clone()?;
        let mut configuration = ServerConfig::builder()
            .with_no_client_auth()
            .with_cert_resolver(current);
        configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Some(configuration)
    }

    /// Reads the files again. What was in use stays in use when they are wrong.
    pub(super) fn reload(&self, tls: &Tls) -> Result<(), String> {
        let Some(current) = &self.0 else { return Ok(()) };
        current.0.store(Arc::new(read(tls)?));
        Ok(())
    }
}

fn read(tls: &Tls) -> Result<CertifiedKey, String> {
    let chain = read_chain(&tls.certificate_file)?;
    let key_file = &tls.private_key_file;
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|error| format!("no private key can be read from {}: {error}", key_file.display()))?;
    let key = any_supported_type(&key).map_err(|error| {
        format!(
            "the private key in {} cannot be used: {error}",
            key_file.display()
        )
    })?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(|error| {
        format!(
            "{} and {} do not belong together: {error}",
            tls.certificate_file.display(),
            key_file.display()
        )
    })?;
    Ok(certified)
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error: rustls_pki_types::pem::Error| {
        format!("no certificate can be read from {}: {error}", file.display())
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if chain.is_empty() {
        return Err(format!("{} holds no certificate", file.display()));
    }
    Ok(chain)
}
