//! Sections: structs whose fields state key, default, meaning, range and reload behaviour in one place.
//!
//! The [`section!`] macro makes from one declaration the struct, its defaults, a reader that refuses unknown keys,
//! the rows of the reference ([`FieldReference`]) and the comparison that a reload needs.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::de::{self, DeserializeSeed, Deserializer};
use serde::{Deserialize, Serialize};

use crate::reference::{FieldReference, Reload, Shape};
use crate::stated::{Stated, StatedField};
use crate::{GroupName, PatternMap, suggestion};

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

/// A value made of named fields.
pub(crate) trait Section: Value + Default {
    /// Adds the rows of the fields inside `parent`.
    fn describe_fields(parent: &Field<'_>, default: &Self, rows: &mut Vec<FieldReference>);

    /// The fields that are not as they are by default, or that must be stated.
    fn stated_fields(&self) -> Vec<StatedField>;
}

/// What the declaration of a field says about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) path: &'a str,
    pub(crate) meaning: &'a str,
    pub(crate) reload: Reload,
    pub(crate) range: Option<&'a str>,
    pub(crate) example: Option<&'static str>,
    /// Whether it lies in a part that is absent by default.
    pub(crate) is_optional: bool,
    pub(crate) is_required: bool,
    /// The first version that knows it.
    pub(crate) since: &'static str,
}

impl Field<'_> {
    pub(crate) fn row(&self, shape: Shape, default: Option<String>, allowed: &str) -> FieldReference {
        FieldReference {
            path: self.path.to_owned(),
            meaning: self.meaning.trim().to_owned(),
            reload: self.reload,
            default,
            allowed: self
                .range
                .map_or(allowed.to_owned(), |range| format!("{allowed}, {range}")),
            example: self.example,
            is_optional: self.is_optional,
            is_required: self.is_required,
            since: self.since,
            shape,
        }
    }

    /// Adds the row of a value without parts.
    pub(crate) fn describe_leaf<T: Serialize>(
        &self,
        shape: Shape,
        allowed: &str,
        default: &T,
        rows: &mut Vec<FieldReference>,
    ) {
        let default = serde_json::to_value(default)
            .ok()
            .filter(|value| !value.is_null());
        rows.push(self.row(shape, default.as_ref().map(crate::reference::flow), allowed));
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
    Option<crate::ExternalUrl>: Text, "`http://` or `https://`, a host, an optional port";
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

/// Most networks of a list: each is looked at for every request.
const MOST_NETWORKS: usize = 32;

#[expect(clippy::ptr_arg, reason = "called with the field's own type")]
fn few_networks(networks: &Vec<crate::Network>) -> Result<(), String> {
    if networks.len() <= MOST_NETWORKS {
        return Ok(());
    }
    Err(format!(
        "{} networks are too many, allowed: {MOST_NETWORKS}",
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

/// Reads one key of a section and refuses the ones it does not have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownKey {
    pub(crate) keys: &'static [&'static str],
    /// Keys that are refused for a reason worth telling.
    pub(crate) refused: &'static [(&'static str, &'static str)],
}

impl<'de> DeserializeSeed<'de> for KnownKey {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl de::Visitor<'_> for KnownKey {
    type Value = &'static str;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of the keys {}", self.keys.join(", "))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<&'static str, E> {
        if let Some(key) = self.keys.iter().find(|key| **key == text) {
            return Ok(key);
        }
        match self.refused.iter().find(|(key, _)| *key == text) {
            Some((key, why)) => Err(E::custom(format_args!("key {key:?} is not supported: {why}"))),
            None => Err(E::custom(suggestion::unknown("key", text, self.keys))),
        }
    }
}

/// Reads a value and checks it while its position in the file is known.
pub(crate) struct Checked<T>(pub(crate) fn(&T) -> Result<(), String>);

impl<'de, T: Deserialize<'de> + Value> DeserializeSeed<'de> for Checked<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let value = T::deserialize(deserializer)?;
        value
            .check()
            .and_then(|()| self.0(&value))
            .map_err(de::Error::custom)?;
        Ok(value)
    }
}

/// Refuses a value outside of `range`.
pub(crate) fn within<T: PartialOrd + Display>(value: &T, range: &RangeInclusive<T>) -> Result<(), String> {
    if range.contains(value) {
        return Ok(());
    }
    Err(format!("{value} is out of range, allowed: {}", range_text(range)))
}

/// A range as the reference and messages say it.
pub(crate) fn range_text<T: Display>(range: &RangeInclusive<T>) -> String {
    let (start, end) = (range.start().to_string(), range.end().to_string());
    if start == end {
        format!("only {start}")
    } else {
        format!("{start} to {end}")
    }
}

