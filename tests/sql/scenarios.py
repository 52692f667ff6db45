"""The pairs of operations that race, each with the rows it starts from and what its answers promise."""

from dataclasses import dataclass, field
from typing import Callable

# A reap that waits for a lock must be as right as one that gives up.
WAITING_REAP = {"reap.take_blob": (" SKIP LOCKED", ""), "reap.take_link": (" SKIP LOCKED", "")}
PAST, FUTURE = "-1 second", "2 hours"
NOBODY = lambda names, answers, state: []  # noqa: E731


@dataclass(frozen=True)
class Scenario:
    name: str
    prepare: Callable  # (rows) -> (operation A, operation B), each Operations -> steps
    promises: Callable = NOBODY  # (names, answers, state) -> broken promises
    # Sessions that may decline with "Later" or an empty hand, as if they had not come.
    may_decline: tuple = ()
    same_operation: bool = False
    edits: dict = field(default_factory=dict)  # another form of a statement: (old text, new text)
    # Above zero: run this many times with both sessions at full speed, not in chosen orders.
    together: int = 0


class Rows:
    """Makes the rows a race starts from, under names of its own."""

    def __init__(self, connection, prefix):
        self._connection, self.prefix = connection, prefix

    def name(self, text):
        return self.prefix + text.encode()

    def insert(self, table, **values):
        columns, places = ", ".join(values), []
        for number, column in enumerate(values, 1):
            is_time = column in ("lease_until", "due_at", "touched_at")
            places.append(f"clock_timestamp() + ${number}::interval" if is_time else f"${number}")
        self._connection.query(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(places)})", tuple(values.values()))

    def blob(self, digest, *holders, lease=PAST, queued=True):
        location = self.name(f"bytes-of-{digest}")
        self.insert("blob", digest=self.name(digest), size=1, extents=f'[["{location.decode()}", 0, 1]]')
        self.insert("location", name=location, digest=self.name(digest))
        for holder in holders:
            self.insert("link", holder=self.name(holder), digest=self.name(digest), size=1, lease_until=lease,
                        due_at=lease if queued else None)

    def empty_queue(self):
        self._connection.query("UPDATE link SET due_at = NULL WHERE due_at <= clock_timestamp()")

    def upload(self, name):
        self.insert("upload", id=self.name(name), repository=self.name("repo"), epoch=1, touched_at="0")

    def manifest(self, digest, *references, tags=(), subject=None):
        repo = self.name("repo")
        self.insert("manifest", repository=repo, digest=self.name(digest), media_type="application/json", body=b"{}",
                    refs=[self.name(each) for each in references], subject=subject and self.name(subject))
        for each in references:
            self.insert("edge", holder=repo, digest=self.name(each), owner=self.name(digest))
        for tag in tags:
            self.insert("tag", repository=repo, name=self.name(tag), digest=self.name(digest))
        if subject:
            self.insert("referrer", repository=repo, subject=self.name(subject), artifact_type=b"",
                        digest=self.name(digest), descriptor=b"{}")


def finish(rows, upload, holder="repo", digest="layer"):
    rows.upload(upload)
    return lambda on: on.finish_upload(rows.name(upload), 1, rows.name(holder), rows.name(digest))


def reap(rows, holder="repo"):
    return lambda on: on.reap(rows.name(holder), rows.name("layer"))


def mount(rows, source, target):
    return lambda on: on.mount_blob(rows.name(source), rows.name(target), rows.name("layer"))


def commit(rows, digest, references=(), need="blob", tags=None, subject=None):
    wanted = {rows.name(tag): _precondition(rows, before) for tag, before in (tags or {}).items()}
    needs = {rows.name(each): need for each in references}
    return lambda on: on.commit_manifest(
        rows.name("repo"), rows.name(digest), needs, wanted, subject and rows.name(subject))


def delete(rows, digest, count=1000):
    return lambda on: on.delete_manifest(rows.name("repo"), rows.name(digest), count)


