//! What a configuration says beyond its defaults.

use serde_json::Value;

use crate::ServerVersion;
use crate::reference::Reload;
use crate::section::join;

/// The content of a field, without what is as it is by default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stated {
    /// A value without parts, or a list of such.
    Value(Value),
    /// A list of contents.
    List(Vec<Self>),
    /// Contents by keys that the operator chose.
    Entries(Vec<(String, Self)>),
    /// A part that is always there.
    Section(Vec<StatedField>),
    /// A part that is there and need not be.
    Present(Vec<StatedField>),
}

/// A field whose value is not the default, or that must be stated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatedField {
    pub(crate) key: &'static str,
    pub(crate) reload: Reload,
    /// The first version that knows it; none when that of the part around it.
    pub(crate) since: Option<&'static str>,
    pub(crate) content: Stated,
}

/// What needs a restart, and what does not.
#[derive(Debug, Default)]
pub(crate) struct Split {
    pub(crate) restart: Vec<StatedField>,
    pub(crate) hot: Vec<StatedField>,
}

impl Split {
    /// Parts the fields of a section.
    ///
    /// The presence of a part counts like a value: whole and with everything in it when it needs a restart.
    pub(crate) fn of(fields: Vec<StatedField>) -> Self {
        let mut split = Self::default();
        for field in fields {
            split.add(field);
        }
        split
    }

    fn add(&mut self, field: StatedField) {
        let StatedField {
            key,
            reload,
            since,
            content,
        } = field;
        let with = |content| StatedField {
            key,
            reload,
            since,
            content,
        };
        match (content, reload) {
            (Stated::Section(fields), _) => {
                let inner = Self::of(fields);
                if !inner.restart.is_empty() {
                    self.restart.push(with(Stated::Section(inner.restart)));
                }
                if !inner.hot.is_empty() {
                    self.hot.push(with(Stated::Section(inner.hot)));
                }
            }
            (Stated::Present(fields), Reload::Hot) => {
                let inner = Self::of(fields);
                if !inner.restart.is_empty() {
                    self.restart.push(with(Stated::Present(inner.restart)));
                }
                self.hot.push(with(Stated::Present(inner.hot)));
            }
            (content, Reload::Hot) => self.hot.push(with(content)),
            (content, Reload::Restart) => self.restart.push(with(content)),
        }
    }
}

/// Adds the paths of the outermost fields that `version` does not know.
pub(crate) fn unknown_fields(
    fields: &[StatedField],
    version: ServerVersion,
    path: &str,
    unknown: &mut Vec<String>,
) {
    for field in fields {
        let path = join(path, field.key);
        let is_newer = field
            .since
            .and_then(|since| since.parse::<ServerVersion>().ok())
            .is_some_and(|since| since > version);
        if is_newer {
            unknown.push(path);
        } else {
            unknown_inside(&field.content, version, &path, unknown);
        }
    }
}

fn unknown_inside(content: &Stated, version: ServerVersion, path: &str, unknown: &mut Vec<String>) {
    match content {
        Stated::Value(_) => {}
        Stated::List(entries) => {
            for (number, entry) in entries.iter().enumerate() {
                unknown_inside(entry, version, &format!("{path}[{number}]"), unknown);
            }
        }
        Stated::Entries(entries) => {
            for (key, entry) in entries {
                unknown_inside(entry, version, &join(path, key), unknown);
            }
        }
        Stated::Section(fields) | Stated::Present(fields) => unknown_fields(fields, version, path, unknown),
    }
}
