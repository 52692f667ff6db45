//! The claim of the data.

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{Prepared, metadata, stated};
use crate::children::ChildKind;
use crate::labels;
use crate::store::ResolvedStore;

/// The claim of this size, a Kubernetes quantity, which was made with the size `first`.
pub(crate) fn build(store: &ResolvedStore, size: &str, first: &str) -> Prepared {
    let (volume, origin) = (&store.spec.data_volume, &store.claim_origin);
    let mut metadata = metadata(store, store.names.claim(), store.owner_of_data(origin));
    let mut annotations = volume.annotations.clone();
    annotations.extend(store.made_for(origin));
    annotations.insert(labels::FIRST_SIZE_ANNOTATION.to_owned(), first.to_owned());
    metadata.annotations = stated(&annotations);
    let claim = PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec![volume.access_mode.as_str().to_owned()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some([("storage".to_owned(), Quantity(size.to_owned()))].into()),
                ..VolumeResourceRequirements::default()
            }),
            storage_class_name: volume.storage_class_name.clone(),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    };
    Prepared::new(ChildKind::PersistentVolumeClaim, &claim)
}
