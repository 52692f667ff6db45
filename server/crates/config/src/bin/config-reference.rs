//! Prints the example file and the reference page, or writes both into the repository with `--write`.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use zas_config::{example_file, fields, reference_page};

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let fields = fields();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => io::Write::write_all(
            &mut io::stdout(),
            (example_file(&fields) + "\n" + &reference_page(&fields)).as_bytes(),
        )?,
        ["--write"] => {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
            fs::write(root.join("config/config.yaml.example"), example_file(&fields))?;
            fs::write(root.join("docs/CONFIGURATION.md"), reference_page(&fields))?;
        }
        _ => {
            io::Write::write_all(&mut io::stderr(), b"usage: config-reference [--write]\n")?;
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}
