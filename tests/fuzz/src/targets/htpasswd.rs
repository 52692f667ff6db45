//! The file of users.

use std::collections::HashSet;

use argon2::{Argon2, Params, PasswordHash, PasswordVerifier};
use zot_artifact_store::services::auth::fuzzing::{UsersRead, hash_of, read_users};

use crate::Verdict;
use crate::input::Input;

/// What a verification may cost here: more takes milliseconds and says no more.
const CHEAP_BCRYPT: &str = "$04$";
const CHEAP_MEMORY_KIB: u32 = 64;
const CHEAP_PASSES: u32 = 2;

/// The bytes are the text of the file.
///
/// A fault names a line that is there and quotes no hash; each user that is read stands in the file, and a hash that is
/// taken can be verified without failing. A line is a user or a fault.
pub(super) fn target(data: &[u8]) -> Verdict {
    let text = Input::of(data).text();
    let UsersRead { hashes, faults } = read_users(&text);
    let faulty: Vec<usize> = faults
        .iter()
        .filter_map(|fault| check_fault(&text, fault))
        .collect();
    check_users(&text, &hashes, &faulty, faults.len() > faulty.len());
    Verdict::accepted_if(!hashes.is_empty())
}

/// The number of the line that a fault names; none for the sentence about those that are not told.
fn check_fault(text: &str, fault: &str) -> Option<usize> {
    if fault.ends_with(" more lines cannot be used") {
        return None;
    }
    let (number, reason) = fault.split_once(": ").expect("a line and a reason");
    let number: usize = number.parse().expect("the number of a line");
    let line = text.split('\n').nth(number - 1).expect("a line of the file");
    assert!(!reason.is_empty());
    let secret = line.split_once(':').map_or("", |(_, hash)| hash.trim());
    // A short text, such as a dollar sign, may be part of any sentence, and the user's name is quoted, as it is or
    // escaped.
    let name = line.split(':').next().unwrap_or_default();
    let is_telling = secret.len() > 20 && !name.contains(secret) && !format!("{name:?}").contains(secret);
    assert!(
        !is_telling || !reason.contains(secret),
        "{reason} quotes the hash"
    );
    Some(number)
}

fn check_users(text: &str, hashes: &[String], faulty: &[usize], has_untold_faults: bool) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<(usize, &str)> = (1..)
        .zip(text.split('\n'))
        .map(|(number, line)| {
            (
                number,
                line.trim_matches(|letter: char| letter.is_ascii_whitespace()),
            )
        })
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .collect();
    if has_untold_faults {
        // Which lines they are is not known.
        return hashes.iter().for_each(|hash| check_hash(hash));
    }
    assert_eq!(
        hashes.len() + faulty.len(),
        lines.len(),
        "a line is a user or a fault"
    );
    let mut names = HashSet::new();
    let users = lines.iter().filter(|(number, _)| !faulty.contains(number));
    for ((_, line), hash) in users.zip(hashes) {
        let (name, written) = line.split_once(':').expect("name:hash");
        assert_eq!(written, hash);
        assert!(names.insert(name), "{name} is there twice");
        assert_eq!(hash_of(text, name).as_deref(), Some(written));
        check_hash(written);
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
