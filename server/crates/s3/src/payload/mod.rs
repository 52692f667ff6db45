//! How bodies are sent (API reference, "Authenticating Requests", header `x-amz-content-sha256`).

mod chunk_header;
mod content;
mod declared;
mod decoder;
mod signer;
mod trailer;

pub use content::{ChunkedPayload, ContentSha256};
pub use declared::{BodyRule, DeclaredPayload, Payload};
pub use decoder::ChunkDecoder;
pub(crate) use signer::ChunkSigner;
pub use trailer::Trailers;

#[cfg(test)]
mod tests;
