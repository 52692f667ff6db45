//! The command line.

mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use zas_config::Configuration;

use crate::app;

/// The exit code for a wrong configuration, as `sysexits.h` has it.
const EX_CONFIG: u8 = 78;

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
    /// The configuration file, YAML or JSON.
    #[arg(long, value_name = "FILE", default_value = "config/config.yaml")]
    config: PathBuf,
    /// Read the configuration, say what is wrong with it, and exit.
    #[arg(long)]
    check_config: bool,
    /// Write the addresses that the server listens on to FILE as JSON, once it does.
    #[arg(long, value_name = "FILE")]
    print_addresses: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Manage the users in the htpasswd file.
    #[command(subcommand)]
    User(user::UserCommand),
}

/// Does what the command line asks for and returns the exit code: 0 for success, 1 for a failure, 2 for wrong
/// arguments, 78 for a wrong configuration.
pub fn run(arguments: Arguments) -> ExitCode {
    match arguments.command {
        Some(Command::User(command)) => user::run(&command),
        None => serve(&arguments.serve),
    }
}

fn serve(arguments: &Serve) -> ExitCode {
    let configuration = match load(&arguments.config) {
        Ok(configuration) => configuration,
        Err(code) => return code,
    };
    if arguments.check_config {
        say(&format!("{} is valid", arguments.config.display()));
        return ExitCode::SUCCESS;
    }
    let options = app::Options {
        configuration_file: arguments.config.clone(),
        addresses_file: arguments.print_addresses.clone(),
    };
    match app::run(configuration, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the server stopped");
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn load(file: &std::path::Path) -> Result<Configuration, ExitCode> {
    Configuration::load(file, std::env::vars_os()).map_err(|error| {
        complain(&error.to_string());
        ExitCode::from(EX_CONFIG)
    })
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
    eprintln!("zot-artifact-store: {text}");
}
