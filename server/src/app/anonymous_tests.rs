//! What the public listener answers to those who have not signed in, or whose login is wrong.

use std::path::Path;
use std::sync::Arc;

use actix_web::App;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{Data, to};
use base64::Engine as _;
use zas_blobs::MemoryBlobs;
use zas_config::Configuration;
use zas_core::{SystemClock, SystemIds};
use zas_metadata::{Clocks, MemoryMetadata};

use super::settings;
use crate::api::oci::OciApi;
use crate::api::root;
use crate::services::auth::Access;
use crate::services::registry::{Registry, RegistryParts};

const OPEN: &str = "accessControl: {repositories: {'**': {anonymousPolicy: [read]}}}";

/// Names and passwords that nobody has, well and badly written.
fn wrong_logins() -> Vec<String> {
    let basic = |text: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
    vec![
        basic("alice:wrong"),
        basic("nobody:x"),
        "Basic !!!".to_owned(),
        "Bearer abc".to_owned(),
    ]
}

fn api(sections: &str) -> Data<OciApi> {
    let text = format!("configVersion: 1\n{sections}\n");
    let configuration = Configuration::parse(Path::new("test.yaml"), &text).unwrap();
    let metadata = MemoryMetadata::new(Clocks::system(), settings::timing(&configuration));
    let parts = RegistryParts {
        metadata: Arc::new(metadata),
        blobs: Arc::new(MemoryBlobs::new()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds::default()),
    };
    let settings = settings::registry(&configuration);
    let registry = Registry::new(parts, settings, configuration.limits.upload_memory());
    let access = Access::new(&configuration, Arc::new(SystemClock)).unwrap();
    Data::new(OciApi::new(registry, None, Arc::new(access), &configuration))
}

macro_rules! served {
    ($api:expr) => {
        init_service(App::new().app_data($api).default_service(to(root::answer))).await
    };
}

fn with_users(sections: &str) -> (tempfile::TempDir, Data<OciApi>) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("htpasswd");
    std::fs::write(&file, format!("alice:{}\n", bcrypt::hash("secret", 4).unwrap())).unwrap();
    let api = api(&format!(
        "auth: {{htpasswd: {{path: {}}}}}\n{sections}",
        file.display()
    ));
    (directory, api)
}

#[actix_web::test]
async fn given_a_closed_server_when_anybody_asks_for_anything_then_401_with_a_challenge_before_all_else() {
    let (_directory, api) = with_users("");
    let app = served!(api);
    for (method, path) in [
        (Method::GET, "/v2/"),
        (Method::GET, "/v2/a/blobs/sha256:abc"),
        (Method::GET, "/v2/A/manifests/latest"),
        (Method::GET, "/v2/a/manifests/.bad"),
        (Method::PUT, "/v2/a/manifests/.bad"),
        (Method::GET, "/v2/a/unknown/x"),
        (Method::GET, "/v2/_unknown"),
        (Method::PATCH, "/v2/_catalog"),
        (Method::GET, "/v2/_catalog?n=%ff"),
        (Method::GET, "/v2/a/blobs/uploads/nonsense"),
        (Method::GET, "/"),
        (Method::GET, "/unknown"),
    ] {
        let request = TestRequest::with_uri(path).method(method.clone()).to_request();
        let answer = call_service(&app, request).await;
        assert_eq!(answer.status(), 401, "{method} {path}");
        let challenge = answer.headers().get(WWW_AUTHENTICATE).unwrap().to_str().unwrap();
        assert!(challenge.starts_with("Basic realm="), "{path}: {challenge}");
    }
}

#[actix_web::test]
async fn given_anonymous_pulls_when_a_login_is_wrong_then_401_everywhere() {
    let (_directory, api) = with_users(OPEN);
    let app = served!(api);
    for path in [
        "/v2/",
        "/v2/_catalog",
        "/v2/a/tags/list",
        "/v2/a/blobs/sha256:abc",
        "/unknown",
    ] {
        for login in wrong_logins() {
            let request = TestRequest::with_uri(path).insert_header((AUTHORIZATION, login.as_str()));
            let answer = call_service(&app, request.to_request()).await;
            assert_eq!(answer.status(), 401, "{path} {login}");
        }
        let answer = call_service(&app, TestRequest::with_uri(path).to_request()).await;
        assert_ne!(answer.status(), 401, "{path}");
    }
}

#[actix_web::test]
async fn given_nobody_can_sign_in_when_clients_show_a_stored_login_then_they_are_served_like_anybody() {
    let app = served!(api(OPEN));
    for login in wrong_logins() {
        let request = TestRequest::with_uri("/v2/").insert_header((AUTHORIZATION, login.as_str()));
        let answer = call_service(&app, request.to_request()).await;
        assert_eq!(answer.status(), 200, "{login}");
        assert!(!answer.headers().contains_key(WWW_AUTHENTICATE), "{login}");
    }

    // Where nobody may do anything, there is nothing to sign in for.
    let closed = served!(api(""));
    let request = TestRequest::with_uri("/v2/").insert_header((AUTHORIZATION, "Basic YTpi"));
    let answer = call_service(&closed, request.to_request()).await;
    assert_eq!(answer.status(), 403);
    assert!(!answer.headers().contains_key(WWW_AUTHENTICATE));
}
