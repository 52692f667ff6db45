//! `zot-artifact-store user`: the users of the htpasswd file.

use std::fmt::Display;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::{ConfigurationFiles, complain, say};
use crate::services::auth::{UserAdded, add_user, list_users, remove_user};

/// Longest password read from standard input, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Longest end of a line, in bytes.
const LINE_END: usize = 2;

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add a user, or give an existing one a new password. Prints a made-up password once; only its hash is kept.
    Add {
        /// The user's name.
        name: String,
        #[command(flatten)]
        configuration: ConfigurationFiles,
        /// Do nothing when the user exists.
        #[arg(long)]
        if_absent: bool,
        /// Read the password from standard input instead of making one up.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Remove a user. A running server refuses the user as soon as it has read the file again, within seconds.
    Remove {
        /// The user's name.
        name: String,
        #[command(flatten)]
        configuration: ConfigurationFiles,
    },
    /// Print the users' names, one a line. Lines of the file that cannot be used are named on standard error.
    List {
        #[command(flatten)]
        configuration: ConfigurationFiles,
    },
}

/// Why a command failed: the exit code, after what is wrong was said.
type Done = Result<(), ExitCode>;

pub(super) fn run(command: &UserCommand) -> ExitCode {
    let done = match command {
        UserCommand::Add {
            name,
            configuration,
            if_absent,
            password_stdin,
        } => add(configuration, name, *if_absent, *password_stdin),
        UserCommand::Remove { name, configuration } => remove(configuration, name),
        UserCommand::List { configuration } => list(configuration),
    };
    done.err().unwrap_or(ExitCode::SUCCESS)
}

fn add(files: &ConfigurationFiles, name: &str, if_absent: bool, password_stdin: bool) -> Done {
    let path = users_file(files)?;
    let password = password_stdin
        .then(|| read_password(std::io::stdin()))
        .transpose();
    let password =
        password.map_err(|error| failed(&format!("no password can be read from standard input: {error}")))?;
    match add_user(&path, name, password.as_deref(), if_absent).map_err(|error| failed(&error))? {
        UserAdded::Existed => say(&format!("user {name} exists")),
        UserAdded::WithPassword => say(&format!("user {name} added")),
        UserAdded::WithGenerated(password) => say(&format!("user {name} added with password {password}")),
    }
    Ok(())
}

fn remove(files: &ConfigurationFiles, name: &str) -> Done {
    let path = users_file(files)?;
    if !remove_user(&path, name).map_err(|error| failed(&error))? {
        return Err(failed(&format!("there is no user {name} in {}", path.display())));
    }
    say(&format!("user {name} removed"));
    Ok(())
}

fn list(files: &ConfigurationFiles) -> Done {
    let listed = list_users(&users_file(files)?).map_err(|error| failed(&error))?;
    for fault in &listed.faults {
        complain(&format!("warning: {fault}"));
    }
    for name in &listed.names {
        say(name.as_str());
    }
    Ok(())
}

/// The file of users that the configuration names.
fn users_file(files: &ConfigurationFiles) -> Result<PathBuf, ExitCode> {
    let configuration = files.load()?;
    let htpasswd = configuration.auth.and_then(|auth| auth.htpasswd);
    htpasswd.map(|htpasswd| htpasswd.path).ok_or_else(|| {
        failed(&format!(
            "auth.htpasswd is absent in {files}: name the file that users are kept in by auth.htpasswd.path"
        ))
    })
}

fn failed(reason: &dyn Display) -> ExitCode {
    complain(&reason.to_string());
    ExitCode::FAILURE
}

/// Reads a password and the line end after it. One that is too long is refused: cut, it would be another password.
fn read_password(input: impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let most = MAX_PASSWORD_BYTES + LINE_END;
    input.take(most as u64 + 1).read_to_end(&mut bytes)?;
    let too_long = || std::io::Error::other(format!("it has more than {MAX_PASSWORD_BYTES} bytes"));
    if bytes.len() > most {
        return Err(too_long());
    }
    let text = String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not valid UTF-8"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.len() > MAX_PASSWORD_BYTES {
        return Err(too_long());
    }
    if text.is_empty() {
        return Err(std::io::Error::other("it is empty"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_passwords_when_read_then_whole_or_refused() {
        let longest = "x".repeat(MAX_PASSWORD_BYTES);
        for (text, expected) in [
            ("secret\n", "secret"),
            ("a b\r\n", "a b"),
            (&format!("{longest}\r\n"), &longest),
        ] {
            assert_eq!(read_password(text.as_bytes()).unwrap(), expected);
        }
        let hidden = format!("{longest}\n\n\nmore");
        for text in ["", "\n", &format!("{longest}x"), &hidden, &"é".repeat(600)] {
            assert!(read_password(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(read_password(b"\xff".as_slice()).is_err());
    }
}
