//! Words that make inputs more likely to mean something, in the format of libFuzzer.

use std::fs;
use std::path::Path;

/// The words of a target.
///
/// # Panics
/// When the file cannot be read or a line of it is no word.
pub fn read_dictionary(target: &str) -> Vec<Vec<u8>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("dictionaries")
        .join(format!("{target}.dict"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| word(line).unwrap_or_else(|| panic!("{}: {line:?} is no word", file.display())))
        .collect()
}

/// `"text"`, with `\\`, `\"` and `\xAB` as escapes.
fn word(line: &str) -> Option<Vec<u8>> {
    let quoted = line.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::new();
    let mut rest = quoted.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next()? {
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
            }
            other => bytes.push(other),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_word_with_escapes_when_read_then_its_bytes() {
        assert_eq!(word(r#""a\x00\"\\""#), Some(b"a\0\"\\".to_vec()));
        assert_eq!(word("bare"), None);
        assert_eq!(word(r#""\x0g""#), None);
    }
}
