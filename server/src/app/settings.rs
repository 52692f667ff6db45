//! From the configuration to the settings of each part.

use zas_config::Configuration;
use zas_metadata::Timing;

use crate::services::maintenance::{CollectionSettings, ScrubSettings};
use crate::services::registry::RegistrySettings;

pub(super) fn registry(configuration: &Configuration) -> RegistrySettings {
    let limits = &configuration.limits;
    RegistrySettings {
        manifest_size: limits.manifest_size.in_memory(),
        manifest_references: limits.manifest_references as usize,
        blob_size: limits.blob_size.map(zas_config::ByteSize::bytes),
        concurrent_uploads: limits.concurrent_uploads as usize,
        open_uploads: limits.open_uploads as usize,
        page_size: limits.page_size as usize,
        referrers_count: limits.referrers_page.count as usize,
        referrers_size: limits.referrers_page.size.in_memory(),
        registry: configuration.registry.clone(),
    }
}

pub(super) fn timing(configuration: &Configuration) -> Timing {
    let collection = &configuration.collection;
    Timing {
        grace: collection.grace.into(),
        doom_delay: collection.doom_delay.into(),
    }
}

pub(super) fn collection(configuration: &Configuration) -> CollectionSettings {
    let collection = &configuration.collection;
    CollectionSettings {
        enabled: collection.enabled,
        interval: collection.interval.into(),
        upload_expiry: collection.upload_expiry.into(),
        orphan_sweep: collection.orphan_sweep.into(),
        orphan_share: collection.orphan_share,
    }
}

pub(super) fn scrub(configuration: &Configuration) -> ScrubSettings {
    let collection = &configuration.collection;
    ScrubSettings {
        pause: collection.scrub.into(),
        rate: collection.scrub_rate.bytes(),
    }
}
