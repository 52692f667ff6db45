//! What `GetObjectAttributes` asks for.

use crate::error::S3Error;
use crate::head::Headers;
use crate::names::PartNumber;

/// Something that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectAttribute {
    /// `ETag`
    ETag,
    /// `Checksum`
    Checksum,
    /// `ObjectParts`
    ObjectParts,
    /// `StorageClass`
    StorageClass,
    /// `ObjectSize`
    ObjectSize,
}

impl ObjectAttribute {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "ETag" => Some(Self::ETag),
            "Checksum" => Some(Self::Checksum),
            "ObjectParts" => Some(Self::ObjectParts),
            "StorageClass" => Some(Self::StorageClass),
            "ObjectSize" => Some(Self::ObjectSize),
            _ => None,
        }
    }
}

/// What is asked for, and which page of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributesRequest {
    attributes: Vec<ObjectAttribute>,
    /// The most parts.
    pub max_parts: u16,
    /// Only parts with higher numbers.
    pub part_number_marker: u16,
}

const MAX_PARTS: u16 = 1000;

impl AttributesRequest {
    /// Reads `x-amz-object-attributes`, `x-amz-max-parts` and `x-amz-part-number-marker`.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn of(headers: &Headers<'_>) -> Result<Self, S3Error> {
        const HEADER: &str = "x-amz-object-attributes";
        let mut attributes = Vec::new();
        // Some clients send a header for each.
        for value in headers.all(HEADER) {
            let text = String::from_utf8_lossy(value);
            for name in text.split(',').map(str::trim) {
                let attribute = ObjectAttribute::parse(name).ok_or_else(|| {
                    S3Error::invalid_argument("Invalid attribute name specified.", HEADER, name)
                })?;
                attributes.push(attribute);
            }
        }
        if attributes.is_empty() {
            let message = "The x-amz-object-attributes header specifying the attributes to be retrieved is either \
                           missing or empty";
            return Err(S3Error::invalid_argument(message, HEADER, ""));
        }
        Ok(Self {
            attributes,
            max_parts: number(headers, "x-amz-max-parts")?
                .unwrap_or(MAX_PARTS)
                .min(MAX_PARTS),
            part_number_marker: number(headers, "x-amz-part-number-marker")?
                .unwrap_or(0)
                .min(PartNumber::MAX),
        })
    }

    /// Whether that is asked for.
    pub fn wants(&self, attribute: ObjectAttribute) -> bool {
        self.attributes.contains(&attribute)
    }
}

/// What does not fit is more than there can be.
fn number(headers: &Headers<'_>, name: &'static str) -> Result<Option<u16>, S3Error> {
    let Some(text) = headers.text(name)? else {
        return Ok(None);
    };
    let number: Option<u32> = text.parse().ok().filter(|number| i32::try_from(*number).is_ok());
    let number = number.ok_or_else(|| {
        S3Error::invalid_argument(
            format!("Provided {name} not an integer or within integer range"),
            name,
            text,
        )
    })?;
    Ok(Some(u16::try_from(number).unwrap_or(u16::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn of(given: &[(&str, &str)]) -> Result<AttributesRequest, S3Error> {
        AttributesRequest::of(
            &given
                .iter()
                .map(|(name, value)| (*name, value.as_bytes()))
                .collect(),
        )
    }

    #[test]
    fn given_names_in_one_header_or_several_when_read_then_all_of_them() {
        for given in [
            &[
                ("x-amz-object-attributes", "ETag, ObjectParts"),
                ("x-amz-max-parts", "2000"),
            ][..],
            &[
                ("x-amz-object-attributes", "ETag"),
                ("x-amz-object-attributes", "ObjectParts"),
                ("x-amz-part-number-marker", "0"),
            ],
        ] {
            let request = of(given).unwrap();
            assert!(request.wants(ObjectAttribute::ETag) && request.wants(ObjectAttribute::ObjectParts));
            assert!(!request.wants(ObjectAttribute::Checksum));
            assert_eq!((request.max_parts, request.part_number_marker), (1000, 0));
        }
    }

    #[test]
    fn given_what_is_no_attribute_when_read_then_invalid_argument() {
        for given in [
            &[][..],
            &[("x-amz-object-attributes", "")],
            &[("x-amz-object-attributes", "etag")],
            &[("x-amz-object-attributes", "ETag"), ("x-amz-max-parts", "-1")],
            &[
                ("x-amz-object-attributes", "ETag"),
                ("x-amz-part-number-marker", "x"),
            ],
        ] {
            assert_eq!(
                of(given).unwrap_err().code(),
                ErrorCode::InvalidArgument,
                "{given:?}"
            );
        }
    }
}
