//! One line of the log as a JSON object.
//!
//! A busy registry writes such a line for every request. The formatter that comes with `tracing-subscriber` hands every
//! fragment through four writers, each of which looks at it again: that was two fifths of a pull's instructions.

use std::fmt::{self, Debug, Write as _};

use serde::Serialize;
use serde_json::Serializer;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::api::RequestId;

/// The member that names the request during whose work a line was written.
const REQUEST_ID: &str = "request_id";

/// What most lines are shorter than.
const USUAL_LENGTH: usize = 512;

/// Formats an event as `{"timestamp","level",` its fields `,"target","request_id"}` and a line feed; the last one only during
/// the work of a request. Numbers and truth values stay
/// what they are; everything else becomes a text.
#[derive(Clone, Copy, Debug)]
pub struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut at = String::new();
        SystemTime.format_time(&mut Writer::new(&mut at))?;
        let mut line = Line {
            text: Vec::with_capacity(USUAL_LENGTH),
            has_request_id: false,
        };
        line.text.push(b'{');
        line.add_text("timestamp", &at);
        line.add_text("level", event.metadata().level().as_str());
        event.record(&mut line);
        line.add_text("target", event.metadata().target());
        if !line.has_request_id {
            RequestId::with_current(|id| line.add_text(REQUEST_ID, id));
        }
        line.text.extend_from_slice(b"}\n");
        writer.write_str(std::str::from_utf8(&line.text).map_err(|_| fmt::Error)?)
    }
}

/// An object to which members are added.
struct Line {
    text: Vec<u8>,
    /// Whether a member names the request already.
    has_request_id: bool,
}

impl Line {
    fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.begin(name);
        // Neither texts nor numbers fail, and a vector takes everything.
        let _ = value.serialize(&mut Serializer::new(&mut self.text));
    }

    fn add_text(&mut self, name: &str, value: &str) {
        self.begin(name);
        self.write_text(value);
    }

    /// Everything of a member but its value.
    fn begin(&mut self, name: &str) {
        self.has_request_id |= name == REQUEST_ID;
        if self.text.len() > 1 {
            self.text.push(b',');
        }
        self.write_text(name);
        self.text.push(b':');
    }

    /// Most texts need no escapes, which is seen faster than each of their characters is looked up.
    fn write_text(&mut self, text: &str) {
        if needs_escapes(text) {
            let _ = text.serialize(&mut Serializer::new(&mut self.text));
            return;
        }
        self.text.push(b'"');
        self.text.extend_from_slice(text.as_bytes());
        self.text.push(b'"');
    }
}

/// Whether JSON cannot have the text as it is (RFC 8259 section 7). Looks at all of it, so that it takes many bytes at a time.
fn needs_escapes(text: &str) -> bool {
    text.bytes().fold(false, |needs, byte| {
        needs | (byte < 0x20) | (byte == b'"') | (byte == b'\\')
    })
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(name(field), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(name(field), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(name(field), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(name(field), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_text(name(field), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // What fails half-way is better than nothing.
        let _ = write!(text, "{value:?}");
        self.add_text(name(field), &text);
    }
}

/// A field that is named like a word of the language carries its escape.
fn name(field: &Field) -> &str {
    let name = field.name();
    name.strip_prefix("r#").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn events() {
        tracing::info!(
            target: "access",
            path = "/v2/a\"b\\\u{7}\n\u{2028}ü/manifests/1",
            status = 200_u16,
            change = -3,
            share = 0.5,
            is_broken = false,
            r#type = ?Some("x"),
            actor = %"someone",
            "request",
        );
        tracing::error!(
            error = &io::Error::other("no \"space\"") as &dyn std::error::Error,
            "failed {}",
            7
        );
        tracing::warn!("nothing else");
    }

    fn lines_of(written: &Written) -> Vec<Value> {
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(text.ends_with('\n'));
        let mut lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for line in &mut lines {
            let at = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            let at = at.as_str().unwrap();
            assert!(at.starts_with("20") && at.ends_with('Z'), "{at}");
        }
        lines
    }

    #[test]
    fn given_events_of_all_kinds_when_formatted_then_the_lines_say_what_those_of_the_library_say() {
        let (ours, theirs) = (Written::default(), Written::default());
        let (to_ours, to_theirs) = (ours.clone(), theirs.clone());
        let our_layer = fmt::layer()
            .event_format(JsonLine)
            .with_writer(move || to_ours.clone());
        let their_layer = fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(move || to_theirs.clone());
        let subscriber = tracing_subscriber::registry().with(our_layer).with(their_layer);

        tracing::subscriber::with_default(subscriber, events);

        assert_eq!(lines_of(&ours), lines_of(&theirs));
        let first = &lines_of(&ours)[0];
        assert_eq!(first["status"], 200);
        assert_eq!(first["type"], "Some(\"x\")");
        assert_eq!(first["target"], "access");
        assert_eq!(first["message"], "request");
    }
}
