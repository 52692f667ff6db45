//! The file of users: `name:hash` lines with bcrypt or argon2id hashes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use argon2::password_hash::PasswordHash;
use argon2::{Argon2, PasswordVerifier};
use zas_config::UserName;

/// Longest file read, in bytes: about a hundred thousand users.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The users of a file.
#[derive(Clone, Default)]
pub(super) struct Htpasswd(HashMap<UserName, StoredHash>);

/// A user's stored hash.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum StoredHash {
    Bcrypt(String),
    Argon2id(String),
}

impl Htpasswd {
    /// Reads a file. One that is not there has no users yet.
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::warn!(file = %path.display(), "there is no htpasswd file yet, so nobody can sign in");
                return Ok(Self::default());
            }
            Err(error) => return Err(failed(error)),
        };
        let mut text = String::new();
        file.take(LONGEST + 1).read_to_string(&mut text).map_err(failed)?;
        if text.len() as u64 > LONGEST {
            return Err(format!("{} has more than {LONGEST} bytes", path.display()));
        }
        Self::parse(&text).map_err(|error| format!("{}:{error}", path.display()))
    }

    /// Reads the lines; an error names the line and never the hash.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut users = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, hash) = line
                .split_once(':')
                .ok_or_else(|| format!("{number}: expected name:hash"))?;
            let name: UserName = name.parse().map_err(|error| format!("{number}: {error}"))?;
            let hash = StoredHash::parse(hash).ok_or_else(|| {
                format!(
                    "{number}: the hash of {name} is neither bcrypt ($2y$...) nor argon2id ($argon2id$...)"
                )
            })?;
            if users.insert(name.clone(), hash).is_some() {
                return Err(format!("{number}: user {name} is named twice"));
            }
        }
        Ok(Self(users))
    }

    pub(super) fn hash_of(&self, user: &str) -> Option<(&UserName, &StoredHash)> {
        let user: UserName = user.parse().ok()?;
        self.0.get_key_value(&user)
    }

    /// A hash that costs what the users' hashes cost, for names that do not exist.
    pub(super) fn any_hash(&self) -> Option<&StoredHash> {
        self.0.values().next()
    }

    pub(super) fn contains(&self, user: &UserName) -> bool {
        self.0.contains_key(user)
    }
}

impl StoredHash {
    fn parse(text: &str) -> Option<Self> {
        if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            return (text.len() == 60).then(|| Self::Bcrypt(text.to_owned()));
        }
        let parsed = PasswordHash::new(text).ok()?;
        (parsed.algorithm.as_str() == "argon2id" && parsed.hash.is_some())
            .then(|| Self::Argon2id(text.to_owned()))
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Bcrypt(text) | Self::Argon2id(text) => text,
        }
    }

    /// Whether the password has this hash. Takes tens of milliseconds of a core, by design.
    pub(super) fn verify(&self, password: &str) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Argon2id(hash) => PasswordHash::new(hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            }),
        }
    }
}

impl std::fmt::Debug for Htpasswd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Htpasswd({} users)", self.0.len())
    }
}

impl std::fmt::Debug for StoredHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StoredHash(...)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_both_kinds_of_hash_when_verified_then_only_the_password_passes() {
        let bcrypt = bcrypt::hash("secret", 4).unwrap();
        let argon2id = super::super::users::hash("secret").unwrap();
        let users = Htpasswd::parse(&format!("# people\n\nalice:{bcrypt}\nbob:{argon2id}\n")).unwrap();
        for user in ["alice", "bob"] {
            let (_, hash) = users.hash_of(user).unwrap();
            assert!(hash.verify("secret"));
            assert!(!hash.verify("Secret"));
            assert!(!hash.verify(""));
        }
        assert!(users.hash_of("eve").is_none());
        assert!(!format!("{users:?}").contains("$2"));
    }

    #[test]
    fn given_wrong_lines_when_read_then_the_line_is_named_and_the_hash_is_not() {
        let hash = bcrypt::hash("secret", 4).unwrap();
        let cases = [
            ("alice".to_owned(), "1: expected name:hash"),
            ("\nalice:plaintext".to_owned(), "2: the hash of alice is neither"),
            (
                format!("alice:{hash}\nalice:{hash}"),
                "2: user alice is named twice",
            ),
            ("alice:$apr1$x$y".to_owned(), "1: the hash of alice is neither"),
            ("alice:$2y$05$short".to_owned(), "1: the hash of alice is neither"),
            (format!(":{hash}"), "1: "),
        ];
        for (text, expected) in cases {
            let error = Htpasswd::parse(&text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("plaintext") && !error.contains(&hash), "{error}");
        }
    }
}
