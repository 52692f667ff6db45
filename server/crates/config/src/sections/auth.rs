//! Who can sign in.

use std::path::PathBuf;

use crate::Duration;
use crate::section::section;

section! {
    /// Who can sign in.
    pub struct Auth {
        /// The name that clients show when they ask for a password.
        hot "realm" realm: String = "zot-artifact-store".to_owned();
        /// Users and password hashes in a file; nobody signs in with a password without.
        hot "htpasswd" htpasswd: Option<Htpasswd> = None;
        /// A user who may do everything in every repository, whatever `accessControl` says; a user of the same name in the
        /// htpasswd file does not count.
        hot "administrator" administrator: Option<Administrator> = None, since "0.2.0";
        /// How long a verified password is not verified again. 0 verifies each request, which costs tens of milliseconds
        /// of processor time.
        hot "credentialCache" credential_cache: Duration = Duration::minutes(5), in Duration::seconds(0)..=Duration::hours(24);
        /// When sign-in is refused for a while, with 429 and Retry-After. The limit of the defaults applies when this
        /// section is absent too.
        hot "failedAttempts" failed_attempts: FailedAttempts = FailedAttempts::default();
    }
}

impl Auth {
    /// Whether anybody signs in with a password of this server's own.
    pub fn has_users(&self) -> bool {
        self.htpasswd.is_some() || self.administrator.is_some()
    }
}

section! {
    /// Users and password hashes in a file.
    pub struct Htpasswd {
        /// The file with lines `user:hash`, hashed with bcrypt or argon2id. It is read again when it changes.
        hot "path" path: PathBuf = PathBuf::from("data/htpasswd");
    }
}

section! {
    /// A user who may do everything, in files as a mounted Kubernetes Secret has them. They are read again when they
    /// change, and one that cannot be used leaves the last good user in force; at the start both must be usable.
    pub struct Administrator {
        /// The file with the user's name. A line end after it does not count.
        hot "usernameFile" username_file: PathBuf = PathBuf::new(), example "/run/secrets/administrator/username";
        /// The file with the password. A line end after it does not count.
        hot "passwordFile" password_file: PathBuf = PathBuf::new(), example "/run/secrets/administrator/password";
        /// The file with the id of an access key of the user's for the S3 API.
        hot "accessKeyIdFile" access_key_id_file: Option<PathBuf> = None, example "/run/secrets/administrator/access-key-id";
        /// The file with the secret of that access key.
        hot "secretAccessKeyFile" secret_access_key_file: Option<PathBuf> = None, example "/run/secrets/administrator/secret-access-key";
    }
    required ["usernameFile", "passwordFile"]
}

section! {
    /// How many failed attempts to sign in are answered within a time, for each user and client address. A password that
    /// is remembered as right passes nevertheless, unless a hundred times as many more wrong ones come.
    pub struct FailedAttempts {
        /// Failed attempts within the window.
        hot "count" count: u32 = 10, in 1..=10_000;
        /// The time that counts.
        hot "window" window: Duration = Duration::minutes(1), in Duration::seconds(1)..=Duration::hours(24);
    }
}
