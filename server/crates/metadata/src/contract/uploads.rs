use std::time::Duration;

use zas_core::{Algorithm, Hashing};

use super::cases;
use super::setting::{
    DOOM_DELAY, MOMENT, Setting, digest, epoch, file, origin, progress, repository, run, stray, written,
};
use crate::{
    BlobContent, FinishOutcome, FinishUpload, Lease, OrphanOutcome, Progress, WriterOutcome, Written,
};

cases![
    given_a_new_upload_when_asked_then_it_has_no_bytes_and_belongs_to_its_repository,
    given_the_same_creation_twice_when_claimed_between_then_the_claim_stands,
    given_saved_progress_when_claimed_then_it_continues_there_with_the_hashes,
    given_an_upload_when_claimed_again_then_the_first_writer_is_fenced_everywhere,
    given_no_upload_when_changed_then_unknown,
    given_file_bytes_when_finished_then_the_repository_holds_them_and_the_upload_is_gone,
    given_small_bytes_when_finished_without_an_upload_then_they_are_in_the_row,
    given_extents_when_finished_without_an_upload_then_unknown_and_nothing_changed,
    given_an_upload_of_another_repository_when_finished_then_unknown,
    given_a_digest_in_files_when_pushed_again_then_the_proved_bytes_take_their_place_once_an_hour,
    given_a_digest_in_files_when_pushed_inline_then_the_files_are_doomed,
    given_an_inline_digest_when_pushed_as_a_file_then_the_row_stays_and_the_file_is_doomed,
    given_an_inline_upload_when_finished_then_it_never_had_a_location,
    given_an_upload_that_had_file_bytes_when_finished_inline_then_its_name_is_doomed,
    given_a_listed_upload_when_expired_then_only_if_nothing_happened_to_it_since,
    given_an_upload_when_aborted_then_its_name_is_doomed_after_the_delay,
    given_a_lost_answer_when_the_link_is_read_then_it_names_the_upload,
    given_saved_runs_when_the_upload_is_finished_then_the_blob_has_all_of_them_in_order,
    given_saved_runs_that_do_not_add_up_when_finished_then_refused_and_nothing_changes,
    given_saved_runs_when_the_store_has_the_digest_in_fewer_then_all_of_them_are_doomed,
    given_saved_runs_when_the_upload_is_aborted_then_all_of_them_are_doomed,
    given_as_many_runs_as_there_may_be_when_one_more_is_saved_then_refused,
    given_a_writer_that_did_not_say_it_was_done_when_claimed_then_its_unlisted_name_is_doomed_at_once,
    given_a_writer_that_said_it_was_done_when_claimed_then_nothing_is_doomed,
    given_an_open_upload_when_its_names_are_swept_then_they_are_known,
    given_a_doomed_name_that_is_read_when_postponed_then_it_waits_for_the_delay_again,
    given_uploads_when_listed_then_by_age_and_page_by_page,
    given_an_upload_when_touched_saved_or_claimed_then_it_is_younger,
    given_many_finished_uploads_when_listed_then_only_the_rest_and_older_ones_that_come_late,
];

async fn given_a_new_upload_when_asked_then_it_has_no_bytes_and_belongs_to_its_repository(given: Setting) {
    let (ours, theirs, id) = (repository("ours"), repository("theirs"), given.id());

    assert_eq!(
        given.store.create_upload(&origin(), &ours, id).await.unwrap(),
        epoch(1)
    );

    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(0));
    assert_eq!(given.store.stat_upload(&theirs, id).await.unwrap(), None);
    assert_eq!(given.store.claim_upload(&theirs, id).await.unwrap(), None);
    let claim = given.store.claim_upload(&ours, id).await.unwrap().unwrap();
    assert_eq!((claim.epoch, claim.progress), (epoch(2), Progress::default()));
    assert_eq!(claim.extents, 0);
}

async fn given_the_same_creation_twice_when_claimed_between_then_the_claim_stands(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    given
        .store
        .save_progress(id, epoch, progress(3, None), written(&[]))
        .await
        .unwrap();

    assert_eq!(
        given.store.create_upload(&origin(), &ours, id).await.unwrap(),
        epoch
    );

    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(3));
}

