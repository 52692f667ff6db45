//! Patterns of repository names, with the meaning that doublestar globs have in zot.
//!
//! `*` stands for any text inside one component, `?` for one character, `[a-z]` and `[!a-z]` for one character of a
//! class, `**` for any number of whole components, also none, and `{a,b}` for alternatives. The whole name must match.
//! What could never match a name, or means less than it seems to, is refused when it is read. A pattern that begins with
//! `s3/` speaks of buckets and of the keys in them, so any character may occur in it.
//!
//! Two slips of the library that zot uses are not repeated: there `a*/**` leaves out the repository `a`, although
//! `a*` and `a/**` match it, and a negated class stands for a slash as well.

use std::fmt;
use std::str::FromStr;

/// Longest pattern in bytes.
const MAX_PATTERN_BYTES: usize = 512;

/// Most alternatives that the braces of one pattern may stand for together.
const MAX_ALTERNATIVES: usize = 256;

/// A valid pattern of repository names. Matching takes no memory, and time that grows with the product of the
/// lengths at the most.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GlobPattern {
    text: Box<str>,
    alternatives: Box<[Box<[Component]>]>,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern:?} is not allowed: {reason}")]
pub struct InvalidPattern {
    pattern: String,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("it is empty")]
    Empty,
    #[error("it has more than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    #[error("its braces stand for more than {MAX_ALTERNATIVES} alternatives")]
    TooManyAlternatives,
    #[error("a brace is not closed")]
    OpenBrace,
    #[error("a class is empty, is not closed, or holds a slash")]
    OpenClass,
    #[error("a range in a class runs backwards")]
    BackwardRange,
    #[error(
        "{0:?} is not allowed here: use lower-case letters, digits, '.', '_', '-' and '/', and behind \"s3/\" any \
         character but ']', '}}' and '\\'"
    )]
    Character(char),
    #[error("it begins or ends with a slash, or has two in a row, which no repository name does")]
    EmptyComponent,
    #[error("\"**\" stands for whole components: write it between slashes, or use a single \"*\"")]
    GluedStars,
    #[error(
        "\"**\" is an alternative behind a slash: write the slash inside the braces, such as \"a{{/b,/**}}\""
    )]
    StarsBehindSlash,
    #[error("\"**/**\" says no more than \"**\"")]
    RepeatedStars,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Component {
    /// Any number of components, also none.
    AnyDepth,
    Literal(Box<str>),
    Wild(Box<[Token]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Token {
    Byte(u8),
    AnyByte,
    /// One bit for each ASCII character.
    Class(u128),
    AnyText,
}

impl GlobPattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        self.alternatives
            .iter()
            .any(|components| matches(components, name))
    }

    /// The first components that a matching name may have; nothing when it may have any.
    pub(crate) fn first_components(&self) -> Option<Vec<&str>> {
        self.alternatives
            .iter()
            .map(|components| match components.first() {
                Some(Component::Literal(text)) => Some(&**text),
                _ => None,
            })
            .collect()
    }

    /// How many bytes stand in front of the first wildcard.
    pub(crate) fn literal_length(&self) -> usize {
        self.text.find(['*', '?', '[', '{']).unwrap_or(self.text.len())
    }
}

fn matches(components: &[Component], name: &str) -> bool {
    let mut pattern = components;
    let mut rest = Some(name);
    // Where to go on when the text after the last "**" does not fit: that "**" takes one component more. Earlier
    // ones need no second try, because a later "**" can take whatever they would have.
    let mut retry: Option<(&[Component], &str)> = None;
    loop {
        match (pattern.split_first(), rest) {
            (None, None) => return true,
            (Some((Component::AnyDepth, after)), _) => {
                retry = rest.map(|rest| (after, rest));
                pattern = after;
                continue;
            }
            (Some((component, after)), Some(text)) => {
                let (first, others) = split_component(text);
                if component.matches(first) {
                    pattern = after;
                    rest = others;
                    continue;
                }
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        let Some((after, text)) = retry else { return false };
        let (_, others) = split_component(text);
        pattern = after;
        rest = others;
        retry = others.map(|others| (after, others));
    }
}

fn split_component(text: &str) -> (&str, Option<&str>) {
    match text.split_once('/') {
        Some((first, others)) => (first, Some(others)),
        None => (text, None),
    }
}

impl Component {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::AnyDepth => true,
            Self::Literal(literal) => **literal == *text,
            Self::Wild(tokens) => matches_tokens(tokens, text.as_bytes()),
        }
    }
}

fn matches_tokens(tokens: &[Token], text: &[u8]) -> bool {
    let mut pattern = tokens;
    let mut rest = text;
    let mut retry: Option<(&[Token], &[u8])> = None;
    loop {
        match (pattern.split_first(), rest.split_first()) {
            (None, None) => return true,
            (Some((Token::AnyText, after)), _) => {
                retry = Some((after, rest));
                pattern = after;
                continue;
            }
            (Some((token, after)), Some((byte, others))) if token.matches(*byte) => {
                pattern = after;
                rest = others;
                continue;
            }
            _ => {}
        }
        let Some((after, [_, others @ ..])) = retry else {
            return false;
        };
        pattern = after;
        rest = others;
        retry = Some((after, others));
    }
}

impl Token {
    fn matches(self, byte: u8) -> bool {
        match self {
            Self::Byte(expected) => byte == expected,
            Self::AnyByte | Self::AnyText => true,
            Self::Class(members) => byte.is_ascii() && members & (1 << byte) != 0,
        }
    }
}

