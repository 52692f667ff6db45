//! The reference page.

use std::fmt::Write;

use super::{FieldReference, Reload, Shape};

/// The reference of the configuration as a page of Markdown.
pub fn reference_page(fields: &[FieldReference]) -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         The server reads the YAML or JSON file that `--config` names. Unknown keys are refused. `--check-config` reads the\n\
         file, says what is wrong and where, and starts nothing. `config/config.yaml.example` states every default.\n\
         This page is generated from the declarations of the fields.\n\n\
         - **Several files**: `--config` may be repeated. Each file is a valid configuration by itself, with its\n  \
           `configVersion`, and a later one overrides exactly the fields that it states: sections are merged; lists, and\n  \
           mappings from patterns or group names, are replaced as a whole. A section without any lines states nothing.\n\
         - **Sizes** are bytes, or have a unit: `KiB MiB GiB TiB kB MB GB TB`. **Durations** have a unit: `ms s m h d`.\n\
         - **Paths** are relative to the working directory unless they are absolute. Secrets stand in files, never here.\n\
         - **Reload**: the files are read again on SIGHUP and when one changes. A *hot* field takes effect then, a *restart*\n  \
           field when the server starts; the log names changed fields that wait for a restart. A file with an error changes\n  \
           nothing.\n\
         - **Environment**: a variable overrides the files. An unknown variable that begins with `ZAS_` and has `__` in its name\n  \
           is refused. Lists are separated by commas.\n\
         - **Patterns** match whole repository names: `*` stands for any text inside one component, `?` for one character,\n  \
           `[a-z]` and `[!a-z]` for a class, `**` for any number of whole components (also none: `team/**` matches `team`),\n  \
           `{a,b}` for alternatives. Among the patterns that match, the longest text alone counts.\n",
    );
    for field in fields {
        let is_top = !field.path.contains('.');
        match (is_top, field.shape) {
            (true, Shape::Section) => {
                let _ = write!(page, "\n## `{}`\n\n{}\n", field.path, sentence(field));
                page.push_str(
                    "\n| Field | Default | Allowed | Takes effect | Meaning |\n|---|---|---|---|---|\n",
                );
            }
            (true, _) => {
                page.push_str("\n## The version\n\n| Field | Default | Allowed | Takes effect | Meaning |\n|---|---|---|---|---|\n");
                add_row(&mut page, field);
            }
            (false, _) => add_row(&mut page, field),
        }
    }
    add_variables(&mut page, fields);
    page
}

fn sentence(field: &FieldReference) -> String {
    let absent = if field.is_optional {
        " Absent by default."
    } else {
        ""
    };
    format!("{}{absent}{}", field.meaning, field.since_note())
}

fn add_row(page: &mut String, field: &FieldReference) {
    let default = match (&field.default, field.shape) {
        _ if field.is_required => "required".to_owned(),
        (Some(default), _) => format!("`{default}`"),
        (None, Shape::Section) if !field.is_absent => String::new(),
        (None, _) => "absent".to_owned(),
    };
    let reload = if field.reload == Reload::Hot {
        "hot"
    } else {
        "restart"
    };
    let _ = writeln!(
        page,
        "| `{}` | {default} | {} | {reload} | {}{} |",
        field.path,
        field.allowed,
        field.meaning,
        field.since_note()
    );
}

fn add_variables(page: &mut String, fields: &[FieldReference]) {
    page.push_str("\n## Environment variables\n\n| Variable | Overrides |\n|---|---|\n");
    for field in fields {
        if let Some(variable) = field.variable() {
            let _ = writeln!(page, "| `{variable}` | `{}` |", field.path);
        }
    }
}
