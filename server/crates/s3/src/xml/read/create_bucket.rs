//! The body of `CreateBucket`.

use super::elements::{Elements, once};
use super::tagging::tag_set;
use crate::error::{ErrorCode, S3Error};
use crate::tags::TagSet;

/// The region that is asked for by naming none.
const DEFAULT_REGION: &str = "us-east-1";

/// How a bucket is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateBucketConfiguration {
    /// In which region.
    pub location: Option<String>,
    /// With which tags.
    pub tags: TagSet,
}

impl CreateBucketConfiguration {
    /// Reads the document; an empty body asks for what is usual.
    ///
    /// # Errors
    /// `MalformedXML`, `InvalidTag`, and `NotImplemented` for a directory bucket.
    pub fn read(document: &[u8]) -> Result<Self, S3Error> {
        if document.is_empty() {
            return Ok(Self::default());
        }
        let mut elements = Elements::open(document, "CreateBucketConfiguration")?;
        let (mut location, mut tags) = (None, None);
        while let Some(name) = elements.next(&["LocationConstraint", "Tags", "Location", "Bucket"])? {
            match name {
                "LocationConstraint" => once(&mut location, elements.trimmed()?)?,
                "Tags" => once(&mut tags, tag_set(&mut elements)?)?,
                _ => {
                    return Err(S3Error::operation_not_implemented(
                        "CreateBucket for a directory bucket",
                    ));
                }
            }
        }
        elements.finish()?;
        Ok(Self {
            location: location.filter(|location| !location.is_empty()),
            tags: TagSet::of_bucket(tags.unwrap_or_default())?,
        })
    }

    /// A bucket is made in the region of this server alone. Who names none gets it too: many clients leave it out
    /// without meaning `us-east-1`.
    ///
    /// # Errors
    /// `IllegalLocationConstraintException` for another region, `InvalidLocationConstraint` for what is none.
    pub fn check_region(&self, region: &str) -> Result<(), S3Error> {
        let Some(location) = self.location.as_deref() else {
            return Ok(());
        };
        let is_here = location == region || (location == "EU" && region == "eu-west-1");
        if is_here {
            return Ok(());
        }
        if is_region(location) && location != DEFAULT_REGION {
            return Err(S3Error::with_message(
                ErrorCode::IllegalLocationConstraintException,
                format!(
                    "The {location} location constraint is incompatible for the region specific endpoint this \
                     request was sent to."
                ),
            ));
        }
        Err(S3Error::new(ErrorCode::InvalidLocationConstraint).with("LocationConstraint", location))
    }
}

/// Of the form `eu-central-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    words.len() >= 2 && words.iter().all(is_word) && is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_location_when_checked_then_only_the_region_of_the_server() {
        let check = |location: &str, region: &str| {
            let configuration = CreateBucketConfiguration {
                location: Some(location.to_owned()),
                ..Default::default()
            };
            configuration.check_region(region).map_err(|error| error.code())
        };
        assert_eq!(check("eu-west-1", "eu-west-1"), Ok(()));
        assert_eq!(check("EU", "eu-west-1"), Ok(()));
        assert_eq!(check("us-east-1", "us-east-1"), Ok(()));
        assert_eq!(
            check("eu-west-1", "us-east-1"),
            Err(ErrorCode::IllegalLocationConstraintException)
        );
        for location in ["us-east-1", "nowhere", "eu-west", "-a-1"] {
            assert_eq!(
                check(location, "eu-west-1"),
                Err(ErrorCode::InvalidLocationConstraint),
                "{location}"
            );
        }
        assert_eq!(
            CreateBucketConfiguration::default().check_region("eu-west-1"),
            Ok(())
        );
    }
}
