//! `/_/v1/keys`: access keys for S3, made and revoked by who signs in as to the registry.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::web::{Data, Payload, ServiceConfig, resource};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use zas_config::Configuration;
use zas_core::{Clock, Timestamp};
use zas_metadata::AccessKey;

use super::forwarded::Connection;
use super::observe::{ActorName, ReceivedBytes, RouteTemplate};
use super::pace::Pace;
use super::request_body::{CollectError, RequestStream};
use crate::services::auth::{
    Access, AccessKeyError, AccessKeyWish, AccessKeys, Actor, AuthenticationError, Principal, RequestHead,
};
use crate::services::capacity::{Client, Shares};

/// Most bytes of a request's document.
const MAX_DOCUMENT: usize = 8 * 1024;

/// Keys on a page.
const PAGE: usize = 100;

/// Clients of S3 want an address for each owner; nobody reads mail there.
const MAIL_DOMAIN: &str = "zas.invalid";

/// What the API of access keys needs to answer.
#[derive(Debug)]
pub struct AccessKeyApi {
    /// Who calls.
    pub access: Arc<Access>,
    /// The keys.
    pub keys: AccessKeys,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Memory for what is sent.
    pub memory: Arc<Shares>,
    /// How long a client may be silent.
    idle_timeout: Duration,
    minimum_rate: u64,
}

impl AccessKeyApi {
    /// The API over these services.
    pub fn new(
        access: Arc<Access>,
        keys: AccessKeys,
        clock: Arc<dyn Clock>,
        memory: Arc<Shares>,
        configuration: &Configuration,
    ) -> Self {
        Self {
            access,
            keys,
            clock,
            memory,
            idle_timeout: configuration.limits.request_idle_timeout.into(),
            minimum_rate: configuration.limits.minimum_rate.bytes(),
        }
    }
}

/// What a client wishes for; everything is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Wish {
    user: Option<String>,
    description: String,
    expires_in_seconds: Option<u64>,
}

/// Why a request is refused.
struct Refusal {
    status: StatusCode,
    reason: String,
    challenges: Vec<String>,
    retry_after: Option<Duration>,
}

impl Refusal {
    fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
            challenges: Vec::new(),
            retry_after: None,
        }
    }

    fn render(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for challenge in self.challenges {
            response.append_header((WWW_AUTHENTICATE, challenge));
        }
        if let Some(after) = self.retry_after {
            response.insert_header((RETRY_AFTER, after.as_secs() + 1));
        }
        response.json(json!({ "error": self.reason }))
    }
}

impl From<AccessKeyError> for Refusal {
    fn from(error: AccessKeyError) -> Self {
        let status = match &error {
            AccessKeyError::Invalid(_) => StatusCode::BAD_REQUEST,
            AccessKeyError::Denied => StatusCode::FORBIDDEN,
            AccessKeyError::Anonymous => StatusCode::UNAUTHORIZED,
            AccessKeyError::Unknown(_) | AccessKeyError::UnknownUser(_) => StatusCode::NOT_FOUND,
            AccessKeyError::NotConfigured => StatusCode::NOT_IMPLEMENTED,
            AccessKeyError::Random(_) | AccessKeyError::Metadata(_) => {
                tracing::error!(%error, "an access key could not be made, found or revoked");
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(status, error.to_string())
    }
}

/// Adds the routes.
pub fn routes(api: Data<AccessKeyApi>, routes: &mut ServiceConfig) {
    routes.service(
        resource("/_/v1/keys")
            .app_data(api.clone())
            .route(actix_web::web::post().to(create))
            .route(actix_web::web::get().to(list)),
    );
    routes.service(
        resource("/_/v1/keys/{id}")
            .app_data(api)
            .route(actix_web::web::delete().to(revoke)),
    );
}

async fn create(api: Data<AccessKeyApi>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let made = make(&api, &request, payload).await;
    made.unwrap_or_else(Refusal::render)
}

async fn make(api: &AccessKeyApi, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Refusal> {
    let (caller, client) = authenticate(api, request).await?;
    let stream = RequestStream {
        payload,
        pace: Pace::new(api.idle_timeout, api.minimum_rate),
        received: request
            .extensions()
            .get::<ReceivedBytes>()
            .cloned()
            .unwrap_or_default(),
    };
    let body = stream.collect(MAX_DOCUMENT, &api.memory, client).await;
    let body = body.map_err(|error| match error {
        CollectError::TooLarge => Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the document has more than {MAX_DOCUMENT} bytes"),
        ),
        CollectError::Broken(broken) => Refusal::new(StatusCode::BAD_REQUEST, broken.to_string()),
        CollectError::Refused(_) => Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many requests at once"),
    })?;
    let wish: Wish = if body.bytes.is_empty() {
        Wish::default()
    } else {
        let read = serde_json::from_slice(&body.bytes);
        read.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))?
    };
    let now = api.clock.now();
    let wish = AccessKeyWish {
        user: wish.user,
        description: wish.description,
        expires_at: wish
            .expires_in_seconds
            .map(|seconds| now.plus(Duration::from_secs(seconds))),
    };
    let created = api.keys.create(&caller, wish).await?;
    let mut shown = show(&created.key);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("secretAccessKey".to_owned(), created.secret.expose().into());
    }
    Ok(HttpResponse::Created().json(shown))
}

