//! "Did you mean": what an unknown word was probably meant to be.

/// A sentence about an unknown `word` of a `kind`, with the most similar of the allowed ones or all of them.
pub(crate) fn unknown(kind: &str, word: &str, allowed: &[&str]) -> String {
    let word: String = word.chars().take(80).collect();
    match closest(&word, allowed) {
        Some(similar) => format!("unknown {kind} {word:?}, did you mean {similar:?}?"),
        None => format!("unknown {kind} {word:?}, allowed: {}", allowed.join(", ")),
    }
}

/// As [`unknown`], for lists too long to be shown.
pub(crate) fn unknown_among_many(kind: &str, word: &str, allowed: &[&str]) -> String {
    let word: String = word.chars().take(80).collect();
    match closest(&word, allowed) {
        Some(similar) => format!("unknown {kind}, did you mean {similar:?}?"),
        None => format!("unknown {kind}"),
    }
}

fn closest<'a>(word: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
    // A third of the letters may be wrong: beyond that a suggestion is a guess.
    let most = (word.chars().count() / 3).max(1);
    allowed
        .iter()
        .map(|candidate| (distance(candidate), *candidate))
        .filter(|(edits, _)| *edits <= most)
        .min()
        .map(|(_, similar)| similar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_misspelt_word_when_reported_then_the_closest_is_suggested() {
        let allowed = ["certificateFile", "privateKeyFile"];
        assert_eq!(
            unknown("key", "certificatefile", &allowed),
            "unknown key \"certificatefile\", did you mean \"certificateFile\"?"
        );
        assert_eq!(
            unknown("key", "certficateFile", &allowed),
            "unknown key \"certficateFile\", did you mean \"certificateFile\"?"
        );
    }

    #[test]
    fn given_a_word_like_no_other_when_reported_then_all_are_listed() {
        assert_eq!(
            unknown("key", "quota", &["listen", "tls"]),
            "unknown key \"quota\", allowed: listen, tls"
        );
    }
}
