//! Patterns of repository names in access rules.

use std::time::{Duration, Instant};

use zas_config::{GlobPattern, PatternMap};
use zas_core::RepositoryName;

use crate::Verdict;
use crate::input::Input;

/// Far more than the product of the longest pattern, the longest name and the most alternatives takes.
const MAX_MATCH_TIME: Duration = Duration::from_secs(2);

/// The first line is a pattern, every further one a name.
///
/// A pattern matches exactly the names that a slow and simple reading of its text says, and answers in time.
pub(super) fn target(data: &[u8]) -> Verdict {
    let mut input = Input::of(data);
    let text = input.line();
    let Ok(pattern) = text.parse::<GlobPattern>() else {
        return Verdict::Refused;
    };
    assert_eq!(pattern.as_str(), text);
    let alternatives = expand(&text);
    assert!(alternatives.len() <= 256, "{} alternatives", alternatives.len());
    let map: PatternMap<()> = [(pattern.clone(), ())].into_iter().collect();
    while !input.is_empty() {
        let line = input.line();
        let started = Instant::now();
        let matches = pattern.matches(&line);
        let took = started.elapsed();
        assert!(took < MAX_MATCH_TIME, "{text:?} took {took:?} for {line:?}");
        let Ok(name) = line.parse::<RepositoryName>() else {
            continue;
        };
        let expected = alternatives
            .iter()
            .any(|alternative| matches_path(alternative, &line));
        assert_eq!(matches, expected, "{text:?} and {name}");
        assert_eq!(
            map.longest_match(&name).is_some(),
            expected,
            "{text:?} and {name} in a map"
        );
    }
    Verdict::Accepted
}

/// Every text that the braces stand for.
fn expand(text: &str) -> Vec<String> {
    let Some(open) = text.find('{') else {
        return vec![text.to_owned()];
    };
    let (before, braces) = text.split_at(open);
    let mut depth = 0;
    let mut parts = vec![String::new()];
    let mut behind = "";
    for (at, character) in braces.char_indices() {
        match character {
            '{' if depth == 0 => depth = 1,
            '}' if depth == 1 => {
                behind = braces.get(at + 1..).expect("a brace is one byte");
                break;
            }
            ',' if depth == 1 => parts.push(String::new()),
            other => {
                depth += i32::from(other == '{') - i32::from(other == '}');
                parts.last_mut().expect("at least one part").push(other);
            }
        }
    }
    parts
        .iter()
        .flat_map(|part| expand(&format!("{before}{part}{behind}")))
        .collect()
}

/// Whether a pattern without braces matches: a table over components, filled from the end.
fn matches_path(pattern: &str, name: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let name: Vec<&str> = name.split('/').collect();
    table(
        &pattern,
        &name,
        |part| *part == "**",
        |part, text| {
            let (part, text): (Vec<String>, Vec<char>) = (tokens(part), text.chars().collect());
            table(
                &part,
                &text,
                |token| token == "*",
                |token, character| fits(token, *character),
            )
        },
    )
}

/// Whether a sequence of patterns, of which some stand for any run, fits a whole sequence.
fn table<P, T>(
    pattern: &[P],
    text: &[T],
    is_any_run: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &T) -> bool,
) -> bool {
    let mut behind: Vec<bool> = (0..=text.len()).map(|at| at == text.len()).collect();
    for part in pattern.iter().rev() {
        let mut here = vec![false; text.len() + 1];
        for at in (0..=text.len()).rev() {
            here[at] = match text.get(at) {
                _ if is_any_run(part) => behind[at] || (at < text.len() && here[at + 1]),
                Some(element) => fits(part, element) && behind[at + 1],
                None => false,
            };
        }
        behind = here;
    }
    behind[0]
}

/// The component cut into single characters, wildcards and classes.
fn tokens(component: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = component;
    while let Some(first) = rest.chars().next() {
        let length = match (first, rest.find(']')) {
            ('[', Some(end)) => end + 1,
            _ => first.len_utf8(),
        };
        let (token, behind) = rest.split_at(length);
        tokens.push(token.to_owned());
        rest = behind;
    }
    tokens
}

fn fits(token: &str, character: char) -> bool {
    if token == "?" {
        return true;
    }
    let Some(class) = token.strip_prefix('[').and_then(|class| class.strip_suffix(']')) else {
        return token.chars().eq([character]);
    };
    let listed = class.strip_prefix(['!', '^']);
    let is_negated = listed.is_some();
    let members: Vec<char> = listed.unwrap_or(class).chars().collect();
    let mut is_member = false;
    let mut at = 0;
    while let Some(first) = members.get(at) {
        match (members.get(at + 1), members.get(at + 2)) {
            (Some('-'), Some(last)) => {
                is_member |= (*first..=*last).contains(&character);
                at += 3;
            }
            _ => {
                is_member |= *first == character;
                at += 1;
            }
        }
    }
    is_member != is_negated
}
