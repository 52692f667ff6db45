//! One request to the S3 API: who calls, what they ask for and what they may.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Version;
use actix_web::web::Payload as WebPayload;
use actix_web::{HttpMessage, HttpRequest};
use arc_swap::ArcSwap;
use zas_config::Configuration;
use zas_core::{BucketName, Clock, ObjectKey};
use zas_metadata::{Bucket, VersionSelector};
use zas_s3::headers::{check_expected_owner, check_expected_source_owner};
use zas_s3::names::VersionId;
use zas_s3::operation::{Addressing, Operation};
use zas_s3::payload::Payload;
use zas_s3::sigv4::{Authentication, Expected, SecretKey, authenticate};
use zas_s3::{ErrorCode, Headers, Method, RequestHead, S3Error, xml};

use super::body::ObjectStream;
use super::error::Refusal;
use crate::api::body::ReadAhead;
use crate::api::forwarded::Connection;
use crate::api::observe::{ActorName, ReceivedBytes, RouteTemplate};
use crate::api::pace::Pace;
use crate::api::request_body::{CollectError, RequestStream};
use crate::extensions::Services;
use crate::services::auth::{
    Access, AccessKeys, Asked, GrantableAction, Granted, OwnedBucket, OwnedObject, Principal,
};
use crate::services::capacity::{Client, Shares};
use crate::services::objects::{Objects, ObjectsError, actor, owned};

/// What the S3 API needs to answer.
#[derive(Debug)]
pub struct S3Api {
    pub(super) objects: Objects,
    access: Arc<Access>,
    access_keys: AccessKeys,
    clock: Arc<dyn Clock>,
    pub(super) region: String,
    domain: Option<String>,
    read_chunk: usize,
    memory: Arc<Shares>,
    limits: ArcSwap<Limits>,
}

/// Limits on requests that an operator may change while running.
#[derive(Clone, Copy, Debug)]
struct Limits {
    idle_timeout: Duration,
    minimum_rate: u64,
}

impl Limits {
    fn of(configuration: &Configuration) -> Self {
        Self {
            idle_timeout: configuration.limits.request_idle_timeout.into(),
            minimum_rate: configuration.limits.minimum_rate.bytes(),
        }
    }
}

impl S3Api {
    /// The API over objects.
    pub fn new(services: &Services, configuration: &Configuration) -> Self {
        let section = &configuration.extensions.s3api;
        Self {
            objects: services.objects.clone(),
            access: Arc::clone(&services.access),
            access_keys: services.access_keys.clone(),
            clock: Arc::clone(&services.clock),
            region: section.region.clone(),
            domain: section.domain.as_ref().map(|domain| domain.as_str().to_owned()),
            read_chunk: configuration.storage.blobs.read_chunk.in_memory(),
            memory: Arc::clone(&services.memory),
            limits: ArcSwap::from_pointee(Limits::of(configuration)),
        }
    }

    /// Whether the request came to the host of a bucket.
    pub(in crate::api) fn is_host_of_bucket(&self, request: &HttpRequest) -> bool {
        let addressing = Addressing {
            domain: self.domain.as_deref(),
        };
        let host = request.headers().get("host").and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
        host.is_some_and(|host| addressing.bucket_of_host(host).is_some())
    }

    /// The secret of an access key and whose it is: one that the store has, or the administrator's of the files.
    async fn key_holder(&self, id: &str) -> Result<Option<(SecretKey, Principal)>, Refusal> {
        if let Some(found) = self.access.access_key(id) {
            return Ok(Some(found));
        }
        let found = self.access_keys.find(id).await.map_err(ObjectsError::from)?;
        Ok(found.map(|holder| (holder.secret, holder.principal)))
    }

    /// Puts the hot part of a new configuration in force.
    pub fn reconfigure(&self, configuration: &Configuration) {
        self.limits.store(Arc::new(Limits::of(configuration)));
    }
}

/// A key of a bucket that is there.
#[derive(Clone, Debug)]
pub(super) struct KeyOf<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) key: ObjectKey,
}

impl KeyOf<'_> {
    /// As the rules see it.
    pub(super) fn owned(&self, version: Option<&VersionId>) -> OwnedObject {
        OwnedObject {
            bucket: owned(self.bucket),
            key: self.key.clone(),
            version: version.map(|version| version.as_str().to_owned()),
        }
    }
}

