//! Which stores may be used together.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use zas_core::{Digest, LocationName};

use super::*;
use crate::services::auth::Granted;
use crate::services::capacity::Client;
use crate::services::registry::{Registry, RegistryParts};

const CONTENT: usize = 40_000;

/// A folder with the stores of a server in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn blobs(&self) -> std::path::PathBuf {
        self.0.path().join("blobs")
    }

    /// What a server with its rows in memory does when it starts here.
    async fn start(&self, adopt: bool) -> Result<Option<Stores>, AppError> {
        start(&self.blobs(), adopt, &CancellationToken::new()).await
    }
}

async fn start(blobs: &Path, adopt: bool, stop: &CancellationToken) -> Result<Option<Stores>, AppError> {
    let configuration = configuration(blobs);
    open(&configuration, adopt, &Clocks::system(), &Status::default(), stop).await
}

fn configuration(blobs: &Path) -> Configuration {
    let text = json!({
        "configVersion": 1,
        "storage": {
            "metadata": {"engine": "memory"},
            "blobs": {"path": blobs, "reserve": 0},
        },
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text.to_string()).unwrap();
    Configuration::load_files(&[file.path().to_owned()], []).unwrap()
}

async fn push(stores: &Stores, folder: &Folder) -> LocationName {
    let parts = RegistryParts {
        metadata: Arc::clone(&stores.metadata),
        blobs: Arc::clone(&stores.blobs),
        clock: Clocks::system().wall,
        ids: Arc::new(SystemIds::default()),
    };
    let configuration = configuration(&folder.blobs());
    let registry = Registry::new(parts, settings::registry(&configuration), 1 << 20);
    let bytes = bytes::Bytes::from(vec![7; CONTENT]);
    let digest = Digest::sha256_of(&bytes);
    let body = Box::pin(futures_util::stream::iter([Ok(bytes)]));
    let ours = "ours/layers".parse().unwrap();
    registry
        .push_blob(Granted::in_test(&ours), Client::default(), digest, None, body)
        .await
        .unwrap();
    let names = stores.blobs.scan(None, 10).await.unwrap();
    *names.first().unwrap()
}

#[tokio::test]
async fn given_a_folder_with_blobs_when_started_without_their_rows_then_refused_with_what_to_do() {
    // Given
    let folder = Folder::new();
    let stores = folder.start(false).await.unwrap().unwrap();
    let name = push(&stores, &folder).await;
    drop(stores);

    // When
    let refused = folder.start(false).await;

    // Then
    let Err(AppError::ForeignData(text)) = refused else {
        panic!("{refused:?}");
    };
    for part in [
        "no rows",
        "storage.blobs.path",
        "mounted",
        "--adopt",
        "blobs (store ",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let adopted = folder.start(true).await.unwrap().unwrap();
    assert_eq!(adopted.blobs.scan(None, 10).await.unwrap(), [name]);
    assert_eq!(
        adopted.metadata.store_id().await.unwrap(),
        adopted.blobs.store_id().await.unwrap()
    );
}

#[tokio::test]
async fn given_a_running_server_when_another_is_pointed_at_its_blobs_then_refused_at_once() {
    let folder = Folder::new();
    let running = folder.start(false).await.unwrap().unwrap();
    push(&running, &folder).await;

    let refused = folder.start(false).await;

    assert!(matches!(refused, Err(AppError::ForeignData(_))), "{refused:?}");
}

#[tokio::test]
async fn given_a_running_server_over_an_empty_folder_when_another_starts_there_then_it_waits() {
    let folder = Folder::new();
    let running = folder.start(false).await.unwrap().unwrap();
    let stop = CancellationToken::new();
    stop.cancel();

    let stopped = start(&folder.blobs(), false, &stop).await.unwrap();

    assert!(stopped.is_none(), "the folder is in use");
    drop(running);
    assert!(start(&folder.blobs(), false, &stop).await.unwrap().is_some());
}

#[tokio::test]
async fn given_a_first_start_when_it_ends_then_rows_and_bytes_have_one_id() {
    let folder = Folder::new();
    let stores = folder.start(false).await.unwrap().unwrap();
    let id = stores.blobs.store_id().await.unwrap();
    assert!(id.is_some());
    assert_eq!(stores.metadata.store_id().await.unwrap(), id);
}
