//! The Kubernetes API of Zot Artifact Store: types, schema and rules, nothing else.
