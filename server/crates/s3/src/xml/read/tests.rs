//! Documents as clients send them, and everything that is refused.

use super::*;
use crate::checksum::ChecksumAlgorithm;
use crate::conditions::ETagMatch;
use crate::error::{ErrorCode, S3Error};
use crate::names::{PartNumber, VersionId};
use crate::tags::TagSet;

const NAMESPACE: &str = r#"xmlns="http://s3.amazonaws.com/doc/2006-03-01/""#;

/// The forms of one document that mean the same.
fn forms(body: &str, root: &str) -> [String; 4] {
    [
        format!("<{root}>{body}</{root}>"),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} {NAMESPACE}>{body}</{root}>\n"),
        format!(
            "<!-- a --><s3:{root} xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\">{body}</s3:{root}><!-- b -->"
        ),
        format!(
            "\u{feff}<?xml version='1.0' encoding='utf-8' standalone='yes'?><{root}>\r\n  {body}\r\n</{root}>"
        ),
    ]
}

fn part(number: u32) -> String {
    format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{number:032x}\"</ETag></Part>")
}

fn complete(body: &str) -> Result<CompletedUpload, S3Error> {
    CompletedUpload::read(format!("<CompleteMultipartUpload>{body}</CompleteMultipartUpload>").as_bytes())
}

#[test]
fn given_parts_in_every_spelling_of_clients_when_read_then_the_same() {
    let body = "<Part><PartNumber> 1 </PartNumber><ETag>&#34;ab-2&#34;</ETag></Part>\n\
                <Part><ETag>ab-2</ETag><ChecksumCRC32>AAAAAQ==</ChecksumCRC32><PartNumber>3</PartNumber></Part>\
                <Part><PartNumber>10000</PartNumber><ETag>&quot;ab-2&#x22;</ETag></Part>";
    for document in forms(body, "CompleteMultipartUpload") {
        let upload = CompletedUpload::read(document.as_bytes()).unwrap();
        let numbers: Vec<u16> = upload.parts().iter().map(|part| part.number.get()).collect();
        assert_eq!(numbers, [1, 3, 10_000]);
        assert!(upload.parts().iter().all(|part| part.etag.as_str() == "ab-2"));
        let checksum = upload.parts()[1].checksum.unwrap();
        assert_eq!(
            (checksum.algorithm(), checksum.bytes()),
            (ChecksumAlgorithm::Crc32, &[0, 0, 0, 1][..])
        );
    }
}

#[test]
fn given_an_upload_with_a_checksum_when_completed_then_every_part_must_say_its_own() {
    let with = "<Part><PartNumber>1</PartNumber><ETag>a</ETag><ChecksumCRC32>AAAAAQ==</ChecksumCRC32></Part>";
    assert_eq!(
        complete(with)
            .unwrap()
            .require_checksums(ChecksumAlgorithm::Crc32),
        Ok(())
    );
    let other = complete(with)
        .unwrap()
        .require_checksums(ChecksumAlgorithm::Crc32C)
        .unwrap_err();
    assert!(other.message().contains("missing for part 1 "), "{other}");
    let without = complete(&format!("{with}{}", part(2))).unwrap();
    let error = without.require_checksums(ChecksumAlgorithm::Crc32).unwrap_err();
    assert!(error.message().contains("missing for part 2 "), "{error}");
}

#[test]
fn given_as_many_parts_as_there_may_be_when_read_then_all_and_one_more_is_refused() {
    let all: String = (1..=10_000).map(part).collect();
    assert_eq!(complete(&all).unwrap().into_parts().len(), 10_000);
    let error = complete(&format!("{all}{}", part(10_000))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::MalformedXML);
}

