//! Adding users to the htpasswd file.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use argon2::password_hash::SaltString;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use zas_config::UserName;

use super::htpasswd::Htpasswd;

/// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. A guess costs what a sign-in costs, and a
/// server can afford a few dozen sign-ins at the same time.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

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

/// Gives a user a password: the one given, or a random one. The file is exchanged as a whole and readable by its owner
/// only; when this returns, the change survives power loss.
///
/// # Errors
/// Says what is wrong with the name or the file. The file is as before.
pub fn add_user(
    path: &Path,
    name: &str,
    password: Option<&str>,
    only_if_absent: bool,
) -> Result<UserAdded, AddUserError> {
    let name: UserName = name
        .parse()
        .map_err(|error: zas_config::InvalidName| AddUserError(error.to_string()))?;
    let users = Htpasswd::load(path).map_err(AddUserError)?;
    if only_if_absent && users.contains(&name) {
        return Ok(UserAdded::Existed);
    }
    let (password, added) = match password {
        Some(password) => (password.to_owned(), UserAdded::WithPassword),
        None => {
            let generated = generate()?;
            (generated.clone(), UserAdded::WithGenerated(generated))
        }
    };
    let line = format!("{name}:{}", hash(&password)?);
    write(path, &name, &line)
        .map_err(|error| AddUserError(format!("{} cannot be written: {error}", path.display())))?;
    Ok(added)
}

/// The argon2id hash of a password, with a salt of its own.
pub(super) fn hash(password: &str) -> Result<String, AddUserError> {
    let failed =
        |error: argon2::password_hash::Error| AddUserError(format!("the password cannot be hashed: {error}"));
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(failed)?;
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| failed(error.into()))?;
    let argon2id = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    Ok(argon2id
        .hash_password(password.as_bytes(), &salt)
        .map_err(failed)?
        .to_string())
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

fn write(path: &Path, name: &UserName, line: &str) -> std::io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let before = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let own_prefix = format!("{name}:");
    let mut lines: Vec<&str> = before
        .lines()
        .filter(|line| !line.trim_start().starts_with(&own_prefix))
        .collect();
    lines.push(line);
    let partial = path.with_extension("partial");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(format!("{}\n", lines.join("\n")).as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&partial, path)?;
    File::open(directory)?.sync_all()
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
        let users = Htpasswd::load(&path).unwrap();
        assert!(users.hash_of("alice").unwrap().1.verify(&first));
        assert!(users.hash_of("bob").unwrap().1.verify("given"));
        assert_eq!(first.len(), GENERATED_LENGTH);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        // When the password is changed, then the old one is gone
        add_user(&path, "alice", Some("new"), false).unwrap();
        let users = Htpasswd::load(&path).unwrap();
        assert!(users.hash_of("alice").unwrap().1.verify("new"));
        assert!(users.hash_of("bob").unwrap().1.verify("given"));
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
}
