//! What is counted.

use clap::ValueEnum;

/// A request that a busy registry answers all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum HotPath {
    /// GET of a manifest by its digest.
    ManifestByDigest,
    /// GET of a manifest by a tag, one of 10,000.
    ManifestByTag,
    /// HEAD of a blob.
    BlobHead,
    /// A blob of 1 KiB by POST and PUT.
    SmallPush,
    /// A blob of 1 KiB by one POST.
    SmallPushMonolithic,
    /// PUT of a manifest with one layer under a new tag.
    ManifestPut,
    /// A page of 100 tags out of 10,000.
    TagPage,
    /// A page of 100 repositories out of 1,000.
    CatalogPage,
}

impl HotPath {
    /// All of them in the order of the report.
    pub(crate) const ALL: [Self; 8] = [
        Self::ManifestByDigest,
        Self::ManifestByTag,
        Self::BlobHead,
        Self::SmallPush,
        Self::SmallPushMonolithic,
        Self::ManifestPut,
        Self::TagPage,
        Self::CatalogPage,
    ];

    /// The name in the baseline, on the command line and in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ManifestByDigest => "manifest-by-digest",
            Self::ManifestByTag => "manifest-by-tag",
            Self::BlobHead => "blob-head",
            Self::SmallPush => "small-push",
            Self::SmallPushMonolithic => "small-push-monolithic",
            Self::ManifestPut => "manifest-put",
            Self::TagPage => "tag-page",
            Self::CatalogPage => "catalog-page",
        }
    }

    /// The path of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|path| path.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_every_path_when_named_then_the_name_and_the_command_line_lead_back_to_it() {
        for path in HotPath::ALL {
            assert_eq!(HotPath::named(path.name()), Some(path));
            assert_eq!(HotPath::from_str(path.name(), false), Ok(path));
        }
        assert_eq!(HotPath::ALL.len(), HotPath::value_variants().len());
    }
}