async fn given_saved_progress_when_claimed_then_it_continues_there_with_the_hashes(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    let hashes = [Algorithm::Sha256, Algorithm::Sha512].map(|algorithm| {
        let mut hashing = Hashing::new(algorithm);
        hashing.update(b"abc");
        hashing.state()
    });
    let saved = Progress {
        offset: 3,
        hashes: hashes.to_vec(),
        inline: Some("abc".into()),
    };

    let outcome = given
        .store
        .save_progress(id, epoch, saved.clone(), written(&[]))
        .await
        .unwrap();

    assert_eq!(outcome, WriterOutcome::Done);
    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(3));
    let claim = given.store.claim_upload(&ours, id).await.unwrap().unwrap();
    assert_eq!(claim.progress, saved);
    assert!(claim.epoch > epoch);
}

async fn given_an_upload_when_claimed_again_then_the_first_writer_is_fenced_everywhere(given: Setting) {
    let ours = repository("ours");
    let (id, first) = given.start(&ours).await;
    let second = given.store.claim_upload(&ours, id).await.unwrap().unwrap().epoch;

    assert_eq!(
        given
            .store
            .save_progress(id, first, progress(9, None), written(&[]))
            .await
            .unwrap(),
        WriterOutcome::Fenced
    );
    assert_eq!(
        given.store.touch_upload(id, first).await.unwrap(),
        WriterOutcome::Fenced
    );
    assert_eq!(
        given.store.abort_upload(&origin(), id, first).await.unwrap(),
        WriterOutcome::Fenced
    );
    assert_eq!(
        given.finish_file(&ours, id, first, "abc").await,
        FinishOutcome::Fenced
    );

    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(0));
    assert_eq!(given.stat(&ours, &digest("abc")).await, None);
    assert_eq!(
        given.finish_file(&ours, id, second, "abc").await,
        FinishOutcome::Created
    );
}

async fn given_no_upload_when_changed_then_unknown(given: Setting) {
    let (ours, id) = (repository("ours"), given.id());

    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), None);
    assert_eq!(given.store.claim_upload(&ours, id).await.unwrap(), None);
    assert_eq!(
        given
            .store
            .save_progress(id, epoch(1), progress(1, None), written(&[]))
            .await
            .unwrap(),
        WriterOutcome::Unknown
    );
    assert_eq!(
        given.store.touch_upload(id, epoch(1)).await.unwrap(),
        WriterOutcome::Unknown
    );
    assert_eq!(
        given.store.abort_upload(&origin(), id, epoch(1)).await.unwrap(),
        WriterOutcome::Unknown
    );
    assert_eq!(
        given.finish_file(&ours, id, epoch(1), "abc").await,
        FinishOutcome::Unknown
    );
    assert_eq!(
        given.finish_inline(&ours, id, Some(epoch(1)), "abc").await,
        FinishOutcome::Unknown
    );
    assert_eq!(given.stat(&ours, &digest("abc")).await, None);
}

async fn given_file_bytes_when_finished_then_the_repository_holds_them_and_the_upload_is_gone(
    given: Setting,
) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;

    assert_eq!(
        given.finish_file(&ours, id, epoch, "layer").await,
        FinishOutcome::Created
    );

    let stat = given.stat(&ours, &digest("layer")).await.unwrap();
    let name = epoch.name(id, 0);
    assert_eq!((stat.size, stat.content), (5, file(name, "layer").content));
    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), None);
    assert_eq!(
        given.finish_file(&ours, id, epoch, "layer").await,
        FinishOutcome::Unknown
    );
    assert_eq!(
        given.store.claim_orphan(name).await.unwrap(),
        OrphanOutcome::Known
    );
}

async fn given_small_bytes_when_finished_without_an_upload_then_they_are_in_the_row(given: Setting) {
    let ours = repository("ours");

    let outcome = given.finish_inline(&ours, given.id(), None, "{}").await;

    assert_eq!(outcome, FinishOutcome::Created);
    let stat = given.stat(&ours, &digest("{}")).await.unwrap();
    assert_eq!((stat.size, stat.content), (2, BlobContent::Inline("{}".into())));
}

async fn given_extents_when_finished_without_an_upload_then_unknown_and_nothing_changed(given: Setting) {
    let (ours, id) = (repository("ours"), given.id());

    let upload = FinishUpload {
        id,
        epoch: None,
        holder: ours.clone(),
        blob: file(stray(id), "layer"),
    };

    assert_eq!(given.finish(upload).await, FinishOutcome::Unknown);
    assert_eq!(given.stat(&ours, &digest("layer")).await, None);
    assert_eq!(
        given.store.claim_orphan(stray(id)).await.unwrap(),
        OrphanOutcome::Doomed
    );
}

