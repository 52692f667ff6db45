//! Adding users to the htpasswd file.

use std::path::Path;

use zas_config::UserName;

use super::htpasswd::{self, Htpasswd};
use super::locked_file::LockedFile;
use super::stored_hash::StoredHash;

/// Longest password, in bytes.
const LONGEST_PASSWORD: usize = 1024;

/// Characters of a generated password: 62 letters and digits each, so about 190 bits.
const GENERATED_LENGTH: usize = 32;
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What became of a request to add a user.
#[derive(Clone, PartialEq, Eq)]
pub enum UserAdded {
    /// The user was there and was left alone.
    Existed,
    /// The user has the password that was given.
    WithPassword,
    /// The user has this password, which is kept nowhere.
    WithGenerated(String),
}

/// Why a user cannot be added.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AddUserError(String);

/// Gives a user a password: the one given, or a random one. The file is exchanged as a whole and a new one is readable
/// by its owner only; when this returns, the change survives power loss. Additions at the same time wait for each other.
///
/// # Errors
/// Says what is wrong with the name, the password or the file. The file is as before.
pub fn add_user(
    path: &Path,
    name: &str,
    password: Option<&str>,
    only_if_absent: bool,
) -> Result<UserAdded, AddUserError> {
    let name: UserName = name
        .parse()
        .map_err(|error: zas_config::InvalidName| AddUserError(error.to_string()))?;
    if name.as_str().starts_with('#') {
        return Err(AddUserError(format!(
            "{name} is no user name: a line that starts with # is a comment"
        )));
    }
    password.map_or(Ok(()), check)?;
    let unwritable = |error| AddUserError(format!("{} cannot be written: {error}", path.display()));
    let file = LockedFile::lock(path).map_err(unwritable)?;
    let text = htpasswd::read(file.path())
        .map_err(AddUserError)?
        .unwrap_or_default();
    let users =
        Htpasswd::parse(&text).map_err(|error| AddUserError(format!("{}:{error}", path.display())))?;
    if only_if_absent && users.get(name.as_str()).is_some() {
        return Ok(UserAdded::Existed);
    }
    let (password, added) = match password {
        Some(password) => (password.to_owned(), UserAdded::WithPassword),
        None => {
            let generated = generate()?;
            (generated.clone(), UserAdded::WithGenerated(generated))
        }
    };
    let hash = StoredHash::argon2id_of(&password, &random()?)
        .map_err(|error| AddUserError(format!("the password cannot be hashed: {error}")))?;
    let nonce = u64::from_be_bytes(random()?);
    file.replace(&with_line(&text, &name, &hash), nonce)
        .map_err(unwritable)?;
    Ok(added)
}

/// RFC 7617, section 2 allows no control characters.
pub(super) fn check(password: &str) -> Result<(), AddUserError> {
    let is_good = (1..=LONGEST_PASSWORD).contains(&password.len()) && !password.chars().any(char::is_control);
    let complaint = || {
        AddUserError(format!(
            "a password has 1 to {LONGEST_PASSWORD} bytes and no control characters"
        ))
    };
    is_good.then_some(()).ok_or_else(complaint)
}

fn with_line(text: &str, name: &UserName, hash: &str) -> String {
    let own_prefix = format!("{name}:");
    let others = text
        .lines()
        .filter(|line| !line.trim_start().starts_with(&own_prefix));
    let mut lines: Vec<&str> = others.collect();
    let line = format!("{own_prefix}{hash}\n");
    lines.push(&line);
    lines.join("\n")
}

fn generate() -> Result<String, AddUserError> {
    let mut password = String::with_capacity(GENERATED_LENGTH);
    while password.len() < GENERATED_LENGTH {
        // Six random bits choose among 64; the two that are no character are drawn again, so all are equally likely.
        let drawn = random::<32>()?
            .into_iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)).copied());
        password.extend(drawn.map(char::from).take(GENERATED_LENGTH - password.len()));
    }
    Ok(password)
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], AddUserError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| AddUserError(format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}

impl std::fmt::Debug for UserAdded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Existed => "Existed",
            Self::WithPassword => "WithPassword",
            Self::WithGenerated(_) => "WithGenerated(...)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn given_a_new_file_when_users_are_added_then_each_can_sign_in_and_only_the_owner_can_read() {
        // Given
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/htpasswd");

        // When
        let UserAdded::WithGenerated(first) = add_user(&path, "alice", None, false).unwrap() else {
            panic!()
        };
        assert_eq!(
            add_user(&path, "bob", Some("given"), true).unwrap(),
            UserAdded::WithPassword
        );
        assert_eq!(add_user(&path, "alice", None, true).unwrap(), UserAdded::Existed);

        // Then
        let users = Htpasswd::load(&path).unwrap().unwrap();
        assert!(users.get("alice").unwrap().verify(&first));
        assert!(users.get("bob").unwrap().verify("given"));
        assert_eq!(first.len(), GENERATED_LENGTH);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        // When the password is changed, then the old one is gone
        add_user(&path, "alice", Some("new"), false).unwrap();
        let users = Htpasswd::load(&path).unwrap().unwrap();
        assert!(users.get("alice").unwrap().verify("new"));
        assert!(users.get("bob").unwrap().verify("given"));
    }

    #[test]
    fn given_a_bad_name_or_a_damaged_file_when_added_then_the_file_is_as_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("htpasswd");
        assert!(add_user(&path, "a:b", None, false).is_err());
        assert!(add_user(&path, "", None, false).is_err());
        std::fs::write(&path, "broken").unwrap();
        assert!(add_user(&path, "alice", None, false).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "broken");
    }

    #[test]
    fn given_names_and_passwords_that_cannot_be_used_when_added_then_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("htpasswd");
        let long = "x".repeat(LONGEST_PASSWORD + 1);
        for (name, password) in [
            ("#x", "p"),
            ("a\u{7}", "p"),
            ("a", ""),
            ("a", "b\nc"),
            ("a", long.as_str()),
        ] {
            assert!(
                add_user(&path, name, Some(password), false).is_err(),
                "{name:?} {password:?}"
            );
        }
        assert!(!path.try_exists().unwrap());
        assert!(add_user(&path, "a", Some(&long[1..]), false).is_ok());
    }

    #[test]
    fn given_users_that_are_added_at_the_same_time_when_read_then_none_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("htpasswd");
        std::thread::scope(|scope| {
            for number in 0..8 {
                let path = &path;
                scope.spawn(move || add_user(path, &format!("user{number}"), Some("given"), false).unwrap());
            }
        });
        let users = Htpasswd::load(&path).unwrap().unwrap();
        assert!((0..8).all(|number| users.get(&format!("user{number}")).is_some()));
    }
}
