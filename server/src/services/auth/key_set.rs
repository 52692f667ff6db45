//! The key-encryption keys, out of which secrets are derived.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zas_s3::access_key::KeyEncryptionKey;

/// Longest file read, in bytes: some thousand keys.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// Longest id of a key.
const MAX_KID_BYTES: usize = 64;

/// The keys by their ids. At least one.
pub struct KeySet(BTreeMap<String, KeyEncryptionKey>);

impl KeySet {
    /// Reads the file.
    ///
    /// # Errors
    /// Names the file and the line, and repeats nothing of it.
    pub fn load(file: &Path) -> Result<Self, String> {
        let failed = |reason: &dyn fmt::Display| format!("encryption.keys: {}: {reason}", file.display());
        let opened = File::open(file).map_err(|error| failed(&error))?;
        let mut text = String::new();
        let read = opened.take(MAX_FILE_BYTES + 1).read_to_string(&mut text);
        read.map_err(|error| failed(&error))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(failed(&format!("it has more than {MAX_FILE_BYTES} bytes")));
        }
        Self::parse(&text).map_err(|reason| failed(&reason))
    }

    /// Reads the text of the file. Empty lines and those that begin with `#` do not count.
    ///
    /// # Errors
    /// Names the line, and repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (kid, key) = read(line).map_err(|reason| format!("line {number}: {reason}"))?;
            if keys.insert(kid, key).is_some() {
                return Err(format!("line {number}: an earlier line has the same id"));
            }
        }
        if keys.is_empty() {
            return Err("it has no key: write an id, a colon and 32 random bytes in base64".to_owned());
        }
        Ok(Self(keys))
    }

    /// The key that new secrets are derived from: the one whose id sorts last.
    pub fn newest(&self) -> Option<(&str, &KeyEncryptionKey)> {
        self.0.last_key_value().map(|(kid, key)| (kid.as_str(), key))
    }

    /// The key of an id.
    pub fn get(&self, kid: &str) -> Option<&KeyEncryptionKey> {
        self.0.get(kid)
    }
}

fn read(line: &str) -> Result<(String, KeyEncryptionKey), &'static str> {
    let (kid, key) = line.split_once(':').ok_or("it has no colon")?;
    let kid = kid.trim_end();
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if kid.is_empty() || kid.len() > MAX_KID_BYTES || !kid.bytes().all(is_id) {
        return Err("an id has 1 to 64 letters, digits, '-', '_' and '.'");
    }
    let key = STANDARD.decode(key.trim()).map_err(|_| "the key is not base64")?;
    let key = key.try_into().map_err(|_| "the key has not 32 bytes")?;
    Ok((kid.to_owned(), KeyEncryptionKey::new(key)))
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kid: &str, byte: u8) -> String {
        format!("{kid}: {}\n", STANDARD.encode([byte; 32]))
    }

    #[test]
    fn given_several_keys_when_read_then_the_last_id_is_the_newest_wherever_it_stands() {
        let text = format!(
            "# keys\n{}\n{}{}",
            line("2026-12", 2),
            line("2026-02", 1),
            line("2025-11", 0)
        );
        let keys = KeySet::parse(&text).unwrap();
        let (kid, newest) = keys.newest().unwrap();
        assert_eq!(kid, "2026-12");
        let id = "ZASKAAAAAAAAAAAAAAAA".parse().unwrap();
        assert_eq!(
            newest.secret_of(&id),
            KeyEncryptionKey::new([2; 32]).secret_of(&id)
        );
        assert!(keys.get("2025-11").is_some() && keys.get("2024").is_none());
        assert!(!format!("{keys:?}").contains("AgIC"));
    }

    #[test]
    fn given_unusable_lines_when_read_then_the_line_is_named_and_nothing_repeated() {
        let twice = format!("{}{}", line("a", 1), line("a", 2));
        for (text, expected) in [
            ("", "it has no key"),
            ("hush", "line 1: it has no colon"),
            ("\nhu/sh: AA==", "line 2: an id has"),
            ("a: hush!", "line 1: the key is not base64"),
            ("a: aHVzaA==", "line 1: the key has not 32 bytes"),
            (twice.as_str(), "line 2: an earlier line"),
        ] {
            let error = KeySet::parse(text).unwrap_err();
            assert!(error.starts_with(expected) && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn given_no_file_when_loaded_then_the_setting_and_the_file_are_named() {
        let error = KeySet::load(Path::new("/nowhere/keys")).unwrap_err();
        assert!(error.starts_with("encryption.keys: /nowhere/keys: "), "{error}");
    }
}
