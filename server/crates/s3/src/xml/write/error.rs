//! Errors (API reference, "REST error responses").

use super::writer::XmlWriter;
use crate::error::S3Error;

/// An error. It has no namespace. An answer to `HEAD`, and one with status 304, has no body.
pub fn error(error: &S3Error, resource: &str, request_id: &str, host_id: &str) -> String {
    XmlWriter::with_root("Error", "", |xml| {
        xml.text("Code", error.code().as_str());
        xml.text("Message", error.message());
        for (name, value) in error.elements() {
            xml.text(name, value);
        }
        xml.text("Resource", resource);
        xml.text("RequestId", request_id);
        xml.text("HostId", host_id);
    })
}
