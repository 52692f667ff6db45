//! How the file of users is read. For the fuzz targets alone.

use super::htpasswd::Htpasswd;

/// What was read from the text of a file of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsersRead {
    /// Everybody's hash in the order of the file.
    pub hashes: Vec<String>,
    /// What is wrong with single lines, with the number of the line in front.
    pub faults: Vec<String>,
}

/// Reads the text of a file of users.
pub fn read_users(text: &str) -> UsersRead {
    let users = Htpasswd::parse(text.as_bytes());
    UsersRead {
        hashes: users.hashes().iter().map(|hash| hash.text().to_owned()).collect(),
        faults: users.faults().collect(),
    }
}

/// The hash of one user in the text of a file of users, if the text names the user in a line that can be used.
pub fn hash_of(text: &str, user: &str) -> Option<String> {
    let users = Htpasswd::parse(text.as_bytes());
    users.get(user).map(|hash| hash.text().to_owned())
}
