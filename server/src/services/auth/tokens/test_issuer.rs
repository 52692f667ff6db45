//! An issuer for tests: it signs with keys of its own, and publishes them over HTTP on the loopback.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The issuer, as long as its test runs.
pub(in crate::services::auth) struct TestIssuer {
    /// What its tokens have in `iss`.
    pub(in crate::services::auth) url: String,
    served: Arc<Served>,
}

#[derive(Default)]
struct Served {
    keys: Mutex<Vec<Value>>,
    requests: AtomicUsize,
}

/// A key pair with its id.
pub(in crate::services::auth) struct SigningKey {
    pub(in crate::services::auth) kid: String,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    pub(in crate::services::auth) fn new(kid: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self {
            kid: kid.to_owned(),
            pair: EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap(),
        }
    }

    /// A token with these claims.
    pub(in crate::services::auth) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({"alg": "ES256", "kid": self.kid, "typ": "JWT"}), claims)
    }

    /// A token with this header.
    pub(in crate::services::auth) fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn published(&self) -> Value {
        let [_, point @ ..] = self.pair.public_key().as_ref() else {
            panic!("a point has bytes");
        };
        let (x, y) = point.split_at(32);
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kid": self.kid, "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "x": number(x), "y": number(y)})
    }
}

impl TestIssuer {
    /// An issuer that publishes these keys.
    pub(in crate::services::auth) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/realms/dev", listener.local_addr().unwrap());
        let issuer = Self {
            url: url.clone(),
            served: Arc::default(),
        };
        issuer.publish(keys);
        let served = Arc::clone(&issuer.served);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &url, &served).await;
            }
        });
        issuer
    }

    /// Publishes these keys in place of the others.
    pub(in crate::services::auth) fn publish(&self, keys: &[&SigningKey]) {
        let published = keys.iter().map(|key| key.published()).collect();
        *self.served.keys.lock().unwrap() = published;
    }

    /// How often it was asked for its keys.
    pub(in crate::services::auth) fn times_asked(&self) -> usize {
        self.served.requests.load(Ordering::SeqCst)
    }
}

async fn answer(mut stream: TcpStream, url: &str, served: &Served) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let is_discovery = head.windows(17).any(|bytes| bytes == b"openid-configurat");
    let body = if is_discovery {
        json!({"issuer": url, "jwks_uri": format!("{url}/certs")})
    } else {
        served.requests.fetch_add(1, Ordering::SeqCst);
        json!({"keys": *served.keys.lock().unwrap()})
    }
    .to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}
