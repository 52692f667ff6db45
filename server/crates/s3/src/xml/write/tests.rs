//! Every document, byte for byte behind its declaration and root.

use zas_core::Timestamp;

use super::*;
use crate::checksum::{Checksum, ChecksumAlgorithm, ObjectChecksum};
use crate::error::{ErrorCode, S3Error};
use crate::listing::{
    ContinuationToken, ListBucketsParameters, ListMultipartUploadsParameters, ListObjectVersionsParameters,
    ListObjectsParameters, ListObjectsV2Parameters, ListPartsParameters, ListPosition,
};
use crate::names::{MultipartUploadId, ObjectKey, PartNumber};
use crate::operation::BucketConfiguration;
use crate::query::Query;
use crate::tags::{Tag, TagSet};
use crate::xml::VersioningStatus;

const OWNER: Owner<'_> = Owner {
    id: "cafe",
    display_name: "ann",
};

fn time() -> Timestamp {
    Timestamp::from_millis(1_369_353_600_042)
}

fn query(text: &str) -> Query<'_> {
    Query::parse(text).unwrap()
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::from_bytes(text.as_bytes()).unwrap()
}

/// The document must have that root in the namespace of S3; what is in it.
fn inside<'a>(document: &'a str, root: &str) -> &'a str {
    let start = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    );
    let rest = document.strip_prefix(start.as_str()).unwrap();
    rest.strip_suffix(&format!("</{root}>")).unwrap()
}

fn object<'a>(key: &'a str, owner: Option<Owner<'a>>) -> ObjectEntry<'a> {
    ObjectEntry {
        key,
        last_modified: time(),
        etag: "ab-2",
        size: 5,
        storage_class: "STANDARD",
        owner,
        checksum: Some(("CRC32", "COMPOSITE")),
    }
}

fn crc() -> Checksum {
    Checksum::parse(ChecksumAlgorithm::Crc32, "AAAAAQ==").unwrap()
}

