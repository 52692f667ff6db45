//! What a request shows before its body.

use std::fmt::Debug;
use std::net::IpAddr;

/// The head of a request, as it came in: signatures are computed over exactly this.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, not decoded.
    pub path: &'a str,
    /// What follows the question mark, not decoded.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a dyn Headers,
    /// Where it comes from.
    pub client: IpAddr,
    /// Whether it came over TLS.
    pub is_tls: bool,
}

/// The headers of a request.
pub trait Headers: Debug {
    /// Every value of a header, in the order of the request. The name is in lower case.
    fn all(&self, name: &str) -> Vec<&[u8]>;

    /// The first value of a header. The name is in lower case.
    fn first(&self, name: &str) -> Option<&[u8]>;
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// `Authorization` headers and nothing else.
    #[derive(Clone, Debug)]
    pub(in crate::services::auth) struct Authorization<'a>(pub(in crate::services::auth) &'a [&'a [u8]]);

    impl Headers for Authorization<'_> {
        fn all(&self, name: &str) -> Vec<&[u8]> {
            if name == "authorization" {
                self.0.to_vec()
            } else {
                Vec::new()
            }
        }

        fn first(&self, name: &str) -> Option<&[u8]> {
            self.0.first().copied().filter(|_| name == "authorization")
        }
    }

    impl<'a> Authorization<'a> {
        /// The head of `GET /v2/` with these headers.
        pub(in crate::services::auth) fn head(&'a self, client: IpAddr) -> RequestHead<'a> {
            RequestHead {
                method: "GET",
                path: "/v2/",
                query: "",
                headers: self,
                client,
                is_tls: false,
            }
        }
    }
}
