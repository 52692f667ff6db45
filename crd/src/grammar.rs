//! Texts with a grammar: what is accepted, and what somebody reads who stated something else.
//!
//! A `pattern` of a schema is refused with the regular expression and nothing else. So the grammars here are rules with
//! a message that shows an example, which is accepted itself. A field takes one by `#[schemars(with = "...")]`.

use kube::core::{Message, Rule};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

/// The grammar of a size, see [`crate::Size`].
pub(crate) const SIZE_PATTERN: &str = "^[1-9][0-9]{0,14}(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$";
/// The grammar of a duration, see [`crate::TimeSpan`]. Digits are bounded so that no text overflows a clock.
pub(crate) const TIME_SPAN_PATTERN: &str = "^([0-9]{1,5}h|[0-9]{1,7}m|[0-9]{1,9}s|[0-9]{1,12}ms)+$";

/// Declares grammars once: name, longest text, pattern and message.
macro_rules! grammars {
    ($($(#[$doc:meta])+ $name:ident: $longest:literal, $pattern:literal, $message:literal;)+) => {
        $(
            $(#[$doc])+
            #[derive(Debug)]
            pub(crate) enum $name {}

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    text($longest, &matching($pattern), $message)
                }
            }
        )+
    };
}

grammars! {
    /// The name of an object of Kubernetes.
    ObjectName: 253, r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        "write a name such as store-1, of lower-case letters, digits, hyphens and dots, with a letter or digit at both ends";
    /// A name without dots: of a namespace, of a volume.
    LabelName: 63, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "write a name such as store-1, of lower-case letters, digits and hyphens, with a letter or digit at both ends";
    /// A key of a Secret or ConfigMap.
    Key: 253, r"^[-._a-zA-Z0-9]+$",
        "write a key such as tls.crt, of letters, digits, dots, hyphens and underscores";
    /// The value of a label.
    LabelValue: 63, r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
        "write a value such as team-a, of letters, digits, dots, hyphens and underscores, with a letter or digit at both ends";
    /// The class of a load balancer.
    LoadBalancerClass: 253, r"^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$",
        "write a class such as example.com/internal, of letters, digits and the signs - _ . /";
    /// A host without port.
    Host: 253, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "write a host such as registry.example.com, in lower case, without https://, port and path";
    /// A page that browsers may call from, or all.
    Origin: 512, r"^(\*|https?://[^/?#\s]+)$",
        "write an origin such as https://console.example.com, without a path, or * alone for all";
    /// The address of a server.
    ServerUrl: 512, r"^https?://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$",
        "write an address such as https://registry.example.com: http or https, a host and perhaps a port, without a path and without a slash at the end";
    /// The address of a proxy. Everybody who can read the resource could read credentials in it.
    ProxyUrl: 1024, r"^https?://[^@\s]+$",
        "write an address such as http://proxy.example.com:3128, beginning with http:// or https://, without user and password";
    /// What is reached without a proxy.
    ProxyExceptions: 4096, r"^\S+$",
        "write hosts, domains and networks separated by commas alone, such as .svc,.example.com,10.0.0.0/8";
    /// An image.
    ImageReference: 512, r"^[A-Za-z0-9][A-Za-z0-9._:@\[\]-]*(/[A-Za-z0-9._:@-]+)*$",
        "write an image such as registry.example.com/zas:0.3.0, without https:// and spaces";
    /// A version of the server.
    Version: 64, r"^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$",
        "write a version such as 0.3.0, three numbers without a leading v";
    /// Where a volume appears in the container.
    MountPath: 512, r"^(/\.?[A-Za-z0-9_@-][A-Za-z0-9._@-]*)+$",
        "write an absolute path such as /etc/certificates, without .. and without a slash at the end";
    /// A path inside a volume.
    SubPath: 512, r"^\.?[A-Za-z0-9_@-][A-Za-z0-9._@-]*(/\.?[A-Za-z0-9_@-][A-Za-z0-9._@-]*)*$",
        "write a relative path such as certificates/tls.crt, without .. and without a slash at either end";
    /// A user who signs in with a password.
    UserName: 256, r"^[^:\s]+$",
        "write a user name such as alice, without spaces and colons";
    /// A group of users.
    GroupName: 256, r"^\S+$",
        "write a group such as team-a, without spaces";
    /// Repositories that a rule is about.
    RepositoryPattern: 256, r"^\S+$",
        "write a pattern of repository names such as team-a/**, without spaces";
}

/// Declares grammars for lists inside of lists, where the API server affords no rules: the pattern itself says in the
/// name of its group what is meant.
macro_rules! nested_grammars {
    ($($(#[$doc:meta])+ $name:ident: $longest:literal, $pattern:literal;)+) => {
        $(
            $(#[$doc])+
            #[derive(Debug)]
            pub(crate) enum $name {}

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", "maxLength": $longest, "pattern": $pattern })
                }
            }
        )+
    };
}

nested_grammars! {
    /// As [`UserName`].
    NestedUserName: 256, r"^(?<user_without_spaces_and_colons_such_as_alice>[^:\s]+)$";
    /// As [`GroupName`].
    NestedGroupName: 256, r"^(?<group_without_spaces_such_as_developers>\S+)$";
}

/// A network in CIDR notation.
#[derive(Debug)]
pub(crate) enum Network {}

impl JsonSchema for Network {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Network".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        text(
            64,
            "isCIDR(self)",
            "write a network such as 10.128.0.0/14, in CIDR notation",
        )
    }
}

/// A size of any magnitude.
pub(crate) fn size() -> Rule {
    Rule::new(matching(SIZE_PATTERN)).message(
        "write a size such as 100Gi: a whole number above zero and one of the units Ki, Mi, Gi, Ti, Pi (of 1024) or k, M, G, T, P (of 1000)",
    )
}

/// A size that may be taken away, and never be less than before. [`size`] says what is wrong with other texts.
pub(crate) fn only_grows(field: &str) -> Rule {
    let message = format!(
        "'{field} may only grow: state ' + oldSelf + ' or more, or remove the field, which keeps the claim as it is'"
    );
    Rule::new("!isQuantity(self) || quantity(self).compareTo(quantity(oldSelf)) >= 0")
        .message(Message::Expression(message))
}

/// A size between two others, for `because`.
pub(crate) fn size_between(least: &str, most: &str, because: &str) -> Rule {
    let rule = format!(
        "{} && quantity(self).compareTo(quantity('{least}')) >= 0 && quantity(self).compareTo(quantity('{most}')) <= 0",
        matching(SIZE_PATTERN)
    );
    let message = format!(
        "write a size between {least} and {most}, such as {least}: a whole number and a unit such as Mi; {because}"
    );
    Rule::new(rule).message(message.as_str())
}

/// A duration between two others, with `example` in between.
pub(crate) fn time_between(least: &str, most: &str, example: &str) -> Rule {
    let rule = format!(
        "{} && duration(self) >= duration('{least}') && duration(self) <= duration('{most}')",
        matching(TIME_SPAN_PATTERN)
    );
    let message = format!(
        "write a duration between {least} and {most}, such as {example}: whole numbers with the units h, m, s and ms, without spaces"
    );
    Rule::new(rule).message(message.as_str())
}

fn text(longest: u32, rule: &str, message: &str) -> Schema {
    json_schema!({
        "type": "string",
        "maxLength": longest,
        "x-kubernetes-validations": [json!({ "rule": rule, "message": message })],
    })
}

/// The rule that a text matches a pattern.
fn matching(pattern: &str) -> String {
    format!("self.matches('{}')", pattern.replace('\\', "\\\\"))
}
