//! The users of the htpasswd file: adding, removing and listing them.

use std::path::Path;

use zas_config::UserName;

use super::htpasswd::{self, Htpasswd, UsersFile};
use super::locked_file::LockedFile;
use super::stored_hash::StoredHash;

/// Longest password, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

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

/// The users of a file, and what is wrong with single lines of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUsers {
    /// The names, in the order of the file.
    pub names: Vec<UserName>,
    /// The number of each line that cannot be used, and why.
    pub faults: Vec<String>,
}

/// Why the users of a file cannot be listed or changed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsersError(String);

/// Gives a user a password: the one given, or a random one. The file is exchanged as a whole and a new one is readable
/// by its owner only; when this returns, the change survives power loss. Changes at the same time wait for each other.
///
/// # Errors
/// Says what is wrong with the name, the password or the file. The file is as before.
pub fn add_user(
    path: &Path,
    name: &str,
    password: Option<&str>,
    only_if_absent: bool,
) -> Result<UserAdded, UsersError> {
    let name = user_name(name)?;
    password.map_or(Ok(()), check)?;
    let file = lock(path)?;
    let text = htpasswd::read(file.path())
        .map_err(UsersError)?
        .unwrap_or_default();
    if only_if_absent && Htpasswd::parse(&text).get(name.as_str()).is_some() {
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
        .map_err(|error| UsersError(format!("the password cannot be hashed: {error}")))?;
    let mut text = without_lines_of(&text, &name);
    text.extend_from_slice(format!("{name}:{hash}\n").as_bytes());
    replace(&file, &text)?;
    Ok(added)
}

/// Takes a user out of the file, with every line that begins with the name, also one that cannot be used. `false`:
/// there is none. When this returns, the change survives power loss.
///
/// # Errors
/// Says what is wrong with the name or the file. The file is as before.
pub fn remove_user(path: &Path, name: &str) -> Result<bool, UsersError> {
    let name = user_name(name)?;
    // Locking makes the folder of a file that is not there.
    if htpasswd::read(path).map_err(UsersError)?.is_none() {
        return Ok(false);
    }
    let file = lock(path)?;
    let text = htpasswd::read(file.path())
        .map_err(UsersError)?
        .unwrap_or_default();
    let left = without_lines_of(&text, &name);
    if left.len() >= text.len() {
        // At most the line feed at the end was added.
        return Ok(false);
    }
    replace(&file, &left)?;
    Ok(true)
}

/// The users of a file; none when it is not there.
///
/// # Errors
/// The file cannot be read.
pub fn list_users(path: &Path) -> Result<ListedUsers, UsersError> {
    let users = match UsersFile::load(path) {
        UsersFile::Read(users) => users,
        UsersFile::Absent => Htpasswd::default(),
        UsersFile::Unreadable(reason) => return Err(UsersError(reason)),
    };
    Ok(ListedUsers {
        names: users.names().into_iter().cloned().collect(),
        faults: users
            .faults()
            .map(|fault| format!("{}:{fault}", path.display()))
            .collect(),
    })
}

fn user_name(name: &str) -> Result<UserName, UsersError> {
    if name.starts_with('#') {
        return Err(UsersError(format!(
            "{name} is no user name: a line that starts with # is a comment"
        )));
    }
    let parsed: UserName = name
        .parse()
        .map_err(|error: zas_config::InvalidName| UsersError(error.to_string()))?;
    if !parsed.is_local() {
        return Err(UsersError(format!(
            "{name} is no name of a user of this server: it has a colon"
        )));
    }
    Ok(parsed)
}

fn lock(path: &Path) -> Result<LockedFile, UsersError> {
    LockedFile::lock(path)
        .map_err(|error| UsersError(format!("{} cannot be written: {error}", path.display())))
}

fn replace(file: &LockedFile, text: &[u8]) -> Result<(), UsersError> {
    let nonce = u64::from_be_bytes(random()?);
    file.replace(text, nonce)
        .map_err(|error| UsersError(format!("{} cannot be written: {error}", file.path().display())))
}

/// RFC 7617, section 2 allows no control characters.
pub(super) fn check(password: &str) -> Result<(), UsersError> {
    let is_good =
        (1..=MAX_PASSWORD_BYTES).contains(&password.len()) && !password.chars().any(char::is_control);
    let complaint = || {
        UsersError(format!(
            "a password has 1 to {MAX_PASSWORD_BYTES} bytes and no control characters"
        ))
    };
    is_good.then_some(()).ok_or_else(complaint)
}

/// The text with a line feed at its end, and without the lines of a user.
fn without_lines_of(text: &[u8], name: &UserName) -> Vec<u8> {
    let own_prefix = format!("{name}:").into_bytes();
    let mut left = Vec::with_capacity(text.len() + 1);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if !line.trim_ascii_start().starts_with(&own_prefix) {
            left.extend_from_slice(line);
        }
    }
    if left.last().is_some_and(|byte| *byte != b'\n') {
        left.push(b'\n');
    }
    left
}