#[test]
fn given_parts_that_cannot_be_when_read_then_the_error_that_clients_know() {
    let with = |element: &str| format!("<Part><PartNumber>1</PartNumber><ETag>a</ETag>{element}</Part>");
    for (body, code) in [
        (String::new(), ErrorCode::MalformedXML),
        (part(2) + &part(1), ErrorCode::InvalidPartOrder),
        (part(1) + &part(1), ErrorCode::InvalidPartOrder),
        (part(0), ErrorCode::InvalidArgument),
        (part(10_001), ErrorCode::InvalidArgument),
        (
            "<Part><PartNumber>1</PartNumber></Part>".to_owned(),
            ErrorCode::MalformedXML,
        ),
        ("<Part><ETag>a</ETag></Part>".to_owned(), ErrorCode::MalformedXML),
        (
            "<Part><PartNumber>1</PartNumber><ETag></ETag></Part>".to_owned(),
            ErrorCode::InvalidPart,
        ),
        (with("<ETag>a</ETag>"), ErrorCode::MalformedXML),
        (with("<Size>1</Size>"), ErrorCode::MalformedXML),
        (
            with("<ChecksumCRC32>AAAA</ChecksumCRC32>"),
            ErrorCode::InvalidRequest,
        ),
        (
            with("<ChecksumCRC32>AAAAAQ==</ChecksumCRC32><ChecksumCRC32C>AAAAAQ==</ChecksumCRC32C>"),
            ErrorCode::InvalidRequest,
        ),
    ] {
        assert_eq!(complete(&body).unwrap_err().code(), code, "{body}");
    }
}

#[test]
fn given_documents_that_are_no_xml_or_more_than_xml_when_read_then_malformed() {
    let declared = |encoding: &str| {
        let root = "CompleteMultipartUpload";
        format!(
            "<?xml version=\"1.0\" encoding=\"{encoding}\"?><{root}>{}</{root}>",
            part(1)
        )
        .into_bytes()
    };
    assert!(CompletedUpload::read(&declared("UTF-8")).is_ok());
    let bomb = "<!DOCTYPE a [<!ENTITY b \"1\"><!ENTITY c \"&b;&b;\">]>";
    let whole = String::from_utf8(declared("UTF-8")).unwrap();
    for document in [
        b"nothing".to_vec(),
        b"<CompleteMultipartUpload>".to_vec(),
        b"<CompleteMultipartUpload></Other>".to_vec(),
        b"<CompleteMultipartUpload>\xff</CompleteMultipartUpload>".to_vec(),
        declared("ISO-8859-1"),
        declared("UTF-16"),
        whole
            .replace(
                "<CompleteMultipartUpload>",
                &format!("{bomb}<CompleteMultipartUpload>"),
            )
            .into_bytes(),
        whole.replace("<PartNumber>1", "<PartNumber>&c;").into_bytes(),
        whole.replace("<PartNumber>1", "<PartNumber>1<b/>").into_bytes(),
        whole.replace("<PartNumber>1", "<PartNumber>1&").into_bytes(),
        whole.replace("<PartNumber>1", "<PartNumber>1&#0;").into_bytes(),
        whole.replace("<ETag>", "<ETag>\0").into_bytes(),
        whole.replace("<Part>", "text<Part>").into_bytes(),
        whole.replace("<Part>", "<![CDATA[ ]]><Part>").into_bytes(),
        whole.replace("<Part>", "<?php ?><Part>").into_bytes(),
        format!("{whole}<Other/>").into_bytes(),
        format!("{whole}text").into_bytes(),
        b"<CreateBucketConfiguration/>".to_vec(),
    ] {
        let error = CompletedUpload::read(&document).unwrap_err();
        assert_eq!(
            error.code(),
            ErrorCode::MalformedXML,
            "{}",
            document.escape_ascii()
        );
    }
}

#[test]
fn given_a_document_beyond_the_limit_or_none_when_read_then_told_so() {
    let long = vec![b' '; MAX_DOCUMENT_BYTES + 1];
    let code = |document: &[u8]| CompletedUpload::read(document).unwrap_err().code();
    assert_eq!(code(&long), ErrorCode::MaxMessageLengthExceeded);
    assert_eq!(code(b""), ErrorCode::MissingRequestBodyError);
    assert_eq!(code(b" \r\n"), ErrorCode::MissingRequestBodyError);
}

