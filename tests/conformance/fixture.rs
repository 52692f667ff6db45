//! What one case gets: clients, repositories and seeds that no other case shares.

use std::cell::Cell;

use zas_tests::{Client, Repository, Transcript};

use crate::environment::{Environment, user};

/// The surroundings of one case.
#[derive(Debug)]
pub(crate) struct Fixture<'a> {
    /// May do everything in repositories without rules of their own.
    pub(crate) client: Client,
    /// The server and its rules.
    pub(crate) environment: &'a Environment,
    number: u64,
    used: Cell<u64>,
}

impl<'a> Fixture<'a> {
    /// The surroundings of the case with this number, whose exchanges go to `transcript`.
    pub(crate) fn new(environment: &'a Environment, number: u64, transcript: Transcript) -> Self {
        let client = environment.client.with_transcript(transcript);
        Self {
            client,
            environment,
            number,
            used: Cell::new(0),
        }
    }

    /// A repository that nobody has used.
    pub(crate) fn repository(&self) -> Repository {
        self.repository_under("conformance")
    }

    /// A repository that nobody has used, under a prefix with rules of its own.
    pub(crate) fn repository_under(&self, prefix: &str) -> Repository {
        let name = format!("{prefix}/n{:03}-{}", self.number, self.next());
        Repository::new(&self.client, &name)
    }

    /// A seed that nobody has used, so that no other case has pushed the same content.
    pub(crate) fn seed(&self) -> u64 {
        self.number * 10_000 + self.next()
    }

    /// A client that has not signed in.
    pub(crate) fn anonymous(&self) -> Client {
        self.client.with_credentials(None)
    }

    /// A client signed in as a user that the server knows: alice, bob, carol or dave.
    pub(crate) fn signed_in(&self, name: &str) -> Client {
        self.client.with_credentials(Some(user(name)))
    }

    fn next(&self) -> u64 {
        self.used.set(self.used.get() + 1);
        self.used.get()
    }
}
