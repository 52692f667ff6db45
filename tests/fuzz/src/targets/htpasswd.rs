//! The file of users.

use std::collections::HashSet;

use argon2::{Argon2, Params, PasswordHash, PasswordVerifier};
use zot_artifact_store::services::auth::fuzzing::{hash_of, read_users};

use crate::Verdict;
use crate::input::Input;

/// What a verification may cost here: more takes milliseconds and says no more.
const CHEAP_BCRYPT: &str = "$04$";
const CHEAP_MEMORY_KIB: u32 = 64;
const CHEAP_PASSES: u32 = 2;

/// The bytes are the text of the file.
///
/// An error names a line that is there and quotes no hash; users that are read stand in the file, each once, and a
/// hash that is taken can be verified without failing.
pub(super) fn target(data: &[u8]) -> Verdict {
    let text = Input::of(data).text();
    match read_users(&text) {
        Err(error) => {
            check_error(&text, &error);
            Verdict::Refused
        }
        Ok(hashes) => {
            check_users(&text, &hashes);
            Verdict::accepted_if(!hashes.is_empty())
        }
    }
}

fn check_error(text: &str, error: &str) {
    let (number, reason) = error.split_once(": ").expect("a line and a reason");
    let number: usize = number.parse().expect("the number of a line");
    let line = text.lines().nth(number - 1).expect("a line of the file");
    assert!(!reason.is_empty());
    let secret = line.split_once(':').map_or("", |(_, hash)| hash.trim());
    // A short text, such as a dollar sign, may be part of any sentence, and the user's name is quoted, as it is or
    // escaped.
    let name = line.split(':').next().unwrap_or_default();
    let is_telling = secret.len() > 20 && !name.contains(secret) && !format!("{name:?}").contains(secret);
    assert!(!is_telling || !error.contains(secret), "{error} quotes the hash");
}

fn check_users(text: &str, hashes: &[String]) {
    let lines = || {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    assert_eq!(hashes.len(), lines().count(), "one hash for each line");
    let mut names = HashSet::new();
    for (line, hash) in lines().zip(hashes) {
        let (name, written) = line.split_once(':').expect("name:hash");
        assert_eq!(written, hash);
        assert!(names.insert(name), "{name} is there twice");
        assert_eq!(hash_of(text, name).as_deref(), Some(written));
        check_hash(hash);
    }
}

/// Verifying neither fails nor takes without bounds.
fn check_hash(hash: &str) {
    if !hash.starts_with("$argon2id$") {
        let cost: u32 = hash.get(4..6).and_then(|cost| cost.parse().ok()).expect("a cost");
        assert!((4..=16).contains(&cost), "{hash}");
        if hash.contains(CHEAP_BCRYPT) {
            bcrypt::verify("secret", hash).expect("a hash that was taken can be verified");
        }
        return;
    }
    let parsed = PasswordHash::new(hash).expect("a hash that was taken can be read");
    let costs = Params::try_from(&parsed).expect("a hash that was taken has costs");
    assert!(
        costs.m_cost() <= 256 * 1024 && costs.t_cost() <= 10 && costs.p_cost() <= 16,
        "{hash}"
    );
    if costs.m_cost() <= CHEAP_MEMORY_KIB && costs.t_cost() <= CHEAP_PASSES {
        let verified = Argon2::default().verify_password(b"secret", &parsed);
        let is_answer = matches!(verified, Ok(()) | Err(argon2::password_hash::Error::Password));
        assert!(is_answer, "{hash}: {verified:?}");
    }
}
