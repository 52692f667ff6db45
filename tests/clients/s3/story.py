"""What boto3 users do; every expectation is checked here, and the last line says that all held."""
import os
import ssl
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
trusted = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))


def refused(operation, **arguments):
    try:
        operation(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError(f"{operation.__name__} was not refused")


def body(key, **arguments):
    return s3.get_object(Bucket="story", Key=key, **arguments)["Body"].read()


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def objects_in_one_piece():
    s3.create_bucket(Bucket="story")
    s3.create_bucket(Bucket="story")  # once more by its owner
    key = "a/b c+d%/../é//.txt"
    s3.put_object(Bucket="story", Key=key, Body=b"hello", ContentType="text/plain", CacheControl="no-cache",
                  Metadata={"colour": "blue"}, Tagging="k=v&k2=v2")
    head = s3.head_object(Bucket="story", Key=key)
    same((head["ContentLength"], head["ContentType"], head["CacheControl"], head["Metadata"], head["ETag"]),
         (5, "text/plain", "no-cache", {"colour": "blue"}, '"5d41402abc4b2a76b9719d911017c592"'))
    same(body(key, ChecksumMode="ENABLED"), b"hello")
    same(body(key, Range="bytes=-2"), b"lo")
    same(refused(s3.get_object, Bucket="story", Key=key, Range="bytes=9-"), ("InvalidRange", 416))
    same({tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket="story", Key=key)["TagSet"]},
         {"k": "v", "k2": "v2"})
    s3.put_object(Bucket="story", Key="empty", Body=b"")
    same(body("empty"), b"")
    same(refused(s3.get_object, Bucket="story", Key="none"), ("NoSuchKey", 404))
    same(refused(s3.head_object, Bucket="story", Key="none"), ("404", 404))
    same(refused(s3.list_objects_v2, Bucket="no-such-bucket"), ("NoSuchBucket", 404))
    same(refused(s3.put_object, Bucket="story", Key="x", Body=b"1", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA=="),
         ("BadDigest", 400))
    same(refused(s3.head_object, Bucket="story", Key="x"), ("404", 404))


def conditions_and_copies():
    big = os.urandom(3_000_000)
    etag = s3.put_object(Bucket="story", Key="big", Body=big)["ETag"]
    same(body("big"), big)
    same(body("big", Range="bytes=1000-1999999"), big[1000:2_000_000])
    same(refused(s3.put_object, Bucket="story", Key="big", Body=b"x", IfNoneMatch="*"), ("PreconditionFailed", 412))
    same(refused(s3.put_object, Bucket="story", Key="new", Body=b"x", IfMatch='"0"'), ("NoSuchKey", 404))
    same(refused(s3.get_object, Bucket="story", Key="big", IfNoneMatch=etag), ("304", 304))
    same(refused(s3.get_object, Bucket="story", Key="big", IfMatch='"0"'), ("PreconditionFailed", 412))
    s3.copy_object(Bucket="story", Key="copy", CopySource={"Bucket": "story", "Key": "big"})
    same(body("copy"), big)
    # The same content, once more, and one of the two deleted: the other stays.
    s3.put_object(Bucket="story", Key="twin", Body=big)
    s3.delete_object(Bucket="story", Key="big")
    same(body("twin"), big)
    same(s3.get_object_attributes(Bucket="story", Key="twin", ObjectAttributes=["ObjectSize"])["ObjectSize"], 3_000_000)


def lists():
    for name in ("l/1", "l/2", "l/d/3", "l/d/4", "l/e/5"):
        s3.put_object(Bucket="story", Key=name, Body=b"x")
    page = s3.list_objects_v2(Bucket="story", Prefix="l/", Delimiter="/")
    same([entry["Key"] for entry in page["Contents"]], ["l/1", "l/2"])
    same([entry["Prefix"] for entry in page["CommonPrefixes"]], ["l/d/", "l/e/"])
    for paginator in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(paginator).paginate(Bucket="story", Prefix="l/", PaginationConfig={"PageSize": 2})
        same([entry["Key"] for page in pages for entry in page["Contents"]], ["l/1", "l/2", "l/d/3", "l/d/4", "l/e/5"])


def versions():
    s3.put_bucket_versioning(Bucket="story", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="story", Key="v", Body=b"1")["VersionId"]
    s3.put_object(Bucket="story", Key="v", Body=b"2")
    marker = s3.delete_object(Bucket="story", Key="v")
    assert marker["DeleteMarker"]
    same(refused(s3.get_object, Bucket="story", Key="v"), ("NoSuchKey", 404))
    same(body("v", VersionId=first), b"1")
    same(refused(s3.get_object, Bucket="story", Key="v", VersionId=marker["VersionId"]), ("MethodNotAllowed", 405))
    s3.delete_object(Bucket="story", Key="v", VersionId=marker["VersionId"])
    same(body("v"), b"2")


def parts():
    upload = s3.create_multipart_upload(Bucket="story", Key="parts")["UploadId"]
    one, two = os.urandom(5 * 1024 * 1024), os.urandom(100)
    put = lambda number, content: s3.upload_part(
        Bucket="story", Key="parts", UploadId=upload, PartNumber=number, Body=content)["ETag"]
    tags = [(1, put(1, one)), (7, put(7, two))]
    put(9, b"not listed")
    same([part["PartNumber"] for part in s3.list_parts(Bucket="story", Key="parts", UploadId=upload)["Parts"]], [1, 7, 9])
    same([entry["Key"] for entry in s3.list_multipart_uploads(Bucket="story")["Uploads"]], ["parts"])
    complete = lambda listed: dict(Bucket="story", Key="parts", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": number, "ETag": tag} for number, tag in listed]})
    same(refused(s3.complete_multipart_upload, **complete([(1, tags[1][1])])), ("InvalidPart", 400))
    same(refused(s3.complete_multipart_upload, **complete([tags[1], tags[0]])), ("InvalidPartOrder", 400))
    done = s3.complete_multipart_upload(**complete(tags))
    assert done["ETag"].endswith('-2"'), done
    same(s3.complete_multipart_upload(**complete(tags))["ETag"], done["ETag"])
    same(body("parts"), one + two)
    same(body("parts", Range="bytes=5242870-5242900"), (one + two)[5242870:5242901])
    upload = s3.create_multipart_upload(Bucket="story", Key="ranges")["UploadId"]
    copied = s3.upload_part_copy(Bucket="story", Key="ranges", UploadId=upload, PartNumber=1,
                                 CopySource={"Bucket": "story", "Key": "parts"}, CopySourceRange="bytes=10-5242899")
    s3.complete_multipart_upload(Bucket="story", Key="ranges", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}]})
    same(body("ranges"), (one + two)[10:5242900])
    upload = s3.create_multipart_upload(Bucket="story", Key="aborted")["UploadId"]
    s3.upload_part(Bucket="story", Key="aborted", UploadId=upload, PartNumber=1, Body=b"x" * 20_000)
    s3.abort_multipart_upload(Bucket="story", Key="aborted", UploadId=upload)
    same(refused(s3.list_parts, Bucket="story", Key="aborted", UploadId=upload), ("NoSuchUpload", 404))


