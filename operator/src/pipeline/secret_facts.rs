//! What the operator needs to know of a Secret, so that its content need not stay in memory.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::ByteString;

use crate::layout;

/// What is known of a Secret. Never a password or a private key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretFacts {
    keys: BTreeSet<String>,
    filled: BTreeSet<String>,
    /// Why `tls.crt` and `tls.key` cannot be a certificate and its key.
    pub tls_complaint: Option<String>,
    /// The certificate authority in `ca.crt`.
    pub authority: Option<String>,
    complaints: BTreeMap<String, String>,
}

impl SecretFacts {
    /// Reads a Secret's data.
    pub fn of(data: &BTreeMap<String, ByteString>) -> Self {
        let text = |key: &str| data.get(key).and_then(|bytes| std::str::from_utf8(&bytes.0).ok());
        let filled = data.iter().filter(|(_, value)| !value.0.is_empty());
        Self {
            keys: data.keys().cloned().collect(),
            filled: filled.map(|(key, _)| key.clone()).collect(),
            tls_complaint: tls_complaint(text(layout::TLS_CERTIFICATE_KEY), text(layout::TLS_PRIVATE_KEY)),
            authority: text(layout::TLS_AUTHORITY_KEY)
                .filter(|text| text.contains("-----BEGIN CERTIFICATE-----"))
                .map(str::to_owned),
            complaints: data
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), htpasswd_complaint(&value.0)?)))
                .collect(),
        }
    }

    /// Whether there is something under this key.
    pub fn has(&self, key: &str) -> bool {
        self.filled.contains(key)
    }

    /// Whether there is this key, be it empty.
    pub fn has_key(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// Why the value of this key is no htpasswd file, if it is none.
    pub fn htpasswd_complaint(&self, key: &str) -> Option<&str> {
        self.complaints.get(key).map(String::as_str)
    }
}

fn tls_complaint(certificate: Option<&str>, key: Option<&str>) -> Option<String> {
    let is_pem = |text: Option<&str>, label: &str| {
        text.is_some_and(|text| text.contains("-----BEGIN ") && text.contains(label))
    };
    if !is_pem(certificate, "CERTIFICATE-----") {
        return Some(format!(
            "{} is no certificate in PEM",
            layout::TLS_CERTIFICATE_KEY
        ));
    }
    if !is_pem(key, "PRIVATE KEY-----") {
        return Some(format!("{} is no private key in PEM", layout::TLS_PRIVATE_KEY));
    }
    None
}

/// The first line that is none of htpasswd's, by number only: it could hold a password.
fn htpasswd_complaint(bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some("it is not UTF-8".to_owned());
    };
    let is_wrong = |line: &str| {
        let line = line.trim();
        let is_entry = line.split_once(':').is_some_and(|(name, hash)| {
            !name.is_empty() && (hash.starts_with("$2") || hash.starts_with("$argon2id$"))
        });
        !line.is_empty() && !line.starts_with('#') && !is_entry
    };
    let wrong = text.lines().position(is_wrong)?;
    Some(format!(
        "line {} is not name:hash with a bcrypt or argon2id hash",
        wrong + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(entries: &[(&str, &str)]) -> SecretFacts {
        let data = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        SecretFacts::of(&data.collect())
    }

    #[test]
    fn given_a_secret_when_read_then_empty_values_count_as_absent() {
        let facts = facts(&[("username", "admin"), ("password", "")]);
        assert!(facts.has("username"));
        assert!(!facts.has("password"));
        assert!(!facts.has("other"));
    }

    #[test]
    fn given_tls_secrets_when_read_then_what_is_missing_is_named() {
        let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
        assert_eq!(
            facts(&[("tls.crt", certificate), ("tls.key", key)]).tls_complaint,
            None
        );
        let swapped = facts(&[("tls.crt", key), ("tls.key", certificate)]);
        assert!(swapped.tls_complaint.unwrap().starts_with("tls.crt"));
        let half = facts(&[("tls.crt", certificate), ("ca.crt", certificate)]);
        assert!(half.tls_complaint.unwrap().starts_with("tls.key"));
        assert_eq!(half.authority.as_deref(), Some(certificate));
    }

    #[test]
    fn given_htpasswd_files_when_read_then_a_wrong_line_is_named_by_number_alone() {
        let facts = facts(&[
            ("good", "# people\nalice:$2y$10$abc\n\nbob:$argon2id$v=19$x\n"),
            ("bad", "alice:$2y$10$abc\nbob:hunter2\n"),
        ]);
        assert_eq!(facts.htpasswd_complaint("good"), None);
        let complaint = facts.htpasswd_complaint("bad").unwrap();
        assert!(
            complaint.contains("line 2") && !complaint.contains("hunter2"),
            "{complaint}"
        );
    }
}
