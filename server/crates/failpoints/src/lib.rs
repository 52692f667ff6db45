//! Places where tests make the server fail, wait or die.
//!
//! Without the feature `failpoints`, as in every release, [`reach`] is nothing. With it the environment variable
//! `FAILPOINTS` arms places: `seal.after_data_sync=3*off->1*return(abort)` ends the process when the place is reached
//! for the fourth time. The arguments are `error`, `delay` and `abort`; each visit that acts is said on stderr.

use std::io;

#[cfg(feature = "failpoints")]
mod armed;

/// A place in the code.
///
/// # Errors
/// Only with the feature `failpoints`, where a test asks for it.
#[inline(always)]
#[cfg(not(feature = "failpoints"))]
pub fn reach(_: &'static str) -> io::Result<()> {
    Ok(())
}

/// A place in the code.
///
/// # Errors
/// Where a test asks for it.
#[cfg(feature = "failpoints")]
pub fn reach(place: &'static str) -> io::Result<()> {
    armed::reach(place)
}

/// Reads `FAILPOINTS`; without the feature nothing. Called once, before anything else.
#[cfg(feature = "failpoints")]
pub fn arm() {
    armed::arm();
}

/// Reads `FAILPOINTS`; without the feature nothing. Called once, before anything else.
#[inline(always)]
#[cfg(not(feature = "failpoints"))]
pub fn arm() {}
