//! Checksums that are asked for, promised of a whole upload, and shown.

use crate::checksum::{ChecksumAlgorithm, ChecksumType, ObjectChecksum};
use crate::error::S3Error;
use crate::head::Headers;

const ALGORITHM: &str = "x-amz-checksum-algorithm";
const KIND: &str = "x-amz-checksum-type";
const SIZE: &str = "x-amz-mp-object-size";

/// The checksum that an object shall show: what `CreateMultipartUpload` and `CopyObject` ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedChecksum {
    /// The algorithm, where the client names one.
    pub algorithm: Option<ChecksumAlgorithm>,
    /// The type, where the client names one.
    kind: Option<ChecksumType>,
}

impl RequestedChecksum {
    /// Reads `x-amz-checksum-algorithm` and `x-amz-checksum-type`.
    ///
    /// # Errors
    /// `InvalidRequest`.
    pub fn of(headers: &Headers<'_>) -> Result<Self, S3Error> {
        let algorithm = match headers.text(ALGORITHM)? {
            None => None,
            Some(name) => Some(ChecksumAlgorithm::of_name(name).ok_or_else(|| {
                S3Error::invalid_request(
                    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                     [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
                )
            })?),
        };
        let kind = headers.text(KIND)?.map(ChecksumType::parse).transpose()?;
        if kind.is_some() && algorithm.is_none() {
            return Err(S3Error::invalid_request(format!(
                "The {KIND} header can only be used with the {ALGORITHM} header."
            )));
        }
        Ok(Self { algorithm, kind })
    }

    /// What an upload in parts keeps: CRC-64 of the whole, when the client does not say.
    ///
    /// # Errors
    /// `InvalidRequest` for a type that the algorithm does not have.
    pub fn of_upload(self) -> Result<(ChecksumAlgorithm, ChecksumType), S3Error> {
        let algorithm = self.algorithm.unwrap_or(ChecksumAlgorithm::Crc64Nvme);
        Ok((algorithm, algorithm.typed(self.kind)?))
    }
}

/// What `CompleteMultipartUpload` promises of the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompletionChecksum {
    checksum: Option<ObjectChecksum>,
    kind: Option<ChecksumType>,
    size: Option<u64>,
}

impl CompletionChecksum {
    /// Reads `x-amz-checksum-*`, `x-amz-checksum-type` and `x-amz-mp-object-size`.
    ///
    /// # Errors
    /// `InvalidRequest`.
    pub fn of(headers: &Headers<'_>) -> Result<Self, S3Error> {
        let mut checksum = None;
        for algorithm in ChecksumAlgorithm::ALL {
            let Some(text) = headers.text(algorithm.header())? else {
                continue;
            };
            if checksum
                .replace(ObjectChecksum::parse(algorithm, text)?)
                .is_some()
            {
                return Err(S3Error::invalid_request(
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
                ));
            }
        }
        let size = headers.text(SIZE)?.map(|text| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            let size = text.parse().ok().filter(|_| is_number);
            size.ok_or_else(|| S3Error::invalid_request(format!("Value for {SIZE} header is invalid.")))
        });
        Ok(Self {
            checksum,
            kind: headers.text(KIND)?.map(ChecksumType::parse).transpose()?,
            size: size.transpose()?,
        })
    }

    /// Compares with what the parts make, whose size and checksum are known before anything is read.
    ///
    /// # Errors
    /// `InvalidRequest` for another type, algorithm or size, `BadDigest` for another checksum.
    pub fn verify(&self, size: u64, computed: Option<&ObjectChecksum>) -> Result<(), S3Error> {
        if self.size.is_some_and(|promised| promised != size) {
            return Err(S3Error::invalid_request(format!(
                "The provided '{SIZE}' header value does not match what was computed."
            )));
        }
        let Some(computed) = computed else {
            return Ok(());
        };
        if self.kind.is_some_and(|kind| kind != computed.kind()) {
            return Err(S3Error::invalid_request(format!(
                "The upload was created using the {} checksum mode. The complete request must use the same checksum \
                 mode.",
                computed.kind().name()
            )));
        }
        let Some(promised) = self.checksum else {
            return Ok(());
        };
        if promised.algorithm() != computed.algorithm() {
            return Err(S3Error::invalid_request(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                computed.algorithm().name().to_lowercase(),
                promised.algorithm().name().to_lowercase()
            )));
        }
        // Of a composite some clients leave out how many parts there are.
        if promised.checksum() == computed.checksum() && promised.kind() == ChecksumType::FullObject {
            return Ok(());
        }
        promised.expect(*computed)
    }
}

/// Whether a reader asks for the checksum.
///
/// # Errors
/// `InvalidArgument` for anything but `ENABLED`.
pub fn wants_checksum(headers: &Headers<'_>) -> Result<bool, S3Error> {
    const MODE: &str = "x-amz-checksum-mode";
    match headers.text(MODE)? {
        None => Ok(false),
        Some(mode) if mode.eq_ignore_ascii_case("ENABLED") => Ok(true),
        Some(mode) => Err(S3Error::invalid_argument("Unknown checksum mode", MODE, mode)),
    }
}

