//! `zot-artifact-store user`: the users of the htpasswd file.

use std::io::Read;
use std::process::ExitCode;

use clap::Subcommand;

use super::{ConfigurationFiles, complain, say};
use crate::services::auth::{UserAdded, add_user};

/// Longest password read from standard input, in bytes.
const LONGEST_PASSWORD: usize = 1024;

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
}

pub(super) fn run(command: &UserCommand) -> ExitCode {
    let UserCommand::Add {
        name,
        configuration: files,
        if_absent,
        password_stdin,
    } = command;
    let configuration = match files.load() {
        Ok(configuration) => configuration,
        Err(code) => return code,
    };
    let Some(htpasswd) = configuration
        .auth
        .as_ref()
        .and_then(|auth| auth.htpasswd.as_ref())
    else {
        complain(&format!(
            "auth.htpasswd is absent in {files}: name the file that users are kept in by auth.htpasswd.path"
        ));
        return ExitCode::FAILURE;
    };
    let password = match password_stdin
        .then(|| read_password(std::io::stdin()))
        .transpose()
    {
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

/// Reads a password and the line end after it. One that is too long is refused: cut, it would be another password.
fn read_password(input: impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let most = LONGEST_PASSWORD + LINE_END;
    input.take(most as u64 + 1).read_to_end(&mut bytes)?;
    let too_long = || std::io::Error::other(format!("it has more than {LONGEST_PASSWORD} bytes"));
    if bytes.len() > most {
        return Err(too_long());
    }
    let text = String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not valid UTF-8"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.len() > LONGEST_PASSWORD {
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
        let longest = "x".repeat(LONGEST_PASSWORD);
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