#[test]
fn given_an_error_when_written_then_its_elements_in_order_and_no_namespace() {
    let told = S3Error::new(ErrorCode::NoSuchBucket).with("BucketName", "a<b");
    assert_eq!(
        error(&told, "/a&b", "R1", "H1"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code><Message>The specified bucket \
         does not exist</Message><BucketName>a&lt;b</BucketName><Resource>/a&amp;b</Resource><RequestId>R1</RequestId>\
         <HostId>H1</HostId></Error>"
    );
}

#[test]
fn given_buckets_when_listed_then_owner_names_dates_and_regions() {
    let parameters = ListBucketsParameters::of(&query("prefix=a")).unwrap();
    let bucket = BucketEntry {
        name: "abc",
        created_at: time(),
        region: "eu-west-1",
    };
    let next = ContinuationToken::new(ListPosition::Key("abc".to_owned()));
    assert_eq!(
        inside(
            &list_buckets(&parameters, OWNER, [bucket], Some(&next)),
            "ListAllMyBucketsResult"
        ),
        "<Owner><ID>cafe</ID><DisplayName>ann</DisplayName></Owner><Buckets><Bucket><Name>abc</Name>\
         <CreationDate>2013-05-24T00:00:00.042Z</CreationDate><BucketRegion>eu-west-1</BucketRegion></Bucket>\
         </Buckets><Prefix>a</Prefix><ContinuationToken>MWFiYw</ContinuationToken>"
    );
    let all = ListBucketsParameters::of(&query("")).unwrap();
    assert_eq!(
        inside(&list_buckets(&all, OWNER, [], None), "ListAllMyBucketsResult"),
        "<Owner><ID>cafe</ID><DisplayName>ann</DisplayName></Owner><Buckets></Buckets>"
    );
}

#[test]
fn given_a_region_when_located_then_named_but_for_the_default_one() {
    assert_eq!(inside(&location("us-east-1"), "LocationConstraint"), "");
    assert_eq!(inside(&location("eu-west-1"), "LocationConstraint"), "eu-west-1");
}

#[test]
fn given_objects_when_listed_by_version_one_then_markers_only_where_keys_are_shown_as_one() {
    let parameters = ListObjectsParameters::of(&query("prefix=a&marker=a%26&max-keys=2")).unwrap();
    let next = ListPosition::Key("a/".to_owned());
    let object = object("a/<1>", Some(OWNER));
    let contents = "<Contents><Key>a/&lt;1&gt;</Key><LastModified>2013-05-24T00:00:00.042Z</LastModified>\
         <ETag>&quot;ab-2&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>\
         <ChecksumType>COMPOSITE</ChecksumType><Size>5</Size><Owner><ID>cafe</ID><DisplayName>ann</DisplayName>\
         </Owner><StorageClass>STANDARD</StorageClass></Contents>";
    assert_eq!(
        inside(
            &list_objects("abc", &parameters, [object], [], Some(&next)),
            "ListBucketResult"
        ),
        format!(
            "<Name>abc</Name><Prefix>a</Prefix><Marker>a&amp;</Marker><MaxKeys>2</MaxKeys>\
             <IsTruncated>true</IsTruncated>{contents}"
        )
    );
    let grouped = ListObjectsParameters::of(&query("delimiter=%2F&encoding-type=url")).unwrap();
    assert_eq!(
        inside(
            &list_objects("abc", &grouped, [], ["a b/"], Some(&next)),
            "ListBucketResult"
        ),
        "<Name>abc</Name><Prefix></Prefix><Marker></Marker><NextMarker>a/</NextMarker><MaxKeys>1000</MaxKeys>\
         <Delimiter>/</Delimiter><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><CommonPrefixes>\
         <Prefix>a%20b/</Prefix></CommonPrefixes>"
    );
}

#[test]
fn given_objects_when_listed_by_version_two_then_tokens_and_counts() {
    let token = ContinuationToken::new(ListPosition::Prefix("a/".to_owned())).text();
    let text = format!("delimiter=%2F&encoding-type=url&start-after=a+b&continuation-token={token}");
    let parameters = ListObjectsV2Parameters::of(&query(&text)).unwrap();
    let next = ListPosition::Key("c\u{1}".to_owned());
    let page = list_objects_v2("abc", &parameters, [object("c\u{1}", None)], ["b/"], Some(&next));
    assert_eq!(
        inside(&page, "ListBucketResult"),
        format!(
            "<Name>abc</Name><Prefix></Prefix><StartAfter>a%20b</StartAfter><ContinuationToken>{token}\
             </ContinuationToken><NextContinuationToken>MWMB</NextContinuationToken><KeyCount>2</KeyCount>\
             <MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><EncodingType>url</EncodingType>\
             <IsTruncated>true</IsTruncated><Contents><Key>c%01</Key><LastModified>2013-05-24T00:00:00.042Z\
             </LastModified><ETag>&quot;ab-2&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>\
             <ChecksumType>COMPOSITE</ChecksumType><Size>5</Size><StorageClass>STANDARD</StorageClass></Contents>\
             <CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"
        )
    );
    let empty = ListObjectsV2Parameters::of(&query("max-keys=0")).unwrap();
    assert_eq!(
        inside(&list_objects_v2("abc", &empty, [], [], None), "ListBucketResult"),
        "<Name>abc</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>0</MaxKeys><IsTruncated>false</IsTruncated>"
    );
}

#[test]
fn given_versions_and_delete_markers_when_listed_then_in_their_order() {
    let parameters = ListObjectVersionsParameters::of(&query("key-marker=a&version-id-marker=v1")).unwrap();
    let entries = [
        VersionEntry::DeleteMarker {
            key: "b",
            version_id: "v3",
            is_latest: true,
            last_modified: time(),
            owner: Some(OWNER),
        },
        VersionEntry::Version {
            object: object("b", None),
            version_id: "null",
            is_latest: false,
        },
    ];
    let next = VersionPage {
        next_key: "b",
        next_version: Some("null"),
    };
    let page = list_object_versions("abc", &parameters, entries, ["c/"], Some(next));
    assert_eq!(
        inside(&page, "ListVersionsResult"),
        "<Name>abc</Name><Prefix></Prefix><KeyMarker>a</KeyMarker><VersionIdMarker>v1</VersionIdMarker>\
         <NextKeyMarker>b</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker><MaxKeys>1000</MaxKeys>\
         <IsTruncated>true</IsTruncated><DeleteMarker><Key>b</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest>\
         <LastModified>2013-05-24T00:00:00.042Z</LastModified><Owner><ID>cafe</ID><DisplayName>ann</DisplayName>\
         </Owner></DeleteMarker><Version><Key>b</Key><VersionId>null</VersionId><IsLatest>false</IsLatest>\
         <LastModified>2013-05-24T00:00:00.042Z</LastModified><ETag>&quot;ab-2&quot;</ETag>\
         <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>5</Size>\
         <StorageClass>STANDARD</StorageClass></Version><CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>"
    );
}

fn upload() -> UploadEntry<'static> {
    UploadEntry {
        key: "k &",
        upload_id: "u1",
        initiator: Owner {
            id: "beef",
            display_name: "bob",
        },
        owner: OWNER,
        storage_class: "STANDARD",
        initiated: time(),
        checksum: Some(("SHA256", "COMPOSITE")),
    }
}