/// One request.
pub(super) struct Call<'a> {
    pub(super) api: &'a S3Api,
    pub(super) head: RequestHead<'a>,
    pub(super) principal: Principal,
    client: Client,
    is_tls: bool,
    payload: Option<Payload>,
    stream: Option<RequestStream>,
}

impl<'a> Call<'a> {
    /// Finds out what is asked for and by whom. What is wrong with the request is told to those only who have shown right
    /// credentials, or none.
    pub(super) async fn authenticate(
        api: &'a S3Api,
        request: &'a HttpRequest,
        body: WebPayload,
    ) -> Result<(Self, Operation), Refusal> {
        let head = head_of(request)?;
        let addressing = Addressing {
            domain: api.domain.as_deref(),
        };
        let operation = Operation::of(&head, &addressing);
        if let Ok(operation) = &operation {
            request.extensions_mut().insert(RouteTemplate(operation.name()));
        }
        let expected = Expected {
            region: &api.region,
            now: api.clock.now(),
        };
        let rule = operation
            .as_ref()
            .map_or(zas_s3::payload::BodyRule::MayBeChunked, Operation::body_rule);
        let (principal, payload) = match authenticate(&head, &expected)? {
            Authentication::Anonymous(anonymous) => (Principal::ANONYMOUS, anonymous.payload(rule)),
            Authentication::Signed(signed) => {
                let Some((secret, principal)) = api.key_holder(signed.access_key_id()).await? else {
                    return Err(signed.unknown_key().into());
                };
                if signed.session_token().is_some() {
                    return Err(ErrorCode::InvalidToken.into());
                }
                (principal, signed.verify(&secret)?.payload(rule))
            }
        };
        let operation = operation?;
        let connection = request
            .extensions()
            .get::<Connection>()
            .copied()
            .unwrap_or_default();
        let address = connection.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let client = Client::of(principal.identity().map(|identity| &identity.actor), address);
        request
            .extensions_mut()
            .insert(ActorName(principal.name().to_owned()));
        request.extensions_mut().insert(client);
        let received = request.extensions().get::<ReceivedBytes>().cloned();
        let limits = **api.limits.load();
        let stream = RequestStream {
            payload: body,
            pace: Pace::new(limits.idle_timeout, limits.minimum_rate),
            received: received.unwrap_or_default(),
        };
        let call = Self {
            api,
            head,
            principal,
            client,
            is_tls: connection.is_tls,
            payload: Some(payload?),
            stream: Some(stream),
        };
        Ok((call, operation))
    }

    /// Whom the request counts for.
    pub(super) fn client(&self) -> Client {
        self.client
    }

    /// The bucket that is asked for, of the owner whom the client expects.
    pub(super) async fn asked_bucket(&self, name: &BucketName) -> Result<Bucket, Refusal> {
        let bucket = self.bucket(name).await?;
        check_expected_owner(&self.head.headers, &actor(&bucket.owner).canonical_id())?;
        Ok(bucket)
    }

    /// The bucket that a copy reads, of the owner whom the client expects.
    pub(super) async fn source_bucket(&self, name: &BucketName) -> Result<Bucket, Refusal> {
        let bucket = self.bucket(name).await?;
        check_expected_source_owner(&self.head.headers, &actor(&bucket.owner).canonical_id())?;
        Ok(bucket)
    }

    /// The bucket of a name.
    async fn bucket(&self, name: &BucketName) -> Result<Bucket, Refusal> {
        let bucket = self.api.objects.bucket(name).await;
        bucket.map_err(|error| Refusal::from(error).about("BucketName", name.as_str()))
    }

