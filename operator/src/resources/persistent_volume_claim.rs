//! The claim of the data.

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{Prepared, metadata, stated};
use crate::children::ChildKind;
use crate::store::{DataClaim, ValidatedStore};

/// The claim, unless somebody else made it.
pub(crate) fn build(store: &ValidatedStore) -> Option<Prepared> {
    let DataClaim::Managed { size } = &store.claim else {
        return None;
    };
    let volume = &store.spec.data_volume;
    let mut metadata = metadata(store, store.names.claim(), store.owner_of_data());
    metadata.annotations = stated(&volume.annotations);
    let claim = PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec![volume.access_mode.as_str().to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), Quantity(size.clone()))].into()),
                ..VolumeResourceRequirements::default()
            }),
            storage_class_name: volume.storage_class_name.clone(),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    };
    Some(Prepared::new(ChildKind::PersistentVolumeClaim, &claim))
}
