//! An answer, read completely, with the expectations that tests state about it.

use serde_json::Value;

/// The codes of a server's own faults, for which the specification, which speaks of 4xx alone, has none.
pub const FAULT_CODES: [&str; 2] = ["UNKNOWN", "UNAVAILABLE"];

/// The error codes of the distribution specification ("Error Codes"): no other may be answered to a client's mistake.
pub const ERROR_CODES: [&str; 14] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
];

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct Response {
    /// The request that it answers, for messages.
    pub request: String,
    /// The status code.
    pub status: u16,
    /// All headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a header.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a header that must be there.
    #[track_caller]
    pub fn required_header(&self, name: &str) -> &str {
        match self.header(name) {
            Some(value) => value,
            None => panic!(
                "{}: the answer {} has no header {name}",
                self.request, self.status
            ),
        }
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!(
                "{}: the body is not JSON ({error}): {}",
                self.request,
                self.beginning()
            ),
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Enough of the body to see what went wrong.
    fn beginning(&self) -> String {
        let beginning = self.body.get(..300).unwrap_or(&self.body);
        String::from_utf8_lossy(beginning)
            .chars()
            .flat_map(printable)
            .collect()
    }

    /// Demands a status.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        self.expect_status_in(&[status])
    }

    /// Demands one of several statuses, where the specification leaves a choice.
    #[track_caller]
    pub fn expect_status_in(self, statuses: &[u16]) -> Self {
        assert!(
            statuses.contains(&self.status),
            "{}: expected status {statuses:?}, got {}: {}",
            self.request,
            self.status,
            self.beginning()
        );
        self
    }

    /// Demands the exact value of a header.
    #[track_caller]
    pub fn expect_header(self, name: &str, value: &str) -> Self {
        let found: Vec<&str> = self.header_values(name).collect();
        assert_eq!(found, [value], "{}: header {name}", self.request);
        self
    }

    /// Demands that a header is absent.
    #[track_caller]
    pub fn expect_no_header(self, name: &str) -> Self {
        assert_eq!(self.header(name), None, "{}: header {name}", self.request);
        self
    }

    /// Demands exactly these bytes.
    #[track_caller]
    pub fn expect_body(self, body: &[u8]) -> Self {
        let is_equal = self.body == body;
        assert!(
            is_equal,
            "{}: the body has {} bytes and differs from the {} expected",
            self.request,
            self.body.len(),
            body.len()
        );
        self
    }

    /// Demands an error of this status whose first code is `code`, in the form of the specification.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        self.expect_error_in(&[status], &[code])
    }

    /// Like [`Self::expect_error`], where the specification leaves a choice.
    #[track_caller]
    pub fn expect_error_in(self, statuses: &[u16], codes: &[&str]) -> Self {
        let answer = self.expect_status_in(statuses);
        let found = answer.error_codes();
        assert!(
            found.first().is_some_and(|first| codes.contains(&first.as_str())),
            "{}: expected code {codes:?}, got {found:?}: {}",
            answer.request,
            answer.beginning()
        );
        answer
    }

    /// The codes of an error body, after checking its form: content type, members, and only known codes.
    #[track_caller]
    pub fn error_codes(&self) -> Vec<String> {
        let request = &self.request;
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{request}: content type of an error"
        );
        let document = self.json();
        let Some(errors) = document.get("errors").and_then(Value::as_array) else {
            panic!("{request}: an error body needs the array errors: {document}")
        };
        assert!(!errors.is_empty(), "{request}: the array errors is empty");
        assert_eq!(
            document.as_object().map(serde_json::Map::len),
            Some(1),
            "{request}: only errors belongs there: {document}"
        );
        errors.iter().map(|error| self.error_code(error)).collect()
    }

    #[track_caller]
    fn error_code(&self, error: &Value) -> String {
        let code = error.get("code").and_then(Value::as_str).unwrap_or_default();
        let is_fault = self.status >= 500 && FAULT_CODES.contains(&code);
        assert!(
            is_fault || ERROR_CODES.contains(&code),
            "{}: {code:?} is none of the codes for {}",
            self.request,
            self.status
        );
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        assert!(
            !message.is_empty(),
            "{}: the error has no message: {error}",
            self.request
        );
        code.to_owned()
    }
}

fn printable(character: char) -> Option<char> {
    (!character.is_control()).then_some(character)
}
