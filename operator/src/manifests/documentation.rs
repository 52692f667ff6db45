//! The tables of `docs/OPERATOR.md` that follow from the program.

use std::fmt::Write;

use zas_crd::ConditionReason;

use super::ManifestError;
use super::remedies::remedy;
use crate::rbac::{PEOPLE, RIGHTS, Reach, Right};

/// The page with its tables renewed.
pub(super) fn renewed(found: &str) -> Result<String, ManifestError> {
    let page = replaced(found, "reasons", &reasons())?;
    let page = replaced(&page, "rights", &rights())?;
    replaced(&page, "people", &people())
}

/// Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
fn replaced(page: &str, name: &'static str, table: &str) -> Result<String, ManifestError> {
    let missing = || ManifestError::Marker(name);
    let (opening, closing) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let (before, rest) = page.split_once(&opening).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&closing).ok_or_else(missing)?;
    Ok(format!("{before}{opening}{table}{closing}{after}"))
}

fn reasons() -> String {
    let mut table = "| Reason | Meaning | What to do |\n|---|---|---|\n".to_owned();
    for reason in ConditionReason::ALL {
        let _ = writeln!(
            table,
            "| `{reason}` | {} | {} |",
            reason.meaning(),
            remedy(*reason)
        );
    }
    table
}

fn rights() -> String {
    let mut table = "| Where | API group | Resources | Verbs | Because |\n|---|---|---|---|---|\n".to_owned();
    for right in RIGHTS {
        let Right {
            resources,
            verbs,
            because,
            ..
        } = right;
        let place = match right.reach {
            Reach::Stores => "stores",
            Reach::Own => "own",
        };
        let group = if right.group.is_empty() {
            "core"
        } else {
            right.group
        };
        let (resources, verbs) = (resources.join(", "), verbs.join(", "));
        let _ = writeln!(table, "| {place} | {group} | {resources} | {verbs} | {because} |");
    }
    table
}

fn people() -> String {
    let mut table = "| Added to | Verbs on stores | Who has it |\n|---|---|---|\n".to_owned();
    for (name, verbs, because) in PEOPLE {
        let _ = writeln!(table, "| `{name}` | {} | {because} |", verbs.join(", "));
    }
    table
}
