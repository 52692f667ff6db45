//! The example file: every key with its default and meaning.

use std::fmt::Write;

use super::{FieldReference, Reload, Shape};

/// Longest line of a comment.
const WIDTH: usize = 110;

/// A configuration file that states every default and explains every key. Parts that are absent by default are
/// commented out: `#` directly in front of a key or of its indentation.
pub fn example_file(fields: &[FieldReference]) -> String {
    let mut file = String::from(
        "# Every key of the configuration with its default. Generated: change the declaration of the field instead.\n\
         # [hot] takes effect when the file is read again (SIGHUP, or the file changes), [restart] when the server starts.\n\
         # Sizes are bytes, or have a unit: KiB MiB GiB TiB kB MB GB TB. Durations have a unit: ms s m h d.\n\
         # Relative paths are relative to the working directory.\n",
    );
    for field in fields {
        add(&mut file, field);
    }
    file
}

fn add(file: &mut String, field: &FieldReference) {
    if field.depth() == 0 {
        file.push('\n');
    }
    add_comment(file, field);
    let key = field.key();
    match field.shape {
        Shape::Section => add_line(file, field, field.depth(), &format!("{key}:")),
        Shape::Mapping => {
            add_line(file, field, field.depth(), &format!("{key}:"));
            let entry = field.example.unwrap_or("name");
            add_line(file, field, field.depth() + 1, &format!("{entry:?}:"));
        }
        Shape::Sequence => {
            add_line(file, field, field.depth(), &format!("{key}:"));
            add_line(file, field, field.depth() + 1, "-");
        }
        Shape::Text | Shape::Number | Shape::Boolean | Shape::List => {
            let shown = if field.is_absent_by_default() {
                field.example.or(field.default.as_deref())
            } else {
                field.default.as_deref()
            };
            add_line(
                file,
                field,
                field.depth(),
                &format!("{key}: {}", shown.unwrap_or("null")),
            );
        }
    }
}

fn add_line(file: &mut String, field: &FieldReference, depth: usize, text: &str) {
    let mark = if field.is_absent_by_default() { "#" } else { "" };
    let _ = writeln!(file, "{mark}{:1$}{text}", "", depth * 2);
}

fn add_comment(file: &mut String, field: &FieldReference) {
    let mut text = field.meaning.clone() + &field.since_note();
    if matches!(
        field.shape,
        Shape::Text | Shape::Number | Shape::Boolean | Shape::List
    ) {
        let reload = if field.reload == Reload::Hot {
            "hot"
        } else {
            "restart"
        };
        let _ = write!(text, " Allowed: {}. [{reload}]", field.allowed.replace('`', ""));
    }
    let indent = field.depth() * 2;
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + 3 + line.len() + word.len() > WIDTH {
            let _ = writeln!(file, "{:indent$}# {line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(file, "{:indent$}# {line}", "");
}