#[test]
fn given_uploads_when_begun_listed_and_completed_then_their_documents() {
    let id = MultipartUploadId::parse("u1").unwrap();
    assert_eq!(
        inside(
            &initiate_multipart_upload("abc", &key("k &"), &id),
            "InitiateMultipartUploadResult"
        ),
        "<Bucket>abc</Bucket><Key>k &amp;</Key><UploadId>u1</UploadId>"
    );
    let parameters = ListMultipartUploadsParameters::of(&query("encoding-type=url&max-uploads=1")).unwrap();
    let next = UploadPage {
        next_key: "k &",
        next_upload: "u1",
    };
    let page = list_multipart_uploads("abc", &parameters, [upload()], [], Some(next));
    assert_eq!(
        inside(&page, "ListMultipartUploadsResult"),
        "<Bucket>abc</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker>\
         <NextKeyMarker>k%20%26</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker><Prefix></Prefix>\
         <EncodingType>url</EncodingType><MaxUploads>1</MaxUploads><IsTruncated>true</IsTruncated><Upload>\
         <Key>k%20%26</Key><UploadId>u1</UploadId><Initiator><ID>beef</ID><DisplayName>bob</DisplayName></Initiator>\
         <Owner><ID>cafe</ID><DisplayName>ann</DisplayName></Owner><StorageClass>STANDARD</StorageClass>\
         <Initiated>2013-05-24T00:00:00.042Z</Initiated><ChecksumAlgorithm>SHA256</ChecksumAlgorithm>\
         <ChecksumType>COMPOSITE</ChecksumType></Upload>"
    );
    let checksum = ObjectChecksum::Composite {
        checksum: crc(),
        parts: 2,
    };
    let completed = CompletedObject {
        location: "http://h/abc/k%20%26",
        bucket: "abc",
        key: &key("k &"),
        etag: "ab-2",
        checksum: Some(&checksum),
    };
    assert_eq!(
        inside(
            &complete_multipart_upload(&completed),
            "CompleteMultipartUploadResult"
        ),
        "<Location>http://h/abc/k%20%26</Location><Bucket>abc</Bucket><Key>k &amp;</Key><ETag>&quot;ab-2&quot;</ETag>\
         <ChecksumCRC32>AAAAAQ==-2</ChecksumCRC32><ChecksumType>COMPOSITE</ChecksumType>"
    );
}

