//! Writes or checks the files of an installation that follow from the program.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zot_artifact_store_operator::manifests;

const USAGE: &str = "\
usage: operator-manifests --write   write what is generated in config/, charts/ and docs/OPERATOR.md
       operator-manifests --check   fail when these files differ from what would be written
";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["--write"] => write(),
        ["--check"] => check(),
        _ => Err(Failure::from(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

fn generated() -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut generated: Vec<(PathBuf, String)> = manifests::files()?
        .into_iter()
        .map(|file| (root().join(file.path), file.text))
        .collect();
    let page = root().join(manifests::PAGE);
    let renewed = manifests::page(&read(&page)?)?;
    generated.push((page, renewed));
    Ok(generated)
}

fn write() -> Result<(), Failure> {
    for (path, text) in generated()? {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

fn check() -> Result<(), Failure> {
    for (path, text) in generated()? {
        if read(&path)? != text {
            let message = "is not up to date: run operator-manifests --write and commit the result";
            return Err(format!("{} {message}", path.display()).into());
        }
    }
    Ok(())
}