/// Declares a section.
///
/// A field is `hot "key" name: Type = default` or `restart …`, then optionally `, in range`, `, example "yaml"` and, when
/// the first version did not know it, `, since "version"`. After the fields may follow `required ["key"]`, `refused { "key": "why" }` and `check function`.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $Name:ident {
            $(
                $(#[doc = $meaning:literal])+
                $reload:ident $key:literal $field:ident: $Type:ty = $default:expr
                    $(, in $range:expr)? $(, example $example:literal)? $(, since $since:literal)?;
            )+
        }
        $(required [$($required:literal),+])?
        $(refused { $($refused:literal: $why:literal),+ })?
        $(check $check:expr)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $Name {
            $(
                $(#[doc = $meaning])+
                #[serde(rename = $key)]
                pub $field: $Type,
            )+
        }

        impl Default for $Name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl<'de> serde::Deserialize<'de> for $Name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $Name;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str("a mapping")
                    }

                    // A section whose lines are all commented out is an empty value.
                    fn visit_unit<E: serde::de::Error>(self) -> Result<$Name, E> {
                        self.visit_map(serde::de::value::MapDeserializer::new(std::iter::empty::<(&str, &str)>()))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$Name, A::Error> {
                        const KEYS: &[&str] = &[$($key),+];
                        const REQUIRED: &[&str] = &[$($($required),+)?];
                        const REFUSED: &[(&str, &str)] = &[$($(($refused, $why)),+)?];
                        let mut section = $Name::default();
                        let mut seen: Vec<&str> = Vec::new();
                        let known = $crate::section::KnownKey { keys: KEYS, refused: REFUSED };
                        while let Some(key) = map.next_key_seed(known)? {
                            if seen.contains(&key) {
                                return Err(serde::de::Error::duplicate_field(key));
                            }
                            seen.push(key);
                            match key {
                                $($key => {
                                    let check = |_value: &$Type| {
                                        $($crate::section::within(_value, &$range)?;)?
                                        Ok(())
                                    };
                                    section.$field = map.next_value_seed($crate::section::Checked(check))?;
                                })+
                                other => return Err(serde::de::Error::unknown_field(other, KEYS)),
                            }
                        }
                        if let Some(missing) = REQUIRED.iter().find(|key| !seen.contains(*key)) {
                            return Err(serde::de::Error::custom(format_args!("key {missing:?} is missing")));
                        }
                        Ok(section)
                    }
                }

                let section = deserializer.deserialize_any(Fields)?;
                $crate::section::Value::check(&section).map_err(serde::de::Error::custom)?;
                Ok(section)
            }
        }

        impl $crate::section::Section for $Name {
            fn describe_fields(
                parent: &$crate::section::Field<'_>, default: &Self, rows: &mut Vec<$crate::FieldReference>,
            ) {
                const REQUIRED: &[&str] = &[$($($required),+)?];
                $({
                    let range: Option<String> = None $(.or(Some($crate::section::range_text(&$range))))?;
                    let example: Option<&'static str> = None $(.or(Some($example)))?;
                    let path = $crate::section::join(parent.path, $key);
                    let field = $crate::section::Field {
                        path: &path,
                        meaning: concat!($($meaning),+),
                        reload: $crate::section::reload!($reload),
                        range: range.as_deref(),
                        example,
                        is_optional: parent.is_optional,
                        is_required: REQUIRED.contains(&$key),
                        since: None $(.or(Some($since)))?.unwrap_or(parent.since),
                    };
                    <$Type as $crate::section::Value>::describe(field, &default.$field, rows);
                })+
            }

            fn stated_fields(&self) -> Vec<$crate::stated::StatedField> {
                const REQUIRED: &[&str] = &[$($($required),+)?];
                let default = Self::default();
                let mut fields = Vec::new();
                $(if self.$field != default.$field || REQUIRED.contains(&$key) {
                    fields.push($crate::stated::StatedField {
                        key: $key,
                        reload: $crate::section::reload!($reload),
                        since: None $(.or(Some($since)))?,
                        content: $crate::section::Value::stated(&self.$field),
                    });
                })+
                fields
            }
        }

        impl $crate::section::Value for $Name {
            fn describe(
                field: $crate::section::Field<'_>, default: &Self, rows: &mut Vec<$crate::FieldReference>,
            ) {
                rows.push(field.row($crate::reference::Shape::Section, None, "a mapping"));
                <Self as $crate::section::Section>::describe_fields(&field, default, rows);
            }

            fn stated(&self) -> $crate::stated::Stated {
                $crate::stated::Stated::Section($crate::section::Section::stated_fields(self))
            }

            fn restart_changes(&self, new: &Self, _: $crate::Reload, path: &str, changed: &mut Vec<String>) {
                $($crate::section::Value::restart_changes(
                    &self.$field, &new.$field, $crate::section::reload!($reload),
                    &$crate::section::join(path, $key), changed,
                );)+
            }

            fn adopt_hot(&mut self, new: &Self, _: $crate::Reload) {
                $($crate::section::Value::adopt_hot(
                    &mut self.$field, &new.$field, $crate::section::reload!($reload),
                );)+
            }

            $(fn check(&self) -> Result<(), String> {
                let check: fn(&Self) -> Result<(), String> = $check;
                check(self)
            })?
        }
    };
}
pub(crate) use section;

macro_rules! reload {
    (hot) => {
        $crate::Reload::Hot
    };
    (restart) => {
        $crate::Reload::Restart
    };
}
pub(crate) use reload;

/// The path of the field `key` inside `parent`.
pub(crate) fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}
