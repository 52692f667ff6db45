//! Closed lists of words.

/// Declares an enum that is written as one of its words; an unknown word is refused with a suggestion.
macro_rules! keywords {
    (
        $(#[doc = $about:literal])+
        pub enum $Name:ident {
            $($(#[doc = $meaning:literal])+ $(#[$attribute:meta])? $Variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub enum $Name {
            $($(#[doc = $meaning])+ $(#[$attribute])? $Variant,)+
        }

        impl $Name {
            /// Every value, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$Variant),+];

            /// The word as it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $Name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                match word.as_str() {
                    $($word => Ok(Self::$Variant),)+
                    other => Err(serde::de::Error::custom($crate::suggestion::unknown(
                        "value", other, &[$($word),+],
                    ))),
                }
            }
        }

        impl $crate::section::Value for $Name {
            fn describe(
                field: $crate::section::Field<'_>, default: &Self, rows: &mut Vec<$crate::FieldReference>,
            ) {
                let words: Vec<&str> = vec![$(concat!("`", $word, "`")),+];
                field.describe_leaf($crate::reference::Shape::Text, &words.join(", "), default, rows);
            }

            fn stated(&self) -> $crate::stated::Stated {
                $crate::section::leaf(self)
            }
        }
    };
}
pub(crate) use keywords;
