//! Every target on its committed corpus and on mutations of it: the short run that needs nothing special.
//!
//! `ZAS_FUZZ_SEED` chooses other mutations, `ZAS_FUZZ_RUNS` multiplies how many there are.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a broken promise fails the test, and a run says what it proved"
)]

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use zas_fuzz::{Mutator, TARGETS, Target, Verdict, read_corpus, read_dictionary, target_named};

/// Far more than any input takes, also on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(10);

/// What a committed corpus may hold.
const MAX_INPUTS: usize = 200;
const MAX_BYTES: usize = 200 * 1024;

#[derive(Debug, Default)]
struct Counts {
    accepted: u32,
    refused: u32,
}

fn number_of(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")),
        Err(_) => default,
    }
}

/// Runs one input; a failure names the bytes and where they are kept.
fn run(target: &Target, input: &[u8], counts: &mut Counts) {
    let started = Instant::now();
    let verdict = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let took = started.elapsed();
    match verdict {
        Ok(Verdict::Accepted) => counts.accepted += 1,
        Ok(Verdict::Refused) => counts.refused += 1,
        Err(panic) => report(target, input, &reason(&*panic)),
    }
    if took > MAX_TIME {
        report(target, input, &format!("it takes {took:?}"));
    }
}

fn report(target: &Target, input: &[u8], reason: &str) -> ! {
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", target.name));
    let kept = match fs::write(&kept, input) {
        Ok(()) => kept.display().to_string(),
        Err(error) => format!("nowhere: {error}"),
    };
    panic!(
        "{}: {reason}\ninput: b\"{}\"\nkept in {kept}: copy it to tests/fuzz/corpus/{}/ once it is understood",
        target.name,
        input.escape_ascii(),
        target.name
    );
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic")
        .to_owned()
}

fn short_run(name: &str) {
    let target = target_named(name).unwrap_or_else(|| panic!("there is no target {name}"));
    let inputs: Vec<Vec<u8>> = read_corpus(name).into_iter().map(|(_, input)| input).collect();
    let mut committed = Counts::default();
    for input in &inputs {
        run(target, input, &mut committed);
    }
    assert!(
        committed.accepted >= 3 && committed.refused >= 3,
        "{name}: the corpus proves little: {committed:?}"
    );

    let seed = number_of("ZAS_FUZZ_SEED", 1);
    let runs = u64::from(target.short_run) * number_of("ZAS_FUZZ_RUNS", 1);
    let mut mutator = Mutator::new(seed, read_dictionary(name), target.longest);
    let mut mutated = Counts::default();
    let started = Instant::now();
    for _ in 0..runs {
        run(target, &mutator.next(&inputs), &mut mutated);
    }
    println!(
        "{name}: corpus {committed:?}, mutations of seed {seed} {mutated:?} in {:?}",
        started.elapsed()
    );
    assert!(
        mutated.accepted > 0 && mutated.refused > 0,
        "{name}: the mutations prove nothing: {mutated:?}"
    );
}

macro_rules! short_runs {
    ($($test:ident $name:ident;)+) => {
        const TESTED: &[&str] = &[$(stringify!($name)),+];

        $(#[test]
        fn $test() {
            short_run(stringify!($name));
        })+
    };
}

short_runs! {
    given_access_patterns_when_mutated_then_they_match_as_they_read access_pattern;
    given_configurations_when_mutated_then_refused_by_name_or_written_back configuration;
    given_saved_hash_states_when_mutated_then_refused_or_continued hash_state;
    given_files_of_users_when_mutated_then_refused_by_line_or_verifiable htpasswd;
    given_manifests_when_mutated_then_refused_or_read_as_they_stand manifest;
    given_paths_when_mutated_then_refused_or_named_canonically path;
    given_queries_when_mutated_then_refused_or_every_page_is_shown query_pages;
    given_ranges_when_mutated_then_refused_or_inside_the_content range;
    given_names_when_mutated_then_accepted_as_the_specification_says reference;
    given_requests_when_mutated_then_answered_and_never_failed request;
    given_chunked_bodies_when_mutated_then_refused_or_whole_in_any_cut s3_chunks;
    given_documents_of_s3_when_mutated_then_refused_or_read_as_they_are_written s3_document;
    given_requests_of_s3_when_mutated_then_refused_or_the_same_in_both_styles s3_operation;
    given_signed_requests_when_mutated_then_an_independent_signature_matches s3_signature;
    given_stored_rows_when_mutated_then_refused_or_read_back stored_row;
}

#[test]
fn given_the_targets_when_listed_then_each_has_a_test_and_a_small_corpus() {
    for target in TARGETS {
        assert!(TESTED.contains(&target.name), "{} has no test", target.name);
        let corpus = read_corpus(target.name);
        let bytes: usize = corpus.iter().map(|(_, input)| input.len()).sum();
        assert!(
            corpus.len() < MAX_INPUTS && bytes < MAX_BYTES,
            "{}: {bytes} bytes",
            target.name
        );
        let longest = corpus.iter().map(|(_, input)| input.len()).max();
        assert!(longest <= Some(target.longest), "{}: {longest:?}", target.name);
    }
    assert_eq!(TESTED.len(), TARGETS.len());
}
