//! How the file of users is read. For the fuzz targets alone.

use super::htpasswd::Htpasswd;

/// Reads the text of a file of users: everybody's hash in the order of the file.
///
/// # Errors
/// What is wrong, with the number of the line in front.
pub fn read_users(text: &str) -> Result<Vec<String>, String> {
    let users = Htpasswd::parse(text)?;
    Ok(users.hashes().iter().map(|hash| hash.text().to_owned()).collect())
}

/// The hash of one user in the text of a file of users, if the text can be read and names the user.
pub fn hash_of(text: &str, user: &str) -> Option<String> {
    let users = Htpasswd::parse(text).ok()?;
    users.get(user).map(|hash| hash.text().to_owned())
}
