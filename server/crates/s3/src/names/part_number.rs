//! Part numbers (user guide, "Amazon S3 multipart upload limits").

use std::fmt;

use crate::error::S3Error;

/// The number of a part: 1 to 10,000. Numbers order parts and may have gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl PartNumber {
    /// The highest.
    pub const MAX: u16 = 10_000;

    /// Takes a number; `None` outside 1 to 10,000.
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            1..=Self::MAX => Some(Self(number)),
            _ => None,
        }
    }

    /// Reads the parameter `partNumber`.
    ///
    /// # Errors
    /// `InvalidArgument` for what is no number between 1 and 10,000.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number).and_then(Self::new);
        number.ok_or_else(|| {
            S3Error::invalid_argument(
                "Part number must be an integer between 1 and 10000, inclusive",
                "partNumber",
                text,
            )
        })
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn given_part_numbers_at_their_limits_when_parsed_then_one_to_ten_thousand() {
        for (text, number) in [("1", 1), ("10000", 10_000), ("0007", 7)] {
            assert_eq!(PartNumber::parse(text).unwrap().get(), number);
        }
        for text in ["", "0", "10001", "-1", "+1", "1.0", "99999999999"] {
            let error = PartNumber::parse(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{text}");
            assert_eq!(error.element("ArgumentValue"), Some(text));
        }
    }
}
