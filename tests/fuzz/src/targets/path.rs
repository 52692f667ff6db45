//! Request paths below `/v2`.

use zot_artifact_store::api::oci::fuzzing::read_path;

use crate::Verdict;
use crate::input::Input;

/// The bytes are a path.
///
/// What is named has one canonical path, which names the same; a repository stands in the path as it is, so that
/// nothing decoded ever becomes a separator.
pub(super) fn target(data: &[u8]) -> Verdict {
    let path = Input::of(data).text();
    let Some(named) = read_path(&path) else {
        return Verdict::Refused;
    };
    assert_eq!(read_path(&named.canonical), Some(named.clone()), "{path:?}");
    if let Some(repository) = &named.repository {
        let stands_there = path.contains(&format!("{repository}/"));
        assert!(stands_there, "{path:?} is said to name {repository}");
        assert!(
            !repository.contains("..") && !repository.contains("//"),
            "{repository}"
        );
    }
    Verdict::Accepted
}
