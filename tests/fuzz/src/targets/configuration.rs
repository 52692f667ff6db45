//! Configuration files.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;
use zas_config::{Configuration, ConfigurationError, fields};

use crate::Verdict;

/// Most files of one input.
const MAX_LAYERS: usize = 3;

/// The keys at the top.
static SECTIONS: LazyLock<HashSet<String>> =
    LazyLock::new(|| fields().iter().map(|field| outermost(&field.path)).collect());

thread_local! {
    static FOLDER: TempDir = folder();
}

/// Memory instead of a disk where there is some: every input writes files.
fn folder() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .expect("a temporary folder")
}

/// The bytes are one to three files, each ended by a zero byte.
///
/// An error names a file of the input, a position in it and a field of the reference. What loads is written in both
/// forms and loads again as the same; a layer twice, or a layer with every field stated, is that layer.
pub(super) fn target(data: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(data);
    let texts: Vec<&str> = text.split('\0').take(MAX_LAYERS).collect();
    let layers: Option<Vec<Configuration>> = texts.iter().map(|text| parsed(text)).collect();
    let Some(layers) = layers else {
        return Verdict::Refused;
    };
    let loaded = load(&texts);
    for (text, layer) in texts.iter().zip(&layers) {
        check_round_trip(layer);
        assert_eq!(
            load(&[text, text]).ok().as_ref(),
            Some(layer),
            "a file twice is not that file"
        );
    }
    match loaded {
        Err(error) => {
            check_conflict(&error, texts.len());
            Verdict::Refused
        }
        Ok(configuration) => {
            check_layers(&texts, &layers, &configuration);
            Verdict::Accepted
        }
    }
}

fn parsed(text: &str) -> Option<Configuration> {
    let file = Path::new("some/file.yaml");
    match Configuration::parse(file, text) {
        Ok(configuration) => Some(configuration),
        Err(error) => {
            check_error(&error, file, text);
            None
        }
    }
}

fn check_error(error: &ConfigurationError, expected: &Path, text: &str) {
    let ConfigurationError::Invalid {
        file,
        position,
        field,
        message,
    } = error
    else {
        panic!("{error:?} is not about the content of a file");
    };
    assert_eq!(file, expected);
    assert!(error.to_string().starts_with("some/file.yaml"), "{error}");
    assert!(!message.is_empty());
    // YAML has more kinds of line ends than one.
    let lines = text.split(['\n', '\r']).count() as u64 + 1;
    assert!(
        position.line().is_none_or(|line| (1..=lines).contains(&line)),
        "{error}"
    );
    let field = outermost(field.as_str());
    let is_known = field.is_empty() || SECTIONS.contains(&field);
    assert!(
        is_known || message.contains("unknown key") || message.contains("is not supported"),
        "{error}"
    );
}

fn outermost(path: &str) -> String {
    path.split(['.', '[']).next().unwrap_or_default().to_owned()
}

fn check_conflict(error: &ConfigurationError, count: usize) {
    let ConfigurationError::Conflict { files, message, .. } = error else {
        panic!("{error:?}, although every file is valid by itself");
    };
    assert!(
        count > 1 && files.len() == count && !message.is_empty(),
        "{error}"
    );
}

fn check_round_trip(configuration: &Configuration) {
    let yaml = configuration
        .to_yaml()
        .expect("a configuration read from text can be written");
    let read = Configuration::parse(Path::new("written.yaml"), &yaml);
    assert_eq!(read.as_ref().ok(), Some(configuration), "{read:?} from\n{yaml}");
    let files = configuration.to_files();
    let read = load(&[&files.restart, &files.hot]);
    assert_eq!(
        read.as_ref().ok(),
        Some(configuration),
        "{read:?} from\n{files:?}"
    );
    assert_eq!(configuration.to_files(), files);
    assert!(configuration.changes_requiring_restart(configuration).is_empty());
    assert_eq!(configuration.with_hot_changes(configuration), *configuration);
}

fn check_layers(texts: &[&str], layers: &[Configuration], merged: &Configuration) {
    check_round_trip(merged);
    let ([first, overlays @ ..], [base, ..]) = (texts, layers) else {
        return;
    };
    if overlays.is_empty() {
        assert_eq!(merged, base);
        return;
    }
    let whole = base
        .to_yaml()
        .expect("a configuration read from text can be written");
    let texts: Vec<&str> = std::iter::once(whole.as_str())
        .chain(overlays.iter().copied())
        .collect();
    let again = load(&texts);
    assert_eq!(
        again.as_ref().ok(),
        Some(merged),
        "{again:?}\n{first}\nwith every field stated"
    );
}

fn load(texts: &[&str]) -> Result<Configuration, ConfigurationError> {
    FOLDER.with(|folder| {
        let files: Vec<PathBuf> = (0..texts.len())
            .map(|number| folder.path().join(format!("{number}.yaml")))
            .collect();
        for (file, text) in files.iter().zip(texts) {
            fs::write(file, text).expect("a file can be written");
        }
        Configuration::load_files(&files, [])
    })
}
