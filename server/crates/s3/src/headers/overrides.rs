//! Parameters that give an answer other headers (API reference, `GetObject`, "Overriding response header values").

use crate::error::S3Error;
use crate::query::Query;

const PARAMETERS: [(&str, &str); 6] = [
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
    ("response-content-language", "content-language"),
    ("response-content-type", "content-type"),
    ("response-expires", "expires"),
];

/// Headers that take the place of stored ones in one answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseOverrides(Vec<(&'static str, String)>);

impl ResponseOverrides {
    /// Reads the parameters.
    ///
    /// # Errors
    /// `InvalidRequest` for an anonymous request, whose maker could give a page of the bucket any form;
    /// `InvalidArgument` for what cannot be the value of a header.
    pub fn of(query: &Query<'_>, is_anonymous: bool) -> Result<Self, S3Error> {
        let mut overrides = Vec::new();
        for (parameter, header) in PARAMETERS {
            let Some(value) = query.text(parameter)? else {
                continue;
            };
            if is_anonymous {
                return Err(S3Error::invalid_request(
                    "Request specific response headers cannot be used for anonymous GET requests.",
                ));
            }
            if value.chars().any(char::is_control) {
                return Err(S3Error::invalid_argument(
                    "Header value cannot be represented using ISO-8859-1.",
                    parameter,
                    value,
                ));
            }
            overrides.push((header, value.to_owned()));
        }
        Ok(Self(overrides))
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn given_overrides_when_read_then_from_those_who_signed_them_alone() {
        let query = Query::parse("response-content-type=a%2Fb&response-expires=&other=1").unwrap();
        let overrides = ResponseOverrides::of(&query, false).unwrap();
        assert_eq!(
            overrides.iter().collect::<Vec<_>>(),
            [("content-type", "a/b"), ("expires", "")]
        );
        assert_eq!(overrides.get("content-type"), Some("a/b"));
        let error = ResponseOverrides::of(&query, true).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRequest);
        let none = Query::parse("versionId=1").unwrap();
        assert_eq!(
            ResponseOverrides::of(&none, true),
            Ok(ResponseOverrides::default())
        );
    }

    #[test]
    fn given_a_value_that_would_break_the_answer_when_read_then_refused() {
        for text in ["response-content-type=a%0D%0Ab", "response-expires=%00"] {
            let error = ResponseOverrides::of(&Query::parse(text).unwrap(), false).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{text}");
        }
    }
}
