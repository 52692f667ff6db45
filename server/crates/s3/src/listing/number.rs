//! Numbers in listings.

use crate::error::S3Error;
use crate::query::Query;

const INTEGER_MAX: i64 = 2_147_483_647;

/// Reads a number from 0 on; what is more than `most` is `most`.
pub(super) fn up_to(query: &Query<'_>, name: &'static str, most: u16) -> Result<u16, S3Error> {
    let Some(text) = query.text(name)?.filter(|text| !text.is_empty()) else {
        return Ok(most);
    };
    integer(name, text).map(|number| u16::try_from(number).unwrap_or(most).min(most))
}

/// Reads an integer from 0 on, 31 bits long.
pub(super) fn integer(name: &'static str, text: &str) -> Result<i64, S3Error> {
    let number: Option<i64> = text.parse().ok();
    match number {
        Some(number @ 0..=INTEGER_MAX) => Ok(number),
        Some(number) if (-INTEGER_MAX..0).contains(&number) => Err(S3Error::invalid_argument(
            format!("Argument {name} must be an integer between 0 and {INTEGER_MAX}"),
            name,
            text,
        )),
        _ => Err(S3Error::invalid_argument(
            format!("Provided {name} not an integer or within integer range"),
            name,
            text,
        )),
    }
}