async fn list(api: Data<AccessKeyApi>, request: HttpRequest) -> HttpResponse {
    let listed = page(&api, &request).await;
    listed.unwrap_or_else(Refusal::render)
}

async fn page(api: &AccessKeyApi, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
    let (caller, _) = authenticate(api, request).await?;
    let parameter = |name: &str| {
        let pairs = request.query_string().split('&');
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        let value = pairs
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .next()?;
        Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
    };
    let user = parameter("user");
    let page = api
        .keys
        .list(&caller, user.as_deref(), parameter("after"), PAGE)
        .await?;
    let next = page
        .entries
        .last()
        .filter(|_| page.more)
        .map(|key| key.id.clone());
    let keys: Vec<Value> = page.entries.iter().map(show).collect();
    Ok(HttpResponse::Ok().json(json!({ "keys": keys, "next": next })))
}

async fn revoke(
    api: Data<AccessKeyApi>,
    request: HttpRequest,
    id: actix_web::web::Path<String>,
) -> HttpResponse {
    let revoked = async {
        let (caller, _) = authenticate(&api, &request).await?;
        api.keys.revoke(&caller, &id).await?;
        Ok::<_, Refusal>(HttpResponse::NoContent().finish())
    };
    revoked.await.unwrap_or_else(Refusal::render)
}

async fn authenticate(api: &AccessKeyApi, request: &HttpRequest) -> Result<(Principal, Client), Refusal> {
    request.extensions_mut().insert(RouteTemplate("/_/v1/keys"));
    let connection = request
        .extensions()
        .get::<Connection>()
        .copied()
        .unwrap_or_default();
    let address = connection.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let head = RequestHead {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.query_string(),
        headers: request.headers(),
        client: address,
        is_tls: connection.is_tls,
    };
    let principal = api.access.authenticate(&head).await.map_err(|error| {
        let status = match &error {
            AuthenticationError::Malformed(_) => StatusCode::BAD_REQUEST,
            AuthenticationError::Rejected | AuthenticationError::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            AuthenticationError::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
            AuthenticationError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Refusal {
            challenges: match &error {
                AuthenticationError::Rejected | AuthenticationError::InvalidToken(_) => {
                    api.access.challenges(&Principal::ANONYMOUS, None)
                }
                _ => Vec::new(),
            },
            retry_after: match &error {
                AuthenticationError::TooManyAttempts { retry_after } => Some(*retry_after),
                _ => None,
            },
            ..Refusal::new(status, error.to_string())
        }
    })?;
    if principal.is_anonymous() {
        return Err(Refusal {
            challenges: api.access.challenges(&principal, None),
            ..Refusal::new(
                StatusCode::UNAUTHORIZED,
                "sign in with the name and the password of a user",
            )
        });
    }
    request
        .extensions_mut()
        .insert(ActorName(principal.name().to_owned()));
    let client = Client::of(principal.identity().map(|identity| &identity.actor), address);
    request.extensions_mut().insert(client);
    Ok((principal, client))
}

/// A key without its secret.
fn show(key: &AccessKey) -> Value {
    let owner = Actor::new(&key.owner.issuer, &key.owner.subject).unwrap_or_else(|_| Actor::nobody());
    let time = |at: Option<Timestamp>| at.map(zas_s3::iso8601);
    json!({
        "accessKeyId": key.id,
        "canonicalId": owner.canonical_id().as_str(),
        "displayName": owner.subject(),
        "email": format!("{}@{MAIL_DOMAIN}", owner.subject()),
        "description": key.description,
        "createdAt": zas_s3::iso8601(key.created_at),
        "expiresAt": time(key.expires_at),
        "revokedAt": time(key.revoked_at),
    })
}