def links():
    link = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "story", "Key": "twin", "ResponseContentType": "x/y"})
    with urllib.request.urlopen(link, context=trusted) as answer:
        same((answer.headers["content-type"], len(answer.read())), ("x/y", 3_000_000))
    try:
        urllib.request.urlopen(link.replace("twin", "copy"), context=trusted)
        raise AssertionError("a link for another object was taken")
    except urllib.error.HTTPError as error:
        same(error.code, 403)


def what_is_not_set():
    same(refused(s3.get_bucket_policy, Bucket="story"), ("NoSuchBucketPolicy", 404))
    same(refused(s3.get_bucket_lifecycle_configuration, Bucket="story"), ("NoSuchLifecycleConfiguration", 404))
    same(refused(s3.put_bucket_policy, Bucket="story", Policy="{}"), ("NotImplemented", 501))
    same(refused(s3.head_bucket, Bucket="story", ExpectedBucketOwner="111122223333"), ("403", 403))
    same(s3.get_bucket_location(Bucket="story")["LocationConstraint"], None)
    same(s3.get_bucket_acl(Bucket="story")["Grants"][0]["Permission"], "FULL_CONTROL")


def emptying():
    same(refused(s3.delete_bucket, Bucket="story"), ("BucketNotEmpty", 409))
    for page in s3.get_paginator("list_object_versions").paginate(Bucket="story", PaginationConfig={"PageSize": 5}):
        found = [{"Key": entry["Key"], "VersionId": entry["VersionId"]}
                 for entry in page.get("Versions", []) + page.get("DeleteMarkers", [])]
        if found:
            same(s3.delete_objects(Bucket="story", Delete={"Objects": found}).get("Errors"), None)
    s3.delete_bucket(Bucket="story")
    same(s3.list_buckets()["Buckets"], [])


for chapter in (objects_in_one_piece, conditions_and_copies, lists, versions, parts, links, what_is_not_set, emptying):
    chapter()
    print(chapter.__name__)
print("the end")
