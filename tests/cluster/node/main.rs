//! The operator and the server on a real node.
