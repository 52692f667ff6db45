//! Sections: structs whose fields state key, default, meaning, range and reload behaviour in one place.
//!
//! The [`section!`] macro makes from one declaration the struct, its defaults, a reader that refuses unknown keys,
//! the rows of the reference ([`FieldReference`]) and the comparison that a reload needs.

mod reading;
mod value;

use serde::Serialize;

pub(crate) use self::reading::{Checked, KnownKey, range_text, within};
pub(crate) use self::value::{Value, leaf};
use crate::reference::{FieldReference, Reload, Shape};
use crate::stated::StatedField;

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
    /// Whether it is absent by default.
    pub(crate) is_absent: bool,
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
            is_absent: self.is_absent,
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
                        is_absent: false,
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