async fn given_an_upload_of_another_repository_when_finished_then_unknown(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (id, epoch) = given.start(&ours).await;

    assert_eq!(
        given.finish_file(&theirs, id, epoch, "layer").await,
        FinishOutcome::Unknown
    );

    assert_eq!(given.stat(&theirs, &digest("layer")).await, None);
    assert_eq!(
        given.finish_file(&ours, id, epoch, "layer").await,
        FinishOutcome::Created
    );
}

async fn given_a_digest_in_files_when_pushed_again_then_the_proved_bytes_take_their_place_once_an_hour(
    given: Setting,
) {
    // Given
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (digest, first) = given.push_file(&ours, "layer").await;
    let push = async || {
        let (id, epoch) = given.start(&theirs).await;
        (
            epoch.name(id, 0),
            given.finish_file(&theirs, id, epoch, "layer").await,
        )
    };

    // When
    let (second, renewed) = push().await;
    let (third, existed) = push().await;

    // Then
    assert_eq!(
        (renewed, existed),
        (FinishOutcome::Renewed, FinishOutcome::Existed)
    );
    let proved = file(second, "layer").content;
    for holder in [&ours, &theirs] {
        assert_eq!(given.stat(holder, &digest).await.unwrap().content, proved);
    }
    assert_eq!(given.doomed().await, []);
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [first, third]);

    given.pass(Duration::from_hours(1));
    let (fourth, renewed) = push().await;
    assert_eq!(renewed, FinishOutcome::Renewed);
    assert_eq!(
        given.stat(&ours, &digest).await.unwrap().content,
        file(fourth, "layer").content
    );
}

async fn given_a_digest_in_files_when_pushed_inline_then_the_files_are_doomed(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (digest, first) = given.push_file(&ours, "tiny").await;

    assert_eq!(
        given.finish_inline(&theirs, given.id(), None, "tiny").await,
        FinishOutcome::Renewed
    );

    assert_eq!(
        given.stat(&ours, &digest).await.unwrap().content,
        BlobContent::Inline("tiny".into())
    );
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [first]);
}

async fn given_an_inline_digest_when_pushed_as_a_file_then_the_row_stays_and_the_file_is_doomed(
    given: Setting,
) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let digest = given.push_inline(&ours, "tiny").await;
    let (id, epoch) = given.start(&theirs).await;

    assert_eq!(
        given.finish_file(&theirs, id, epoch, "tiny").await,
        FinishOutcome::Existed
    );

    assert_eq!(
        given.stat(&theirs, &digest).await.unwrap().content,
        BlobContent::Inline("tiny".into())
    );
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [epoch.name(id, 0)]);
}

async fn given_an_inline_upload_when_finished_then_it_never_had_a_location(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    given
        .store
        .save_progress(id, epoch, progress(2, Some("{}")), written(&[]))
        .await
        .unwrap();

    assert_eq!(
        given.finish_inline(&ours, id, Some(epoch), "{}").await,
        FinishOutcome::Created
    );

    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, []);
    assert_eq!(
        given.store.claim_orphan(stray(id)).await.unwrap(),
        OrphanOutcome::Doomed
    );
}

async fn given_an_upload_that_had_file_bytes_when_finished_inline_then_its_name_is_doomed(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    given
        .store
        .save_progress(
            id,
            epoch,
            progress(1, None),
            written(&[run(epoch.name(id, 0), 1)]),
        )
        .await
        .unwrap();
    given
        .store
        .save_progress(id, epoch, progress(2, Some("{}")), written(&[]))
        .await
        .unwrap();

    assert_eq!(
        given.finish_inline(&ours, id, Some(epoch), "{}").await,
        FinishOutcome::Created
    );

    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [epoch.name(id, 0)]);
    assert!(given.stat(&ours, &digest("{}")).await.is_some());
}

async fn given_an_upload_when_aborted_then_its_name_is_doomed_after_the_delay(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;

    assert_eq!(
        given.store.abort_upload(&origin(), id, epoch).await.unwrap(),
        WriterOutcome::Done
    );

    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), None);
    assert_eq!(
        given.store.abort_upload(&origin(), id, epoch).await.unwrap(),
        WriterOutcome::Unknown
    );
    assert_eq!(
        given.store.claim_orphan(epoch.name(id, 0)).await.unwrap(),
        OrphanOutcome::Known
    );
    given.pass(DOOM_DELAY - MOMENT);
    assert_eq!(given.doomed().await, []);
    given.pass(MOMENT);
    assert_eq!(given.doomed().await, [epoch.name(id, 0)]);
}

