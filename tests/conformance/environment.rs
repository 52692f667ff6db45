//! The server that the cases run on, and who may do what there.

use std::env;

use serde_json::{Value, json};
use zas_tests::{Blobs, Client, Credentials, Metadata, Server};

/// How many tags or repositories one page has unless the client asks for fewer. Larger than what the data sets
/// need on one page, small enough that a case can exceed it.
pub(crate) const PAGE_SIZE: usize = 20;

/// How many referrers one page has.
pub(crate) const REFERRERS_PAGE: usize = 8;

/// How many bytes of descriptors one page of referrers has.
pub(crate) const REFERRERS_PAGE_BYTES: usize = 64 * 1024;

/// Everything a user may be allowed to do.
const EVERYTHING: [&str; 4] = ["read", "create", "update", "delete"];

/// A server and the client of somebody who may do everything there.
#[derive(Debug)]
pub(crate) struct Environment {
    /// May do everything in repositories without rules of their own.
    pub(crate) client: Client,
    server: Option<Server>,
}

impl Environment {
    /// Starts a server of our own.
    pub(crate) fn start((metadata, blobs): (Metadata, Blobs), has_login: bool, has_tls: bool) -> Self {
        let mut builder = Server::builder()
            .metadata(metadata)
            .blobs(blobs)
            .access_control(access_rules(has_login))
            .missing_references("sparse/**", "Accept")
            .missing_references("strict/**", "Refuse")
            .limits(json!({
                "pageSize": PAGE_SIZE,
                "referrersPage": {"count": REFERRERS_PAGE, "size": REFERRERS_PAGE_BYTES},
                "requestHeaderTimeout": "3s",
                "requestIdleTimeout": "3s",
            }));
        for name in ["alice", "bob", "carol", "dave"] {
            builder = builder.user(user(name));
        }
        let server = if has_tls { builder.tls() } else { builder }.start();
        let credentials = has_login.then(|| user("alice"));
        Self {
            client: server.client().with_credentials(credentials),
            server: Some(server),
        }
    }

    /// A registry that runs already. Its configuration is unknown, so some cases may fail there.
    pub(crate) fn running() -> Self {
        let address =
            env::var("ZAS_TEST_TARGET").expect("set ZAS_TEST_TARGET to the address of the registry");
        Self {
            client: Client::new(&address, None),
            server: None,
        }
    }

    /// The listener for probes and metrics, when the server is ours.
    pub(crate) fn operations(&self) -> Option<Client> {
        self.server.as_ref().map(Server::operations)
    }
}

/// The credentials of a user that the server knows.
pub(crate) fn user(name: &str) -> Credentials {
    Credentials::new(name, &format!("password of {name}"))
}

fn access_rules(has_login: bool) -> Value {
    let alice = json!({"users": ["alice"], "actions": EVERYTHING});
    let everywhere = if has_login {
        json!({"policies": [alice]})
    } else {
        json!({"anonymousPolicy": EVERYTHING, "defaultPolicy": EVERYTHING})
    };
    json!({
        "groups": {"developers": {"users": ["bob"]}},
        "repositories": {
            "**": everywhere,
            "private/**": {"policies": [alice, {"users": ["bob"], "actions": ["read"]}]},
            "published/**": {"policies": [alice], "defaultPolicy": ["read"], "anonymousPolicy": ["read"]},
            "immutable/**": {"policies": [alice, {"users": ["carol"], "actions": ["read", "create"]}]},
            "team/**": {"policies": [alice, {"groups": ["developers"], "actions": ["read", "create"]}],
                        "defaultPolicy": ["read", "create"]},
            "team/closed/**": {"policies": [alice]},
        },
    })
}
