//! aws-cli and boto3: buckets and objects, in one piece and in parts, versions, copies, tags and presigned links.

mod artifacts;
mod tools;

use std::path::PathBuf;

use zas_tests::random_bytes;

use crate::workstation::{Workstation, assert_same_file, words};

/// What boto3 does, and checks itself.
const STORY: &str = include_str!("story.py");

/// What is refused, request by request, signed with botocore and sent as it is.
const REFUSALS: &str = include_str!("refusals.py");

/// An access key of the user's.
#[derive(Debug)]
struct AccessKey {
    id: String,
    secret: String,
}

/// A workstation whose AWS clients have an access key.
fn workstation(has_tls: bool) -> Workstation {
    let (station, key) = workstation_with_key(has_tls);
    station.write(
        ".aws/credentials",
        format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            key.id, key.secret
        ),
    );
    station
}

/// A workstation and an access key for its clients.
fn workstation_with_key(has_tls: bool) -> (Workstation, AccessKey) {
    let station = Workstation::with_s3(has_tls);
    let made = station.http().post("/_/v1/keys").send().expect_status(201);
    let key = made.json();
    let text = |name: &str| key[name].as_str().expect("a text").to_owned();
    let key = AccessKey {
        id: text("accessKeyId"),
        secret: text("secretAccessKey"),
    };
    (station, key)
}

fn python(program: &str) -> String {
    let environment = std::env::var_os("ZAS_PYTHON").expect("`source hack/environment.sh` names it");
    PathBuf::from(environment)
        .join("bin")
        .join(program)
        .display()
        .to_string()
}

fn aws(station: &Workstation, line: &str) -> String {
    station.run(&python("aws"), &words(line))
}

#[test]
fn given_a_bucket_when_files_are_copied_listed_moved_and_removed_by_aws_cli_then_as_with_aws() {
    for has_tls in [false, true] {
        // Given
        let station = workstation(has_tls);
        station.write("small", "twelve bytes");
        station.write("five", random_bytes(5, 5 * 1024 * 1024));
        // Above 8 MB the client sends parts.
        station.write("large", random_bytes(6, 21_000_001));
        aws(&station, "s3 mb s3://builds");

        // When
        for name in ["small", "five", "large"] {
            aws(&station, &format!("s3 cp --quiet {name} s3://builds/in/{name}"));
            aws(
                &station,
                &format!("s3 cp --quiet s3://builds/in/{name} back/{name}"),
            );
        }
        aws(&station, "s3 mv --quiet s3://builds/in/large s3://builds/moved");

        // Then
        for name in ["small", "five", "large"] {
            assert_same_file(&station.path(name), &station.path("back").join(name));
        }
        let listed = aws(&station, "s3 ls s3://builds --recursive");
        let names: Vec<&str> = listed
            .lines()
            .filter_map(|line| line.split_whitespace().last())
            .collect();
        assert_eq!(names, ["in/five", "in/small", "moved"]);
        assert!(aws(&station, "s3 ls s3://builds").contains("PRE in/"));
        let refused = station.run_refused(&python("aws"), &words("s3 rb s3://builds"));
        assert!(refused.contains("BucketNotEmpty"), "{refused}");
        aws(&station, "s3 rm --quiet --recursive s3://builds");
        aws(&station, "s3 rb s3://builds");
        assert_eq!(aws(&station, "s3 ls"), "");
    }
}

#[test]
fn given_boto3_when_it_uses_every_kind_of_operation_then_each_answers_as_aws_documents() {
    for has_tls in [false, true] {
        let station = workstation(has_tls);
        station.write("story.py", STORY);
        let told = station.run(&python("python"), &["story.py"]);
        assert_eq!(told.lines().last(), Some("the end"), "{told}");
    }
}

#[test]
fn given_requests_against_a_rule_when_sent_then_each_is_refused_by_its_code_and_nothing_is_stored() {
    let station = workstation(false);
    station.write("refusals.py", REFUSALS);
    let told = station.run(&python("python"), &["refusals.py"]);
    assert_eq!(told.lines().last(), Some("the end"), "{told}");
}

#[test]
fn given_a_revoked_key_when_it_signs_then_it_is_unknown() {
    let station = workstation(false);
    let keys = station.http().get("/_/v1/keys").send().expect_status(200).json();
    let id = keys["keys"][0]["accessKeyId"].as_str().expect("an id").to_owned();
    assert!(keys["keys"][0].get("secretAccessKey").is_none());
    station
        .http()
        .delete(&format!("/_/v1/keys/{id}"))
        .send()
        .expect_status(204);

    let refused = station.run_refused(&python("aws"), &words("s3 ls"));

    assert!(refused.contains("InvalidAccessKeyId"), "{refused}");
    station
        .server
        .client()
        .get("/_/v1/keys")
        .send()
        .expect_status(401);
}
