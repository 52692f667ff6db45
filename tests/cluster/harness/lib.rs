//! Starts and stops a real Kubernetes for tests.
