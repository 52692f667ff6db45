//! Prints, writes or checks what is generated from the types of this crate.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zas_crd::{definition, reference};

const USAGE: &str = "\
usage: crdgen               print the definition as YAML
       crdgen --reference   print the reference of all fields as Markdown
       crdgen --write       write config/crd/zotartifactstore_crd.yaml and docs/RESOURCE.md
       crdgen --check       fail when these files differ from what would be written
";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => definition::yaml()
            .map_err(Failure::from)
            .and_then(|text| print(&text)),
        ["--reference"] => reference::fields()
            .map_err(Failure::from)
            .and_then(|text| print(&text)),
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

fn generated() -> Result<[(PathBuf, String); 2], Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Ok([
        (
            root.join("config/crd/zotartifactstore_crd.yaml"),
            definition::yaml()?,
        ),
        (root.join("docs/RESOURCE.md"), reference::page()?),
    ])
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().write_all(text.as_bytes())?)
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
        let found =
            fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if found != text {
            let message = "differs from the types in crd/src: run crdgen --write and commit the result";
            return Err(format!("{} {message}", path.display()).into());
        }
    }
    Ok(())
}
