//! What the numbers must be, and whether they are.

use std::fmt;

use serde::Serialize;

use crate::scenario::Scenario;

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// Less than this.
    Below(f64),
}

impl Bound {
    /// Whether a value is within the bound.
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::Below(limit) => value < limit,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(value) => write!(formatter, "at least {value}"),
            Self::AtMost(value) => write!(formatter, "at most {value}"),
            Self::Below(value) => write!(formatter, "below {value}"),
        }
    }
}

/// One requirement with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Check {
    /// What is required, and in which unit.
    pub(crate) what: String,
    /// What it must be.
    pub(crate) bound: Bound,
    /// What it is; `None` when it was not measured.
    pub(crate) measured: Option<f64>,
}

impl Check {
    /// A requirement and its measurement.
    pub(crate) fn new(what: impl Into<String>, bound: Bound, measured: Option<f64>) -> Self {
        Self {
            what: what.into(),
            bound,
            measured,
        }
    }

    /// For the table. The value is judged as it was measured, not as it is written.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.measured {
            None => "not measured",
            Some(value) if self.bound.holds(value) => "reached",
            Some(_) => "**not reached**",
        }
    }
}

/// How many times the result of CNCF distribution ours must be.
pub(crate) fn against_distribution(scenario: Scenario) -> f64 {
    match scenario {
        // A pull is bounded by the machine: nobody may be better.
        Scenario::PullStream | Scenario::PullFourStreams => 1.0,
        Scenario::PushStreamDocker | Scenario::PushStreamMonolithic => 1.6,
        Scenario::PushMediumBlobs | Scenario::GetManifestsByDigest | Scenario::GetManifestsByTag => 3.0,
        Scenario::PutManifests => 8.0,
        Scenario::PushSmallBlobs | Scenario::GetSmallBlobs | Scenario::ListTags | Scenario::ListCatalog => {
            10.0
        }
    }
}

/// What part of its limit ours must reach, where that is required.
pub(crate) fn against_limit(scenario: Scenario) -> Option<f64> {
    matches!(scenario, Scenario::PullStream | Scenario::PullFourStreams).then_some(0.9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_values_at_a_bound_when_judged_then_only_below_excludes_it() {
        assert!(Bound::AtLeast(3.0).holds(3.0) && !Bound::AtLeast(3.0).holds(2.99));
        assert!(Bound::AtMost(2.0).holds(2.0) && !Bound::AtMost(2.0).holds(2.01));
        assert!(Bound::Below(1.0).holds(0.99) && !Bound::Below(1.0).holds(1.0));
    }

    #[test]
    fn given_checks_when_judged_then_what_was_not_measured_is_not_reached() {
        let verdict = |measured| Check::new("speed", Bound::AtLeast(3.0), measured).verdict();
        assert_eq!(verdict(Some(3.5)), "reached");
        assert_eq!(verdict(Some(2.996)), "**not reached**");
        assert_eq!(verdict(None), "not measured");
    }
}