#[test]
fn given_deep_nesting_when_read_then_refused_at_the_first_unknown_element() {
    let deep = "<a>".repeat(100_000);
    assert_eq!(complete(&deep).unwrap_err().code(), ErrorCode::MalformedXML);
}

#[test]
fn given_objects_to_delete_when_read_then_keys_with_all_their_characters() {
    let body = "<Object><Key> a&amp;b&lt;&gt;&apos; </Key></Object>\
                <Object><Key>line&#13;&#10;&#x1;</Key><VersionId>null</VersionId></Object>\
                <Object><VersionId>v1</VersionId><Key><![CDATA[<x>]]>ü</Key><ETag>\"e\"</ETag></Object>\
                <Object><Key>k</Key><VersionId/><ETag>*</ETag></Object><Quiet>true</Quiet>";
    for document in forms(body, "Delete") {
        let delete = DeleteObjects::read(document.as_bytes()).unwrap();
        let keys: Vec<&str> = delete.objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, [" a&b<>' ", "line\r\n\u{1}", "<x>ü", "k"]);
        assert!(delete.quiet);
        let [first, second, third, fourth] = &delete.objects[..] else {
            panic!()
        };
        assert_eq!((&first.version, &first.if_match), (&Ok(None), &None));
        assert_eq!(second.version, Ok(Some(VersionId::Null)));
        assert!(matches!(&third.if_match, Some(ETagMatch::Tag(tag)) if tag.as_str() == "e"));
        assert_eq!(
            fourth.version.as_ref().unwrap_err().code(),
            ErrorCode::InvalidArgument
        );
        assert_eq!(fourth.if_match, Some(ETagMatch::Any));
    }
}

#[test]
fn given_objects_to_delete_at_the_limit_when_read_then_a_thousand_and_no_more() {
    let document = |count: usize| {
        let objects: String = (0..count)
            .map(|key| format!("<Object><Key>{key}</Key></Object>"))
            .collect();
        DeleteObjects::read(format!("<Delete>{objects}</Delete>").as_bytes())
    };
    assert_eq!(document(1000).unwrap().objects.len(), 1000);
    assert!(!document(1).unwrap().quiet);
    for count in [0, 1001] {
        assert_eq!(
            document(count).unwrap_err().code(),
            ErrorCode::MalformedXML,
            "{count}"
        );
    }
}

