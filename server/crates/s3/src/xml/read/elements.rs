//! One element after another, without a tree.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use crate::error::{ErrorCode, S3Error};

/// The longest document that is read: 10,000 parts with SHA-256 and white space, or 1,000 long keys.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// Reads a document from its front. The caller names what may come next, so nesting is as deep as the caller's code.
pub(super) struct Elements<'a> {
    reader: Reader<&'a [u8]>,
}

impl<'a> Elements<'a> {
    /// Opens a document whose root has that name.
    pub(super) fn open(document: &'a [u8], root: &'static str) -> Result<Self, S3Error> {
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(ErrorCode::MaxMessageLengthExceeded.into());
        }
        if document.iter().all(u8::is_ascii_whitespace) {
            return Err(ErrorCode::MissingRequestBodyError.into());
        }
        // Other control characters stand in keys of lenient clients; this one no document can hold in any form.
        let text = std::str::from_utf8(document)
            .ok()
            .filter(|text| !text.contains('\0'));
        let text = text.ok_or_else(malformed)?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_comments = true;
        let mut elements = Self { reader };
        elements.declaration()?;
        match elements.next(&[root])? {
            Some(_) => Ok(elements),
            None => Err(malformed()),
        }
    }

    /// What stands before the root: a declaration in UTF-8, or nothing.
    fn declaration(&mut self) -> Result<(), S3Error> {
        let before = self.reader.clone();
        let Event::Decl(declaration) = self.event()? else {
            self.reader = before;
            return Ok(());
        };
        let encoding = declaration.encoding().transpose().map_err(|_| malformed())?;
        let is_utf8 = encoding.is_none_or(|encoding| encoding.eq_ignore_ascii_case("utf-8"));
        is_utf8.then_some(()).ok_or_else(malformed)
    }

    /// The next child of the element that is open, one of `known`; it is open then. `None` when the element ends
    /// instead, which is closed then.
    pub(super) fn next(&mut self, known: &[&'static str]) -> Result<Option<&'static str>, S3Error> {
        loop {
            match self.event()? {
                Event::Start(start) => {
                    let name = start.local_name();
                    let found = known
                        .iter()
                        .copied()
                        .find(|known| *known == AsRef::<str>::as_ref(&name));
                    return found.map(Some).ok_or_else(malformed);
                }
                Event::End(_) => return Ok(None),
                Event::Comment(_) => {}
                Event::Text(text) if is_space(&text.xml10_content()) => {}
                _ => return Err(malformed()),
            }
        }
    }

    /// The text of the element that is open, which is closed then. Space belongs to it.
    pub(super) fn text(&mut self) -> Result<String, S3Error> {
        let mut all = String::new();
        loop {
            match self.event()? {
                Event::Text(text) => all.push_str(&text.xml10_content()),
                Event::CData(text) => all.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => all.push(character(&reference)?),
                Event::Comment(_) => {}
                Event::End(_) => return Ok(all),
                _ => return Err(malformed()),
            }
        }
    }

    /// The text without the space around it.
    pub(super) fn trimmed(&mut self) -> Result<String, S3Error> {
        let text = self.text()?;
        Ok(text.trim().to_owned())
    }

    /// Nothing but comments and space follows the root.
    pub(super) fn finish(mut self) -> Result<(), S3Error> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Comment(_) => {}
                Event::Text(text) if is_space(&text.xml10_content()) => {}
                _ => return Err(malformed()),
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>, S3Error> {
        self.reader.read_event().map_err(|_| malformed())
    }
}

fn is_space(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}

/// Only numbers and the five names that XML itself has: nothing can be declared, so nothing expands.
fn character(reference: &BytesRef<'_>) -> Result<char, S3Error> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| malformed())? {
        return Ok(character);
    }
    match reference.xml10_content().as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(malformed()),
    }
}

/// Fills a place that may be filled once.
pub(super) fn once<T>(place: &mut Option<T>, value: T) -> Result<(), S3Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed()),
    }
}

pub(super) fn malformed() -> S3Error {
    ErrorCode::MalformedXML.into()
}