#[test]
fn given_parts_when_listed_then_their_numbers_sizes_and_checksums() {
    let parameters = ListPartsParameters::of(&query("max-parts=1&part-number-marker=4")).unwrap();
    let part = part();
    let page = list_parts("abc", &upload(), &parameters, [part], Some(part.number));
    assert_eq!(
        inside(&page, "ListPartsResult"),
        "<Bucket>abc</Bucket><Key>k &amp;</Key><UploadId>u1</UploadId><Initiator><ID>beef</ID>\
         <DisplayName>bob</DisplayName></Initiator><Owner><ID>cafe</ID><DisplayName>ann</DisplayName></Owner>\
         <StorageClass>STANDARD</StorageClass><PartNumberMarker>4</PartNumberMarker>\
         <NextPartNumberMarker>7</NextPartNumberMarker><MaxParts>1</MaxParts><IsTruncated>true</IsTruncated>\
         <ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Part>\
         <PartNumber>7</PartNumber><LastModified>2013-05-24T00:00:00.042Z</LastModified><ETag>&quot;cd&quot;</ETag>\
         <Size>6</Size><ChecksumCRC32>AAAAAQ==</ChecksumCRC32></Part>"
    );
}

fn part() -> PartEntry<'static> {
    PartEntry {
        number: PartNumber::new(7).unwrap(),
        last_modified: time(),
        etag: "cd",
        size: 6,
        checksum: Some(crc()),
    }
}

#[test]
fn given_copies_when_written_then_date_tag_and_checksum() {
    let checksum = ObjectChecksum::FullObject(crc());
    let copy = CopyResult {
        last_modified: time(),
        etag: "ab",
        checksum: Some(&checksum),
    };
    let shared = "<LastModified>2013-05-24T00:00:00.042Z</LastModified><ETag>&quot;ab&quot;</ETag>\
                  <ChecksumCRC32>AAAAAQ==</ChecksumCRC32>";
    assert_eq!(
        inside(&copy_object_result(&copy), "CopyObjectResult"),
        format!("{shared}<ChecksumType>FULL_OBJECT</ChecksumType>")
    );
    assert_eq!(inside(&copy_part_result(&copy), "CopyPartResult"), shared);
}

#[test]
fn given_deleted_keys_when_written_then_each_result_and_quietly_the_failures() {
    let denied = S3Error::new(ErrorCode::AccessDenied);
    let results = [
        DeletedObject::Deleted {
            key: "a",
            version_id: None,
            delete_marker: Some("v2"),
        },
        DeletedObject::Deleted {
            key: "b",
            version_id: Some("v1"),
            delete_marker: None,
        },
        DeletedObject::Failed {
            key: "c",
            version_id: Some("v1"),
            error: &denied,
        },
    ];
    let failure = "<Error><Key>c</Key><VersionId>v1</VersionId><Code>AccessDenied</Code>\
                   <Message>Access Denied</Message></Error>";
    assert_eq!(
        inside(&delete_result(false, results), "DeleteResult"),
        format!(
            "<Deleted><Key>a</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>v2</DeleteMarkerVersionId>\
             </Deleted><Deleted><Key>b</Key><VersionId>v1</VersionId></Deleted>{failure}"
        )
    );
    assert_eq!(inside(&delete_result(true, results), "DeleteResult"), failure);
}

