//! What the registry accepts.

use zas_core::RepositoryName;

use crate::PatternMap;
use crate::section::section;
use crate::values::keyword::keywords;

keywords! {
    /// What happens to a manifest that refers to content which its repository does not hold.
    pub enum MissingReferences {
        /// The manifest is refused.
        Refuse = "Refuse",
        /// An image index may refer to absent manifests; an image may not refer to absent blobs.
        #[default]
        AcceptInIndexes = "AcceptInIndexes",
        /// Any manifest is accepted.
        Accept = "Accept",
    }
}

section! {
    /// What the registry accepts.
    pub struct Registry {
        /// Whether manifests may refer to content that their repository does not hold: never, only in an image index
        /// (so that single platforms can be left out), or always.
        hot "missingReferences" missing_references: MissingReferences = MissingReferences::AcceptInIndexes;
        /// Other rules for some repositories: the longest matching pattern counts.
        hot "repositories" repositories: PatternMap<RepositoryRules> = PatternMap::default(), example "conformance/**";
    }
}

section! {
    /// The rules of some repositories.
    pub struct RepositoryRules {
        /// As above, for these repositories.
        hot "missingReferences" missing_references: MissingReferences = MissingReferences::AcceptInIndexes, example "Accept";
    }
    required ["missingReferences"]
}

impl Registry {
    /// What `repository` does about references to content that it does not hold.
    pub fn missing_references_of(&self, repository: &RepositoryName) -> MissingReferences {
        match self.repositories.longest_match(repository) {
            Some((_, rules)) => rules.missing_references,
            None => self.missing_references,
        }
    }
}
