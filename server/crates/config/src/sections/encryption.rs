//! What secrets are derived from.

use std::path::PathBuf;

use crate::section::section;

section! {
    /// What secrets are derived from.
    pub struct Encryption {
        /// The file with the key-encryption keys, one a line: an id, a colon and 32 random bytes in base64, such as
        /// `2026-12: 3q2+7w...`. The id that sorts last is the one that new secrets are derived from; the others are kept for
        /// as long as something is derived from them. Nobody but the server may read the file, and it has no place in the
        /// folders of the stores.
        restart "keys" keys: PathBuf = PathBuf::from("data/keys"), since "0.2.0";
    }
}
