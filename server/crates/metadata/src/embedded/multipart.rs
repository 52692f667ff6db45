//! Multipart uploads over an ordered map.

use async_trait::async_trait;
use zas_core::{Digest, UploadId};

use super::EmbeddedMetadata;
use crate::keys::{self, Elements};
use crate::operations::listings;
use crate::operations::multipart::completion::{self, Attempt};
use crate::operations::multipart::{draining, listing, opening, parts, reading};
use crate::ordered_map::OrderedMap;
use crate::view::View;
use crate::{
    AbortMultipartOutcome, CompleteMultipart, CompleteOutcome, CompletedMultipart, CompositePart,
    CreateMultipartOutcome, DigestOutcome, Garbage, GarbageOutcome, ListMultiparts, MultipartName,
    MultipartPage, MultipartStat, MultipartStore, NewMultipart, Origin, Page, Part, PutPart, PutPartOutcome,
    Result, Run,
};

/// Pieces of a list of parts that one operation writes: few enough that others do not wait long.
const PIECES_TOGETHER: usize = 2;

#[async_trait]
impl<M: OrderedMap> MultipartStore for EmbeddedMetadata<M> {
    async fn create_multipart(
        &self,
        _origin: &Origin,
        multipart: NewMultipart,
    ) -> Result<CreateMultipartOutcome> {
        self.change(move |transaction| opening::create(transaction, multipart))
            .await
    }

    async fn stat_multipart(&self, name: &MultipartName) -> Result<Option<MultipartStat>> {
        self.read(|view| opening::stat(view, name))
    }

    async fn put_part(&self, _origin: &Origin, part: PutPart) -> Result<PutPartOutcome> {
        self.change(move |transaction| parts::put(transaction, part))
            .await
    }

    async fn list_parts(&self, name: &MultipartName, after: u16, count: usize) -> Result<Option<Page<Part>>> {
        let name = name.clone();
        self.list_rows(move |view, effort| parts::list(view, &name, after, count, effort))
            .await
    }

    async fn list_multiparts(&self, list: ListMultiparts) -> Result<MultipartPage> {
        self.list_rows(move |view, effort| listing::multiparts(view, &list, effort))
            .await
    }

    async fn complete_multipart(
        &self,
        _origin: &Origin,
        completion: CompleteMultipart,
    ) -> Result<CompleteOutcome> {
        let mut pieces = completion::pieces(&completion.parts);
        while pieces.len() > PIECES_TOGETHER {
            let ahead: Vec<_> = pieces.drain(..PIECES_TOGETHER).collect();
            let name = completion.name.clone();
            let (revision, attempt) = (completion.revision, completion.random);
            let prepared = self.change(move |transaction| {
                completion::prepare(transaction, &name, revision, attempt, &ahead)
            });
            if let Attempt::Ended(outcome) = prepared.await? {
                return Ok(outcome);
            }
        }
        self.change(move |transaction| completion::complete(transaction, completion, &pieces))
            .await
    }

    async fn completed_multipart(&self, name: &MultipartName) -> Result<Option<CompletedMultipart>> {
        self.read(|view| completion::completed(view, name))
    }

    async fn abort_multipart(&self, _origin: &Origin, name: &MultipartName) -> Result<AbortMultipartOutcome> {
        let name = name.clone();
        self.change(move |transaction| opening::abort(transaction, &name))
            .await
    }

    async fn read_composite(
        &self,
        composite: UploadId,
        offset: u64,
        count: usize,
    ) -> Result<Option<Vec<Run>>> {
        self.block(move |shared| reading::runs(&View::committed(&*shared.map()?), composite, offset, count))
            .await
    }

    async fn list_composite_parts(
        &self,
        composite: UploadId,
        after: u16,
        count: usize,
    ) -> Result<Option<Page<CompositePart>>> {
        self.block(move |shared| reading::list(&View::committed(&*shared.map()?), composite, after, count))
            .await
    }

    async fn list_undigested(&self, after: Option<UploadId>, count: usize) -> Result<Vec<UploadId>> {
        if let Some(after) = after {
            let range = keys::all_undigested().after(&keys::undigested(after));
            let page = self.list_rows(move |view, effort| {
                listings::page(view, &range, count, effort, |key, _| Elements::of(key).id())
            });
            return page.await.map(|page| page.entries);
        }
        let page = self.list(move |shared, effort| {
            let (queue, range) = (&shared.queues.undigested, keys::all_undigested());
            shared.oldest(queue, range, count, effort, |key, _| Elements::of(key).id())
        });
        page.await.map(|page| page.entries)
    }

    async fn set_composite_digest(&self, composite: UploadId, digest: &Digest) -> Result<DigestOutcome> {
        let digest = *digest;
        self.change(move |transaction| reading::set_digest(transaction, composite, &digest))
            .await
    }

    async fn take_garbage(&self, count: usize) -> Result<Vec<Garbage>> {
        if self.shared.is_collection_paused() {
            return Ok(Vec::new());
        }
        let page = self.list(move |shared, effort| {
            let (queue, range) = (&shared.queues.garbage, keys::garbage_until(shared.now()));
            shared.oldest(queue, range, count, effort, |key, _| Elements::of(key).garbage())
        });
        page.await.map(|page| page.entries)
    }

    async fn drain_garbage(&self, garbage: &Garbage) -> Result<GarbageOutcome> {
        if self.shared.is_collection_paused() {
            return Ok(GarbageOutcome::Later);
        }
        let garbage = *garbage;
        let look = self.block(move |shared| {
            let map = shared.map()?;
            if let Some(range) = draining::cluttered(&View::committed(&*map), &garbage)? {
                map.tidy(&range)?;
            }
            draining::look(&View::committed(&*map), &garbage)
        });
        let look = look.await?;
        self.change(move |transaction| draining::drain(transaction, &garbage, look))
            .await
    }
}
