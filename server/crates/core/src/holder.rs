//! Who holds content.

use std::fmt;

use crate::{BucketId, RepositoryName};

/// What content belongs to: it is kept as long as somebody holds it, and readable through its holders alone.
///
/// Repositories sort before buckets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A repository, which is known by its name.
    Repository(RepositoryName),
    /// A bucket, which is known by its id: one made anew under the same name inherits nothing.
    Bucket(BucketId),
}

impl Holder {
    /// The repository, if it is one.
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Repository(name) => Some(name),
            Self::Bucket(_) => None,
        }
    }
}

impl From<RepositoryName> for Holder {
    fn from(name: RepositoryName) -> Self {
        Self::Repository(name)
    }
}

impl From<&RepositoryName> for Holder {
    fn from(name: &RepositoryName) -> Self {
        Self::Repository(name.clone())
    }
}

impl From<BucketId> for Holder {
    fn from(id: BucketId) -> Self {
        Self::Bucket(id)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(name) => fmt::Display::fmt(name, formatter),
            Self::Bucket(id) => write!(formatter, "bucket {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_repository_and_a_bucket_when_sorted_and_shown_then_the_repository_comes_first() {
        let name: RepositoryName = "zz/app".parse().unwrap();
        let repository = Holder::from(&name);
        let bucket = Holder::from(BucketId::from_bytes([0; 16]));
        assert!(repository < bucket);
        assert_eq!(
            (repository.repository(), bucket.repository()),
            (Some(&name), None)
        );
        assert_eq!(repository.to_string(), "zz/app");
        assert_eq!(bucket.to_string(), "bucket 00000000-0000-0000-0000-000000000000");
    }
}
