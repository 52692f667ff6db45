//! The parameters of a request.

use crate::error::{ErrorCode, S3Error};
use crate::percent;

/// More parameters than any request has.
const MAX_PARAMETERS: usize = 256;

/// A parameter, decoded to bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// The parameters of a request in their order. One without a value has the empty one.
#[derive(Clone, Debug, Default)]
pub struct Query<'a> {
    raw: &'a str,
    parameters: Vec<Parameter>,
}

impl<'a> Query<'a> {
    /// Reads what stands behind `?`.
    ///
    /// # Errors
    /// `InvalidURI` when an escape is not whole or there are too many parameters.
    pub fn parse(raw: &'a str) -> Result<Self, S3Error> {
        let parts = || raw.split('&').filter(|part| !part.is_empty());
        if parts().nth(MAX_PARAMETERS).is_some() {
            return Err(ErrorCode::InvalidURI.into());
        }
        let parameters: Option<Vec<Parameter>> = parts().map(parameter).collect();
        match parameters {
            Some(parameters) => Ok(Self { raw, parameters }),
            None => Err(ErrorCode::InvalidURI.into()),
        }
    }

    /// The text it was read from.
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Whether there is such a parameter, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The value; `None` when there is none.
    ///
    /// # Errors
    /// `InvalidArgument` when it is there more than once or not UTF-8.
    pub fn text<'b>(&'b self, name: &str) -> Result<Option<&'b str>, S3Error> {
        let mut values = self.all(name);
        let Some(value) = values.next() else {
            return Ok(None);
        };
        match (std::str::from_utf8(value), values.next()) {
            (Ok(text), None) => Ok(Some(text)),
            _ => Err(S3Error::invalid_argument(
                format!("The parameter {name} must be there once and be UTF-8"),
                name,
                String::from_utf8_lossy(value),
            )),
        }
    }

    pub(crate) fn all<'b, 'c>(&'b self, name: &'c str) -> impl Iterator<Item = &'b [u8]> + use<'a, 'b, 'c> {
        self.parameters
            .iter()
            .filter(move |parameter| parameter.name == name.as_bytes())
            .map(|parameter| parameter.value.as_slice())
    }
}

fn parameter(part: &str) -> Option<Parameter> {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    Some(Parameter {
        name: percent::decode_query(name)?,
        value: percent::decode_query(value)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_parameters_with_and_without_values_when_asked_then_found() {
        let query = Query::parse("uploads&prefix=a%2Fb+c&empty=&&x=1&x=2&y=%ff").unwrap();

        assert_eq!(query.text("uploads").unwrap(), Some(""));
        assert_eq!(query.text("empty").unwrap(), Some(""));
        assert_eq!(query.text("prefix").unwrap(), Some("a/b c"));
        assert_eq!(query.text("other").unwrap(), None);
        for name in ["x", "y"] {
            assert_eq!(query.text(name).unwrap_err().code(), ErrorCode::InvalidArgument);
        }
    }

    #[test]
    fn given_a_query_that_cannot_be_read_when_parsed_then_invalid_uri() {
        for raw in ["a=%", "%zz", &"a&".repeat(257)] {
            assert_eq!(Query::parse(raw).unwrap_err().code(), ErrorCode::InvalidURI);
        }
    }
}
