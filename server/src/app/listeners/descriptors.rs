//! How many connections the limit of open files allows.

/// What the server itself keeps open at most: the database's tables for the most part.
const OWN_FILES: u64 = 1_024 + 128;

/// Files of a connection: its socket and what it reads or writes.
const FILES_PER_CONNECTION: u64 = 2;

/// More than any machine serves.
const MAX_CONNECTIONS: u64 = 50_000;

/// Every connection and every blob on its way is an open file, and the usual soft limit of 1,024 is a desktop's.
pub(crate) fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => {
            let connections = connections_with(files);
            tracing::debug!(files, connections, "raised the limit of open files");
        }
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
}

/// How many public connections may be open at a time; more wait to be accepted. With those the server still has files to
/// work with and to answer probes.
pub(super) fn connections() -> usize {
    let files = rlimit::Resource::NOFILE.get().map_or(1_024, |(soft, _)| soft);
    usize::try_from(connections_with(files)).unwrap_or(usize::MAX)
}

fn connections_with(files: u64) -> u64 {
    let own = OWN_FILES.min(files / 2);
    ((files - own) / FILES_PER_CONNECTION).clamp(1, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_limits_of_open_files_when_divided_then_the_server_keeps_its_own() {
        for (files, connections) in [
            (0, 1),
            (100, 25),
            (300, 75),
            (1_024, 256),
            (4_096, 1_472),
            (1_048_576, 50_000),
        ] {
            assert_eq!(connections_with(files), connections, "{files}");
        }
    }
}
