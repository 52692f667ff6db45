//! The administrator whose name and password stand in two files, as a mounted Secret has them.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use zas_config::{Administrator as AdministratorFiles, UserName};
use zas_s3::sigv4::SecretKey;

use super::keys::{Key, Keys};
use super::stored_hash::StoredHash;
use super::users::{self, random};

/// Longest file read, in bytes: a longer one holds neither a name nor a password.
const MAX_FILE_BYTES: u64 = 4 * 1024;

/// Shortest secret of an access key, in characters: signatures can be guessed at without asking the server.
const SHORTEST_SECRET: usize = 16;

/// The administrator, with the hash of the password and never the password.
#[derive(Clone)]
pub(super) struct Administrator {
    name: UserName,
    hash: StoredHash,
    /// Stands for name and password, so that reading the same ones again changes nothing.
    fingerprint: Key,
    access_key: Option<AccessKey>,
}

/// An access key for S3: its id and its secret.
#[derive(Clone)]
pub(super) struct AccessKey {
    id: String,
    secret: SecretKey,
}

impl AccessKey {
    fn load(files: &AdministratorFiles) -> Result<Option<Self>, String> {
        match (&files.access_key_id_file, &files.secret_access_key_file) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let (id_text, secret_text) = (read(id)?, read(secret)?);
                if !id_text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Err(format!(
                        "{} holds no access key id: use letters and digits",
                        id.display()
                    ));
                }
                if secret_text.len() < SHORTEST_SECRET {
                    return Err(format!(
                        "{}: the secret of an access key has at least {SHORTEST_SECRET} characters",
                        secret.display()
                    ));
                }
                Ok(Some(Self {
                    id: id_text,
                    secret: SecretKey::new(secret_text),
                }))
            }
            _ => Err("name accessKeyIdFile and secretAccessKeyFile, or neither".to_owned()),
        }
    }

    /// What clients name it by.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What requests are signed with.
    pub(super) fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

impl Administrator {
    /// Reads the files. What is the same as `before` is not hashed again.
    ///
    /// # Errors
    /// Names the file and what is wrong with it, and repeats nothing of it.
    pub(super) fn load(
        files: &AdministratorFiles,
        keys: &Keys,
        before: Option<&Self>,
    ) -> Result<Self, String> {
        let name = read(&files.username_file)?;
        let name = name.parse().ok().filter(UserName::is_local);
        let name = name.ok_or_else(|| format!("{} holds no user name", files.username_file.display()))?;
        let password = read(&files.password_file)?;
        let unusable = |error: &dyn fmt::Display| format!("{}: {error}", files.password_file.display());
        users::check(&password).map_err(|error| unusable(&error))?;
        let access_key = AccessKey::load(files)?;
        let fingerprint = keys.password(&name, &password, "administrator");
        if let Some(before) = before.filter(|before| before.fingerprint == fingerprint) {
            return Ok(Self {
                access_key,
                ..before.clone()
            });
        }
        let salt = random().map_err(|error| unusable(&error))?;
        let hash = StoredHash::argon2id_of(&password, &salt).map_err(|error| unusable(&error))?;
        Ok(Self {
            name,
            hash: StoredHash::parse(&hash).map_err(|error| unusable(&error))?,
            fingerprint,
            access_key,
        })
    }

    /// The access key, if the files name one.
    pub(super) fn access_key(&self) -> Option<&AccessKey> {
        self.access_key.as_ref()
    }

    /// Whose account it is.
    pub(super) fn name(&self) -> &UserName {
        &self.name
    }

    /// The hash of the password, which differs from every other and from that of the next start.
    pub(super) fn hash(&self) -> &StoredHash {
        &self.hash
    }
}

/// The text of a file without the end of its last line.
fn read(file: &Path) -> Result<String, String> {
    let failed = |error: &dyn fmt::Display| format!("{} cannot be read: {error}", file.display());
    let mut text = String::new();
    let opened = File::open(file).map_err(|error| failed(&error))?;
    opened
        .take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| failed(&error))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(failed(&format!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(format!("{} is empty", file.display()));
    }
    Ok(text.to_owned())
}

impl fmt::Debug for Administrator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Administrator({}, ...)", self.name)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    struct Files {
        _directory: TempDir,
        files: AdministratorFiles,
    }

    fn files(name: &str, password: &str) -> Files {
        let directory = tempfile::tempdir().unwrap();
        let files = AdministratorFiles {
            username_file: directory.path().join("username"),
            password_file: directory.path().join("password"),
            ..AdministratorFiles::default()
        };
        std::fs::write(&files.username_file, name).unwrap();
        std::fs::write(&files.password_file, password).unwrap();
        Files {
            _directory: directory,
            files,
        }
    }

    fn load(files: &Files, before: Option<&Administrator>) -> Result<Administrator, String> {
        Administrator::load(&files.files, &Keys::new([7; 32]), before)
    }

    #[test]
    fn given_files_with_line_ends_when_loaded_then_exactly_one_is_taken_off() {
        for (name, password) in [("root", " pass word "), ("root\n", " pass word \r\n")] {
            let administrator = load(&files(name, password), None).unwrap();
            assert_eq!(administrator.name().as_str(), "root");
            assert!(administrator.hash().verify(" pass word "));
            assert!(!administrator.hash().verify("pass word"));
            assert!(administrator.hash().text().starts_with("$argon2id$"));
        }
    }

    #[test]
    fn given_the_same_files_when_loaded_again_then_not_hashed_again_and_changed_ones_are() {
        let files = files("root", "secret");
        let first = load(&files, None).unwrap();
        assert_eq!(load(&files, Some(&first)).unwrap().hash(), first.hash());
        std::fs::write(&files.files.password_file, "other").unwrap();
        let changed = load(&files, Some(&first)).unwrap();
        assert!(changed.hash().verify("other") && !changed.hash().verify("secret"));
        std::fs::write(&files.files.username_file, "boss").unwrap();
        assert_eq!(load(&files, Some(&changed)).unwrap().name().as_str(), "boss");
    }

    #[test]
    fn given_unusable_files_when_loaded_then_the_file_is_named_and_its_content_is_not() {
        let long = "hush".repeat(300);
        let longer = "hush".repeat(1200);
        for (name, password, file, reason) in [
            ("", "hush", "username", "is empty"),
            ("\n", "hush", "username", "is empty"),
            ("hush:x", "p", "username", "no user name"),
            ("hush\n\n", "p", "username", "no user name"),
            ("root", "", "password", "is empty"),
            ("root", "\r\n", "password", "is empty"),
            ("root", "hush\n\n", "password", "control characters"),
            ("root", &long, "password", "1024 bytes"),
            ("root", &longer, "password", "4096 bytes"),
        ] {
            let error = load(&files(name, password), None).unwrap_err();
            assert!(
                error.contains(&format!("/{file}")) && error.contains(reason),
                "{error}"
            );
            assert!(!error.contains("hush"), "{error}");
        }
        let mut absent = files("root", "secret");
        absent.files.password_file = absent.files.password_file.with_file_name("absent");
        assert!(load(&absent, None).unwrap_err().contains("absent cannot be read"));
    }

    #[test]
    fn given_an_administrator_when_shown_for_debugging_then_neither_password_nor_hash() {
        let shown = format!("{:?}", load(&files("root", "secret"), None).unwrap());
        assert_eq!(shown, "Administrator(root, ...)");
    }
}
