//! One request to the distribution API: who calls, what they ask for and what they may.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::Payload;
use actix_web::{HttpMessage, HttpRequest};
use arc_swap::ArcSwap;
use zas_config::Configuration;
use zas_core::RepositoryName;

use super::{OciError, OciErrorCode, query};
use crate::api::forwarded::Connection;
use crate::api::observe::{ActorName, ReceivedBytes};
use crate::api::pace::Pace;
use crate::api::request_body::RequestStream;
use crate::services::auth::{
    Access, Asked, AuthenticationError, GrantableAction, Granted, Headers, OciAction, Principal, Readable,
    RequestHead,
};
use crate::services::capacity::{Client, Shares, SharesMetrics};
use crate::services::content::RequestBody;
use crate::services::metrics::Reading;
use crate::services::objects::Objects;
use crate::services::registry::Registry;

/// What the distribution API needs to answer.
#[derive(Debug)]
pub struct OciApi {
    pub(super) registry: Registry,
    /// The objects whose buckets appear as repositories; none without the S3 API.
    pub(super) objects: Option<Objects>,
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
    /// The API over a registry, and over objects if there are any.
    pub fn new(
        registry: Registry,
        objects: Option<Objects>,
        access: Arc<Access>,
        configuration: &Configuration,
    ) -> Self {
        let external_url = configuration
            .http
            .external_url
            .as_ref()
            .map(|url| url.as_str().trim_end_matches('/').to_owned());
        Self {
            registry,
            objects,
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

    /// The memory for what is held for clients.
    pub fn memory(&self) -> Arc<Shares> {
        Arc::clone(&self.memory)
    }

    /// What the metrics say about the memory for bodies.
    pub fn readings(&self) -> Vec<Reading> {
        self.memory.readings(&SharesMetrics {
            held: (
                "body_memory_bytes",
                "Bytes held for clients: manifests on their way in, long answers, blobs read ahead",
            ),
            limit: ("body_memory_limit_bytes", "Most of these bytes"),
            refused: (
                "body_memory_refused",
                "Requests answered 429 because there was no memory for them or the client had its share of it",
            ),
        })
    }

    pub(super) fn limits(&self) -> RequestLimits {
        **self.limits.load()
    }
}

/// Whom a request counts for, once it is known who sent it.
pub(super) fn client_of(request: &HttpRequest) -> Client {
    let extensions = request.extensions();
    if let Some(client) = extensions.get() {
        return *client;
    }
    let address = extensions
        .get::<Connection>()
        .and_then(|connection| connection.client);
    Client::of(None, address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

/// One request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) api: &'a OciApi,
    pub(super) request: &'a HttpRequest,
    principal: Principal,
    client: Client,
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
        let head = RequestHead {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: request.query_string(),
            headers: request.headers(),
            client,
            is_tls: connection.is_tls,
        };
        let principal = api.access.authenticate(&head).await;
        let principal = principal.map_err(|error| refused(api, &error))?;
        request
            .extensions_mut()
            .insert(ActorName(principal.name().to_owned()));
        let client = Client::of(principal.identity().map(|identity| &identity.actor), client);
        request.extensions_mut().insert(client);
        let call = Self {
            api,
            request,
            principal,
            client,
            parameters: query::parse(request.query_string()),
        };
        call.may_enter()?;
        Ok(call)
    }

    /// Whom the request counts for.
    pub(super) fn client(&self) -> Client {
        self.client
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
        let reason = "this registry needs credentials";
        Err(denial(reason, self.api.access.challenges(&self.principal, None)))
    }

    /// What invites anonymous callers to sign in although they may be here.
    pub(super) fn optional_challenges(&self) -> Vec<String> {
        self.api.access.challenges(&self.principal, None)
    }

    /// The right of the caller to do something, which services demand.
    pub(super) fn grant<'c, A: GrantableAction>(
        &'c self,
        target: &'c A::Target,
    ) -> Result<Granted<'c, A>, OciError> {
        let granted = self.api.access.grant(&self.principal, target);
        granted.map_err(|denied| denial(&denied.reason.to_string(), denied.challenges))
    }

    /// The same for callers that may go on without.
    pub(super) fn grant_if_allowed<'c, A: GrantableAction>(
        &'c self,
        target: &'c A::Target,
    ) -> Option<Granted<'c, A>> {
        self.api.access.grant_if_allowed(&self.principal, target)
    }

    /// Which repositories the caller may see in listings.
    pub(super) fn readable(&self) -> Readable {
        self.api.access.readable(&self.principal)
    }

    /// No, for a reason that only the commit has found: what was denied is the action on the repository.
    pub(super) fn refusal(&self, reason: &str, action: OciAction, name: &RepositoryName) -> OciError {
        let denied = Asked {
            action: action.into(),
            resource: name.into(),
        };
        denial(reason, self.api.access.challenges(&self.principal, Some(denied)))
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
}

impl Headers for HeaderMap {
    fn all(&self, name: &str) -> Vec<&[u8]> {
        self.get_all(name).map(HeaderValue::as_bytes).collect()
    }

    fn first(&self, name: &str) -> Option<&[u8]> {
        self.get(name).map(HeaderValue::as_bytes)
    }
}

/// No: 401 for those whom credentials may help, else 403.
fn denial(reason: &str, challenges: Vec<String>) -> OciError {
    if challenges.is_empty() {
        return OciError::new(OciErrorCode::Denied, reason);
    }
    let refusal = OciError::new(OciErrorCode::Unauthorized, reason);
    let with = |refusal: OciError, challenge| refusal.with_header(WWW_AUTHENTICATE, challenge);
    challenges.into_iter().fold(refusal, with)
}

fn refused(api: &OciApi, error: &AuthenticationError) -> OciError {
    match error {
        AuthenticationError::TooManyAttempts { retry_after } => {
            OciError::too_many_requests(error.to_string(), *retry_after)
        }
        AuthenticationError::Unavailable(_) => OciError::unavailable(error.to_string()),
        AuthenticationError::Malformed(_)
        | AuthenticationError::Rejected
        | AuthenticationError::InvalidToken(_) => denial(
            &error.to_string(),
            api.access.challenges(&Principal::ANONYMOUS, None),
        ),
    }
}
