use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap_or_default()
    }
}

/// `ExitCode` compares with nothing, and shows its number.
fn code(arguments: &[&str]) -> String {
    let arguments = ["zot-artifact-store"].iter().chain(arguments);
    let parsed = Arguments::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}"));
    format!("{:?}", run(parsed))
}

fn expected(number: u8) -> String {
    format!("{:?}", ExitCode::from(number))
}

#[test]
fn given_configuration_files_when_checked_then_the_exit_code_says_whether_they_are_valid() {
    let files = Files::new(&[
        ("good", "configVersion: 1\n"),
        ("better", "configVersion: 1\nlimits: {pageSize: 3}\n"),
        ("wrong", "configVersion: 1\nlimits: {pagesize: 3}\n"),
    ]);
    let (good, better, wrong) = (files.path("good"), files.path("better"), files.path("wrong"));
    assert_eq!(code(&["--check-config", "--config", &good]), expected(0));
    assert_eq!(
        code(&["--config", &good, "--config", &better, "--check-config"]),
        expected(0)
    );
    for arguments in [
        ["--config", &wrong, "--config", &good],
        ["--config", &good, "--config", &wrong],
    ] {
        let arguments: Vec<&str> = arguments.into_iter().chain(["--check-config"]).collect();
        assert_eq!(code(&arguments), expected(78));
    }
    assert_eq!(code(&["--config", "no/such/file"]), expected(78));
}

#[test]
fn given_a_user_when_added_then_the_file_that_the_last_configuration_names_has_the_hash() {
    let files = Files::new(&[]);
    let name = |file: &str| {
        format!(
            "configVersion: 1\nauth: {{htpasswd: {{path: {}}}}}\n",
            files.path(file)
        )
    };
    fs::write(Path::new(&files.path("first")), name("users1")).unwrap();
    fs::write(Path::new(&files.path("second")), name("users2")).unwrap();
    let (first, second) = (files.path("first"), files.path("second"));
    let add = ["user", "add", "alice", "--config", &first, "--config", &second];
    assert_eq!(code(&add), expected(0));
    assert!(
        files.read("users2").starts_with("alice:$argon2id$"),
        "{}",
        files.read("users2")
    );
    assert_eq!(files.read("users1"), "");

    // Existing ones are left alone when that is wished for.
    let before = files.read("users2");
    let add: Vec<&str> = add.into_iter().chain(["--if-absent"]).collect();
    assert_eq!(code(&add), expected(0));
    assert_eq!(files.read("users2"), before);

    assert_eq!(code(&["user", "add", "a:b", "--config", &second]), expected(1));

    // When removed, then gone; a second time there is nobody to remove.
    assert_eq!(code(&["user", "list", "--config", &second]), expected(0));
    assert_eq!(
        code(&["user", "remove", "alice", "--config", &second]),
        expected(0)
    );
    assert_eq!(files.read("users2"), "");
    assert_eq!(
        code(&["user", "remove", "alice", "--config", &second]),
        expected(1)
    );
}

#[test]
fn given_files_that_the_configuration_names_when_checked_then_the_answer_is_that_of_the_start() {
    let files = Files::new(&[("users", "alice:plain\n"), ("empty", "")]);
    let (users, empty, absent) = (files.path("users"), files.path("empty"), files.path("absent"));
    let folder = files.0.path().display();
    let tls = |certificate: &str| {
        format!("http: {{tls: {{certificateFile: {certificate}, privateKeyFile: {empty}}}}}")
    };
    let administrator = format!("auth: {{administrator: {{usernameFile: {users}, passwordFile: {absent}}}}}");
    let rules = |group: &str| {
        format!(
            "accessControl: {{groups: {{dev: {{users: [alice]}}}}, \
             repositories: {{\"**\": {{policies: [{{groups: [{group}], actions: [read]}}]}}}}}}"
        )
    };
    let one_folder = format!("storage: {{metadata: {{path: {absent}}}, blobs: {{path: {absent}/blobs}}}}");
    for (text, number) in [
        (format!("auth: {{htpasswd: {{path: {users}}}}}"), 0),
        (format!("auth: {{htpasswd: {{path: {absent}}}}}"), 0),
        (format!("auth: {{htpasswd: {{path: {folder}}}}}"), 78),
        (administrator.clone(), 78),
        (tls(&absent), 78),
        (tls(&empty), 78),
        (rules("dev"), 0),
        (rules("dve"), 78),
        ("accessControl: {adminPolicy: {groups: [dve]}}".to_owned(), 78),
        (one_folder.clone(), 78),
    ] {
        fs::write(files.path("config"), format!("configVersion: 1\n{text}\n")).unwrap();
        let config = files.path("config");
        assert_eq!(
            code(&["--config", &config, "--check-config"]),
            expected(number),
            "{text}"
        );
    }

    // Everything that is wrong is said at once.
    let text = format!(
        "configVersion: 1\n{administrator}\n{}\n{}\n{one_folder}\n",
        tls(&absent),
        rules("dve")
    );
    let configuration = Configuration::parse(Path::new("test.yaml"), &text).unwrap();
    let refused = app::check(&configuration).unwrap_err().to_string();
    let lines: Vec<&str> = refused.lines().collect();
    let parts = ["the group dve", "storage: ", "auth.administrator: ", "http.tls: "];
    assert_eq!(lines.len(), parts.len(), "{refused}");
    for (line, part) in lines.iter().zip(parts) {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[test]
fn given_no_file_of_users_when_one_is_added_then_refused() {
    let files = Files::new(&[("none", "configVersion: 1\n"), ("wrong", "nothing: 1\n")]);
    assert_eq!(
        code(&["user", "add", "alice", "--config", &files.path("none")]),
        expected(1)
    );
    assert_eq!(
        code(&["user", "add", "alice", "--config", &files.path("wrong")]),
        expected(78)
    );
}
