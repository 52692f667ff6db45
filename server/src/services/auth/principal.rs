//! Who calls.

use zas_config::UserName;

/// The one form that every kind of credential ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Somebody without credentials.
    Anonymous,
    /// Somebody who has shown a user's password.
    User(UserName),
    /// The administrator that the configuration names, who has shown the password.
    Administrator(UserName),
}

impl Principal {
    /// The name that changes are recorded under; empty for anonymous.
    pub fn name(&self) -> &str {
        self.user().map_or("", UserName::as_str)
    }

    /// Whether no credentials were shown.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }

    /// Whether everything is allowed, whatever the rules say.
    pub fn is_administrator(&self) -> bool {
        matches!(self, Self::Administrator(_))
    }

    /// The user, when there is one.
    pub fn user(&self) -> Option<&UserName> {
        match self {
            Self::Anonymous => None,
            Self::User(name) | Self::Administrator(name) => Some(name),
        }
    }
}