fn generate() -> Result<String, UsersError> {
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

pub(super) fn random<const N: usize>() -> Result<[u8; N], UsersError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| UsersError(format!("the system gives no randomness: {error}")))?;
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

    fn users_of(path: &Path) -> Htpasswd {
        let UsersFile::Read(users) = UsersFile::load(path) else {
            panic!("{} cannot be read", path.display())
        };
        users
    }

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
        let users = users_of(&path);
        assert!(users.get("alice").unwrap().verify(&first));
        assert!(users.get("bob").unwrap().verify("given"));
        assert_eq!(first.len(), GENERATED_LENGTH);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        // When the password is changed, then the old one is gone
        add_user(&path, "alice", Some("new"), false).unwrap();
        let users = users_of(&path);
        assert!(users.get("alice").unwrap().verify("new"));
        assert!(users.get("bob").unwrap().verify("given"));
    }

    #[test]
    fn given_bad_names_when_added_or_removed_then_the_file_is_as_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("htpasswd");
        std::fs::write(&path, "broken").unwrap();
        for name in ["a:b", ""] {
            assert!(add_user(&path, name, None, false).is_err());
            assert!(remove_user(&path, name).is_err());
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "broken");
    }

    #[test]
    fn given_lines_that_cannot_be_used_when_users_are_added_and_removed_then_other_lines_are_kept() {
        // Given
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("htpasswd");
        std::fs::write(&path, b"# ours\nbroken\nbob:plain\n\xff\xfe:x").unwrap();

        // When
        add_user(&path, "alice", Some("given"), false).unwrap();
        add_user(&path, "carol", Some("given"), false).unwrap();

        // Then
        let listed = list_users(&path).unwrap();
        let names: Vec<&str> = listed.names.iter().map(UserName::as_str).collect();
        assert_eq!(names, ["alice", "carol"]);
        assert_eq!(listed.faults.len(), 3);
        assert!(
            listed.faults[0].ends_with("htpasswd:2: expected name:hash"),
            "{listed:?}"
        );

        // When, then
        for (name, was_there) in [("bob", true), ("bob", false), ("alice", true), ("dave", false)] {
            assert_eq!(remove_user(&path, name).unwrap(), was_there, "{name}");
        }
        let left = std::fs::read(&path).unwrap();
        assert!(left.starts_with(b"# ours\nbroken\n\xff\xfe:x\ncarol:$argon2id$"));
    }

    #[test]
    fn given_no_file_when_users_are_listed_and_removed_then_there_are_none_and_no_file_is_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/htpasswd");
        assert_eq!(list_users(&path).unwrap().names, []);
        assert!(!remove_user(&path, "alice").unwrap());
        assert!(!directory.path().join("deep").try_exists().unwrap());
        assert!(list_users(directory.path()).is_err());
    }

    #[test]
    fn given_names_and_passwords_that_cannot_be_used_when_added_then_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("htpasswd");
        let long = "x".repeat(MAX_PASSWORD_BYTES + 1);
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
        let users = users_of(&path);
        assert!((0..8).all(|number| users.get(&format!("user{number}")).is_some()));
    }
}
