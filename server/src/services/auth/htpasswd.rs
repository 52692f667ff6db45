//! The file of users: `name:hash` lines with bcrypt or argon2id hashes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use zas_config::UserName;

use super::stored_hash::StoredHash;

/// Longest file read, in bytes: about a hundred thousand users.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Most lines whose faults are told one by one.
const MAX_TOLD: usize = 16;

/// The users of a file. A line that cannot be used costs its own user alone.
#[derive(Clone, Default)]
pub(super) struct Htpasswd {
    positions: HashMap<UserName, usize>,
    hashes: Vec<StoredHash>,
    faults: Vec<String>,
    faulty_lines: usize,
}

/// What became of reading a file of users.
#[derive(Debug)]
pub(super) enum UsersFile {
    /// It was read, with the lines of it that can be used.
    Read(Htpasswd),
    /// It is not there: it has no users.
    Absent,
    /// It is there, and nothing is known of its users.
    Unreadable(String),
}

impl UsersFile {
    /// Reads a file.
    pub(super) fn load(path: &Path) -> Self {
        match read(path) {
            Ok(Some(text)) => Self::Read(Htpasswd::parse(&text)),
            Ok(None) => Self::Absent,
            Err(reason) => Self::Unreadable(reason),
        }
    }
}

impl Htpasswd {
    /// Reads the lines. Of two lines with the same name the first counts.
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut users = Self::default();
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            if let Err(reason) = users.add(line) {
                users.note_fault(number, &reason);
            }
        }
        users
    }

    fn add(&mut self, line: &[u8]) -> Result<(), String> {
        let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
        let (name, hash) = line.split_once(':').ok_or("expected name:hash")?;
        let name: UserName = name
            .parse()
            .map_err(|error: zas_config::InvalidName| error.to_string())?;
        let hash = StoredHash::parse(hash).map_err(|reason| format!("the hash of {name} {reason}"))?;
        if self.positions.contains_key(&name) {
            return Err(format!("user {name} is named twice: the first line counts"));
        }
        self.positions.insert(name, self.hashes.len());
        self.hashes.push(hash);
        Ok(())
    }

    fn note_fault(&mut self, number: usize, reason: &str) {
        self.faulty_lines += 1;
        if self.faults.len() < MAX_TOLD {
            self.faults.push(format!("{number}: {reason}"));
        }
    }

    pub(super) fn get(&self, user: &str) -> Option<&StoredHash> {
        self.hashes.get(*self.positions.get(user)?)
    }

    /// Everybody's hashes, in the order of the file.
    pub(super) fn hashes(&self) -> &[StoredHash] {
        &self.hashes
    }

    /// Everybody's names, in the order of the file.
    pub(super) fn names(&self) -> Vec<&UserName> {
        let mut names: Vec<_> = self.positions.iter().collect();
        names.sort_unstable_by_key(|(_, position)| **position);
        names.into_iter().map(|(name, _)| name).collect()
    }

    /// What is wrong with single lines: the number of the line and a reason that never quotes a hash.
    pub(super) fn faults(&self) -> impl Iterator<Item = String> + '_ {
        let untold = self.faulty_lines - self.faults.len();
        let rest = (untold > 0).then(|| format!("{untold} more lines cannot be used"));
        self.faults.iter().cloned().chain(rest)
    }
}

/// What some editors put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes of a file; `None` when it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut text = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("{} has more than {MAX_FILE_BYTES} bytes", path.display()));
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
        let text = format!("\u{feff}# people\r\n\r\nalice:{alice}\r\n bob:{bob}\n");
        let users = Htpasswd::parse(text.as_bytes());
        assert_eq!(users.get("alice").unwrap().text(), alice);
        assert_eq!(users.get("bob").unwrap().text(), bob);
        assert!(users.get("eve").is_none());
        let names: Vec<&str> = users.names().into_iter().map(UserName::as_str).collect();
        assert_eq!(names, ["alice", "bob"]);
        assert_eq!(users.faults().count(), 0);
        assert!(!format!("{users:?}").contains("$2"));
    }

    #[test]
    fn given_a_line_that_cannot_be_used_when_read_then_it_costs_that_line_and_the_hash_is_not_quoted() {
        let hash = bcrypt::hash("secret", 4).unwrap();
        let cut = hash.get(..40).unwrap();
        let cases = [
            (
                "u:$apr1$0123abcd$Hlzb5bGqxC9Yv7e0P8F3W/".to_owned(),
                "the hash of u is neither",
            ),
            (
                "u:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=".to_owned(),
                "the hash of u is neither",
            ),
            ("u:rqXexS6ZhobKA".to_owned(), "the hash of u is neither"),
            (
                format!("u:{}", hash.replace("$2b$", "$2x$")),
                "the hash of u is neither",
            ),
            ("u:plaintext".to_owned(), "the hash of u is neither"),
            (format!("u:{hash}:more"), "the hash of u is a damaged"),
            ("u".to_owned(), "expected name:hash"),
            ("u:".to_owned(), "the hash of u is neither"),
            (format!(":{hash}"), "\"\" is not a name"),
            (format!("u :{hash}"), "\"u \" is not a name"),
            (format!("u:{cut}"), "the hash of u is a damaged"),
            (
                format!("u:{}", hash.replace("$04$", "$31$")),
                "the hash of u has a bcrypt cost",
            ),
            (format!("alice:{hash}"), "user alice is named twice"),
            (format!("u\u{7}:{hash}"), "\"u\\u{7}\" is not a name"),
        ];
        for (line, expected) in cases {
            let users = Htpasswd::parse(format!("alice:{hash}\n{line}\nbob:{hash}\n").as_bytes());
            let faults: Vec<String> = users.faults().collect();
            assert_eq!(faults.len(), 1, "{line}");
            assert!(
                faults[0].starts_with(&format!("2: {expected}")),
                "{line}: {faults:?}"
            );
            assert!(
                !faults[0].contains("plaintext") && !faults[0].contains(cut) && !faults[0].contains("Hlzb"),
                "{faults:?}"
            );
            assert!(
                users.get("alice").is_some() && users.get("bob").is_some(),
                "{line}"
            );
            assert!(users.get("u").is_none(), "{line}");
        }
        let mut text = format!("alice:{hash}\n").into_bytes();
        text.extend_from_slice(b"u\xff:x\n");
        assert_eq!(
            Htpasswd::parse(&text).faults().collect::<Vec<_>>(),
            ["2: the line is not UTF-8"]
        );
    }

    #[test]
    fn given_very_many_faulty_lines_when_told_then_the_first_and_the_number_of_the_others() {
        let users = Htpasswd::parse("u\n".repeat(MAX_TOLD + 3).as_bytes());
        let faults: Vec<String> = users.faults().collect();
        assert_eq!(faults.len(), MAX_TOLD + 1);
        assert_eq!(faults[MAX_TOLD], "3 more lines cannot be used");
    }
}
