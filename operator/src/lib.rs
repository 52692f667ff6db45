//! Makes the cluster match the `ZotArtifactStore` resources.
