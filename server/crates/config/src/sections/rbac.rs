//! Users of other systems, by the tokens that those sign.

use std::path::PathBuf;

use crate::section::section;
use crate::{IssuerUrl, NamePrefix};

section! {
    /// Users of other systems, who show tokens that those sign, as `Bearer` or as the password of `Basic` with any user name.
    /// All ways to sign in work at the same time.
    pub struct Rbac {
        /// Whether their tokens are taken.
        restart "enabled" enabled: bool = false, since "0.2.0";
        /// Users, roles and groups of a realm of Keycloak, or of Red Hat's build of it.
        hot "keycloak" keycloak: Option<Keycloak> = None, since "0.2.0";
    }
}

section! {
    /// Users, roles and groups of a realm of Keycloak. Rules name its realm roles `realm:<role>`, the roles of the client of
    /// `clientId` `client:<clientId>:<role>` and its groups `group:<path>`, all of them where groups are named.
    pub struct Keycloak {
        /// The realm's URL, exactly as its tokens have it in `iss`.
        hot "issuer" issuer: IssuerUrl = IssuerUrl::default(), example "https://id.example.org/realms/dev", since "0.2.0";
        /// The client of the realm that this server is. Tokens that were issued to it (`azp`) are taken, and of the roles of
        /// clients only its own count.
        hot "clientId" client_id: String = String::new(), example "zot-artifact-store", since "0.2.0";
        /// Other clients whose tokens are taken too, by their `azp`.
        hot "allowedClients" allowed_clients: Vec<String> = Vec::new(), example "[ci]", since "0.2.0";
        /// What `aud` may hold for a token to be taken whoever it was issued to. By default the host of `http.externalUrl`,
        /// and nothing without it.
        hot "audiences" audiences: Vec<String> = Vec::new(), example "[registry.example.org]", since "0.2.0";
        /// How users are named.
        hot "usernames" usernames: Usernames = Usernames::default(), since "0.2.0";
        /// Where this server reaches the realm, if not by its issuer's URL; inside a cluster for example. `iss` stays what it is.
        hot "backchannelUrl" backchannel_url: Option<IssuerUrl> = None, example "http://keycloak.id.svc:8080/realms/dev", since "0.2.0";
        /// The certificates, as PEM, of the authorities that vouch for the realm's server, in place of the system's.
        hot "caFile" ca_file: Option<PathBuf> = None, example "/run/secrets/id/ca.crt", since "0.2.0";
    }
    required ["issuer", "clientId"]
    check |keycloak| {
        let named = keycloak.audiences.iter().chain(&keycloak.allowed_clients).chain([&keycloak.client_id]);
        if named.clone().any(String::is_empty) {
            return Err("clientId and the entries of allowedClients and audiences must not be empty".to_owned());
        }
        audiences_are_ours(&keycloak.audiences)
    }
}

section! {
    /// How users of an issuer are named: a claim, and a prefix that no other user's name begins with.
    pub struct Usernames {
        /// The claim that holds the name.
        hot "claim" claim: String = "preferred_username".to_owned(), since "0.2.0";
        /// What stands in front of it: a word and a colon. It may be empty only where nobody signs in with a password of
        /// this server's own, since a user of the same name would have the same rights.
        hot "prefix" prefix: NamePrefix = NamePrefix::keycloak(), since "0.2.0";
    }
}

/// Whoever holds a token for the API server of a cluster would be taken for its owner by every service that accepts it.
fn audiences_are_ours(audiences: &[String]) -> Result<(), String> {
    let foreign = audiences.iter().find(|audience| is_of_api_server(audience));
    foreign.map_or(Ok(()), |audience| {
        Err(format!(
            "audiences: {audience:?} is the audience of the Kubernetes API server, whose tokens are never taken: name this server"
        ))
    })
}

/// Whether an audience is one that Kubernetes gives to tokens for its own API server.
pub fn is_of_api_server(audience: &str) -> bool {
    let host = audience.strip_prefix("https://").unwrap_or(audience);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    matches!(
        host,
        "kubernetes" | "kubernetes.default" | "kubernetes.default.svc"
    ) || host.starts_with("kubernetes.default.svc.")
}
