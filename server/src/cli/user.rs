//! `zot-artifact-store user`: the users of the htpasswd file.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{complain, load, say};
use crate::services::auth::{UserAdded, add_user};

/// Longest password read from standard input, in bytes.
const LONGEST_PASSWORD: u64 = 1024;

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add a user, or give an existing one a new password. Prints a made-up password once; only its hash is kept.
    Add {
        /// The user's name.
        name: String,
        /// The server's configuration file, which names the htpasswd file.
        #[arg(long, value_name = "FILE", default_value = "config/config.yaml")]
        config: PathBuf,
        /// Do nothing when the user exists.
        #[arg(long)]
        if_absent: bool,
        /// Read the password from standard input instead of making one up.
        #[arg(long)]
        password_stdin: bool,
    },
}

pub(super) fn run(command: &UserCommand) -> ExitCode {
    let UserCommand::Add {
        name,
        config,
        if_absent,
        password_stdin,
    } = command;
    let configuration = match load(config) {
        Ok(configuration) => configuration,
        Err(code) => return code,
    };
    let Some(htpasswd) = configuration
        .auth
        .as_ref()
        .and_then(|auth| auth.htpasswd.as_ref())
    else {
        complain(&format!(
            "{} has no auth.htpasswd.path: name the file that users are kept in",
            config.display()
        ));
        return ExitCode::FAILURE;
    };
    let password = match password_stdin.then(read_password).transpose() {
        Ok(password) => password,
        Err(error) => {
            complain(&format!("no password can be read from standard input: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match add_user(&htpasswd.path, name, password.as_deref(), *if_absent) {
        Ok(UserAdded::Existed) => say(&format!("user {name} exists")),
        Ok(UserAdded::WithPassword) => say(&format!("user {name} added")),
        Ok(UserAdded::WithGenerated(password)) => say(&format!("user {name} added with password {password}")),
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn read_password() -> std::io::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST_PASSWORD)
        .read_to_string(&mut text)?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(std::io::Error::other("it is empty"));
    }
    Ok(text.to_owned())
}
