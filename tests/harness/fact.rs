//! A fact of a registry that a client can ask for, as oracles remember it.

/// What may change while a proof runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// Where a tag points.
    Tag {
        /// The tag's repository.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// Whether a repository has a manifest.
    Manifest {
        /// The repository.
        repository: String,
        /// The manifest.
        digest: String,
    },
    /// Whether a repository has a blob.
    Blob {
        /// The repository.
        repository: String,
        /// The blob.
        digest: String,
    },
}

/// The digest that a fact leads to; `None` when it is absent.
pub type FactValue = Option<String>;

impl Fact {
    /// Where a tag points.
    pub fn tag(repository: &str, tag: &str) -> Self {
        Self::Tag {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        }
    }

    /// Whether a repository has a manifest.
    pub fn manifest(repository: &str, digest: &str) -> Self {
        Self::Manifest {
            repository: repository.to_owned(),
            digest: digest.to_owned(),
        }
    }

    /// Whether a repository has a blob.
    pub fn blob(repository: &str, digest: &str) -> Self {
        Self::Blob {
            repository: repository.to_owned(),
            digest: digest.to_owned(),
        }
    }

    /// The repository that the fact belongs to.
    pub fn repository(&self) -> &str {
        match self {
            Self::Tag { repository, .. }
            | Self::Manifest { repository, .. }
            | Self::Blob { repository, .. } => repository,
        }
    }

    /// Where it is asked for.
    pub fn path(&self) -> String {
        match self {
            Self::Tag { repository, tag } => format!("/v2/{repository}/manifests/{tag}"),
            Self::Manifest { repository, digest } => format!("/v2/{repository}/manifests/{digest}"),
            Self::Blob { repository, digest } => format!("/v2/{repository}/blobs/{digest}"),
        }
    }
}
