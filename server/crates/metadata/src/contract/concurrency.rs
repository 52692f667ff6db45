use std::future::Future;
use std::sync::Arc;

use tokio::task::JoinSet;
use zas_core::LocationName;

use super::cases;
use super::setting::{
    DOOM_DELAY, Describe as _, LEASE, MOMENT, Setting, digest, manifest, origin, repository, tag,
};
use crate::{
    CommitOutcome, DeleteManifestOutcome, FinishOutcome, MountOutcome, Precondition, Presence, ReapOutcome,
    SharedManifest,
};

cases![
    given_many_creators_of_one_tag_when_they_race_then_exactly_one_wins,
    given_many_movers_from_one_digest_when_they_race_then_exactly_one_wins,
    given_many_pushes_of_one_digest_when_they_race_then_one_copy_lives_and_the_others_are_doomed,
    given_many_writers_of_one_upload_when_they_claim_then_only_the_last_may_finish,
    given_mounts_and_reaps_when_they_race_then_a_mounted_blob_has_its_bytes,
    given_renewals_and_reaps_when_they_race_then_a_positive_answer_holds,
    given_commits_and_reaps_when_they_race_then_a_committed_manifest_has_its_blobs,
    given_pushes_and_deletes_of_manifests_when_they_race_then_no_reader_meets_half_a_manifest,
    given_moving_tags_when_read_all_the_time_then_they_always_resolve,
    given_many_changes_at_once_when_answered_then_every_one_is_there,
    given_a_caller_that_goes_away_when_its_change_runs_then_the_others_are_answered,
];

/// Runs all at once and gives the answers in any order.
async fn all<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tasks.into_iter().collect::<JoinSet<T>>().join_all().await
}

async fn given_many_creators_of_one_tag_when_they_race_then_exactly_one_wins(given: Setting) {
    let pushes = (0..50).map(|number| {
        let given = given.clone();
        async move {
            let body = format!("{{{number}}}");
            let image = manifest(&repository("ours"), &body).tagged("t", Precondition::Absent);
            (digest(&body), given.commit(image).await)
        }
    });

    let outcomes = all(pushes).await;

    let is_winner = |outcome: &CommitOutcome| matches!(outcome, CommitOutcome::Committed { displaced, .. } if displaced.is_empty());
    let winners: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| is_winner(outcome))
        .collect();
    assert_eq!(winners.len(), 1);
    let conflict = CommitOutcome::TagConflict(vec![tag("t")]);
    assert_eq!(
        outcomes
            .iter()
            .filter(|(_, outcome)| *outcome == conflict)
            .count(),
        49
    );
    let pointed_to = given
        .store
        .resolve_tag(&repository("ours"), &tag("t"))
        .await
        .unwrap();
    assert_eq!(pointed_to, Some(winners[0].0));
}

async fn given_many_movers_from_one_digest_when_they_race_then_exactly_one_wins(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{start}").tagged("t", Precondition::Absent))
        .await;
    let moves = (0..50).map(|number| {
        let given = given.clone();
        async move {
            let from_start = Precondition::Equals(digest("{start}"));
            given
                .commit(manifest(&repository("ours"), &format!("{{{number}}}")).tagged("t", from_start))
                .await
        }
    });

    let outcomes = all(moves).await;

    let moved = CommitOutcome::Committed {
        created: true,
        displaced: vec![(tag("t"), digest("{start}"))],
    };
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == moved).count(), 1);
}

async fn given_many_pushes_of_one_digest_when_they_race_then_one_copy_lives_and_the_others_are_doomed(
    given: Setting,
) {
    let pushes = (0..30).map(|number| {
        let given = given.clone();
        async move {
            let holder = repository(&format!("team/{}", number % 3));
            let (id, epoch) = given.start(&holder).await;
            (
                epoch.name(id, 0),
                given.finish_file(&holder, id, epoch, "layer").await,
            )
        }
    });

    let outcomes = all(pushes).await;

    let created: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == FinishOutcome::Created)
        .collect();
    assert_eq!(created.len(), 1);
    // The second takes the place of the first.
    let is_last = |(_, outcome): &&(LocationName, FinishOutcome)| *outcome == FinishOutcome::Renewed;
    let last: Vec<_> = outcomes.iter().filter(is_last).collect();
    assert_eq!(last.len(), 1);
    given.pass(DOOM_DELAY);
    let doomed = given.doomed().await;
    assert_eq!(doomed.len(), 29);
    assert!(!doomed.contains(&last[0].0));
    let stat = given.stat(&repository("team/1"), &digest("layer")).await.unwrap();
    assert_eq!(stat.content, super::setting::file(last[0].0, "layer").content);
}

