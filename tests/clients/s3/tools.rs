//! rclone, s3cmd and restic: trees that are synchronised, moved and removed, and backups that are checked and restored.

use zas_tests::random_bytes;

use super::workstation_with_key;
use crate::workstation::{Workstation, assert_same_file, words};

/// Files of every kind of size: in a row, in a file, in parts.
const FILES: [(&str, usize); 4] = [
    ("tree/empty", 0),
    ("tree/a b+c", 900),
    ("tree/sub/middle", 70_000),
    ("tree/sub/large", 12_000_000),
];

fn with_tree(station: &Workstation) {
    for (name, length) in FILES {
        station.write(name, random_bytes(length as u64, length));
    }
}

fn assert_same_tree(station: &Workstation, copy: &str) {
    for (name, _) in FILES {
        let copied = name.replacen("tree", copy, 1);
        assert_same_file(&station.path(name), &station.path(&copied));
    }
}

#[test]
fn given_a_tree_when_rclone_synchronises_it_then_nothing_differs_and_a_second_time_nothing_is_sent() {
    // Given
    let (station, key) = workstation_with_key(false);
    with_tree(&station);
    station.write(
        ".config/rclone/rclone.conf",
        format!(
            "[zas]\ntype = s3\nprovider = Other\nregion = us-east-1\nendpoint = {}\naccess_key_id = {}\n\
             secret_access_key = {}\nupload_cutoff = 5M\nchunk_size = 5M\n",
            station.server.client().origin(),
            key.id,
            key.secret
        ),
    );
    let rclone = |line: &str| station.run("rclone", &words(line));

    // When
    rclone("mkdir zas:bucket");
    rclone("sync tree zas:bucket/tree");

    // Then
    rclone("check tree zas:bucket/tree");
    rclone("check --download tree zas:bucket/tree");
    rclone("copy zas:bucket/tree back");
    assert_same_tree(&station, "back");
    let sent = rclone("sync --dry-run --stats-one-line -v tree zas:bucket/tree");
    assert!(!sent.contains("Copied"), "{sent}");
    rclone("moveto zas:bucket/tree/sub/large zas:bucket/moved");
    assert_eq!(
        rclone("lsf -R --files-only zas:bucket").lines().count(),
        FILES.len()
    );
    rclone("purge zas:bucket");
    assert_eq!(rclone("lsf zas:"), "");
}

#[test]
fn given_files_when_s3cmd_puts_copies_moves_and_deletes_them_then_they_are_as_they_were() {
    // Given
    let (station, key) = workstation_with_key(false);
    with_tree(&station);
    let host = station.registry();
    station.write(
        ".s3cfg",
        format!(
            "[default]\naccess_key = {}\nsecret_key = {}\nhost_base = {host}\nhost_bucket = {host}\n\
             use_https = False\nbucket_location = us-east-1\nmultipart_chunk_size_mb = 5\n",
            key.id, key.secret
        ),
    );
    let s3cmd = |line: &str| station.run("s3cmd", &words(line));

    // When
    s3cmd("mb s3://bucket");
    s3cmd("sync tree/ s3://bucket/tree/");
    s3cmd("cp s3://bucket/tree/sub/middle s3://bucket/copy");
    s3cmd("mv s3://bucket/copy s3://bucket/moved");
    s3cmd("setacl --acl-private s3://bucket/moved");

    // Then
    s3cmd("get s3://bucket/moved moved");
    assert_same_file(&station.path("tree/sub/middle"), &station.path("moved"));
    station.write("back/.keep", "");
    s3cmd("sync s3://bucket/tree/ back/");
    assert_same_tree(&station, "back");
    assert!(s3cmd("info s3://bucket/moved").contains("File size: 70000"));
    s3cmd("del --recursive --force s3://bucket");
    s3cmd("rb s3://bucket");
}

#[test]
fn given_a_tree_when_restic_backs_it_up_prunes_and_restores_it_then_it_is_unchanged() {
    // Given
    let (station, key) = workstation_with_key(false);
    with_tree(&station);
    station.write("password", "a password");
    let repository = format!("s3:{}/backups", station.server.client().origin());
    let restic = |line: &str| {
        let program = format!("AWS_ACCESS_KEY_ID={}", key.id);
        let secret = format!("AWS_SECRET_ACCESS_KEY={}", key.secret);
        let fixed = [
            &program,
            &secret,
            "restic",
            "-r",
            &repository,
            "--password-file",
            "password",
        ];
        station.run("env", &[&fixed[..], &words(line)].concat())
    };

    // When
    restic("init");
    restic("backup tree");
    station.write("tree/later", "more");
    restic("backup tree");
    restic("forget --keep-last 1 --prune");

    // Then
    assert!(restic("check --read-data").contains("no errors were found"));
    restic("restore latest --target restored");
    assert_same_tree(&station, "restored/tree");
}
