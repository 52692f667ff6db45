//! Images with real file systems in them, as an OCI image layout: the form that every client can push.

use std::fs;

use serde_json::{Value, json};
use zas_tests::{Algorithm, Blob, Document, Index, media_type, random_bytes};

use crate::workstation::Workstation;

/// The name of the image inside the layout.
pub(crate) const TAG: &str = "v1";

/// The architectures of a multi-platform image.
pub(crate) const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// A layout in a directory of the workstation that holds one image or index under [`TAG`].
#[derive(Debug)]
pub(crate) struct ImageLayout {
    /// The directory, relative to the home directory.
    pub(crate) directory: String,
    /// The image manifest or index that the tag names.
    pub(crate) root: Document,
    /// The image manifests: the root itself, or the children of the index.
    pub(crate) images: Vec<Document>,
}

impl ImageLayout {
    /// One image for this kind of machine.
    pub(crate) fn single(station: &Workstation, directory: &str) -> Self {
        let image = write_image(station, directory, "amd64", 1);
        finish(station, directory, image.clone(), vec![image])
    }

    /// An index of one image per architecture, each with its own files.
    pub(crate) fn multi_platform(station: &Workstation, directory: &str) -> Self {
        let numbered = (1..).zip(ARCHITECTURES);
        let images: Vec<Document> = numbered
            .map(|(seed, architecture)| write_image(station, directory, architecture, seed))
            .collect();
        let platforms = images.iter().zip(ARCHITECTURES);
        let index = platforms
            .fold(Index::new(), |index, (image, name)| index.platform(image, name))
            .build();
        write_blob(station, directory, &index.digest, &index.bytes);
        finish(station, directory, index, images)
    }
}

fn write_image(station: &Workstation, directory: &str, architecture: &str, seed: u64) -> Document {
    let layers = [layer(station, architecture, seed), layer(station, "notes", 100)];
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/bin/hello"]},
        "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|layer| &layer.uncompressed).collect::<Vec<_>>()},
        "history": [{"created_by": "test"}, {"created_by": "test"}],
    });
    let config = Blob::new(config.to_string());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::MANIFEST,
        "config": config.descriptor(media_type::CONFIG),
        "layers": layers.iter().map(|layer| layer.blob.descriptor(media_type::LAYER_GZIP)).collect::<Vec<Value>>(),
    });
    let manifest = Document::new(&manifest, media_type::MANIFEST, Algorithm::Sha256);
    for blob in layers.iter().map(|layer| &layer.blob).chain([&config]) {
        write_blob(station, directory, &blob.digest, &blob.bytes);
    }
    write_blob(station, directory, &manifest.digest, &manifest.bytes);
    manifest
}

/// A compressed file system, and the digest of what it unpacks to.
struct Layer {
    blob: Blob,
    uncompressed: String,
}

/// An archive with a text and some incompressible bytes. Two images share one of the same name and seed.
fn layer(station: &Workstation, name: &str, seed: u64) -> Layer {
    let tree = format!("tree-{name}-{seed}");
    station.write(&format!("{tree}/etc/{name}"), format!("{name} {seed}\n"));
    station.write(&format!("{tree}/data/{name}.bin"), random_bytes(seed, 300_000));
    let archive = format!("{tree}.tar");
    let reproducible = [
        "--sort=name",
        "--mtime=@0",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mode=u=rwX,go=rX",
    ];
    let target = ["-C", &tree, "-cf", &archive, "etc", "data"];
    station.run("tar", &[&reproducible[..], &target[..]].concat());
    let uncompressed = Blob::new(station.read(&archive)).digest;
    station.run("gzip", &["--no-name", "--force", &archive]);
    Layer {
        blob: Blob::new(station.read(&format!("{archive}.gz"))),
        uncompressed,
    }
}

fn write_blob(station: &Workstation, directory: &str, digest: &str, bytes: &[u8]) {
    station.write(&format!("{directory}/blobs/{}", digest.replace(':', "/")), bytes);
}

fn finish(station: &Workstation, directory: &str, root: Document, images: Vec<Document>) -> ImageLayout {
    let mut entry = root.descriptor();
    entry["annotations"] = json!({"org.opencontainers.image.ref.name": TAG});
    let index = json!({"schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": [entry]});
    station.write(&format!("{directory}/index.json"), index.to_string());
    station.write(
        &format!("{directory}/oci-layout"),
        json!({"imageLayoutVersion": "1.0.0"}).to_string(),
    );
    ImageLayout {
        directory: directory.to_owned(),
        root,
        images,
    }
}

/// The digest of the only entry of a layout that a client wrote.
#[track_caller]
pub(crate) fn digest_in(station: &Workstation, directory: &str) -> String {
    let index: Value =
        serde_json::from_slice(&station.read(&format!("{directory}/index.json"))).expect("an index");
    index["manifests"][0]["digest"]
        .as_str()
        .expect("an entry with a digest")
        .to_owned()
}

/// Demands that a layout written by a client holds every blob of `images`, unchanged.
#[track_caller]
pub(crate) fn assert_holds(station: &Workstation, directory: &str, images: &[Document]) {
    for image in images {
        let manifest = image.json();
        let layers = manifest["layers"].as_array().expect("layers").iter();
        for descriptor in layers.chain([&manifest["config"]]) {
            let digest = descriptor["digest"].as_str().expect("a digest");
            let file = station.path(&format!("{directory}/blobs/{}", digest.replace(':', "/")));
            let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert_eq!(Blob::new(bytes).digest, digest, "the pulled blob differs");
        }
    }
}