#[test]
fn given_attributes_when_written_then_only_those_that_were_asked_for() {
    let checksum = ObjectChecksum::Composite {
        checksum: crc(),
        parts: 2,
    };
    let attributes = ObjectAttributes {
        etag: Some("ab-2"),
        checksum: Some(&checksum),
        parts: Some(ObjectParts {
            count: 2,
            marker: 0,
            next: Some(part().number),
            max_parts: 1,
            parts: vec![part()],
        }),
        storage_class: Some("STANDARD"),
        size: Some(5),
    };
    assert_eq!(
        inside(&object_attributes(&attributes), "GetObjectAttributesResponse"),
        "<ETag>ab-2</ETag><Checksum><ChecksumCRC32>AAAAAQ==</ChecksumCRC32><ChecksumType>COMPOSITE</ChecksumType>\
         </Checksum><ObjectParts><PartsCount>2</PartsCount><PartNumberMarker>0</PartNumberMarker>\
         <NextPartNumberMarker>7</NextPartNumberMarker><MaxParts>1</MaxParts><IsTruncated>true</IsTruncated><Part>\
         <PartNumber>7</PartNumber><Size>6</Size><ChecksumCRC32>AAAAAQ==</ChecksumCRC32></Part></ObjectParts>\
         <StorageClass>STANDARD</StorageClass><ObjectSize>5</ObjectSize>"
    );
    let few = ObjectAttributes {
        parts: Some(ObjectParts {
            count: 2,
            ..ObjectParts::default()
        }),
        ..ObjectAttributes::default()
    };
    assert_eq!(
        inside(&object_attributes(&few), "GetObjectAttributesResponse"),
        "<ObjectParts><PartsCount>2</PartsCount></ObjectParts>"
    );
}

#[test]
fn given_what_is_set_for_a_bucket_when_written_then_its_document() {
    let tags = TagSet::of_object(vec![Tag::new("a", "b c").unwrap()]).unwrap();
    assert_eq!(
        inside(&tagging(&tags), "Tagging"),
        "<TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet>"
    );
    assert_eq!(inside(&versioning(None), "VersioningConfiguration"), "");
    assert_eq!(
        inside(
            &versioning(Some(VersioningStatus::Suspended)),
            "VersioningConfiguration"
        ),
        "<Status>Suspended</Status>"
    );
    assert_eq!(
        inside(&owner_acl(OWNER), "AccessControlPolicy"),
        "<Owner><ID>cafe</ID><DisplayName>ann</DisplayName></Owner><AccessControlList><Grant>\
         <Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>cafe</ID>\
         <DisplayName>ann</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"
    );
}

#[test]
fn given_every_configuration_that_is_never_set_when_read_then_a_document_or_an_error_and_never_both() {
    for configuration in BucketConfiguration::ALL {
        let document = unset_configuration(*configuration);
        assert_ne!(
            document.is_some(),
            configuration.not_set().is_some(),
            "{configuration:?}"
        );
    }
    let document = |configuration| unset_configuration(configuration).unwrap();
    assert_eq!(
        inside(&document(BucketConfiguration::Logging), "BucketLoggingStatus"),
        ""
    );
    assert_eq!(
        inside(
            &document(BucketConfiguration::Notification),
            "NotificationConfiguration"
        ),
        ""
    );
    assert_eq!(
        inside(
            &document(BucketConfiguration::RequestPayment),
            "RequestPaymentConfiguration"
        ),
        "<Payer>BucketOwner</Payer>"
    );
    assert_eq!(
        inside(
            &document(BucketConfiguration::OwnershipControls),
            "OwnershipControls"
        ),
        "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"
    );
}

#[test]
fn given_characters_that_xml_cannot_hold_when_written_then_a_reader_gets_them_back() {
    let all: String = ('\u{1}'..='\u{ff}')
        .chain(['\u{2028}', '\u{ffff}', '😀'])
        .collect();
    let document = initiate_multipart_upload("abc", &key(&all), &MultipartUploadId::parse("u").unwrap());
    let text = document
        .split("<Key>")
        .nth(1)
        .unwrap()
        .split("</Key>")
        .next()
        .unwrap();
    let sent = format!("<Delete><Object><Key>{text}</Key></Object></Delete>");
    let read = crate::xml::DeleteObjects::read(sent.as_bytes()).unwrap();
    assert_eq!(read.objects[0].key.as_str(), all);
    assert!(!text.contains(['\r', '\n', '\u{1}']));
}
