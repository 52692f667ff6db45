//! Tests of the parts together that need to see or disturb what is below the operations.

mod committer;
mod damage;
mod disturbed_map;
mod faults;
mod locations;
mod lost_claims;
mod merged_view;
mod model;
mod newer_fields;
mod object_damage;
mod object_histories;
#[cfg(feature = "rocksdb")]
mod rocks;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use zas_core::{Clock, Digest, Holder, LocationName, ManualClock, Timestamp, UploadId};

use crate::clocks::Clocks;
use crate::embedded::EmbeddedMetadata;
use crate::ordered_map::OrderedMap;
use crate::reopening::Opener;
use crate::{
    BlobContent, CommitManifest, Epoch, Extent, FinishUpload, NewBlob, Origin, Retyping, SharedManifest,
    Timing,
};
use disturbed_map::{Control, DisturbedMap};

const TIMING: Timing = Timing {
    grace: Duration::from_hours(1),
    doom_delay: Duration::from_mins(15),
};
const LEASE: Duration = Duration::from_hours(2);

type Disturbed<M> = EmbeddedMetadata<DisturbedMap<M>>;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::starting_at(Timestamp::from_millis(
        1_700_000_000_000,
    )))
}

fn clocks(clock: &Arc<ManualClock>) -> Clocks {
    let wall: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    wall.into()
}

/// A store whose writes and openings `control` decides about.
fn disturbed<M: OrderedMap + Clone>(
    map: M,
    control: &Arc<Control>,
    clock: &Arc<ManualClock>,
) -> Arc<Disturbed<M>> {
    let (again, readable) = (
        (map.clone(), Arc::clone(control)),
        (map.clone(), Arc::clone(control)),
    );
    let open = Opener::new(
        move || again.1.open(again.0.clone()),
        move || readable.1.open_to_read(readable.0.clone()),
    );
    let map = DisturbedMap::new(map, Arc::clone(control));
    Arc::new(EmbeddedMetadata::over(map, open, clocks(clock), TIMING))
}

fn origin() -> Origin {
    Origin {
        operation: [1; 16],
        actor: "ci".to_owned(),
    }
}

fn repository(name: &str) -> Holder {
    Holder::Repository(name.parse().unwrap())
}

fn digest(content: &str) -> Digest {
    Digest::sha256_of(content.as_bytes())
}

fn upload_id(number: u64) -> UploadId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    UploadId::new(Timestamp::from_millis(1_700_000_000_000), &random)
}

fn inline_blob(content: &str) -> NewBlob {
    let bytes = Bytes::from(content.to_owned());
    NewBlob {
        digest: digest(content),
        size: bytes.len() as u64,
        content: BlobContent::Inline(bytes),
    }
}

/// The epoch of a claim in a store that was opened once.
fn epoch(claim: u64) -> Epoch {
    Epoch { start: 1, claim }
}

fn file_blob(content: &str, location: LocationName) -> NewBlob {
    let length = content.len() as u64;
    let extents = vec![Extent {
        location,
        offset: 0,
        length,
    }];
    NewBlob {
        digest: digest(content),
        size: length,
        content: BlobContent::Extents(extents),
    }
}

fn push(holder: &Holder, content: &str) -> FinishUpload {
    FinishUpload {
        id: upload_id(0),
        epoch: None,
        holder: holder.clone(),
        blob: inline_blob(content),
    }
}

fn manifest(holder: &Holder, body: &str) -> CommitManifest {
    CommitManifest {
        holder: holder.clone(),
        digest: digest(body),
        media_type: "application/vnd.oci.image.manifest.v1+json".parse().unwrap(),
        body: Bytes::from(body.to_owned()),
        references: Vec::new(),
        subject: None,
        retyping: Retyping::Allowed,
        tags: Vec::new(),
    }
}