def put(rows, content, blob=None, key="key", **how):
    upload = rows.name(f"bytes-{content}") if blob else None
    if blob:
        rows.upload(f"bytes-{content}")
    precondition = _precondition(rows, how.pop("precondition", None))
    return lambda on: on.put_object_version(
        rows.name("bucket"), rows.name(key), rows.name(content), upload=upload, digest=blob and rows.name(blob),
        precondition=precondition, **how)


def _precondition(rows, wanted):
    return wanted if wanted in (None, "absent") else rows.name(wanted)


def acknowledged_link(*expected):
    """`(session, holder, digest)`: a positive answer of that session promises the link, leased unless referenced."""
    def check(names, answers, state):
        leased = {(row["holder"], row["digest"]) for row in state["link"] if row["leased"]}
        referenced = {(row["holder"], row["digest"]) for row in state["edge"]} & {
            (row["holder"], row["digest"]) for row in state["link"]}
        return [f"{answers[session][0]} was answered, but {holder} does not hold {digest}"
                for session, holder, digest in expected
                if answers[session][0] in ("Created", "Existed", "Mounted", "Known", "Committed")
                and (holder, digest) not in leased | referenced]
    return check


def one_winner(word, loser, tag=None):
    def check(names, answers, state):
        outcome = sorted(answer[0] for answer in answers)
        broken = [] if outcome == sorted([word, loser]) else [f"not one winner: {outcome}"]
        tags = {row["name"]: row["digest"] for row in state["tag"]}
        winners = [names[i] for i, answer in enumerate(answers) if answer[0] == word]
        if tag and tags.get(tag) not in winners:
            broken.append(f"{tag} points to {tags.get(tag)}, acknowledged was {winners}")
        return broken
    return check


def growing(names, answers, state):
    sequence = sorted(answer[1] for answer in answers if answer[0] == "Put")
    head = state["object_head"][0]
    broken = [] if len(set(sequence)) == len(sequence) else ["two versions have one number"]
    if any(number <= FUTURE_SEQ for number in sequence):
        broken.append("a version's number is not above those before it")
    if sequence and not head["current_seq"] == head["last_seq"] == sequence[-1]:
        broken.append("the head is not the latest version")
    return broken


# Above any clock of this century: what a replica with a fast clock leaves behind.
FUTURE_SEQ = 4_500_000_000_000_000


def old_head(rows, **columns):
    rows.insert("bucket", id=rows.name("bucket"))
    rows.insert("object_head", bucket=rows.name("bucket"), key=rows.name("key"), last_seq=FUTURE_SEQ, **columns)


def _commit_reap(rows, **how):
    rows.blob("layer", "repo")
    return commit(rows, "image", ["layer"], tags={"latest": None}, **how), reap(rows)


def _commit_of_held_reap(rows):
    rows.blob("layer", "repo", "other", lease=PAST)
    return commit(rows, "image", ["layer"]), reap(rows)


def _finish_reap(rows, holder):
    rows.blob("layer", "repo")
    return finish(rows, "upload", holder), reap(rows)


def _mount_reap(rows):
    rows.blob("layer", "repo")
    return mount(rows, "repo", "target"), reap(rows)


def _renew_reap(rows):
    rows.blob("layer", "repo")
    return (lambda on: on.stat_blob(rows.name("repo"), rows.name("layer"))), reap(rows)


def _reap_reap(rows):
    rows.blob("layer", "repo", "other")
    return reap(rows), reap(rows, "other")


def _mount_reap_of_another(rows):
    rows.blob("layer", "repo", "other")
    return mount(rows, "repo", "target"), reap(rows, "other")


def _unlink(rows):
    return lambda on: on.unlink_blob(rows.name("repo"), rows.name("layer"))


def _unlink_mount(rows):
    rows.blob("layer", "repo", lease=FUTURE)
    return _unlink(rows), mount(rows, "repo", "target")


def _unlink_commit(rows):
    rows.blob("layer", "repo", lease=FUTURE)
    return _unlink(rows), commit(rows, "image", ["layer"])


def _cross_mount(rows):
    rows.blob("layer", "repo", "target", lease=FUTURE)
    return mount(rows, "repo", "target"), mount(rows, "target", "repo")


def _take_due_twice(rows):
    rows.empty_queue()
    rows.blob("layer", "repo")
    return (lambda on: on.take_due(1000)), (lambda on: on.take_due(1000))


