//! The command line.

mod user;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use zas_config::Configuration;

use crate::app::{self, AppError};

/// The exit code for a wrong configuration, as `sysexits.h` has it.
const EX_CONFIG: u8 = 78;

/// The exit code for data that only a newer version can read, as `sysexits.h` has it for unusable input.
const EX_DATAERR: u8 = 65;

/// How long a complaint waits for its reader.
const COMPLAINT_LIMIT: Duration = Duration::from_secs(2);

/// An OCI registry grown into an enterprise artifact store.
#[derive(Debug, Parser)]
#[command(name = "zot-artifact-store", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(flatten)]
    serve: Serve,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    configuration: ConfigurationFiles,
    /// Read the configuration and the files that it names, say everything that is wrong with them, and exit.
    #[arg(long)]
    check_config: bool,
    /// Write the addresses that the server listens on to FILE as JSON, once it does.
    #[arg(long, value_name = "FILE")]
    print_addresses: Option<PathBuf>,
    /// Make one store of rows and bytes that do not belong together, which is otherwise refused. Bytes that no row names
    /// may be deleted then. For one start.
    #[arg(long)]
    adopt: bool,
}

/// The files that every command reads.
#[derive(Debug, Args)]
struct ConfigurationFiles {
    /// A configuration file, YAML or JSON. May be given several times: a later file overrides the fields that it
    /// states.
    #[arg(long = "config", value_name = "FILE", default_value = "config/config.yaml")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Manage the users in the htpasswd file.
    #[command(subcommand)]
    User(user::UserCommand),
}

/// Does what the command line asks for and returns the exit code: 0 for success, 1 for a failure, 2 for wrong
/// arguments, 65 for data that only a newer version can read, 78 for a wrong configuration.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        Some(Command::User(command)) => user::run(&command),
        None => serve(&arguments.serve),
    }
}

fn serve(arguments: &Serve) -> ExitCode {
    let files = &arguments.configuration;
    let configuration = match files.load() {
        Ok(configuration) => configuration,
        Err(code) => return code,
    };
    if arguments.check_config {
        return check(files, &configuration);
    }
    let options = app::Options {
        configuration_files: files.files.clone(),
        addresses_file: arguments.print_addresses.clone(),
        adopt: arguments.adopt,
    };
    match app::run(configuration, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            code_of(&error)
        }
    }
}

/// Says what a start would say about the configuration and the files that it names.
fn check(files: &ConfigurationFiles, configuration: &Configuration) -> ExitCode {
    match app::check(configuration) {
        Ok(warnings) => {
            for warning in warnings {
                complain(&format!("warning: {warning}"));
            }
            let verb = if files.files.len() == 1 { "is" } else { "are" };
            say(&format!("{files} {verb} valid"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error.to_string());
            code_of(&error)
        }
    }
}

fn code_of(error: &AppError) -> ExitCode {
    match error {
        AppError::Configuration(_) => ExitCode::from(EX_CONFIG),
        AppError::OtherData(_) => ExitCode::from(EX_DATAERR),
        _ => ExitCode::FAILURE,
    }
}

impl ConfigurationFiles {
    /// The configuration, or the exit code after saying what is wrong with it.
    fn load(&self) -> Result<Configuration, ExitCode> {
        Configuration::load_files(&self.files, std::env::vars_os()).map_err(|error| {
            complain(&error.to_string());
            ExitCode::from(EX_CONFIG)
        })
    }
}

impl fmt::Display for ConfigurationFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        formatter.write_str(&names.join(" and "))
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the answer of a command belongs on standard output"
)]
fn say(text: &str) {
    println!("{text}");
}

#[expect(
    clippy::print_stderr,
    reason = "the complaint of a command belongs on standard error"
)]
fn complain(text: &str) {
    let (said, is_said) = std::sync::mpsc::channel();
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("zot-artifact-store: {line}"))
        .collect();
    // On another thread, because a reader that stalls must not keep the process from ending.
    std::thread::spawn(move || {
        eprintln!("{}", lines.join("\n"));
        // Whoever waited may have given up.
        let _ = said.send(());
    });
    let _ = is_said.recv_timeout(COMPLAINT_LIMIT);
}

#[cfg(test)]
mod tests;
