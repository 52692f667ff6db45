//! The certificates and keys of a cluster.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};

use crate::test_directory::TestDirectory;

/// Names by which the API server is reached besides its addresses.
const SERVER_NAMES: [&str; 4] = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
];

/// Files in the `pki` directory, and the certificate that clients trust.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    pub(crate) authority_file: PathBuf,
    pub(crate) authority: String,
    pub(crate) server_certificate: PathBuf,
    pub(crate) server_key: PathBuf,
    /// Signs the tokens of ServiceAccounts.
    pub(crate) token_key: PathBuf,
    /// Checks the tokens of ServiceAccounts.
    pub(crate) token_public_key: PathBuf,
}

/// Makes an authority, a certificate of the API server for these addresses, and a key for tokens.
pub(crate) fn generate(directory: &TestDirectory, addresses: &[IpAddr]) -> Certificates {
    let authority_key = new_key();
    let authority_params = authority_params();
    let authority = authority_params
        .self_signed(&authority_key)
        .expect("a certificate can be signed")
        .pem();
    let issuer = Issuer::from_params(&authority_params, &authority_key);

    let server_key = new_key();
    let server = server_params(addresses).signed_by(&server_key, &issuer);
    let server = server.expect("a certificate can be signed").pem();

    let token_key = new_key();
    Certificates {
        authority_file: directory.write("pki/ca.crt", &authority),
        authority,
        server_certificate: directory.write("pki/apiserver.crt", &server),
        server_key: directory.write("pki/apiserver.key", &server_key.serialize_pem()),
        token_key: directory.write("pki/sa.key", &token_key.serialize_pem()),
        token_public_key: directory.write("pki/sa.pub", &token_key.public_key_pem()),
    }
}

/// A certificate for `localhost` and `127.0.0.1` that clients can trust by itself, and its key, in PEM.
pub fn self_signed() -> (String, String) {
    let key = new_key();
    let certificate = server_params(&[Ipv4Addr::LOCALHOST.into()]).self_signed(&key);
    let certificate = certificate.expect("a certificate can be signed").pem();
    (certificate, key.serialize_pem())
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key can be generated")
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "zas-test-cluster");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn server_params(addresses: &[IpAddr]) -> CertificateParams {
    let names = SERVER_NAMES.map(str::to_owned);
    let mut params = CertificateParams::new(names).expect("the names are valid");
    params
        .distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    params
        .subject_alt_names
        .extend(addresses.iter().copied().map(SanType::IpAddress));
    params
}