    /// The right of the caller to do something, which services demand.
    pub(super) fn grant<'c, A: GrantableAction>(
        &'c self,
        target: &'c A::Target,
    ) -> Result<Granted<'c, A>, Refusal> {
        Ok(self.api.access.grant(&self.principal, target)?)
    }

    /// Whether the caller may do something to a bucket that services do nothing for.
    pub(super) fn check_bucket(
        &self,
        actions: &[zas_s3::operation::Action],
        bucket: &OwnedBucket,
    ) -> Result<(), Refusal> {
        for action in actions {
            self.check(Asked {
                action: (*action).into(),
                resource: bucket.into(),
            })?;
        }
        Ok(())
    }

    /// Whether the caller may do something that services do nothing for.
    pub(super) fn check(&self, asked: Asked<'_>) -> Result<(), Refusal> {
        self.api.access.check(&self.principal, asked)?;
        Ok(())
    }

    /// Whether the caller may see which keys there are.
    pub(super) fn may_list(&self, bucket: &Bucket) -> bool {
        let bucket = owned(bucket);
        self.check_bucket(&[zas_s3::operation::Action::ListBucket], &bucket)
            .is_ok()
    }

    /// The length that the client announced of the content.
    pub(super) fn announced_length(&self) -> Result<u64, Refusal> {
        if let Some(Payload::Chunked(decoder)) = &self.payload {
            return Ok(decoder.expected_length());
        }
        let length = self.head.headers.text("content-length")?;
        let Some(length) = length else {
            return Err(ErrorCode::MissingContentLength.into());
        };
        length
            .parse()
            .map_err(|_| S3Error::invalid_request("Content-Length is not a number").into())
    }

    /// The content that the request carries.
    pub(super) fn content(&mut self) -> Result<ObjectStream, Refusal> {
        let taken = self.stream.take().zip(self.payload.take());
        let (stream, payload) = taken.ok_or(ErrorCode::InternalError)?;
        Ok(ObjectStream::new(stream, payload))
    }

    /// A document that the request carries, proved to be what was signed and promised.
    pub(super) async fn document(&mut self) -> Result<bytes::Bytes, Refusal> {
        let document = self.document_without_checksum().await?;
        super::body::check_promised(&self.head, &document)?;
        Ok(document)
    }

    /// Where an object is, as its client reaches this server.
    pub(super) fn location(&self, object: &KeyOf<'_>) -> String {
        let host = self.head.headers.text("host").ok().flatten().unwrap_or_default();
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{host}/{}/{}", object.bucket.name, object.key)
    }

    /// The same where the checksums in the head are those of something else.
    pub(super) async fn document_without_checksum(&mut self) -> Result<bytes::Bytes, Refusal> {
        let taken = self.stream.take().zip(self.payload.take());
        let (stream, payload) = taken.ok_or(ErrorCode::InternalError)?;
        let collected = stream
            .collect(xml::MAX_DOCUMENT_BYTES, &self.api.memory, self.client)
            .await
            .map_err(|error| match error {
                CollectError::TooLarge => Refusal::from(ErrorCode::MalformedXML),
                CollectError::Broken(broken) => S3Error::with_message(
                    ErrorCode::IncompleteBody,
                    format!("The body ended early: {broken}"),
                )
                .into(),
                CollectError::Refused(_) => Refusal::from(ErrorCode::SlowDown),
            })?;
        super::body::check_signed(&payload, &collected.bytes)?;
        Ok(collected.bytes)
    }

    /// How far an object is read ahead for this client.
    pub(super) fn read_ahead(&self) -> ReadAhead {
        ReadAhead {
            chunk: self.api.read_chunk,
            memory: Arc::clone(&self.api.memory),
            client: self.client(),
        }
    }
}

/// The version that a request means.
pub(super) fn selector(version: Option<&VersionId>) -> Result<VersionSelector, Refusal> {
    match version {
        None => Ok(VersionSelector::Current),
        Some(VersionId::Null) => Ok(VersionSelector::Null),
        Some(VersionId::Id(id)) => {
            let id = id.parse().map_err(|_| {
                S3Error::invalid_argument("Invalid version id specified", "versionId", id.clone())
            })?;
            Ok(VersionSelector::Id(id))
        }
    }
}

fn head_of(request: &HttpRequest) -> Result<RequestHead<'_>, Refusal> {
    let method = Method::parse(request.method().as_str())
        .ok_or_else(|| S3Error::new(ErrorCode::MethodNotAllowed).with("Method", request.method().as_str()))?;
    let mut headers: Vec<(&str, &[u8])> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let authority = request.uri().authority();
    if request.version() == Version::HTTP_2
        && !request.headers().contains_key("host")
        && let Some(authority) = authority
    {
        headers.push(("host", authority.as_str().as_bytes()));
    }
    let headers: Headers<'_> = headers.into_iter().collect();
    let uri = request.uri();
    Ok(RequestHead::new(
        method,
        uri.path(),
        uri.query().unwrap_or_default(),
        headers,
    )?)
}
