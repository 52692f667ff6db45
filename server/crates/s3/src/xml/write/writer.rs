//! Elements, escaped.

use std::fmt::Write;

/// What every document begins with. Where an answer takes long it is sent first, then white space, then the rest.
pub const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// An owner or an initiator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The canonical id.
    pub id: &'a str,
    /// For people.
    pub display_name: &'a str,
}

/// Writes a document from its front.
#[derive(Debug)]
pub(super) struct XmlWriter(String);

impl XmlWriter {
    /// A document whose root is in the namespace of S3.
    pub(super) fn document(root: &str, content: impl FnOnce(&mut Self)) -> String {
        let attributes = format!(" xmlns=\"{NAMESPACE}\"");
        Self::with_root(root, &attributes, content)
    }

    /// A document whose root has these attributes.
    pub(super) fn with_root(root: &str, attributes: &str, content: impl FnOnce(&mut Self)) -> String {
        let mut writer = Self(DECLARATION.to_owned());
        writer.push(&["<", root, attributes, ">"]);
        content(&mut writer);
        writer.push(&["</", root, ">"]);
        writer.0
    }

    /// An element with elements in it.
    pub(super) fn nested(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.with_attributes(name, "", content);
    }

    /// The same with attributes.
    pub(super) fn with_attributes(&mut self, name: &str, attributes: &str, content: impl FnOnce(&mut Self)) {
        self.push(&["<", name, attributes, ">"]);
        content(self);
        self.push(&["</", name, ">"]);
    }

    /// An element with text in it.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.push(&["<", name, ">"]);
        self.characters(text);
        self.push(&["</", name, ">"]);
    }

    /// The same where there is text.
    pub(super) fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An element with a number or a flag in it.
    pub(super) fn value(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "<{name}>{value}</{name}>");
    }

    /// An entity tag: quoted.
    pub(super) fn etag(&mut self, etag: &str) {
        self.push(&["<ETag>&quot;"]);
        self.characters(etag);
        self.push(&["&quot;</ETag>"]);
    }

    /// An owner or an initiator.
    pub(super) fn owner(&mut self, name: &str, owner: Owner<'_>) {
        self.nested(name, |xml| {
            xml.text("ID", owner.id);
            xml.text("DisplayName", owner.display_name);
        });
    }

    /// Text itself. White space that readers would change, and characters that XML has no other way to write, become
    /// numbers; the latter only lenient readers take, which is why listings can be asked to encode their keys.
    pub(super) fn characters(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' | '\u{2028}' => {
                    let _ = write!(self.0, "&#x{:x};", u32::from(character));
                }
                other => self.0.push(other),
            }
        }
    }

    fn push(&mut self, pieces: &[&str]) {
        for piece in pieces {
            self.0.push_str(piece);
        }
    }
}
