//! The scope of a credential, and what this server expects of it.

use std::time::Duration;

use zas_core::Timestamp;

pub(crate) const TERMINATOR: &str = "aws4_request";
const SERVICE: &str = "s3";

/// How far the clocks of client and server may differ.
pub(super) const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// What a signed request is held against.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The region of this server.
    pub region: &'a str,
    /// The time now.
    pub now: Timestamp,
}

impl Expected<'_> {
    /// How far a time is from now, in either direction.
    pub(super) fn distance(&self, time: Timestamp) -> Duration {
        self.now.since(time).max(time.since(self.now))
    }
}

/// `20130524/us-east-1/s3/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// `AKIDEXAMPLE/20130524/us-east-1/s3/aws4_request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) access_key_id: String,
    pub(super) scope: Scope,
}

/// What is wrong with a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WrongCredential {
    /// Not of five parts.
    Malformed,
    /// The day is not that of the request.
    Date { day: String },
    /// Another region.
    Region { given: String },
    /// Another service.
    Service { given: String },
    /// Something else than `aws4_request` at its end.
    Terminator { given: String },
}

impl WrongCredential {
    /// What AWS says behind "malformed;" or "X-Amz-Credential parameter;".
    pub(super) fn reason(&self, expected: &Expected<'_>) -> String {
        match self {
            Self::Malformed => "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".to_owned(),
            Self::Date { day } => {
                format!("Invalid credential date. This date is not the same as X-Amz-Date: \"{day}\".")
            }
            Self::Region { given } => {
                format!("the region '{given}' is wrong; expecting '{}'", expected.region)
            }
            Self::Service { given } => {
                format!("incorrect service \"{given}\". This endpoint belongs to \"{SERVICE}\".")
            }
            Self::Terminator { given } => {
                format!("incorrect terminal \"{given}\". This endpoint uses \"{TERMINATOR}\".")
            }
        }
    }
}

impl Credential {
    /// Reads a credential and compares it with the day of the request and with what this server is.
    pub(super) fn parse(text: &str, day: &str, expected: &Expected<'_>) -> Result<Self, WrongCredential> {
        let parts: Vec<&str> = text.split('/').collect();
        let [id, date, region, service, terminator] = parts[..] else {
            return Err(WrongCredential::Malformed);
        };
        if id.is_empty() {
            return Err(WrongCredential::Malformed);
        }
        if terminator != TERMINATOR {
            return Err(WrongCredential::Terminator {
                given: terminator.to_owned(),
            });
        }
        if service != SERVICE {
            return Err(WrongCredential::Service {
                given: service.to_owned(),
            });
        }
        if date != day {
            return Err(WrongCredential::Date { day: day.to_owned() });
        }
        if region != expected.region {
            return Err(WrongCredential::Region {
                given: region.to_owned(),
            });
        }
        Ok(Self {
            access_key_id: id.to_owned(),
            scope: Scope {
                date: date.to_owned(),
                region: region.to_owned(),
                service: service.to_owned(),
            },
        })
    }
}

impl Scope {
    /// As strings to sign hold it.
    pub(crate) fn text(&self) -> String {
        format!("{}/{}/{}/{TERMINATOR}", self.date, self.region, self.service)
    }
}
