"""What is in the tables for one run, in a form that two runs can be compared by, and what must hold of it."""

import json
import re

# Times become what they mean; rows of a run carry its number in front of every name.
_TABLES = {
    "link": ("holder", "holder, digest, upload, lease_until > clock_timestamp() AS leased, due_at IS NOT NULL AS queued"),
    "blob": ("digest", "digest, extents"),
    "location": ("name", "name, digest"),
    "upload": ("id", "id, epoch"),
    "edge": ("holder", "holder, digest, owner"),
    "manifest": ("repository", "repository, digest, refs"),
    "tag": ("repository", "repository, name, digest"),
    "referrer": ("repository", "repository, subject, digest"),
    "object_head": ("bucket", "bucket, key, last_seq, current_seq, null_seq, live, etag"),
    "object_version": ("bucket", "bucket, key, seq, etag, digest"),
}
_SELECT = "SELECT json_build_object({}) AS state".format(", ".join(
    f"'{table}', (SELECT coalesce(json_agg(each ORDER BY each::text), '[]') FROM "
    f"(SELECT {columns} FROM {table} WHERE {key} >= $1::bytea AND {key} < $2::bytea) AS each)"
    for table, (key, columns) in _TABLES.items()
))
_HEX = re.compile(r"\\\\x([0-9a-f]*)")


def read(connection, prefix):
    """The rows whose keys start with `prefix`, which ends in a slash, without it."""
    state = connection.query(_SELECT, (prefix, prefix[:-1] + b"0"))[0]["state"]
    text = json.dumps(state)
    text = _HEX.sub(lambda match: bytes.fromhex(match[1]).decode().removeprefix(prefix.decode()), text)
    return json.loads(text.replace(prefix.decode(), ""))


def comparable(answers, state):
    """Answers and state as one text in which version numbers are replaced by their ranks."""
    numbers = {row["seq"] for row in state["object_version"]} | {row["last_seq"] for row in state["object_head"]}
    numbers |= {answer[1] for answer in answers if answer and answer[0] == "Put"}
    text = json.dumps([answers, state], sort_keys=True)
    for rank, number in enumerate(sorted(numbers)):
        text = text.replace(str(number), f"v{rank}")
    return text


def broken_invariants(state):
    """What is wrong with a state by itself."""
    links = {(row["holder"], row["digest"]): row for row in state["link"]}
    edges = {(row["holder"], row["digest"]) for row in state["edge"]}
    blobs = {row["digest"] for row in state["blob"]}
    live = [row["digest"] for row in state["location"] if row["digest"]]
    manifests = {(row["repository"], row["digest"]): row for row in state["manifest"]}
    owned = {(row["repository"], ref, row["digest"]) for row in state["manifest"] for ref in row["refs"]}
    of_manifests = {(row["holder"], row["digest"], row["owner"]) for row in state["edge"] if "#" not in row["owner"]}
    checks = [
        ("a link names a blob that is gone", any(digest not in blobs for _, digest in links)),
        ("a blob has no link, so nothing ever collects it", any(all(digest != of for _, of in links) for digest in blobs)),
        ("a blob has not exactly one live location", sorted(live) != sorted(blobs)),
        ("an upload has ended and is still there",
         {row["id"] for row in state["upload"]} & {row["name"] for row in state["location"]}),
        ("a link without edges is not queued, so nothing ever collects it",
         any(key not in edges and not row["queued"] for key, row in links.items())),
        ("a tag points to a manifest that is gone",
         any((row["repository"], row["digest"]) not in manifests for row in state["tag"])),
        ("edges differ from the references of the manifests", owned != of_manifests),
        ("a referrer entry has no manifest",
         any((row["repository"], row["digest"]) not in manifests for row in state["referrer"])),
    ]
    return [message for message, is_broken in checks if is_broken]
