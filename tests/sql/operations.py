"""The operations: generators that yield one statement at a time, get its rows, and return their answer.

An operation that returns `Refused` has changed nothing and is rolled back. `rules` names the rules that are left out,
to show that the races they prevent are found (rules.py).
"""

import json
from dataclasses import dataclass

from statements import COMMIT, ROLLBACK, Call, Statement

LEASE, GRACE, DOOM_DELAY = "2 hours", "1 hour", "15 minutes"


@dataclass(frozen=True)
class Refused:
    answer: tuple


@dataclass(frozen=True)
class Operations:
    sql: object
    without: frozenset = frozenset()

    def transaction(self, operation, steps):
        """Runs an operation's steps in a transaction that is open already, once for its id."""
        if "operation id" not in self.without:
            if not (yield self.sql.operation.claim(id=operation)):
                yield Call(ROLLBACK)
                return tuple((yield self.sql.operation.recall(id=operation))[0]["result"])
        answer = yield from steps(self)
        if isinstance(answer, Refused):
            yield Call(ROLLBACK)
            return answer.answer
        if "operation id" not in self.without:
            yield self.sql.operation.record(id=operation, result=_json(answer))
        yield Call(COMMIT)
        return answer

    def finish_upload(self, upload, epoch, repository, digest):
        if refused := (yield from self.take_upload(upload, epoch)):
            return refused
        answer = yield from self.hold_or_create(digest, upload)
        yield self.sql.blob.link(holder=repository, digest=digest, size=1, upload=upload, lease=LEASE)
        yield self.sql.finish_upload.remove(id=upload)
        return answer

    def take_upload(self, upload, epoch):
        row = yield self.sql.finish_upload.take(id=upload)
        if not row:
            return Refused(("Unknown",))
        if row[0]["epoch"] != epoch:
            return Refused(("Fenced",))
        return None

    def hold_or_create(self, digest, name):
        """The blob's row, held; the bytes under `name` become its content or are doomed."""
        while True:
            if (yield self.sql.blob.hold(digest=digest)):
                yield self.sql.blob.doom_copy(name=name, delay=DOOM_DELAY)
                return ("Existed",)
            extents = _json([[name.decode(), 0, 1]])
            if (yield self.sql.blob.create(digest=digest, size=1, inline=None, extents=extents)):
                yield self.sql.blob.place(name=name, digest=digest)
                return ("Created",)
            if "hold after a lost insert" in self.without:
                yield self.sql.blob.doom_copy(name=name, delay=DOOM_DELAY)
                return ("Existed",)

    def mount_blob(self, source, target, digest):
        row = yield self.sql.mount_blob.hold_source(holder=source, digest=digest)
        if not row:
            return Refused(("Unknown",))
        yield self.sql.blob.link(holder=target, digest=digest, size=row[0]["size"], upload=None, lease=LEASE)
        return ("Mounted",)

    def stat_blob(self, repository, digest):
        row = yield self.sql.stat_blob.read(holder=repository, digest=digest, grace=GRACE)
        if not row:
            return Refused(("Unknown",))
        if not row[0]["short"]:
            return ("Known",)
        renewed = yield self.sql.stat_blob.renew(holder=repository, digest=digest, lease=LEASE)
        if not renewed and "answer from the renewal" not in self.without:
            return Refused(("Unknown",))
        return ("Known",)

    def unlink_blob(self, repository, digest):
        if not (yield self.sql.unlink_blob.take_blob(digest=digest)):
            return Refused(("Unknown",))
        if not (yield self.sql.unlink_blob.remove_link(holder=repository, digest=digest)):
            return Refused(("Unknown",))
        if "doom with the last link" not in self.without:
            yield from self.doom_unless_linked(digest)
        return ("Unlinked",)

    def reap(self, repository, digest):
        blob = self.sql.reap.take_blob(digest=digest)
        link = self.sql.reap.take_link(holder=repository, digest=digest)
        for lock in (blob, link):
            row = yield lock
            if not row:
                there = yield self.sql.reap.link_exists(holder=repository, digest=digest)
                return Refused(("Later",) if there[0]["found"] else ("Gone",))
        if "edges in a new statement" in self.without:
            referenced = row[0]["referenced"]
        else:
            referenced = (yield self.sql.reap.has_edges(holder=repository, digest=digest))[0]["found"]
        if referenced or row[0]["leased"]:
            yield self.sql.reap.keep(holder=repository, digest=digest, referenced=referenced)
            return ("Kept", "referenced" if referenced else "leased")
        yield self.sql.reap.remove_link(holder=repository, digest=digest)
        return (yield from self.doom_unless_linked(digest))

    def doom_unless_linked(self, digest):
        if (yield self.sql.blob.has_links(digest=digest))[0]["found"]:
            return ("LinkRemoved",)
        yield self.sql.blob.remove(digest=digest)
        names = yield self.sql.blob.doom(digest=digest, delay=DOOM_DELAY)
        return ("Doomed", [row["name"].decode() for row in names])

    def commit_manifest(self, repository, digest, references, tags, subject=None):
        """`references`: digest -> "optional" | "blob" | "manifest or blob"; `tags`: name -> None | "absent" | digest."""
        sql = self.sql.commit_manifest
        named = sorted(references)
        if named:
            held = {row["digest"] for row in (yield sql.hold_links(repository=repository, digests=named))}
            children = [each for each in named if references[each] == "manifest or blob" and each not in held]
            if children:
                held |= {row["digest"] for row in (yield sql.hold_manifests(repository=repository, digests=children))}
            missing = [each.decode() for each in named if references[each] != "optional" and each not in held]
            if missing:
                return Refused(("Missing", missing))
        read_before = {}
        if "preconditions from the write" in self.without:
            read_before = yield Call(_read_tags(), (repository, list(tags)))
        created = yield sql.write_manifest(
            repository=repository, digest=digest, media_type="application/json", body=b"{}", refs=named, subject=subject)
        if named:
            yield sql.write_edges(repository=repository, digests=named, owner=digest)
        if subject:
            yield sql.write_referrer(
                repository=repository, subject=subject, artifact_type=b"", digest=digest, descriptor=b"{}")
        if not tags:
            return ("Committed", created[0]["created"], [])
        rows = yield sql.write_tags(repository=repository, names=list(tags), digest=digest)
        previous = {row["name"]: row["previous"] for row in rows}
        seen = previous if "preconditions from the write" not in self.without else {
            name: {row["name"]: row["digest"] for row in read_before}.get(name) for name in tags}
        conflicts = [name.decode() for name, wanted in sorted(tags.items())
                     if wanted and seen[name] != (None if wanted == "absent" else wanted)]
        if conflicts:
            return Refused(("TagConflict", conflicts))
        displaced = [[name.decode(), old.decode()] for name, old in sorted(previous.items()) if old and old != digest]
        return ("Committed", created[0]["created"], displaced)

    def delete_manifest(self, repository, digest, count=1000):
        sql = self.sql.delete_manifest
        row = yield sql.take(repository=repository, digest=digest)
        if not row:
            return Refused(("Unknown",))
        yield sql.remove_tags(repository=repository, digest=digest, count=count)
        if (yield sql.has_tags(repository=repository, digest=digest))[0]["found"]:
            return ("More",)
        refs, subject = row[0]["refs"], row[0]["subject"]
        if refs:
            yield sql.remove_edges(repository=repository, digests=refs, owner=digest)
            if "lease for lost edges" not in self.without:
                yield self.sql.blob.release(holder=repository, digests=refs, grace=GRACE)
        if subject:
            yield sql.remove_referrer(repository=repository, subject=subject, digest=digest)
        yield sql.remove(repository=repository, digest=digest)
        return ("Deleted",)

    def take_due(self, count):
        rows = yield self.sql.take_due.take(count=count, hidden=DOOM_DELAY)
        return ("Taken", sorted(row["digest"].decode() for row in rows))

    def put_object_version(self, bucket, key, etag, upload=None, digest=None, versioned=True, precondition=None):
        """`precondition`: None | "absent" | etag of the current version. Inline without a digest and its upload."""
        sql = self.sql.put_object_version
        if upload and (refused := (yield from self.take_upload(upload, 1))):
            return refused
        if not (yield sql.hold_bucket(bucket=bucket)):
            return Refused(("NoSuchBucket",))
        late = "head before links" in self.without
        if late and digest:
            yield from self.place_object_blob(bucket, digest, upload)
        head = (yield sql.advance_head(bucket=bucket, key=key))[0]
        current = head["etag"] if head["live"] else None
        if precondition and current != (None if precondition == "absent" else precondition):
            return Refused(("PreconditionFailed",))
        seq, old_seq = head["last_seq"], None if versioned else head["null_seq"]
        old = (yield sql.read_version(bucket=bucket, key=key, seq=old_seq)) if old_seq else []
        old_digest = old[0]["digest"] if old else None
        for each in sorted({digest, old_digest} - {None}):
            if each == digest and not late:
                yield from self.place_object_blob(bucket, digest, upload)
            if each == old_digest:
                yield sql.remove_edge(holder=bucket, digest=each, owner=_owner(key, old_seq))
                yield self.sql.blob.release(holder=bucket, digests=[each], grace="0")
        if old_seq:
            yield sql.remove_version(bucket=bucket, key=key, seq=old_seq)
        inline = None if digest else etag
        yield sql.write_version(bucket=bucket, key=key, seq=seq, size=1, etag=etag, inline=inline, digest=digest)
        if digest:
            yield sql.write_edge(holder=bucket, digest=digest, owner=_owner(key, seq))
        yield sql.write_head(bucket=bucket, key=key, seq=seq, etag=etag, is_null=not versioned)
        return ("Put", seq)

    def place_object_blob(self, bucket, digest, upload):
        yield from self.hold_or_create(digest, upload)
        yield self.sql.blob.link(holder=bucket, digest=digest, size=1, upload=upload, lease="0")
        yield self.sql.finish_upload.remove(id=upload)

    def delete_bucket(self, bucket):
        if not (yield self.sql.delete_bucket.take(bucket=bucket)):
            return Refused(("NoSuchBucket",))
        if (yield self.sql.delete_bucket.has_objects(bucket=bucket))[0]["found"]:
            return Refused(("NotEmpty",))
        yield self.sql.delete_bucket.remove(bucket=bucket)
        return ("Deleted",)


def _owner(key, seq):
    return key + b"#" + str(seq).encode()


def _json(value):
    return json.dumps(value)


def _read_tags():
    return Statement.of(
        "read_tags", (), "SELECT name, digest FROM tag WHERE repository = $1::bytea AND name = ANY ($2::bytea[])")
