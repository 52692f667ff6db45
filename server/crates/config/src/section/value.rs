//! What fields can hold: single values, and containers of sections.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::{Field, Section};
use crate::reference::{FieldReference, Reload, Shape};
use crate::stated::Stated;
use crate::{GroupName, PatternMap};

/// Something a configuration holds: a single value, a list, or a section of further fields.
pub(crate) trait Value: Clone + PartialEq + Serialize {
    /// Adds what there is to know about the value, and about everything inside it.
    fn describe(field: Field<'_>, default: &Self, rows: &mut Vec<FieldReference>);

    /// Adds the paths from `path` on that differ in `new` and are only read at the start.
    fn restart_changes(&self, new: &Self, reload: Reload, path: &str, changed: &mut Vec<String>) {
        if reload == Reload::Restart && self != new {
            changed.push(path.to_owned());
        }
    }

    /// What the value says, beyond what is as it is by default.
    fn stated(&self) -> Stated;

    /// Takes over from `new` what may change while the server runs.
    fn adopt_hot(&mut self, new: &Self, reload: Reload) {
        if reload == Reload::Hot {
            self.clone_from(new);
        }
    }

    /// What is wrong with the value beyond its own grammar.
    ///
    /// # Errors
    /// A message for the operator.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

macro_rules! leaf {
    ($($Type:ty: $Shape:ident, $allowed:literal $(, $check:ident)?;)+) => {
        $(impl Value for $Type {
            fn describe(field: Field<'_>, default: &Self, rows: &mut Vec<FieldReference>) {
                field.describe_leaf(Shape::$Shape, $allowed, default, rows);
            }

            fn stated(&self) -> Stated {
                leaf(self)
            }

            $(fn check(&self) -> Result<(), String> {
                $check(self)
            })?
        })+
    };
}

leaf! {
    bool: Boolean, "`true` or `false`";
    u32: Number, "an integer";
    String: Text, "a text", printable;
    PathBuf: Text, "a path", not_empty;
    Option<PathBuf>: Text, "a path", not_empty_if_any;
    crate::ByteSize: Text, "a size";
    Option<crate::ByteSize>: Text, "a size";
    crate::Duration: Text, "a duration";
    crate::ListenAddress: Text, "an IP address and a port";
    Option<crate::DomainName>: Text, "a domain name without a port";
    Option<crate::ExternalUrl>: Text, "`http://` or `https://`, a host, an optional port";
    crate::IssuerUrl: Text, "`https://` or `http://`, a host, an optional port and path";
    Option<crate::IssuerUrl>: Text, "`https://` or `http://`, a host, an optional port and path";
    crate::NamePrefix: Text, "a word and a colon, or nothing";
    Vec<String>: List, "a list of texts", all_printable;
    Vec<crate::UserName>: List, "a list of user names";
    Vec<GroupName>: List, "a list of group names";
    Vec<crate::Origin>: List, "a list of origins, or of `\"*\"` alone";
    Vec<crate::Network>: List, "a list of networks such as `10.0.0.0/8`", few_networks;
    Vec<crate::Action>: List, "a list of `read`, `create`, `update`, `delete`, `detectManifestCollision`";
}

/// The content of a value without parts. No file can hold a path that is not UTF-8: it is left out.
pub(crate) fn leaf<T: Serialize>(value: &T) -> Stated {
    Stated::Value(serde_json::to_value(value).unwrap_or_default())
}

fn printable(text: &str) -> Result<(), String> {
    // The text travels in a quoted string of a header.
    let is_plain = text
        .bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\');
    if is_plain && !text.is_empty() {
        return Ok(());
    }
    Err("a text must not be empty and hold only printable ASCII without quotes and backslashes".to_owned())
}

#[expect(clippy::ptr_arg, reason = "called with the field's own type")]
fn all_printable(texts: &Vec<String>) -> Result<(), String> {
    texts.iter().try_for_each(|text| printable(text))
}

/// Most networks of a list: each is looked at for every request.
const MAX_NETWORKS: usize = 32;

#[expect(clippy::ptr_arg, reason = "called with the field's own type")]
fn few_networks(networks: &Vec<crate::Network>) -> Result<(), String> {
    if networks.len() <= MAX_NETWORKS {
        return Ok(());
    }
    Err(format!(
        "{} networks are too many, allowed: {MAX_NETWORKS}",
        networks.len()
    ))
}

#[expect(clippy::ptr_arg, reason = "called with the field's own type")]
fn not_empty(path: &PathBuf) -> Result<(), String> {
    if path.as_os_str().is_empty() {
        Err("a path must not be empty".to_owned())
    } else {
        Ok(())
    }
}

#[expect(clippy::ref_option, reason = "called with the field's own type")]
fn not_empty_if_any(path: &Option<PathBuf>) -> Result<(), String> {
    path.as_ref().map_or(Ok(()), not_empty)
}

impl<T: Section> Value for Option<T> {
    fn describe(field: Field<'_>, _default: &Self, rows: &mut Vec<FieldReference>) {
        let field = Field {
            is_absent: true,
            is_optional: true,
            ..field
        };
        rows.push(field.row(Shape::Section, None, "a mapping"));
        T::describe_fields(&field, &T::default(), rows);
    }

    fn stated(&self) -> Stated {
        self.as_ref()
            .map_or(Stated::Value(serde_json::Value::Null), |section| {
                Stated::Present(section.stated_fields())
            })
    }

    fn restart_changes(&self, new: &Self, reload: Reload, path: &str, changed: &mut Vec<String>) {
        match (self, new) {
            (Some(old), Some(new)) => old.restart_changes(new, reload, path, changed),
            (None, None) => {}
            _ if reload == Reload::Restart => changed.push(path.to_owned()),
            _ => {}
        }
    }

    fn adopt_hot(&mut self, new: &Self, reload: Reload) {
        match (self.as_mut(), new) {
            (Some(old), Some(new)) => old.adopt_hot(new, reload),
            _ if reload == Reload::Hot => self.clone_from(new),
            _ => {}
        }
    }
}

/// Adds a container and, under the placeholder `entry`, the fields of what it contains.
fn describe_entries<T: Section>(
    field: Field<'_>,
    shape: Shape,
    entry: &str,
    allowed: &str,
    rows: &mut Vec<FieldReference>,
) {
    let field = Field {
        is_absent: true,
        is_optional: true,
        ..field
    };
    rows.push(field.row(shape, None, allowed));
    let path = format!("{}{entry}", field.path);
    T::describe_fields(
        &Field {
            path: &path,
            example: None,
            ..field
        },
        &T::default(),
        rows,
    );
}

impl<T: Section> Value for PatternMap<T> {
    fn describe(field: Field<'_>, _default: &Self, rows: &mut Vec<FieldReference>) {
        let allowed = "a mapping from patterns of repository names";
        describe_entries::<T>(field, Shape::Mapping, ".<pattern>", allowed, rows);
    }

    fn stated(&self) -> Stated {
        let entries = self
            .iter()
            .map(|(pattern, value)| (pattern.as_str().to_owned(), value.stated()));
        Stated::Entries(entries.collect())
    }
}

impl<T: Section> Value for BTreeMap<GroupName, T> {
    fn describe(field: Field<'_>, _default: &Self, rows: &mut Vec<FieldReference>) {
        describe_entries::<T>(
            field,
            Shape::Mapping,
            ".<group>",
            "a mapping from group names",
            rows,
        );
    }

    fn stated(&self) -> Stated {
        let entries = self
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.stated()));
        Stated::Entries(entries.collect())
    }
}

impl<T: Section> Value for Vec<T> {
    fn describe(field: Field<'_>, _default: &Self, rows: &mut Vec<FieldReference>) {
        describe_entries::<T>(field, Shape::Sequence, "[]", "a list of mappings", rows);
    }

    fn stated(&self) -> Stated {
        Stated::List(self.iter().map(Value::stated).collect())
    }
}
