//! Values that are parsed once, at the edge.

pub(crate) mod byte_size;
pub(crate) mod duration;
pub(crate) mod issuer;
pub(crate) mod keyword;
pub(crate) mod network;
pub(crate) mod text;
pub(crate) mod version;
