//! An issuer for tests: it signs with a key of its own, and serves it over HTTP on the loopback.
