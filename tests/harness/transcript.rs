//! The requests and answers of one test, kept to be shown when it fails.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Exchanges kept. The failing one is the last, and what led to it is near.
const KEPT: usize = 40;

/// How much of a body is shown.
const SHOWN: usize = 1_000;

/// A shared, bounded record of exchanges. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    exchanges: Arc<Mutex<Vec<String>>>,
}

impl Transcript {
    /// Adds one exchange or remark. The oldest go first when there are too many.
    pub fn add(&self, exchange: String) {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        if exchanges.len() == KEPT {
            exchanges.remove(0);
        }
        exchanges.push(exchange);
    }

    /// Everything kept, oldest first.
    pub fn text(&self) -> String {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n")
    }
}

/// One line per header, secrets hidden, and the beginning of the body.
pub(crate) fn message(first_line: &str, mark: char, headers: &[(String, String)], body: &[u8]) -> String {
    let mut text = format!("{mark} {}\n", shorten(first_line));
    for (name, value) in headers {
        let is_secret = name.eq_ignore_ascii_case("authorization");
        let shown = if is_secret { "(hidden)" } else { value };
        let _ = writeln!(text, "{mark} {name}: {}", shorten(shown));
    }
    if !body.is_empty() {
        let beginning = String::from_utf8_lossy(body.get(..SHOWN).unwrap_or(body));
        let readable = beginning
            .chars()
            .all(|character| !character.is_control() || character.is_whitespace());
        let shown = if readable { &beginning } else { "(binary)" };
        let _ = writeln!(text, "{mark} [{} bytes] {shown}", body.len());
    }
    text
}

fn shorten(text: &str) -> String {
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(SHOWN).collect();
    format!("{beginning}... ({} bytes)", text.len())
}
