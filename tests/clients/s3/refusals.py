"""Requests that S3 refuses: each with its code, and with nothing stored, changed or lost afterwards."""
import datetime
import hashlib
import http.client
import os
import ssl
import urllib.parse
import zlib
from base64 import b64encode

import boto3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
endpoint = os.environ["AWS_ENDPOINT_URL"]
origin = urllib.parse.urlsplit(endpoint)
credentials = boto3.Session().get_credentials().get_frozen_credentials()


def snapshot():
    return [(entry["Key"], entry["ETag"], entry["Size"])
            for entry in s3.list_objects_v2(Bucket="refusals").get("Contents", [])]


def send(method, target, headers, body=b""):
    """One request as it is, over a connection of its own."""
    if origin.scheme == "https":
        trusted = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
        connection = http.client.HTTPSConnection(origin.netloc, context=trusted, timeout=20)
    else:
        connection = http.client.HTTPConnection(origin.netloc, timeout=20)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    code = text.split("<Code>")[1].split("</Code>")[0] if "<Code>" in text else ""
    return answer.status, code


def signed(method, path, headers=(), body=b"", payload=None, query=False, expires=60):
    """The target and the headers of a request that botocore signs."""
    request = AWSRequest(method=method, url=endpoint + path, data=body)
    for name, value in headers:
        request.headers[name] = value
    request.headers["Host"] = origin.netloc
    if query:
        S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=expires).add_auth(request)
        url = urllib.parse.urlsplit(request.url)
        return f"{url.path}?{url.query}", list(request.headers.items())
    signer = S3SigV4Auth(credentials, "s3", "us-east-1")
    signer.payload = lambda _: payload or hashlib.sha256(body).hexdigest()
    signer.add_auth(request)
    return path, list(request.headers.items())


def put(path, headers=(), body=b"content", later=(), **signing):
    """A PUT whose `later` headers are added behind the signature."""
    target, sent = signed("PUT", path, headers, body, **signing)
    return send("PUT", target, [*sent, ("Content-Length", str(len(body))), *later], body)


def chunked(trailer, chunks=b"7\r\ncontent\r\n0\r\n", length=7):
    body = chunks + trailer
    headers = [("Content-Encoding", "aws-chunked"), ("X-Amz-Decoded-Content-Length", str(length)),
               ("X-Amz-Trailer", "x-amz-checksum-crc32")]
    return put("/refusals/new", headers, body, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")


def with_wrong_secret():
    target, sent = signed("PUT", "/refusals/new", body=b"content")
    broken = [(name, value[:-4] + "0000" if name == "Authorization" else value) for name, value in sent]
    return send("PUT", target, [*broken, ("Content-Length", "7")], b"content")


def expired():
    target, sent = signed("PUT", "/refusals/new", query=True, expires=60)
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    parts = urllib.parse.parse_qsl(target.split("?")[1])
    parts = [(name, past.strftime("%Y%m%dT%H%M%SZ") if name == "X-Amz-Date" else value) for name, value in parts]
    return send("PUT", "/refusals/new?" + urllib.parse.urlencode(parts), [*sent, ("Content-Length", "0")])


def over_long():
    target, sent = signed("GET", "/refusals/kept", query=True, expires=8 * 24 * 3600)
    return send("GET", target, sent)


def two_kinds():
    target, _ = signed("GET", "/refusals/kept", query=True)
    _, sent = signed("GET", "/refusals/kept")
    return send("GET", target, sent)


crc = b64encode(zlib.crc32(b"content").to_bytes(4, "big"))
delete_many = "<Delete>" + "".join(f"<Object><Key>{number}</Key></Object>" for number in range(1001)) + "</Delete>"


def delete_too_many():
    body = delete_many.encode()
    md5 = b64encode(hashlib.md5(body).digest()).decode()
    target, sent = signed("POST", "/refusals?delete=", [("Content-MD5", md5)], body)
    return send("POST", target, [*sent, ("Content-Length", str(len(body)))], body)


def with_doctype():
    body = b'<!DOCTYPE x [<!ENTITY a "b">]><VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'
    return put("/refusals?versioning=", body=body)


CASES = [
    ("nobody", lambda: send("PUT", "/refusals/new", [("Host", origin.netloc), ("Content-Length", "0")]), 403, "AccessDenied"),
    ("a wrong signature", with_wrong_secret, 403, "SignatureDoesNotMatch"),
    ("another content than signed", lambda: put("/refusals/new", payload=hashlib.sha256(b"other").hexdigest()),
     400, "XAmzContentSHA256Mismatch"),
    ("an unsigned copy source", lambda: put("/refusals/new", later=[("x-amz-copy-source", "/refusals/kept")]),
     403, "AccessDenied"),
    ("unsigned tags", lambda: put("/refusals/new", later=[("x-amz-tagging", "a=b")]), 403, "AccessDenied"),
    ("an expired link", expired, 403, "AccessDenied"),
    ("a link for longer than a week", over_long, 400, "AuthorizationQueryParametersError"),
    ("two kinds of credentials", two_kinds, 400, "InvalidArgument"),
    ("a wrong checksum", lambda: put("/refusals/new", [("x-amz-checksum-crc32", "AAAAAA==")]), 400, "BadDigest"),
    ("a wrong trailer", lambda: chunked(b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n"), 400, "BadDigest"),
    ("another trailer than announced", lambda: chunked(b"x-amz-checksum-sha1:AAAA\r\n\r\n"), 400, "MalformedTrailerError"),
    ("fewer bytes than declared", lambda: chunked(b"x-amz-checksum-crc32:" + crc + b"\r\n\r\n", length=9), 400, "IncompleteBody"),
    ("chunks that are none", lambda: chunked(b"", chunks=b"zz\r\ncontent"), 400, None),
    ("a key that is too long", lambda: put("/refusals/" + "k" * 1025), 400, "KeyTooLongError"),
    ("too much metadata", lambda: put("/refusals/new", [("x-amz-meta-a", "m" * 2100)]), 400, "MetadataTooLarge"),
    ("a list that grants something", lambda: put("/refusals/new", [("x-amz-acl", "public-read")]),
     400, "AccessControlListNotSupported"),
    ("encryption that is not there", lambda: put("/refusals/new", [("x-amz-server-side-encryption", "AES256")]),
     501, "NotImplemented"),
    ("a lock that is not there", lambda: put("/refusals/new", [("x-amz-object-lock-mode", "COMPLIANCE")]),
     501, "NotImplemented"),
    ("a policy", lambda: put("/refusals?policy=", body=b"{}"), 501, "NotImplemented"),
    ("too many deletions", delete_too_many, 400, "MalformedXML"),
    ("a document type", with_doctype, 400, "MalformedXML"),
    ("a bucket that is no name", lambda: put("/Refusals"), 400, "InvalidBucketName"),
    ("an upload that nobody has", lambda: put("/refusals/new?partNumber=1&uploadId=x"), 404, "NoSuchUpload"),
    ("part 10,001", lambda: put("/refusals/new?partNumber=10001&uploadId=x"), 400, "InvalidArgument"),
]

s3.create_bucket(Bucket="refusals")
s3.put_object(Bucket="refusals", Key="kept", Body=b"kept")
s3.put_object(Bucket="refusals", Key="../../kept", Body=b"a key is no path")
before = snapshot()
for name, case, status, code in CASES:
    found = case()
    assert found[0] == status and code in (found[1], None), f"{name}: {found} instead of {(status, code)}"
    assert snapshot() == before, f"{name}: something was stored"
    print(name, *found)
assert s3.get_object(Bucket="refusals", Key="kept")["Body"].read() == b"kept"
print("the end")
