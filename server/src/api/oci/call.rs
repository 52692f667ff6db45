//! One request to the distribution API: who calls, what they ask for and what they may.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::web::Payload;
use actix_web::{HttpMessage, HttpRequest};
use arc_swap::ArcSwap;
use zas_config::Configuration;
use zas_core::{Reference, RepositoryName};

use super::{OciError, OciErrorCode, query};
use crate::api::forwarded::Connection;
use crate::api::observe::{ActorName, ReceivedBytes};
use crate::api::pace::Pace;
use crate::api::request_body::RequestStream;
use crate::services::auth::{
    Access, AccessRequest, Action, AuthenticationError, Principal, RequestContext, Resource,
};
use crate::services::capacity::{Client, Sender, Shares};
use crate::services::metrics::Reading;
use crate::services::registry::{Registry, RequestBody};

/// What the distribution API needs to answer.
#[derive(Debug)]
pub struct OciApi {
    pub(super) registry: Registry,
    access: Arc<Access>,
    external_url: Option<String>,
    /// Bytes of an answer read at a time while they are in memory.
    pub(super) read_chunk: usize,
    /// Memory for bodies that are kept whole and for what is read ahead.
    pub(super) memory: Arc<Shares>,
    limits: ArcSwap<RequestLimits>,
}

/// Limits on requests that an operator may change while running.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestLimits {
    /// Most `tag` parameters of one push.
    pub(super) tag_parameters: usize,
    idle_timeout: Duration,
    minimum_rate: u64,
    /// Most bytes of a manifest.
    pub(super) manifest_size: usize,
}

impl RequestLimits {
    fn of(configuration: &Configuration) -> Self {
        let limits = &configuration.limits;
        Self {
            tag_parameters: limits.tag_parameters as usize,
            idle_timeout: limits.request_idle_timeout.into(),
            minimum_rate: limits.minimum_rate.bytes(),
            manifest_size: limits.manifest_size.in_memory(),
        }
    }
}

impl OciApi {
    /// The API over a registry.
    pub fn new(registry: Registry, access: Arc<Access>, configuration: &Configuration) -> Self {
        let external_url = configuration
            .http
            .external_url
            .as_ref()
            .map(|url| url.as_str().trim_end_matches('/').to_owned());
        Self {
            registry,
            access,
            external_url,
            read_chunk: configuration.storage.blobs.read_chunk.in_memory(),
            memory: Arc::new(Shares::new(configuration.limits.body_memory())),
            limits: ArcSwap::from_pointee(RequestLimits::of(configuration)),
        }
    }

    /// Puts the hot part of a new configuration in force.
    pub fn reconfigure(&self, configuration: &Configuration) {
        self.limits.store(Arc::new(RequestLimits::of(configuration)));
        self.memory.set_limit(configuration.limits.body_memory());
    }

    /// What the metrics say about the memory for bodies.
    pub fn readings(&self) -> Vec<Reading> {
        let (held, limit, refused) = (
            Arc::clone(&self.memory),
            Arc::clone(&self.memory),
            Arc::clone(&self.memory),
        );
        vec![
            Reading::gauge(
                "body_memory_bytes",
                "Bytes held for clients: manifests on their way in, long answers, blobs read ahead",
                move || held.held() as u64,
            ),
            Reading::gauge("body_memory_limit_bytes", "Most of these bytes", move || {
                limit.limit() as u64
            }),
            Reading::counters(
                "body_memory_refused",
                "Requests answered 429 because there was no memory for them or the client had its share of it",
                "reason",
                move || refused.refusals(),
            ),
        ]
    }

    pub(super) fn limits(&self) -> RequestLimits {
        **self.limits.load()
    }
}

/// Whom a request counts for, once it is known who sent it.
pub(super) fn client_of(request: &HttpRequest) -> Client {
    let extensions = request.extensions();
    let account = extensions.get::<ActorName>().map(|actor| actor.0.as_str());
    let address = extensions
        .get::<Connection>()
        .and_then(|connection| connection.client);
    Client::of(
        account.unwrap_or_default(),
        address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    )
}

/// One request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) api: &'a OciApi,
    pub(super) request: &'a HttpRequest,
    principal: Principal,
    client: IpAddr,
    is_tls: bool,
    parameters: Vec<(String, String)>,
}

impl<'a> Call<'a> {
    /// Finds out who calls, and turns those away who may do nothing at all here before anything else of the request is
    /// looked at. Nobody in particular is an answer too; wrong credentials are not.
    pub(super) async fn authenticate(api: &'a OciApi, request: &'a HttpRequest) -> Result<Self, OciError> {
        let connection = request
            .extensions()
            .get::<Connection>()
            .copied()
            .unwrap_or_default();
        let client = connection.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let headers: Vec<&[u8]> = request
            .headers()
            .get_all(AUTHORIZATION)
            .map(|value| value.as_bytes())
            .collect();
        let principal = api
            .access
            .authenticate(&headers, client)
            .await
            .map_err(|error| refused(api, &error))?;
        request
            .extensions_mut()
            .insert(ActorName(principal.name().to_owned()));
        let call = Self {
            api,
            request,
            principal,
            client,
            is_tls: connection.is_tls,
            parameters: query::parse(request.query_string()),
        };
        call.may_enter()?;
        Ok(call)
    }