#[test]
fn given_objects_that_cannot_be_deleted_when_read_then_refused() {
    let long = format!("<Object><Key>{}</Key></Object>", "k".repeat(1025));
    for (body, code) in [
        ("<Object></Object>", ErrorCode::MalformedXML),
        ("<Object><Key></Key></Object>", ErrorCode::MalformedXML),
        (
            "<Object><Key>a</Key><Key>b</Key></Object>",
            ErrorCode::MalformedXML,
        ),
        (
            "<Object><Key>a</Key></Object><Quiet>yes</Quiet>",
            ErrorCode::MalformedXML,
        ),
        (
            "<Object><Key>a</Key><Size>1</Size></Object>",
            ErrorCode::NotImplemented,
        ),
        (&long, ErrorCode::KeyTooLongError),
    ] {
        let error = DeleteObjects::read(format!("<Delete>{body}</Delete>").as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{body}");
    }
}

#[test]
fn given_tags_when_read_then_in_their_order() {
    let body = "<TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Value/><Key>b c</Key></Tag></TagSet>";
    for document in forms(body, "Tagging") {
        let set = read_object_tags(document.as_bytes()).unwrap();
        let pairs: Vec<(&str, &str)> = set.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
        assert_eq!(pairs, [("a", "1"), ("b c", "")]);
    }
    assert_eq!(
        read_bucket_tags(b"<Tagging><TagSet/></Tagging>"),
        Ok(TagSet::default())
    );
}

#[test]
fn given_tags_that_cannot_be_when_read_then_refused() {
    let tag = |key: usize| format!("<Tag><Key>k{key}</Key><Value/></Tag>");
    let many = |count: usize| -> String { (0..count).map(tag).collect() };
    for (body, code) in [
        (tag(1) + &tag(1), ErrorCode::InvalidTag),
        (many(11), ErrorCode::BadRequest),
        (many(1000), ErrorCode::BadRequest),
        ("<Tag><Key>a</Key></Tag>".to_owned(), ErrorCode::MalformedXML),
        ("<Tag><Key></Key><Value/></Tag>".to_owned(), ErrorCode::InvalidTag),
        ("</TagSet><TagSet>".to_owned(), ErrorCode::MalformedXML),
    ] {
        let document = format!("<Tagging><TagSet>{body}</TagSet></Tagging>");
        assert_eq!(
            read_object_tags(document.as_bytes()).unwrap_err().code(),
            code,
            "{body}"
        );
    }
    let bucket = format!("<Tagging><TagSet>{}</TagSet></Tagging>", many(50));
    assert_eq!(read_bucket_tags(bucket.as_bytes()).unwrap().tags().len(), 50);
    assert_eq!(
        read_bucket_tags(b"<Tagging/>").unwrap_err().code(),
        ErrorCode::MalformedXML
    );
}

#[test]
fn given_a_versioning_configuration_when_read_then_its_status() {
    for (body, expected) in [
        ("<Status>Enabled</Status>", Ok(VersioningStatus::Enabled)),
        (
            "<MfaDelete>Disabled</MfaDelete><Status>Suspended</Status>",
            Ok(VersioningStatus::Suspended),
        ),
        ("", Err(ErrorCode::IllegalVersioningConfigurationException)),
        ("<Status>enabled</Status>", Err(ErrorCode::MalformedXML)),
        (
            "<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>",
            Err(ErrorCode::NotImplemented),
        ),
        (
            "<Status>Enabled</Status><MfaDelete>x</MfaDelete>",
            Err(ErrorCode::MalformedXML),
        ),
    ] {
        for document in forms(body, "VersioningConfiguration") {
            let read = read_versioning(document.as_bytes()).map_err(|error| error.code());
            assert_eq!(read, expected, "{document}");
        }
    }
}

#[test]
fn given_a_bucket_configuration_when_read_then_location_and_tags() {
    let body = "<LocationConstraint>eu-west-1</LocationConstraint><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags>";
    for document in forms(body, "CreateBucketConfiguration") {
        let configuration = CreateBucketConfiguration::read(document.as_bytes()).unwrap();
        assert_eq!(configuration.location.as_deref(), Some("eu-west-1"));
        assert_eq!(configuration.tags.tags()[0].key(), "a");
    }
    for document in [
        "",
        "<CreateBucketConfiguration/>",
        "<CreateBucketConfiguration><LocationConstraint/></CreateBucketConfiguration>",
    ] {
        let configuration = CreateBucketConfiguration::read(document.as_bytes()).unwrap();
        assert_eq!(configuration, CreateBucketConfiguration::default(), "{document}");
    }
    let directory = b"<CreateBucketConfiguration><Bucket/></CreateBucketConfiguration>";
    let error = CreateBucketConfiguration::read(directory).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NotImplemented);
}

#[test]
fn given_the_limit_of_documents_when_held_against_the_largest_upload_then_it_fits() {
    let checksum = ChecksumAlgorithm::Sha256.element();
    let part = format!(
        "  <Part>\r\n    <PartNumber>{}</PartNumber>\r\n    <ETag>&quot;{}&quot;</ETag>\r\n    \
         <{checksum}>{}</{checksum}>\r\n  </Part>\r\n",
        PartNumber::MAX,
        "a".repeat(32),
        "A".repeat(44)
    );
    assert!(part.len() * usize::from(PartNumber::MAX) < MAX_DOCUMENT_BYTES);
}
