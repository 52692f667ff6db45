//! The file of users: `name:hash` lines with bcrypt or argon2id hashes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use zas_config::UserName;

use super::stored_hash::StoredHash;

/// Longest file read, in bytes: about a hundred thousand users.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The users of a file.
#[derive(Clone, Default)]
pub(super) struct Htpasswd {
    positions: HashMap<UserName, usize>,
    hashes: Vec<StoredHash>,
}

impl Htpasswd {
    /// Reads a file; `None` when it is not there.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, String> {
        let Some(text) = read(path)? else { return Ok(None) };
        Self::parse(&text)
            .map(Some)
            .map_err(|error| format!("{}:{error}", path.display()))
    }

    /// Reads the lines; an error names the line and never the hash.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut users = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            users.add(line).map_err(|error| format!("{number}: {error}"))?;
        }
        Ok(users)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let (name, hash) = line.split_once(':').ok_or("expected name:hash")?;
        let name: UserName = name
            .parse()
            .map_err(|error: zas_config::InvalidName| error.to_string())?;
        let hash = StoredHash::parse(hash).map_err(|reason| format!("the hash of {name} {reason}"))?;
        if self.positions.contains_key(&name) {
            return Err(format!("user {name} is named twice"));
        }
        self.positions.insert(name, self.hashes.len());
        self.hashes.push(hash);
        Ok(())
    }

    pub(super) fn get(&self, user: &str) -> Option<&StoredHash> {
        self.hashes.get(*self.positions.get(user)?)
    }

    /// Everybody's hashes, in the order of the file.
    pub(super) fn hashes(&self) -> &[StoredHash] {
        &self.hashes
    }
}

/// The text of a file; `None` when it is not there.
pub(super) fn read(path: &Path) -> Result<Option<String>, String> {
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LONGEST {
        return Err(format!("{} has more than {LONGEST} bytes", path.display()));
    }
    Ok(Some(text))
}

impl std::fmt::Debug for Htpasswd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Htpasswd({} users)", self.hashes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_file_of_users_when_read_then_each_has_the_own_hash_and_nobody_else_has_one() {
        let [alice, bob] = [4, 5].map(|cost| bcrypt::hash("secret", cost).unwrap());
        let users = Htpasswd::parse(&format!("# people\n\nalice:{alice}\n bob:{bob}\n")).unwrap();
        assert_eq!(users.get("alice").unwrap().text(), alice);
        assert_eq!(users.get("bob").unwrap().text(), bob);
        assert!(users.get("eve").is_none());
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
            (
                "alice:$2y$05$short".to_owned(),
                "1: the hash of alice is a damaged",
            ),
            (
                format!("#\nalice:{}", hash.replace("$04$", "$31$")),
                "2: the hash of alice has a bcrypt cost",
            ),
            (format!(":{hash}"), "1: "),
        ];
        for (text, expected) in cases {
            let error = Htpasswd::parse(&text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("plaintext") && !error.contains(&hash), "{error}");
        }
    }
}