    /// The name that changes are recorded under; empty for anonymous.
    pub(super) fn actor(&self) -> &str {
        self.principal.name()
    }

    /// Whom the request counts for.
    pub(super) fn client(&self) -> Client {
        Client::of(self.principal.name(), self.client)
    }

    /// Under which name changes are recorded, and for whom they count.
    pub(super) fn sender(&self) -> Sender<'_> {
        Sender {
            actor: self.actor(),
            client: self.client(),
        }
    }

    /// The first value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a query parameter.
    pub(super) fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A path of this server as clients shall see it.
    pub(super) fn location(&self, path: &str) -> String {
        self.api
            .external_url
            .as_ref()
            .map_or_else(|| path.to_owned(), |url| format!("{url}{path}"))
    }

    /// The bytes of the request.
    pub(super) fn body(&self, payload: Payload) -> RequestBody<'static> {
        self.request_stream(payload).into_body()
    }

    /// The bytes of the request, to be collected.
    pub(super) fn request_stream(&self, payload: Payload) -> RequestStream {
        let received = self
            .request
            .extensions()
            .get::<ReceivedBytes>()
            .cloned()
            .unwrap_or_default();
        let limits = self.api.limits();
        RequestStream {
            payload,
            pace: Pace::new(limits.idle_timeout, limits.minimum_rate),
            received,
        }
    }

    /// Whether the caller may do something somewhere, so that there is a point in letting them in.
    fn may_enter(&self) -> Result<(), OciError> {
        if self.api.access.may_enter(&self.principal) {
            return Ok(());
        }
        Err(self.refusal("this registry needs credentials"))
    }

    /// What invites anonymous callers to sign in although they may be here.
    pub(super) fn optional_challenge(&self) -> Option<String> {
        let could_sign_in = self.principal.is_anonymous() && self.api.access.can_sign_in();
        could_sign_in.then(|| self.api.access.challenge())
    }

    pub(super) fn may(&self, action: Action, name: &RepositoryName) -> Result<(), OciError> {
        self.decide(action, name, None)
    }

    pub(super) fn may_reference(
        &self,
        action: Action,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<(), OciError> {
        self.decide(action, name, Some(reference))
    }

    pub(super) fn is_allowed(&self, action: Action, name: &RepositoryName) -> bool {
        self.decide(action, name, None).is_ok()
    }

    pub(super) fn is_allowed_for(
        &self,
        action: Action,
        name: &RepositoryName,
        reference: &Reference,
    ) -> bool {
        self.decide(action, name, Some(reference)).is_ok()
    }

    /// Which repositories the caller may see in listings.
    pub(super) fn read_filter(&self) -> impl Fn(&RepositoryName) -> bool + Send + Sync + use<> {
        let filter = self.api.access.read_filter(&self.principal);
        move |repository| filter.allows(repository)
    }

    /// Where a listing that is filtered by rights goes on, as the caller may see it.
    pub(super) fn seal_position(&self, listing: &str, position: &str) -> Option<String> {
        self.api.access.seal_position(listing, position)
    }

    /// What [`Self::seal_position`] has sealed.
    pub(super) fn open_position(&self, listing: &str, sealed: &str) -> Option<String> {
        self.api.access.open_position(listing, sealed)
    }

    /// Whether a rule wants the caller kept from deleting a digest that several tags share.
    pub(super) fn detects_collisions(&self, name: &RepositoryName) -> bool {
        self.api.access.detects_collisions(&self.principal, name)
    }

    fn decide(
        &self,
        action: Action,
        name: &RepositoryName,
        reference: Option<&Reference>,
    ) -> Result<(), OciError> {
        let context = RequestContext {
            client: Some(self.client),
            method: self.request.method().as_str(),
            reference,
            is_tls: self.is_tls,
        };
        let request = AccessRequest {
            principal: &self.principal,
            action,
            resource: Resource::Repository(name),
            context,
        };
        let decision = self.api.access.decide(&request);
        if decision.is_allowed() {
            return Ok(());
        }
        tracing::debug!(actor = self.actor(), ?action, repository = %name, reason = %decision.reason(), "denied");
        Err(self.refusal(&decision.reason().to_string()))
    }

    /// No: 401 for someone who has not signed in and could, else 403.
    pub(super) fn refusal(&self, reason: &str) -> OciError {
        if self.principal.is_anonymous() && self.api.access.can_sign_in() {
            return unauthorized(self.api, reason);
        }
        OciError::new(OciErrorCode::Denied, reason)
    }
}

fn unauthorized(api: &OciApi, reason: &str) -> OciError {
    OciError::new(OciErrorCode::Unauthorized, reason).with_header(WWW_AUTHENTICATE, api.access.challenge())
}

fn refused(api: &OciApi, error: &AuthenticationError) -> OciError {
    match error {
        AuthenticationError::TooManyAttempts { retry_after } => {
            OciError::too_many_requests(error.to_string(), *retry_after)
        }
        AuthenticationError::Unavailable(_) => OciError::unavailable(error.to_string()),
        AuthenticationError::Malformed(_) | AuthenticationError::Rejected => {
            unauthorized(api, &error.to_string())
        }
    }
}