async fn given_a_lost_answer_when_the_link_is_read_then_it_names_the_upload(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (digest, first) = given.push_file(&ours, "layer").await;
    assert_eq!(
        given.stat(&ours, &digest).await.unwrap().upload,
        Some(first.upload)
    );

    let (_, second) = given.push_file(&ours, "layer").await;
    assert_eq!(
        given.stat(&ours, &digest).await.unwrap().upload,
        Some(second.upload)
    );

    given
        .store
        .mount_blob(&origin(), &ours, &theirs, &digest)
        .await
        .unwrap();
    assert_eq!(given.stat(&theirs, &digest).await.unwrap().upload, None);
    given
        .store
        .mount_blob(&origin(), &theirs, &ours, &digest)
        .await
        .unwrap();
    assert_eq!(
        given.stat(&ours, &digest).await.unwrap().upload,
        Some(second.upload)
    );
}

async fn given_uploads_when_listed_then_by_age_and_page_by_page(given: Setting) {
    let ours = repository("ours");
    let mut expected = Vec::new();
    for _ in 0..250 {
        given.pass(MOMENT);
        let id = given.id();
        given.store.create_upload(&origin(), &ours, id).await.unwrap();
        expected.push((id, given.now()));
    }
    for count in [1, 7, 100, 101, 250, 300] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = given.store.list_uploads(after, count).await.unwrap();
            assert!(page.entries.len() <= count);
            assert!(
                page.entries
                    .iter()
                    .all(|entry| entry.holder == ours && entry.epoch == epoch(1))
            );
            seen.extend(page.entries.iter().map(|entry| (entry.id, entry.touched_at)));
            after = page.entries.last().map(|entry| entry.id);
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, expected, "pages of {count}");
    }
}

async fn given_an_upload_when_touched_saved_or_claimed_then_it_is_younger(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    let touched_at = || async { given.store.list_uploads(None, 1).await.unwrap().entries[0].touched_at };

    given.pass(MOMENT);
    assert_eq!(
        given.store.touch_upload(id, epoch).await.unwrap(),
        WriterOutcome::Done
    );
    assert_eq!(touched_at().await, given.now());
    given.pass(MOMENT);
    given
        .store
        .save_progress(id, epoch, progress(1, None), written(&[]))
        .await
        .unwrap();
    assert_eq!(touched_at().await, given.now());
    given.pass(MOMENT);
    let claim = given.store.claim_upload(&ours, id).await.unwrap().unwrap();
    assert_eq!(touched_at().await, given.now());

    let entry = given.store.list_uploads(None, 1).await.unwrap().entries.remove(0);
    assert_eq!(entry.epoch, claim.epoch);
    assert_eq!(
        given
            .store
            .abort_upload(&origin(), entry.id, entry.epoch)
            .await
            .unwrap(),
        WriterOutcome::Done
    );
}

async fn given_a_listed_upload_when_expired_then_only_if_nothing_happened_to_it_since(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    let listed = || async { given.store.list_uploads(None, 1).await.unwrap().entries.remove(0) };

    // The epoch stays when bytes are saved: the acknowledged offset must stay too.
    let before = listed().await;
    given.pass(MOMENT);
    given
        .store
        .save_progress(id, epoch, progress(1, None), written(&[]))
        .await
        .unwrap();
    let outcome = given.store.expire_upload(&origin(), &before).await;
    assert_eq!(outcome.unwrap(), WriterOutcome::Fenced);
    let before = listed().await;
    given.store.claim_upload(&ours, id).await.unwrap();
    let outcome = given.store.expire_upload(&origin(), &before).await;
    assert_eq!(outcome.unwrap(), WriterOutcome::Fenced);
    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(1));

    let before = listed().await;
    let outcome = given.store.expire_upload(&origin(), &before).await;
    assert_eq!(outcome.unwrap(), WriterOutcome::Done);
    let outcome = given.store.expire_upload(&origin(), &before).await;
    assert_eq!(outcome.unwrap(), WriterOutcome::Unknown);
    given.pass(DOOM_DELAY);
    let last = crate::Epoch {
        claim: epoch.claim + 1,
        ..epoch
    };
    assert_eq!(given.doomed().await, [epoch.name(id, 0), last.name(id, 0)]);
}

