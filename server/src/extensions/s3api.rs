//! The S3 API, at the root of the public listener.

use std::sync::Arc;

use actix_web::web::Data;
use zas_config::Configuration;

use super::{Extension, Parts, Reconfigure, Routes, Services};
use crate::api::access_keys::{self, AccessKeyApi};
use crate::api::s3::S3Api;

/// The extension `s3api`.
#[derive(Debug)]
pub struct S3ApiExtension(Configuration);

impl S3ApiExtension {
    /// An extension for this configuration.
    pub fn new(configuration: &Configuration) -> Self {
        Self(configuration.clone())
    }
}

impl Extension for S3ApiExtension {
    fn name(&self) -> &'static str {
        "s3api"
    }

    fn attach(&self, services: &Services) -> Result<Parts, String> {
        let api = Arc::new(S3Api::new(services, &self.0));
        let served = Data::from(Arc::clone(&api));
        let keys = Data::new(AccessKeyApi::new(
            Arc::clone(&services.access),
            services.access_keys.clone(),
            Arc::clone(&services.clock),
            Arc::clone(&services.memory),
            &self.0,
        ));
        Ok(Parts {
            // Whether a request is one of S3 is told by its host and path together, at the root of the listener.
            public_routes: Some(Routes::new(move |routes| {
                routes.app_data(served.clone());
                access_keys::routes(keys.clone(), routes);
            })),
            reconfigure: Some(Reconfigure::new(move |configuration| {
                api.reconfigure(configuration);
            })),
            ..Parts::default()
        })
    }
}
