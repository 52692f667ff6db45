//! Prints the page of the protocol's proof, or writes it with `--write`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::path::Path;
use std::process::ExitCode;

use zas_protocol_model::page;

fn main() -> ExitCode {
    let Some(text) = page::page() else {
        println!("a property does not hold as it should: run the tests of zas-protocol-model");
        return ExitCode::FAILURE;
    };
    if !std::env::args().any(|argument| argument == "--write") {
        print!("{text}");
        return ExitCode::SUCCESS;
    }
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(page::PLACE);
    match std::fs::write(&place, text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cannot write {}: {error}", place.display());
            ExitCode::FAILURE
        }
    }
}