async fn given_many_finished_uploads_when_listed_then_only_the_rest_and_older_ones_that_come_late(
    given: Setting,
) {
    let ours = repository("ours");
    let late = given.id();
    for _ in 0..20 {
        let (id, epoch) = given.start(&ours).await;
        given.store.abort_upload(&origin(), id, epoch).await.unwrap();
    }
    let (last, _) = given.start(&ours).await;
    let listed = || async {
        let page = given.store.list_uploads(None, 9).await.unwrap();
        page.entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [last]);
    assert_eq!(listed().await, [last]);

    given.store.create_upload(&origin(), &ours, late).await.unwrap();

    assert_eq!(listed().await, [late, last]);
}

async fn given_saved_runs_when_the_upload_is_finished_then_the_blob_has_all_of_them_in_order(given: Setting) {
    // Given two requests, the first with two runs
    let ours = repository("ours");
    let (id, first) = given.start(&ours).await;
    let runs = [run(first.name(id, 0), 2), run(first.name(id, 1), 1)];
    for (index, run) in runs.iter().enumerate() {
        let saved = Written {
            extents: vec![*run],
            is_last: index == 1,
        };
        let progress = progress(2 + index as u64, None);
        let outcome = given.store.save_progress(id, first, progress, saved).await;
        assert_eq!(outcome.unwrap(), WriterOutcome::Done);
    }
    assert_eq!(given.store.upload_extents(id).await.unwrap(), runs);
    let claim = given.store.claim_upload(&ours, id).await.unwrap().unwrap();
    assert_eq!((claim.extents, claim.progress.offset), (2, 3));

    // When
    let mut blob = file(claim.epoch.name(id, 0), "er");
    blob.digest = digest("layer");
    blob.size = 5;
    let finish = FinishUpload {
        id,
        epoch: Some(claim.epoch),
        holder: ours.clone(),
        blob,
    };
    assert_eq!(given.finish(finish).await, FinishOutcome::Created);

    // Then
    let stat = given.stat(&ours, &digest("layer")).await.unwrap();
    let last = run(claim.epoch.name(id, 0), 2);
    assert_eq!(stat.content, BlobContent::Extents(vec![runs[0], runs[1], last]));
    assert_eq!(given.store.upload_extents(id).await.unwrap(), []);
    for run in [runs[0], runs[1], last] {
        let orphan = given.store.claim_orphan(run.location).await.unwrap();
        assert_eq!(orphan, OrphanOutcome::Known);
    }
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, []);
}

async fn given_saved_runs_that_do_not_add_up_when_finished_then_refused_and_nothing_changes(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    let saved = written(&[run(epoch.name(id, 0), 7)]);
    let save = given.store.save_progress(id, epoch, progress(7, None), saved);
    save.await.unwrap();

    let finish = FinishUpload {
        id,
        epoch: Some(epoch),
        holder: ours.clone(),
        blob: file(epoch.name(id, 1), "layer"),
    };
    let refused = given.store.finish_upload(&origin(), finish).await;

    assert!(
        matches!(refused, Err(crate::MetadataError::Corrupt(_))),
        "{refused:?}"
    );
    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(7));
    assert_eq!(given.stat(&ours, &digest("layer")).await, None);
}

async fn given_saved_runs_when_the_store_has_the_digest_in_fewer_then_all_of_them_are_doomed(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (digest, first) = given.push_file(&ours, "layer").await;
    let (id, epoch) = given.start(&theirs).await;
    let saved = written(&[run(epoch.name(id, 0), 3)]);
    let save = given.store.save_progress(id, epoch, progress(3, None), saved);
    save.await.unwrap();
    let mut blob = file(epoch.name(id, 1), "er");
    (blob.digest, blob.size) = (digest, 5);
    let finish = FinishUpload {
        id,
        epoch: Some(epoch),
        holder: theirs.clone(),
        blob,
    };

    assert_eq!(given.finish(finish).await, FinishOutcome::Existed);

    let stat = given.stat(&theirs, &digest).await.unwrap();
    assert_eq!(stat.content, file(first, "layer").content);
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [epoch.name(id, 0), epoch.name(id, 1)]);
}

