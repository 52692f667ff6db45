//! The operator against a real control plane.
