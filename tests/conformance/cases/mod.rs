//! The cases, by what they are about. Each module registers its own.

mod access;
mod authentication;
mod bad_content;
mod bad_digests;
mod bad_paths;
mod bad_requests;
pub(crate) mod blobs;
mod catalog;
mod data_sets;
mod deletion;
mod error_bodies;
mod manifest_references;
mod manifest_sizes;
pub(crate) mod manifests;
mod mounts;
mod ranges;
mod referrer_pages;
pub(crate) mod referrers;
mod routes;
mod subjects;
mod tag_parameters;
mod tags;
mod upload_chunks;
mod uploads;

use crate::fixture::Fixture;

/// One thing that must hold.
#[derive(Debug)]
pub(crate) struct Case {
    /// `module::function`.
    pub(crate) name: &'static str,
    /// Panics when it does not hold.
    pub(crate) run: fn(&Fixture<'_>),
}

/// Names the cases of a module.
macro_rules! cases {
    ($module:ident: $($case:ident),* $(,)?) => {
        pub(crate) const CASES: &[$crate::cases::Case] = &[$(
            $crate::cases::Case {
                name: concat!(stringify!($module), "::", stringify!($case)),
                run: $case,
            }
        ),*];
    };
}
use cases;

/// Every case of the suite.
pub(crate) fn all() -> Vec<&'static Case> {
    let modules = [
        access::CASES,
        authentication::CASES,
        bad_content::CASES,
        bad_digests::CASES,
        bad_paths::CASES,
        bad_requests::CASES,
        blobs::CASES,
        catalog::CASES,
        data_sets::CASES,
        deletion::CASES,
        error_bodies::CASES,
        manifest_references::CASES,
        manifest_sizes::CASES,
        manifests::CASES,
        mounts::CASES,
        ranges::CASES,
        referrer_pages::CASES,
        referrers::CASES,
        routes::CASES,
        subjects::CASES,
        tag_parameters::CASES,
        tags::CASES,
        upload_chunks::CASES,
        uploads::CASES,
    ];
    modules.into_iter().flatten().collect()
}