async fn given_saved_runs_when_the_upload_is_aborted_then_all_of_them_are_doomed(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    let saved = written(&[run(epoch.name(id, 0), 3), run(epoch.name(id, 1), 4)]);
    let save = given.store.save_progress(id, epoch, progress(7, None), saved);
    save.await.unwrap();

    given.store.abort_upload(&origin(), id, epoch).await.unwrap();

    given.pass(DOOM_DELAY);
    let names = [0, 1, 2].map(|ordinal| epoch.name(id, ordinal));
    assert_eq!(given.doomed().await, names, "the last may be under way");
    assert_eq!(given.store.upload_extents(id).await.unwrap(), []);
}

async fn given_as_many_runs_as_there_may_be_when_one_more_is_saved_then_refused(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    let count = u32::try_from(crate::MAX_EXTENTS).unwrap();
    let runs: Vec<_> = (0..count)
        .map(|ordinal| run(epoch.name(id, ordinal), 1))
        .collect();
    let (saved, more) = (written(&runs), written(&[run(epoch.name(id, count), 1)]));
    let offset = u64::from(count);

    let outcome = given
        .store
        .save_progress(id, epoch, progress(offset, None), saved)
        .await;
    let refused = given
        .store
        .save_progress(id, epoch, progress(offset + 1, None), more)
        .await;

    assert_eq!(outcome.unwrap(), WriterOutcome::Done);
    assert!(refused.is_err());
    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(offset));
    let mut blob = file(epoch.name(id, count), "");
    (blob.digest, blob.size, blob.content) = (digest("layer"), offset, BlobContent::Extents(Vec::new()));
    let finish = FinishUpload {
        id,
        epoch: Some(epoch),
        holder: ours.clone(),
        blob,
    };
    assert_eq!(given.finish(finish).await, FinishOutcome::Created);
    let stat = given
        .store
        .stat_blob(&ours, &digest("layer"), Lease::Leave)
        .await
        .unwrap();
    assert_eq!(stat.unwrap().content, BlobContent::Extents(runs));
}

async fn given_a_writer_that_did_not_say_it_was_done_when_claimed_then_its_unlisted_name_is_doomed_at_once(
    given: Setting,
) {
    let ours = repository("ours");
    let (id, first) = given.start(&ours).await;
    let saved = written(&[run(first.name(id, 0), 3)]);
    let save = given.store.save_progress(id, first, progress(3, None), saved);
    save.await.unwrap();

    let second = given.store.claim_upload(&ours, id).await.unwrap().unwrap();
    let third = given.store.claim_upload(&ours, id).await.unwrap().unwrap();

    assert_eq!((second.extents, third.extents), (1, 1));
    given.pass(DOOM_DELAY);
    assert_eq!(
        given.doomed().await,
        [first.name(id, 1), second.epoch.name(id, 0)]
    );
}

async fn given_a_writer_that_said_it_was_done_when_claimed_then_nothing_is_doomed(given: Setting) {
    let ours = repository("ours");
    let (id, first) = given.start(&ours).await;
    let saved = Written {
        extents: vec![run(first.name(id, 0), 3)],
        is_last: true,
    };
    let save = given.store.save_progress(id, first, progress(3, None), saved);
    save.await.unwrap();

    given.store.claim_upload(&ours, id).await.unwrap().unwrap();

    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, []);
}

async fn given_an_open_upload_when_its_names_are_swept_then_they_are_known(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    for name in [epoch.name(id, 0), epoch.name(id, 7), stray(id)] {
        assert_eq!(given.store.find_orphans(&[name]).await.unwrap(), []);
        assert_eq!(
            given.store.claim_orphan(name).await.unwrap(),
            OrphanOutcome::Known
        );
    }
}

async fn given_a_doomed_name_that_is_read_when_postponed_then_it_waits_for_the_delay_again(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    given.store.abort_upload(&origin(), id, epoch).await.unwrap();
    given.pass(DOOM_DELAY);
    let name = epoch.name(id, 0);
    assert_eq!(given.doomed().await, [name]);

    given.store.postpone_deletion(name).await.unwrap();

    assert_eq!(given.doomed().await, []);
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [name]);
    given.store.forget_location(name).await.unwrap();
    assert_eq!(given.doomed().await, []);
    let (_, live) = given.push_file(&ours, "layer").await;
    given.store.postpone_deletion(live).await.unwrap();
    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [], "a live name is left alone");
}
