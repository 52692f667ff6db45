//! The table beside this file says what the doublestar library that zot uses (github.com/bmatcuk/doublestar/v4,
//! v4.10.0) answers: on the first line the names, then a pattern with the names it matches on each line.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use zas_core::RepositoryName;

use super::*;

const DOUBLESTAR: &str = include_str!("doublestar.tsv");

fn pattern(text: &str) -> GlobPattern {
    text.parse().unwrap()
}

#[test]
fn given_the_patterns_that_zot_understands_when_matched_then_the_answers_are_those_of_zot() {
    let mut lines = DOUBLESTAR.lines();
    let names: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let mut compared = 0;
    for line in lines {
        let (text, expected) = line.split_once('\t').unwrap();
        let pattern = pattern(text);
        let matched: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| pattern.matches(name))
            .collect();
        assert_eq!(matched.join(" "), expected, "{text}");
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

#[test]
fn given_patterns_that_mean_less_than_they_seem_to_when_read_then_refused_with_the_reason() {
    let cases = [
        ("", "empty"),
        ("a**", "whole components"),
        ("**a", "whole components"),
        ("a/b**", "whole components"),
        ("***", "whole components"),
        ("x{**}", "whole components"),
        ("a/**/**", "says no more"),
        ("/a", "slash"),
        ("a/", "slash"),
        ("a//b", "slash"),
        ("a{/,b}", "slash"),
        ("{a,}", "slash"),
        ("{a", "brace"),
        ("a}", "'}'"),
        ("[a", "class"),
        ("[]", "class"),
        ("[!]", "class"),
        ("[]a]", "class"),
        ("[z-a]", "backwards"),
        ("[a/b]", "slash"),
        ("a/{b,**}", "inside the braces"),
        ("a/{b,{c,**}}", "inside the braces"),
        ("Team/*", "'T'"),
        ("a\\*", "'\\\\'"),
        ("a b", "' '"),
        ("ä", "'ä'"),
        ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "alternatives"),
    ];
    for (text, reason) in cases {
        let error = text.parse::<GlobPattern>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
    assert!("a".repeat(513).parse::<GlobPattern>().is_err());
}

#[test]
fn given_the_slips_of_the_library_of_zot_when_matched_then_not_repeated() {
    assert!(pattern("a*/**").matches("a"));
    assert!(!pattern("a[!b]c").matches("a/c"));
}

#[test]
fn given_several_matching_patterns_when_looked_up_then_the_longest_text_wins_whatever_the_order() {
    let texts = [
        "**",
        "team/**",
        "team/app",
        "team/*",
        "*/app",
        "{team,other}/app",
        "**/app",
    ];
    for rotation in 0..texts.len() {
        let mut rotated = texts.to_vec();
        rotated.rotate_left(rotation);
        let map: PatternMap<&str> = rotated.iter().map(|text| (pattern(text), *text)).collect();
        for (name, expected) in [
            ("team/app", "{team,other}/app"),
            ("other/app", "{team,other}/app"),
            ("third/app", "**/app"),
            ("team/web", "team/**"),
            ("team", "team/**"),
            ("web", "**"),
        ] {
            let name: RepositoryName = name.parse().unwrap();
            assert_eq!(map.longest_match(&name).unwrap().1, &expected, "{name}");
        }
    }
}

#[test]
fn given_equally_long_patterns_when_looked_up_then_the_longer_literal_beginning_wins() {
    let name: RepositoryName = "ab/cd".parse().unwrap();
    for texts in [["ab/*", "*/cd"], ["*/cd", "ab/*"]] {
        let map: PatternMap<&str> = texts.iter().map(|text| (pattern(text), *text)).collect();
        assert_eq!(map.longest_match(&name).unwrap().1, &"ab/*");
    }
}

#[test]
fn given_no_matching_pattern_when_looked_up_then_nothing() {
    let map: PatternMap<()> = [(pattern("a/*"), ())].into_iter().collect();
    assert!(map.longest_match(&"b/c".parse().unwrap()).is_none());
    assert!(
        PatternMap::<()>::default()
            .longest_match(&"a".parse().unwrap())
            .is_none()
    );
}

#[test]
fn given_ten_thousand_patterns_when_looked_up_then_only_those_of_the_same_first_component_are_tried() {
    // Given
    let teams = (0..10_000).map(|team| (pattern(&format!("team-{team}/**")), team));
    let map: PatternMap<i32> = teams.collect();
    let names: Vec<RepositoryName> = (0..10_000)
        .map(|team| format!("team-{team}/app").parse().unwrap())
        .collect();

    // When
    let start = Instant::now();
    let found = names
        .iter()
        .enumerate()
        .all(|(team, name)| map.longest_match(name).unwrap().1 == &(team as i32));
    let elapsed = start.elapsed();

    // Then
    assert!(found);
    // Trying each pattern on each name takes more than ten times as long, also on a slow machine.
    assert!(elapsed < Duration::from_millis(500), "{elapsed:?}");
}

/// What a pattern means, said as simply as possible and as slowly as necessary.
fn matches_by_definition(pattern: &[&str], name: &[&str]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((&"**", after)) => (0..=name.len()).any(|taken| matches_by_definition(after, &name[taken..])),
        Some((first, after)) => {
            !name.is_empty()
                && text_matches(first.as_bytes(), name[0].as_bytes())
                && matches_by_definition(after, &name[1..])
        }
    }
}

