use std::time::Duration;

use zas_core::{Algorithm, Hashing};

use super::cases;
use super::setting::{DOOM_DELAY, MOMENT, Setting, digest, file, origin, progress, repository};
use crate::{BlobContent, Epoch, FinishOutcome, FinishUpload, OrphanOutcome, Progress, WriterOutcome};

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
    given_uploads_when_listed_then_by_age_and_page_by_page,
    given_an_upload_when_touched_saved_or_claimed_then_it_is_younger,
    given_many_finished_uploads_when_listed_then_only_the_rest_and_older_ones_that_come_late,
];

async fn given_a_new_upload_when_asked_then_it_has_no_bytes_and_belongs_to_its_repository(given: Setting) {
    let (ours, theirs, id) = (repository("ours"), repository("theirs"), given.id());

    assert_eq!(
        given.store.create_upload(&origin(), &ours, id).await.unwrap(),
        Epoch(1)
    );

    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), Some(0));
    assert_eq!(given.store.stat_upload(&theirs, id).await.unwrap(), None);
    assert_eq!(given.store.claim_upload(&theirs, id).await.unwrap(), None);
    let claim = given.store.claim_upload(&ours, id).await.unwrap().unwrap();
    assert_eq!((claim.epoch, claim.progress), (Epoch(2), Progress::default()));
}

async fn given_the_same_creation_twice_when_claimed_between_then_the_claim_stands(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    given
        .store
        .save_progress(id, epoch, progress(3, None))
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

    let outcome = given.store.save_progress(id, epoch, saved.clone()).await.unwrap();

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
            .save_progress(id, first, progress(9, None))
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
            .save_progress(id, Epoch(1), progress(1, None))
            .await
            .unwrap(),
        WriterOutcome::Unknown
    );
    assert_eq!(
        given.store.touch_upload(id, Epoch(1)).await.unwrap(),
        WriterOutcome::Unknown
    );
    assert_eq!(
        given.store.abort_upload(&origin(), id, Epoch(1)).await.unwrap(),
        WriterOutcome::Unknown
    );
    assert_eq!(
        given.finish_file(&ours, id, Epoch(1), "abc").await,
        FinishOutcome::Unknown
    );
    assert_eq!(
        given.finish_inline(&ours, id, Some(Epoch(1)), "abc").await,
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
    assert_eq!((stat.size, stat.content), (5, file(id, "layer").content));
    assert_eq!(given.store.stat_upload(&ours, id).await.unwrap(), None);
    assert_eq!(
        given.finish_file(&ours, id, epoch, "layer").await,
        FinishOutcome::Unknown
    );
    assert_eq!(given.store.claim_orphan(id).await.unwrap(), OrphanOutcome::Known);
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
        blob: file(id, "layer"),
    };

    assert_eq!(given.finish(upload).await, FinishOutcome::Unknown);
    assert_eq!(given.stat(&ours, &digest("layer")).await, None);
    assert_eq!(given.store.claim_orphan(id).await.unwrap(), OrphanOutcome::Doomed);
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
        (id, given.finish_file(&theirs, id, epoch, "layer").await)
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
    assert_eq!(given.doomed().await, [id]);
}

async fn given_an_inline_upload_when_finished_then_it_never_had_a_location(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    given
        .store
        .save_progress(id, epoch, progress(2, Some("{}")))
        .await
        .unwrap();

    assert_eq!(
        given.finish_inline(&ours, id, Some(epoch), "{}").await,
        FinishOutcome::Created
    );

    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, []);
    assert_eq!(given.store.claim_orphan(id).await.unwrap(), OrphanOutcome::Doomed);
}

async fn given_an_upload_that_had_file_bytes_when_finished_inline_then_its_name_is_doomed(given: Setting) {
    let ours = repository("ours");
    let (id, epoch) = given.start(&ours).await;
    given
        .store
        .save_progress(id, epoch, progress(1, None))
        .await
        .unwrap();
    given
        .store
        .save_progress(id, epoch, progress(2, Some("{}")))
        .await
        .unwrap();

    assert_eq!(
        given.finish_inline(&ours, id, Some(epoch), "{}").await,
        FinishOutcome::Created
    );

    given.pass(DOOM_DELAY);
    assert_eq!(given.doomed().await, [id]);
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
    assert_eq!(given.store.claim_orphan(id).await.unwrap(), OrphanOutcome::Known);
    given.pass(DOOM_DELAY - MOMENT);
    assert_eq!(given.doomed().await, []);
    given.pass(MOMENT);
    assert_eq!(given.doomed().await, [id]);
}

async fn given_a_lost_answer_when_the_link_is_read_then_it_names_the_upload(given: Setting) {
    let (ours, theirs) = (repository("ours"), repository("theirs"));
    let (digest, first) = given.push_file(&ours, "layer").await;
    assert_eq!(given.stat(&ours, &digest).await.unwrap().upload, Some(first));

    let (_, second) = given.push_file(&ours, "layer").await;
    assert_eq!(given.stat(&ours, &digest).await.unwrap().upload, Some(second));

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
    assert_eq!(given.stat(&ours, &digest).await.unwrap().upload, Some(second));
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
                    .all(|entry| entry.holder == ours && entry.epoch == Epoch(1))
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
        .save_progress(id, epoch, progress(1, None))
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
        .save_progress(id, epoch, progress(1, None))
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
    assert_eq!(given.doomed().await, [id]);
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
