//! Errors as S3 tells them (API reference, "Error responses").

mod table;

use std::borrow::Cow;
use std::fmt;

pub use table::ErrorCode;

/// An answer that is an error: a code of the table, a message and the elements that AWS adds for the code.
///
/// Nothing in it is secret: the values of added elements are what the client sent or could know.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Error {
    code: ErrorCode,
    message: Cow<'static, str>,
    elements: Vec<(&'static str, String)>,
}

impl S3Error {
    /// An error with the table's message.
    pub const fn new(code: ErrorCode) -> Self {
        Self {
            code,
            message: Cow::Borrowed(code.message()),
            elements: Vec::new(),
        }
    }

    /// An error with a message of its own.
    pub fn with_message(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            elements: Vec::new(),
        }
    }

    /// `InvalidArgument` that names the argument and its value, as AWS does.
    pub fn invalid_argument(
        message: impl Into<Cow<'static, str>>,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self::with_message(ErrorCode::InvalidArgument, message)
            .with("ArgumentName", name)
            .with("ArgumentValue", value)
    }

    /// `InvalidRequest` with a message.
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::with_message(ErrorCode::InvalidRequest, message)
    }

    /// `NotImplemented` for a header, which is named in the element `Header`.
    pub fn header_not_implemented(name: &str) -> Self {
        Self::with_message(
            ErrorCode::NotImplemented,
            format!("A header you provided implies functionality that is not implemented: {name}"),
        )
        .with("Header", name)
    }

    /// `NotImplemented` for an operation, which is named.
    pub fn operation_not_implemented(name: &str) -> Self {
        Self::with_message(
            ErrorCode::NotImplemented,
            format!("This server does not implement {name}."),
        )
    }

    /// The same with one more element.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.elements.push((name, value.into()));
        self
    }

    /// The code.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The added elements in their order.
    pub fn elements(&self) -> &[(&'static str, String)] {
        &self.elements
    }

    /// The value of an added element.
    pub fn element(&self, name: &str) -> Option<&str> {
        let found = self.elements.iter().find(|(element, _)| *element == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl From<ErrorCode> for S3Error {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

/// Without the values of elements: some repeat whole requests.
impl fmt::Debug for S3Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.elements.iter().map(|(name, _)| *name).collect();
        formatter
            .debug_struct("S3Error")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("elements", &names)
            .finish()
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for S3Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_error_with_elements_when_debugged_then_their_values_stay_out() {
        let error = S3Error::new(ErrorCode::SignatureDoesNotMatch).with("CanonicalRequest", "the request");

        let debugged = format!("{error:?}");

        assert!(debugged.contains("CanonicalRequest") && !debugged.contains("the request"));
        assert_eq!(error.element("CanonicalRequest"), Some("the request"));
    }

    #[test]
    fn given_a_code_when_told_then_aws_name_status_and_message() {
        let error = S3Error::from(ErrorCode::NoSuchBucket);

        assert_eq!(error.status(), 404);
        assert_eq!(
            error.to_string(),
            "NoSuchBucket: The specified bucket does not exist"
        );
    }

    #[test]
    fn given_the_table_when_read_then_every_status_is_an_error_or_a_redirect() {
        for code in ErrorCode::ALL {
            assert!((301..=503).contains(&code.status()), "{code}");
            assert!(!code.message().is_empty(), "{code}");
        }
    }
}