fn text_matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', after)) => (0..=text.len()).any(|taken| text_matches(after, &text[taken..])),
        Some((b'?', after)) => !text.is_empty() && text_matches(after, &text[1..]),
        Some((byte, after)) => text.first() == Some(byte) && text_matches(after, &text[1..]),
    }
}

proptest! {
    #[test]
    fn given_any_pattern_without_braces_when_matched_then_the_answer_is_that_of_the_definition(
        text in "(\\*\\*|[ab*?]{1,4})(/(\\*\\*|[ab*?]{1,4})){0,3}",
        name in "[ab]{1,3}(/[ab]{1,3}){0,4}",
    ) {
        if let Ok(pattern) = text.parse::<GlobPattern>() {
            let parts: Vec<&str> = text.split('/').collect();
            let names: Vec<&str> = name.split('/').collect();
            prop_assert_eq!(pattern.matches(&name), matches_by_definition(&parts, &names), "{} {}", text, name);
        }
    }

    #[test]
    fn given_any_text_when_read_as_a_pattern_then_never_a_panic_and_what_is_read_writes_back(text in "\\PC{0,40}", name in "\\PC{0,40}") {
        if let Ok(pattern) = text.parse::<GlobPattern>() {
            prop_assert_eq!(pattern.as_str(), &text);
            let _ = pattern.matches(&name);
        }
    }

    #[test]
    fn given_pattern_like_text_when_read_and_matched_then_never_a_panic(text in "[ab*?{},\\[\\]!^/.-]{0,24}", name in "[ab/.-]{0,24}") {
        if let Ok(pattern) = text.parse::<GlobPattern>() {
            let _ = pattern.matches(&name);
        }
    }

    #[test]
    fn given_any_patterns_when_looked_up_then_the_index_finds_what_trying_all_finds(
        texts in proptest::collection::vec("(\\*\\*|\\{a,b\\}|[ab*?]{1,2})(/(\\*\\*|\\{a,b\\}|[ab*?]{1,2})){0,2}", 0..12),
        name in "[ab]{1,2}(/[ab]{1,2}){0,3}",
    ) {
        let patterns: Vec<GlobPattern> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        let map: PatternMap<()> = patterns.iter().map(|pattern| (pattern.clone(), ())).collect();
        let name: RepositoryName = name.parse().unwrap();
        let longest = patterns.iter().filter(|pattern| pattern.matches(name.as_str())).map(|pattern| pattern.as_str().len()).max();
        let found = map.longest_match(&name).map(|(pattern, ())| pattern.as_str().len());
        prop_assert_eq!(found, longest);
    }
}