/// The headers that show a checksum.
pub fn checksum_headers(checksum: &ObjectChecksum) -> [(&'static str, String); 2] {
    [
        (checksum.algorithm().header(), checksum.text()),
        (KIND, checksum.kind().name().to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Checksum;
    use crate::error::ErrorCode;

    fn headers<'a>(given: &[(&'a str, &'a str)]) -> Headers<'a> {
        given
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect()
    }

    fn crc32() -> Checksum {
        Checksum::parse(ChecksumAlgorithm::Crc32, "AAAAAQ==").unwrap()
    }

    #[test]
    fn given_what_an_upload_asks_for_when_read_then_algorithm_and_type() {
        for (given, expected) in [
            (
                &[][..],
                Ok((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject)),
            ),
            (
                &[(ALGORITHM, "CRC32")],
                Ok((ChecksumAlgorithm::Crc32, ChecksumType::Composite)),
            ),
            (
                &[(ALGORITHM, "crc32"), (KIND, "FULL_OBJECT")],
                Ok((ChecksumAlgorithm::Crc32, ChecksumType::FullObject)),
            ),
            (
                &[(ALGORITHM, "SHA256")],
                Ok((ChecksumAlgorithm::Sha256, ChecksumType::Composite)),
            ),
            (
                &[(ALGORITHM, "SHA256"), (KIND, "FULL_OBJECT")],
                Err(ErrorCode::InvalidRequest),
            ),
            (
                &[(ALGORITHM, "CRC64NVME"), (KIND, "COMPOSITE")],
                Err(ErrorCode::InvalidRequest),
            ),
            (&[(ALGORITHM, "MD5")], Err(ErrorCode::InvalidRequest)),
            (&[(KIND, "COMPOSITE")], Err(ErrorCode::InvalidRequest)),
            (
                &[(ALGORITHM, "CRC32"), (KIND, "PARTIAL")],
                Err(ErrorCode::InvalidRequest),
            ),
        ] {
            let read = RequestedChecksum::of(&headers(given)).and_then(RequestedChecksum::of_upload);
            assert_eq!(read.map_err(|error| error.code()), expected, "{given:?}");
        }
    }

    #[test]
    fn given_what_a_completion_promises_when_compared_then_only_the_same_passes() {
        const CRC: &str = "x-amz-checksum-crc32";
        let full = ObjectChecksum::FullObject(crc32());
        let composite = ObjectChecksum::Composite {
            checksum: crc32(),
            parts: 2,
        };
        for (given, computed, expected) in [
            (&[][..], full, None),
            (
                &[(CRC, "AAAAAQ=="), (KIND, "FULL_OBJECT"), (SIZE, "5")],
                full,
                None,
            ),
            (&[(CRC, "AAAAAQ==-2"), (KIND, "COMPOSITE")], composite, None),
            (&[(CRC, "AAAAAQ==")], composite, None),
            (&[(CRC, "AAAAAQ==-3")], composite, Some(ErrorCode::BadDigest)),
            (&[(CRC, "AAAAAg==")], full, Some(ErrorCode::BadDigest)),
            (
                &[("x-amz-checksum-crc32c", "AAAAAQ==")],
                full,
                Some(ErrorCode::InvalidRequest),
            ),
            (&[(KIND, "COMPOSITE")], full, Some(ErrorCode::InvalidRequest)),
            (&[(SIZE, "6")], full, Some(ErrorCode::InvalidRequest)),
        ] {
            let promised = CompletionChecksum::of(&headers(given)).unwrap();
            let code = promised
                .verify(5, Some(&computed))
                .err()
                .map(|error| error.code());
            assert_eq!(code, expected, "{given:?}");
        }
        for given in [
            &[(CRC, "AAAA")][..],
            &[(CRC, "AAAAAQ=="), ("x-amz-checksum-crc32c", "AAAAAQ==")],
            &[(SIZE, "+5")],
            &[(KIND, "x")],
        ] {
            let error = CompletionChecksum::of(&headers(given)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{given:?}");
        }
    }

    #[test]
    fn given_a_reader_when_it_asks_for_the_checksum_then_shown_with_its_type() {
        assert_eq!(wants_checksum(&headers(&[])), Ok(false));
        assert_eq!(
            wants_checksum(&headers(&[("x-amz-checksum-mode", "ENABLED")])),
            Ok(true)
        );
        assert!(wants_checksum(&headers(&[("x-amz-checksum-mode", "on")])).is_err());
        let composite = ObjectChecksum::Composite {
            checksum: crc32(),
            parts: 2,
        };
        assert_eq!(
            checksum_headers(&composite),
            [
                ("x-amz-checksum-crc32", "AAAAAQ==-2".to_owned()),
                (KIND, "COMPOSITE".to_owned())
            ]
        );
    }
}