def _tags(before):
    def prepare(rows):
        if before != "absent":
            rows.manifest("old", tags=["latest"])
        return commit(rows, "one", tags={"latest": before}), commit(rows, "two", tags={"latest": before})
    return prepare


def _crossed_tags(rows):
    rows.manifest("old", tags=["a", "b"])
    return commit(rows, "one", tags={"b": None, "a": None}), commit(rows, "two", tags={"a": None, "b": None})


def _many_tags(rows):
    names = [f"tag{number:04}" for number in range(1000)]
    rows.manifest("old", tags=names)
    return commit(rows, "one", tags=dict.fromkeys(names)), commit(rows, "two", tags=dict.fromkeys(reversed(names)))


def _same_commit(rows):
    push = commit(rows, "one", tags={"latest": "absent"})
    return push, push


def _delete_same(rows):
    rows.blob("layer", "repo", queued=False)
    rows.manifest("image", "layer", tags=["old"], subject="subject")
    return delete(rows, "image"), commit(rows, "image", ["layer"], tags={"new": None}, subject="subject")


def _delete_moved(rows):
    rows.manifest("image", tags=["a", "b"])
    return delete(rows, "image", count=2), commit(rows, "next", tags={"b": None, "a": "image"})


def _delete_shared(rows):
    rows.blob("layer", "repo", queued=False)
    rows.manifest("image", "layer")
    return delete(rows, "image"), commit(rows, "next", ["layer"])


def _delete_reap(rows):
    rows.blob("layer", "repo", queued=False)
    rows.manifest("image", "layer")
    return delete(rows, "image"), reap(rows)


def _delete_child(rows):
    rows.manifest("child")
    return delete(rows, "child"), commit(rows, "index", ["child"], need="manifest or blob")


def _delete_both(rows):
    rows.blob("layer", "repo", queued=False)
    rows.blob("config", "repo", queued=False)
    rows.manifest("image", "layer", "config")
    rows.manifest("next", "config", "layer")
    return delete(rows, "image"), delete(rows, "next")


def _put_inline(rows, **how):
    old_head(rows)
    return put(rows, "one", **how), put(rows, "two", **how)


def _put_equals(rows):
    old_head(rows, live=True, etag=rows.name("old"), current_seq=FUTURE_SEQ)
    rows.insert("object_version", bucket=rows.name("bucket"), key=rows.name("key"), seq=FUTURE_SEQ, size=1,
                etag=rows.name("old"), inline=b"x")
    return put(rows, "one", precondition="old"), put(rows, "two", precondition="old")


def _put_null_blobs(rows):
    """Both replace the null version, one of them with the content that it has."""
    rows.blob("layer", "bucket", queued=False)
    old_head(rows, live=True, etag=rows.name("old"), current_seq=FUTURE_SEQ, null_seq=FUTURE_SEQ)
    rows.insert("object_version", bucket=rows.name("bucket"), key=rows.name("key"), seq=FUTURE_SEQ, size=1,
                etag=rows.name("old"), digest=rows.name("layer"))
    rows.insert("edge", holder=rows.name("bucket"), digest=rows.name("layer"),
                owner=rows.name("key") + b"#" + str(FUTURE_SEQ).encode())
    return put(rows, "one", blob="layer", versioned=False), put(rows, "two", blob="other", versioned=False)


def _put_delete_bucket(rows):
    rows.insert("bucket", id=rows.name("bucket"))
    return put(rows, "one"), (lambda on: on.delete_bucket(rows.name("bucket")))


def _put_reap(rows):
    rows.blob("layer", "repo")
    old_head(rows)
    return put(rows, "one", blob="layer"), reap(rows)