async fn given_many_writers_of_one_upload_when_they_claim_then_only_the_last_may_finish(given: Setting) {
    let ours = repository("ours");
    let (id, _) = given.start(&ours).await;
    let claims = (0..20).map(|_| {
        let (given, ours) = (given.clone(), ours.clone());
        async move { given.store.claim_upload(&ours, id).await.unwrap().unwrap().epoch }
    });
    let mut epochs = all(claims).await;
    epochs.sort();
    epochs.dedup();
    assert_eq!(epochs.len(), 20);

    let finishes = epochs.iter().copied().map(|epoch| {
        let (given, ours) = (given.clone(), ours.clone());
        async move { (epoch, given.finish_file(&ours, id, epoch, "layer").await) }
    });
    let finished = all(finishes).await;

    let created: Vec<_> = finished
        .iter()
        .filter(|(_, outcome)| *outcome == FinishOutcome::Created)
        .collect();
    assert_eq!(created.len(), 1);
    assert_eq!(created[0].0, epochs[19]);
}

async fn given_mounts_and_reaps_when_they_race_then_a_mounted_blob_has_its_bytes(given: Setting) {
    for round in 0..20 {
        let content = format!("layer {round}");
        let source = repository(&format!("source/{round}"));
        let (layer, name) = given.push_file(&source, &content).await;
        given.pass(LEASE);
        let due = given.store.take_due(10_000).await.unwrap();
        let reap = {
            let given = given.clone();
            async move {
                for due in due {
                    given.store.reap(&due).await.unwrap();
                }
                Vec::new()
            }
        };
        let mounts = (0..8).map(|number| {
            let (given, source, target) = (
                given.clone(),
                source.clone(),
                repository(&format!("target/{number}")),
            );
            async move {
                let outcome = given
                    .store
                    .mount_blob(&origin(), &source, &target, &layer)
                    .await
                    .unwrap();
                if outcome == MountOutcome::Mounted {
                    vec![target]
                } else {
                    Vec::new()
                }
            }
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(reap);
        for mount in mounts {
            tasks.spawn(mount);
        }
        let mounted = tasks.join_all().await.concat();

        given.pass(DOOM_DELAY);
        let doomed = given.doomed().await;
        for target in &mounted {
            assert!(
                given.stat(target, &layer).await.is_some(),
                "round {round}: mounted into {target} and lost"
            );
        }
        assert_eq!(
            doomed.contains(&name),
            mounted.is_empty(),
            "round {round}: {mounted:?}"
        );
        for name in doomed {
            given.store.forget_location(name).await.unwrap();
        }
    }
}

async fn given_renewals_and_reaps_when_they_race_then_a_positive_answer_holds(given: Setting) {
    let ours = repository("ours");
    for round in 0..20 {
        let (layer, name) = given.push_file(&ours, &format!("layer {round}")).await;
        given.pass(LEASE);
        let renewals = (0..8).map(|_| {
            let (given, ours) = (given.clone(), ours.clone());
            async move { given.renew(&ours, &layer).await.is_some() }
        });
        let reap = {
            let given = given.clone();
            async move {
                given.collect().await;
                false
            }
        };
        let mut tasks: JoinSet<bool> = renewals.collect();
        tasks.spawn(reap);
        let was_promised = tasks.join_all().await.into_iter().any(|promised| promised);

        assert_eq!(
            given.stat(&ours, &layer).await.is_some(),
            was_promised,
            "round {round}"
        );
        given.pass(DOOM_DELAY);
        assert_eq!(
            given.doomed().await.contains(&name),
            !was_promised,
            "round {round}"
        );
        given.store.forget_location(name).await.unwrap();
    }
}

async fn given_commits_and_reaps_when_they_race_then_a_committed_manifest_has_its_blobs(given: Setting) {
    let ours = repository("ours");
    for round in 0..20 {
        let (layer, _) = given.push_file(&ours, &format!("layer {round}")).await;
        given.pass(LEASE);
        let commit = {
            let (given, ours) = (given.clone(), ours.clone());
            async move {
                let image = manifest(&ours, &format!("{{{round}}}")).refers(&layer, Presence::Blob);
                Some(given.commit(image).await)
            }
        };
        let reap = {
            let given = given.clone();
            async move {
                given.collect().await;
                None
            }
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(commit);
        tasks.spawn(reap);
        let outcome = tasks.join_all().await.into_iter().flatten().next().unwrap();

        let is_there = given.stat(&ours, &layer).await.is_some();
        match outcome {
            CommitOutcome::Committed { .. } => assert!(is_there, "round {round}: committed and lost"),
            CommitOutcome::Missing(missing) => assert_eq!((missing, is_there), (vec![layer], false)),
            CommitOutcome::TagConflict(_) => panic!("there are no tags"),
            CommitOutcome::TypeConflict(_) => panic!("there is one media type"),
        }
        given.pass(LEASE);
        given.collect().await;
        assert_eq!(given.stat(&ours, &layer).await.is_some(), is_there);
    }
}

async fn given_pushes_and_deletes_of_manifests_when_they_race_then_no_reader_meets_half_a_manifest(
    given: Setting,
) {
    let ours = repository("ours");
    let tasks = (0..8).map(|number| {
        let (given, ours) = (given.clone(), ours.clone());
        async move {
            let by_digest = zas_core::Reference::Digest(digest("{m}"));
            let by_tag = zas_core::Reference::Tag(tag("t"));
            for _ in 0..50 {
                match number % 4 {
                    0 => drop(
                        given
                            .commit(manifest(&ours, "{m}").tagged("t", Precondition::Any))
                            .await,
                    ),
                    1 => drop(
                        given
                            .store
                            .delete_manifest(&origin(), &ours, &digest("{m}"), SharedManifest::Delete)
                            .await
                            .unwrap(),
                    ),
                    2 => assert!(is_whole(
                        given.store.resolve_manifest(&ours, &by_digest).await.unwrap()
                    )),
                    _ => assert!(is_whole(
                        given.store.resolve_manifest(&ours, &by_tag).await.unwrap()
                    )),
                }
            }
        }
    });
    all(tasks).await;

    given
        .store
        .delete_manifest(&origin(), &ours, &digest("{m}"), SharedManifest::Delete)
        .await
        .unwrap();
    assert_eq!(given.store.list_tags(&ours, None, 9).await.unwrap(), None);
}

fn is_whole(manifest: Option<crate::StoredManifest>) -> bool {
    manifest.is_none_or(|manifest| digest(std::str::from_utf8(&manifest.body).unwrap()) == manifest.digest)
}

async fn given_moving_tags_when_read_all_the_time_then_they_always_resolve(given: Setting) {
    let ours = repository("ours");
    given
        .commit(manifest(&ours, "{start}").tagged("t", Precondition::Any))
        .await;
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let readers = (0..4).map(|_| {
        let (given, ours, stop) = (given.clone(), ours.clone(), Arc::clone(&stop));
        async move {
            let reference = zas_core::Reference::Tag(tag("t"));
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                assert!(
                    given
                        .store
                        .resolve_manifest(&ours, &reference)
                        .await
                        .unwrap()
                        .is_some()
                );
                tokio::task::yield_now().await;
            }
        }
    });
    let readers: JoinSet<()> = readers.collect();

    let mut last = "{start}".to_owned();
    for number in 0..100 {
        let next = format!("{{{number}}}");
        given
            .commit(manifest(&ours, &next).tagged("t", Precondition::Any))
            .await;
        let deleted = given
            .store
            .delete_manifest(&origin(), &ours, &digest(&last), SharedManifest::Delete)
            .await
            .unwrap();
        assert_eq!(deleted, DeleteManifestOutcome::Deleted);
        last = next;
    }

    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    readers.join_all().await;
}

async fn given_many_changes_at_once_when_answered_then_every_one_is_there(given: Setting) {
    let pushes = (0..400).map(|number| {
        let given = given.clone();
        async move {
            let ours = repository(&format!("team/{}", number % 7));
            let (layer, _) = given.push_file(&ours, &format!("layer {number}")).await;
            let image = manifest(&ours, &format!("{{{number}}}"))
                .refers(&layer, Presence::Blob)
                .tagged(&format!("t{number}"), Precondition::Absent);
            let outcome = given.commit(image).await;
            // Read your own write, at once.
            assert!(
                given
                    .store
                    .resolve_tag(&ours, &tag(&format!("t{number}")))
                    .await
                    .unwrap()
                    .is_some()
            );
            outcome
        }
    });
    let outcomes = all(pushes).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome == super::setting::committed(true))
    );

    let mut tags = 0;
    for number in 0..7 {
        let page = given
            .store
            .list_tags(&repository(&format!("team/{number}")), None, 1000)
            .await
            .unwrap();
        tags += page.unwrap().entries.len();
    }
    assert_eq!(tags, 400);
    given.pass(LEASE);
    let outcomes = given.outcomes().await;
    assert_eq!(outcomes.len(), 400);
    assert!(outcomes.iter().all(|outcome| *outcome == ReapOutcome::Kept(None)));
}

async fn given_a_caller_that_goes_away_when_its_change_runs_then_the_others_are_answered(given: Setting) {
    let ours = repository("ours");
    for number in 0..50 {
        let (store, image) = (given.store.clone(), manifest(&ours, &format!("{{{number}}}")));
        let gone = tokio::spawn(async move { store.commit_manifest(&origin(), image).await });
        tokio::task::yield_now().await;
        gone.abort();
    }
    given.pass(MOMENT);
    assert_eq!(
        given.commit(manifest(&ours, "{last}")).await,
        super::setting::committed(true)
    );
    given.store.ping().await.unwrap();
}