impl FromStr for GlobPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = |reason| InvalidPattern {
            pattern: text.chars().take(80).collect(),
            reason,
        };
        if text.is_empty() {
            return Err(invalid(Reason::Empty));
        }
        if text.len() > MAX_PATTERN_BYTES {
            return Err(invalid(Reason::TooLong));
        }
        let alternatives = expand(text).map_err(invalid)?;
        let alphabet = Alphabet::of(text);
        let alternatives: Result<Box<[_]>, Reason> = alternatives
            .iter()
            .map(|text| parse_components(text, alphabet))
            .collect();
        Ok(Self {
            text: text.into(),
            alternatives: alternatives.map_err(invalid)?,
        })
    }
}

/// The pattern without braces: one text for each combination of alternatives.
fn expand(text: &str) -> Result<Vec<String>, Reason> {
    let mut waiting = vec![text.to_owned()];
    let mut expanded = Vec::new();
    while let Some(text) = waiting.pop() {
        let Some((before, braces)) = text.split_once('{') else {
            expanded.push(text);
            continue;
        };
        let (alternatives, after) = split_braces(braces).ok_or(Reason::OpenBrace)?;
        // There zot's "a/{b,**}" does not match "a", although its "a/**" does.
        if before.ends_with('/') && after.is_empty() && alternatives.contains(&"**") {
            return Err(Reason::StarsBehindSlash);
        }
        waiting.extend(
            alternatives
                .iter()
                .map(|alternative| format!("{before}{alternative}{after}")),
        );
        if waiting.len() + expanded.len() > MAX_ALTERNATIVES {
            return Err(Reason::TooManyAlternatives);
        }
    }
    Ok(expanded)
}

/// The alternatives up to the brace that closes, and what follows it.
fn split_braces(text: &str) -> Option<(Vec<&str>, &str)> {
    let mut alternatives = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b',' if depth == 0 => {
                alternatives.push(text.get(start..at)?);
                start = at + 1;
            }
            b'}' if depth == 0 => {
                alternatives.push(text.get(start..at)?);
                return Some((alternatives, text.get(at + 1..)?));
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn parse_components(text: &str, alphabet: Alphabet) -> Result<Box<[Component]>, Reason> {
    let components = text.split('/').map(|text| parse_component(text, alphabet));
    let components: Result<Vec<Component>, Reason> = components.collect();
    let components = components?;
    let has_repeated_stars = components
        .windows(2)
        .any(|pair| *pair == [Component::AnyDepth, Component::AnyDepth]);
    if has_repeated_stars {
        Err(Reason::RepeatedStars)
    } else {
        Ok(components.into())
    }
}

fn parse_component(text: &str, alphabet: Alphabet) -> Result<Component, Reason> {
    if text.is_empty() {
        return Err(Reason::EmptyComponent);
    }
    if text == "**" {
        return Ok(Component::AnyDepth);
    }
    if text.contains("**") {
        return Err(Reason::GluedStars);
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '[' => {
                let (token, length) = parse_class(rest, alphabet)?;
                tokens.push(token);
                length
            }
            '*' => {
                tokens.push(Token::AnyText);
                1
            }
            '?' => {
                tokens.push(Token::AnyByte);
                1
            }
            other => {
                alphabet.check(other)?;
                let mut bytes = [0; 4];
                tokens.extend(other.encode_utf8(&mut bytes).bytes().map(Token::Byte));
                other.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    let is_literal = tokens.iter().all(|token| matches!(token, Token::Byte(_)));
    Ok(if is_literal {
        Component::Literal(text.into())
    } else {
        Component::Wild(tokens.into())
    })
}

/// The class at the start of `text` and its length.
fn parse_class(text: &str, alphabet: Alphabet) -> Result<(Token, usize), Reason> {
    let (class, _) = text.split_once(']').ok_or(Reason::OpenClass)?;
    let members = class.get(1..).unwrap_or_default();
    let listed = members.strip_prefix(['!', '^']);
    let is_negated = listed.is_some();
    let mut rest: Vec<char> = listed.unwrap_or(members).chars().rev().collect();
    if rest.is_empty() {
        return Err(Reason::OpenClass);
    }
    let mut bits = 0_u128;
    while let Some(first) = rest.pop() {
        let first = alphabet.class_byte(first)?;
        let is_range = rest.last() == Some(&'-') && rest.len() > 1;
        let last = if is_range {
            rest.pop();
            alphabet.class_byte(rest.pop().unwrap_or_default())?
        } else {
            first
        };
        if last < first {
            return Err(Reason::BackwardRange);
        }
        bits |= (first..=last).fold(0, |bits, byte| bits | 1 << byte);
    }
    let token = Token::Class(if is_negated { !bits } else { bits });
    Ok((token, class.len() + 1))
}

/// Which characters stand for themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    /// Those of the components of repository names.
    Names,
    /// Those of keys: every one but those that mean something in patterns, here or in zot.
    Keys,
}

impl Alphabet {
    fn of(pattern: &str) -> Self {
        if pattern.starts_with("s3/") {
            Self::Keys
        } else {
            Self::Names
        }
    }

    fn check(self, char: char) -> Result<(), Reason> {
        match (self, char) {
            (_, 'a'..='z' | '0'..='9' | '.' | '_' | '-') => Ok(()),
            (Self::Names, _) | (Self::Keys, ']' | '}' | '\\') => Err(Reason::Character(char)),
            (Self::Keys, _) => Ok(()),
        }
    }

    /// Classes have ASCII characters alone.
    fn class_byte(self, char: char) -> Result<u8, Reason> {
        self.check(char)?;
        let byte = u8::try_from(char).ok().filter(u8::is_ascii);
        byte.ok_or(Reason::Character(char))
    }
}

impl fmt::Display for GlobPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

crate::values::text::serde_as_text!(GlobPattern);