SCENARIOS = [
    Scenario("commit_manifest x reap", _commit_reap, acknowledged_link((0, "repo", "layer")), (1,)),
    Scenario("commit_manifest x reap (optional reference)", lambda rows: _commit_reap(rows, need="optional"), may_decline=(1,)),
    Scenario("commit_manifest x reap (held elsewhere)", _commit_of_held_reap, acknowledged_link((0, "repo", "layer")), (1,)),
    Scenario("commit_manifest x reap (that waits)", _commit_reap, acknowledged_link((0, "repo", "layer")), edits=WAITING_REAP),
    Scenario("finish_upload x reap (that waits)", lambda rows: _finish_reap(rows, "target"),
             acknowledged_link((0, "target", "layer")), edits=WAITING_REAP),
    Scenario("finish_upload x reap (same repository)", lambda rows: _finish_reap(rows, "repo"),
             acknowledged_link((0, "repo", "layer")), (1,)),
    Scenario("finish_upload x reap (other repository)", lambda rows: _finish_reap(rows, "target"),
             acknowledged_link((0, "target", "layer")), (1,)),
    Scenario("mount_blob x reap", _mount_reap, acknowledged_link((0, "target", "layer")), (1,)),
    Scenario("mount_blob x reap (of another holder)", _mount_reap_of_another, acknowledged_link((0, "target", "layer")), (1,)),
    Scenario("stat_blob with renewal x reap", _renew_reap, acknowledged_link((0, "repo", "layer")), (1,)),
    Scenario("reap x reap (two holders)", _reap_reap, may_decline=(0, 1)),
    Scenario("unlink_blob x mount_blob", _unlink_mount, acknowledged_link((1, "target", "layer"))),
    Scenario("unlink_blob x commit_manifest", _unlink_commit),
    Scenario("mount_blob x mount_blob (crosswise)", _cross_mount),
    Scenario("take_due x take_due", _take_due_twice, may_decline=(0, 1)),
    Scenario("finish_upload x finish_upload (two repositories)", lambda rows: (finish(rows, "a", "one"), finish(rows, "b", "two")),
             lambda *of: acknowledged_link((0, "one", "layer"), (1, "two", "layer"))(*of) + one_winner("Created", "Existed")(*of)),
    Scenario("finish_upload x finish_upload (one repository)", lambda rows: (finish(rows, "a"), finish(rows, "b")),
             lambda *of: acknowledged_link((0, "repo", "layer"))(*of) + one_winner("Created", "Existed")(*of)),
    Scenario("commit_manifest x commit_manifest (tag absent)", _tags("absent"), one_winner("Committed", "TagConflict", "latest")),
    Scenario("commit_manifest x commit_manifest (tag equals)", _tags("old"), one_winner("Committed", "TagConflict", "latest")),
    Scenario("commit_manifest x commit_manifest (tag any)", _tags(None)),
    Scenario("commit_manifest x commit_manifest (two tags, crosswise)", _crossed_tags),
    Scenario("commit_manifest x commit_manifest (1,000 tags, at once)", _many_tags, together=5),
    Scenario("commit_manifest x its own retry", _same_commit, same_operation=True),
    Scenario("delete_manifest x commit_manifest (same manifest)", _delete_same),
    Scenario("delete_manifest x commit_manifest (takes its tags)", _delete_moved),
    Scenario("delete_manifest x commit_manifest (shared layer)", _delete_shared, acknowledged_link((1, "repo", "layer"))),
    Scenario("delete_manifest x commit_manifest (child of an index)", _delete_child),
    Scenario("delete_manifest x delete_manifest (shared layers)", _delete_both),
    Scenario("delete_manifest x reap", _delete_reap, may_decline=(1,)),
    Scenario("put_object_version x put_object_version (versioned)", _put_inline, growing),
    Scenario("put_object_version x put_object_version (absent)", lambda rows: _put_inline(rows, precondition="absent"),
             lambda *of: growing(*of) + one_winner("Put", "PreconditionFailed")(*of)),
    Scenario("put_object_version x put_object_version (equals)", _put_equals,
             lambda *of: growing(*of) + one_winner("Put", "PreconditionFailed")(*of)),
    Scenario("put_object_version x put_object_version (null version)", lambda rows: _put_inline(rows, versioned=False), growing),
    Scenario("put_object_version x put_object_version (null version, blobs)", _put_null_blobs, growing),
    Scenario("put_object_version x reap", _put_reap, may_decline=(1,)),
    Scenario("put_object_version x delete_bucket", _put_delete_bucket),
]
