//! Access tokens and ID tokens of a realm of Keycloak.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use zas_config::{GroupName, Keycloak, UserName, is_of_api_server};
use zas_core::Timestamp;

use super::claims::{Claims, refused};
use super::fetch::KeySource;
use super::jws::Unverified;
use super::{IssuerKeys, Issuers, TokenError, presented};
use crate::services::auth::credential::Credential;
use crate::services::auth::keys::Keys;
use crate::services::auth::policy::Asked;
use crate::services::auth::verified::Verified;
use crate::services::auth::{Actor, AuthenticationError, Identity, Principal, RequestHead};

/// How long a token that was verified is not verified again. No longer than this is a key good that the realm has taken
/// out.
const REMEMBER_FOR: Duration = Duration::from_secs(60);

/// Users of a realm.
#[derive(Debug)]
pub(in crate::services::auth) struct KeycloakTokens {
    settings: Keycloak,
    audiences: Vec<String>,
    keys: Arc<IssuerKeys>,
    /// What was verified under these settings.
    verified: Verified,
    names: Keys,
    challenge: Option<String>,
}

impl KeycloakTokens {
    /// Users of the realm of these settings. `host` is what clients reach this server by, and stands for the audience where
    /// none is set.
    pub(in crate::services::auth) fn new(
        settings: &Keycloak,
        host: Option<&str>,
        issuers: &Issuers,
        names: Keys,
        challenge: Option<String>,
    ) -> Self {
        let mut audiences = settings.audiences.clone();
        if audiences.is_empty() {
            audiences.extend(host.map(str::to_owned));
        }
        let source = KeySource {
            issuer: settings.issuer.clone(),
            backchannel_url: settings.backchannel_url.clone(),
            ca_file: settings.ca_file.clone(),
        };
        Self {
            settings: settings.clone(),
            audiences,
            keys: issuers.keys_of(source),
            verified: Verified::default(),
            names,
            challenge,
        }
    }

    async fn verify(
        &self,
        token: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<(Principal, Timestamp), TokenError> {
        self.keys.verify(token, now).await?;
        let claims = &token.claims;
        let expires = claims.check_times(now)?;
        self.check_kind(claims)?;
        self.check_audience(claims)?;
        Ok((self.principal(claims)?, expires))
    }

    fn check_kind(&self, claims: &Claims) -> Result<(), TokenError> {
        // A proof of possession would have to come with it (RFC 7800), and whoever stole it has none.
        if claims.has("cnf") {
            return Err(refused(
                "it is bound to a key (cnf), and bindings are not verified here",
            ));
        }
        match claims.text("typ") {
            Some("Bearer") => Ok(()),
            Some("ID") if claims.has_audience(|audience| audience == self.settings.client_id) => Ok(()),
            Some("ID") => Err(refused("it is an ID token of another client than clientId")),
            _ => Err(refused(
                "it is neither an access token nor an ID token: its typ is not Bearer or ID",
            )),
        }
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), TokenError> {
        if claims.has_audience(is_of_api_server) {
            return Err(refused("its audience is the Kubernetes API server"));
        }
        let Keycloak {
            client_id,
            allowed_clients,
            ..
        } = &self.settings;
        let is_allowed =
            |client: &str| client == client_id || allowed_clients.iter().any(|allowed| allowed == client);
        let is_for_us = claims.has_audience(|audience| self.audiences.iter().any(|ours| ours == audience));
        if is_for_us || claims.text("azp").is_some_and(is_allowed) {
            return Ok(());
        }
        Err(refused(format!(
            "it is for somebody else: aud has none of the audiences of this server ({}), and azp is neither {client_id} nor \
             one of allowedClients; use a token of the client {client_id}, or add an audience mapper to the client",
            self.audiences.join(", ")
        )))
    }

    fn principal(&self, claims: &Claims) -> Result<Principal, TokenError> {
        let usernames = &self.settings.usernames;
        let name = claims.text(&usernames.claim);
        let name =
            name.ok_or_else(|| refused(format!("it has no claim {}, which names users", usernames.claim)))?;
        let user: UserName = format!("{}{name}", usernames.prefix).parse().map_err(|_| {
            refused(format!(
                "its claim {} cannot be the name of a user",
                usernames.claim
            ))
        })?;
        let actor = Actor::new(self.settings.issuer.as_str(), claims.subject()?);
        Ok(Principal::of(Identity {
            actor: actor.map_err(|error| refused(error.to_string()))?,
            display_name: user.as_str().to_owned(),
            user,
            groups: self.groups(claims),
            roles: Vec::new(),
        }))
    }

    /// Realm roles, the roles of our client and no other, and groups, each under a name that tells them apart.
    fn groups(&self, claims: &Claims) -> Vec<GroupName> {
        let client = &self.settings.client_id;
        let realm = claims
            .texts(&["realm_access", "roles"])
            .map(|role| format!("realm:{role}"));
        let own = ["resource_access", client, "roles"];
        let own = claims.texts(&own).map(|role| format!("client:{client}:{role}"));
        let groups = claims.texts(&["groups"]).map(|group| format!("group:{group}"));
        // What cannot be a name is named by no rule.
        let names = realm.chain(own).chain(groups);
        names.filter_map(|name| name.parse().ok()).collect()
    }
}

#[async_trait(?Send)]
impl Credential for KeycloakTokens {
    async fn identify(
        &self,
        head: &RequestHead<'_>,
        now: Timestamp,
    ) -> Result<Option<Principal>, AuthenticationError> {
        let Some(token) = presented::token(head)? else {
            return Ok(None);
        };
        let name = self.names.token(&token);
        if let Some(principal) = self.verified.recall(&name, now) {
            return Ok(Some(principal));
        }
        let Ok(unverified) = Unverified::parse(&token) else {
            return Ok(None);
        };
        if unverified.claims.text("iss") != Some(self.settings.issuer.as_str()) {
            return Ok(None);
        }
        let verified = self.verify(&unverified, now).await;
        let (principal, expires) = verified.inspect_err(|reason| {
            tracing::warn!(issuer = %self.settings.issuer, client = %head.client, %reason, "refused a token");
        })?;
        let remember_for = REMEMBER_FOR.min(expires.since(now));
        self.verified.remember(name, principal.clone(), now, remember_for);
        Ok(Some(principal))
    }

    fn challenge(&self, _: Option<Asked<'_>>) -> Option<String> {
        self.challenge.clone()
    }
}

#[cfg(test)]
#[path = "keycloak_tests.rs"]
mod tests;
