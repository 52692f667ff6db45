//! Access rules: from the resource's fields, or from zot's file in a ConfigMap.

use std::collections::BTreeMap;
use std::str::FromStr;

use zas_config::{
    AccessControl, Action, AdminPolicy, GlobPattern, Group, PatternMap, Policy, RepositoryAccess,
};
use zas_crd::{AnonymousAccess, ConditionReason};

use crate::problem::Problem;

/// What everybody may do who signed in while nobody stated rules.
const EVERYTHING: [Action; 4] = [Action::Read, Action::Create, Action::Update, Action::Delete];

/// The pattern of every repository.
const ALL_REPOSITORIES: &str = "**";

/// Reads zot's `accessControl`: the mapping itself, or below the keys it has in a zot configuration.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse_file(text: &str) -> Result<AccessControl, String> {
    let tree: serde_json::Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let nested = tree
        .pointer("/http/accessControl")
        .or_else(|| tree.pointer("/accessControl"));
    match nested {
        Some(nested) => serde_json::from_value(nested.clone()).map_err(|error| error.to_string()),
        // From the text, so that a mistake is reported with its line.
        None => serde_saphyr::from_str(text).map_err(|error| error.to_string()),
    }
}

/// The rules of the resource; `None` when it states none and anonymous clients may do nothing.
///
/// # Errors
/// The field that cannot be used.
pub fn resolve(
    access: &zas_crd::Access,
    from_file: Option<&AccessControl>,
) -> Result<Option<AccessControl>, Problem> {
    let stated = match (&access.access_control, from_file) {
        (_, Some(rules)) => Some(rules.clone()),
        (Some(fields), None) => Some(from_fields(fields)?),
        (None, None) => None,
    };
    stated.iter().try_for_each(check_groups)?;
    match (stated, access.anonymous) {
        (stated, AnonymousAccess::None) => Ok(stated),
        (stated, AnonymousAccess::Pull) => with_anonymous_pull(stated).map(Some),
    }
}

/// The server refuses to start with a group that nobody defines.
fn check_groups(rules: &AccessControl) -> Result<(), Problem> {
    match rules.undefined_groups().first() {
        None => Ok(()),
        Some(group) => Err(invalid(
            "groups",
            group.as_str(),
            &"policies name it, but no group of this name is defined",
        )),
    }
}

/// Lets anonymous clients pull wherever no more specific pattern has rules of its own.
fn with_anonymous_pull(stated: Option<AccessControl>) -> Result<AccessControl, Problem> {
    let is_first_rule = stated.is_none();
    let mut rules = stated.unwrap_or_default();
    let mut entries: Vec<(GlobPattern, RepositoryAccess)> = rules
        .repositories
        .iter()
        .map(|(pattern, access)| (pattern.clone(), access.clone()))
        .collect();
    match entries
        .iter_mut()
        .find(|(pattern, _)| pattern.to_string() == ALL_REPOSITORIES)
    {
        Some((_, access)) => {
            if !access.anonymous_policy.contains(&Action::Read) {
                access.anonymous_policy.push(Action::Read);
            }
        }
        None => entries.push((
            pattern(ALL_REPOSITORIES)?,
            RepositoryAccess {
                anonymous_policy: vec![Action::Read],
                default_policy: if is_first_rule {
                    EVERYTHING.to_vec()
                } else {
                    Vec::new()
                },
                ..RepositoryAccess::default()
            },
        )),
    }
    rules.repositories = entries.into_iter().collect();
    Ok(rules)
}

fn from_fields(fields: &zas_crd::AccessControl) -> Result<AccessControl, Problem> {
    let mut repositories = Vec::new();
    for rule in &fields.repositories {
        repositories.push((pattern(&rule.pattern)?, repository(rule)?));
    }
    let mut groups = BTreeMap::new();
    for group in &fields.groups {
        let users = names(&group.users, "groups")?;
        groups.insert(name(&group.name, "groups")?, Group { users });
    }
    let admin_policy = match &fields.admin {
        None => AdminPolicy::default(),
        Some(admin) => AdminPolicy {
            users: names(&admin.users, "admin")?,
            groups: names(&admin.groups, "admin")?,
            actions: actions(&admin.actions),
        },
    };
    Ok(AccessControl {
        repositories: repositories.into_iter().collect::<PatternMap<_>>(),
        groups,
        admin_policy,
    })
}

fn repository(rule: &zas_crd::RepositoryRule) -> Result<RepositoryAccess, Problem> {
    let mut policies = Vec::new();
    for policy in &rule.policies {
        policies.push(Policy {
            users: names(&policy.users, "repositories")?,
            groups: names(&policy.groups, "repositories")?,
            actions: actions(&policy.actions),
        });
    }
    Ok(RepositoryAccess {
        anonymous_policy: actions(&rule.anonymous_actions),
        default_policy: actions(&rule.default_actions),
        policies,
    })
}

fn actions(actions: &[zas_crd::Action]) -> Vec<Action> {
    let one = |action: &zas_crd::Action| match action {
        zas_crd::Action::Read => Action::Read,
        zas_crd::Action::Create => Action::Create,
        zas_crd::Action::Update => Action::Update,
        zas_crd::Action::Delete => Action::Delete,
        zas_crd::Action::DetectManifestCollision => Action::DetectManifestCollision,
    };
    actions.iter().map(one).collect()
}

fn pattern(text: &str) -> Result<GlobPattern, Problem> {
    GlobPattern::from_str(text).map_err(|error| invalid("repositories", text, &error))
}

fn names<T: FromStr<Err: std::fmt::Display>>(texts: &[String], field: &str) -> Result<Vec<T>, Problem> {
    texts.iter().map(|text| name(text, field)).collect()
}

fn name<T: FromStr<Err: std::fmt::Display>>(text: &str, field: &str) -> Result<T, Problem> {
    text.parse().map_err(|error| invalid(field, text, &error))
}

fn invalid(field: &str, text: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(
        ConditionReason::InvalidSpec,
        format!("spec.access.accessControl.{field}: {text:?} cannot be used: {error}"),
    )
}
