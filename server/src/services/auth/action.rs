//! What can be done, named as its protocol names it, with the one table to the verbs of zot's rules.

use std::fmt;

use zas_config::Action as Verb;
use zas_core::RepositoryName;

use super::policy::Resource;

/// A kind of action as a type, so that the right to one is not the right to another.
pub trait GrantableAction: fmt::Debug {
    /// What it is done to.
    type Target: ?Sized;

    /// The action.
    const ACTION: Action;

    /// The target as rules see it.
    fn resource(target: &Self::Target) -> Resource<'_>;
}

/// Declares actions: the variant, the type, the name in its protocol, the target and zot's verb, once each.
macro_rules! actions {
    ($($(#[doc = $about:literal])+ $Action:ident = $name:literal on $Target:ident => $verb:ident;)+) => {
        /// An action, named as its protocol names it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[doc = $about])+ $Action,)+
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$Action),+];

            /// Its name, such as `oci:Push`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Action => $name,)+
                }
            }

            /// The verb of zot's rules that allows it.
            pub const fn verb(self) -> Verb {
                match self {
                    $(Self::$Action => Verb::$verb,)+
                }
            }
        }

        $(
            $(#[doc = $about])+
            #[derive(Clone, Copy, Debug)]
            pub struct $Action;

            impl GrantableAction for $Action {
                type Target = $Target;

                const ACTION: Action = Action::$Action;

                fn resource(target: &$Target) -> Resource<'_> {
                    Resource::from(target)
                }
            }
        )+
    };
}

actions! {
    /// Read manifests and blobs.
    Pull = "oci:Pull" on RepositoryName => Read;
    /// List tags.
    ListTags = "oci:ListTags" on RepositoryName => Read;
    /// List what refers to a manifest.
    ListReferrers = "oci:ListReferrers" on RepositoryName => Read;
    /// Push blobs, and manifests without a tag.
    Push = "oci:Push" on RepositoryName => Create;
    /// Make a tag.
    Tag = "oci:Tag" on RepositoryName => Create;
    /// Move a tag that exists.
    Retag = "oci:Retag" on RepositoryName => Update;
    /// Delete tags, manifests and blobs.
    Delete = "oci:Delete" on RepositoryName => Delete;
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
