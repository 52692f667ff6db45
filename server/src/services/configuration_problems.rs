//! What of the configuration is not in force as it was written, for the log, the metrics and the readiness probe.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A part of the configuration that takes effect by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigurationPart {
    /// The configuration files themselves.
    Files,
    /// The file of users.
    Users,
    /// The files of the administrator.
    Administrator,
    /// The certificate and its key.
    Certificate,
}

impl ConfigurationPart {
    /// Every part.
    pub const ALL: [Self; 4] = [Self::Files, Self::Users, Self::Administrator, Self::Certificate];

    /// Its name in metrics and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Users => "users",
            Self::Administrator => "administrator",
            Self::Certificate => "certificate",
        }
    }
}

impl fmt::Display for ConfigurationPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The problems of each part, as of the last time that it was read.
#[derive(Debug, Default)]
pub struct ConfigurationProblems(Mutex<BTreeMap<ConfigurationPart, Vec<String>>>);

impl ConfigurationProblems {
    /// Notes what reading a part has found; nothing when it is in force as it was written. What was not known before is
    /// logged.
    pub fn set(&self, part: ConfigurationPart, problems: Vec<String>) {
        let mut known = self.lock();
        let before = known.remove(&part).unwrap_or_default();
        for problem in problems.iter().filter(|problem| !before.contains(problem)) {
            tracing::error!(%part, %problem, "the configuration is not in force as it was written");
        }
        if problems.is_empty() {
            if !before.is_empty() {
                tracing::info!(%part, "the configuration is in force as it was written again");
            }
            return;
        }
        known.insert(part, problems);
    }

    /// How many problems a part has.
    pub fn count(&self, part: ConfigurationPart) -> usize {
        self.lock().get(&part).map_or(0, Vec::len)
    }

    /// Every problem, with the name of its part in front.
    pub fn all(&self) -> Vec<String> {
        let known = self.lock();
        let named = |(part, problems): (&ConfigurationPart, &Vec<String>)| {
            problems
                .iter()
                .map(|problem| format!("{part}: {problem}"))
                .collect::<Vec<_>>()
        };
        known.iter().flat_map(named).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConfigurationPart, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_problems_of_parts_when_one_is_read_again_then_the_others_stay() {
        let problems = ConfigurationProblems::default();
        problems.set(
            ConfigurationPart::Users,
            vec!["line 3".to_owned(), "line 7".to_owned()],
        );
        problems.set(ConfigurationPart::Files, vec!["wrong".to_owned()]);
        problems.set(ConfigurationPart::Administrator, Vec::new());
        assert_eq!(problems.all(), ["files: wrong", "users: line 3", "users: line 7"]);

        problems.set(ConfigurationPart::Users, Vec::new());

        assert_eq!(problems.all(), ["files: wrong"]);
        assert_eq!(problems.count(ConfigurationPart::Users), 0);
        assert_eq!(problems.count(ConfigurationPart::Files), 1);
    }
}
