"""The rules of the operations, each with a way to leave it out and the pair whose race must then be found."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    name: str
    scenario: str
    edits: dict = field(default_factory=dict)  # statement -> (old text, new text)
    without: frozenset = frozenset()  # of operations.py
    isolation: str = "READ COMMITTED"
    # The rule prevents deadlocks, not wrong results: the retry must still end well.
    expects_deadlock: bool = False


RULES = [
    Rule("READ COMMITTED is set (here: REPEATABLE READ)", "commit_manifest x reap", isolation="REPEATABLE READ"),
    Rule("commit_manifest locks the links it refers to", "commit_manifest x reap",
         {"commit_manifest.hold_links": (" FOR KEY SHARE", "")}),
    Rule("reap locks the link FOR UPDATE (here: FOR NO KEY UPDATE)", "commit_manifest x reap",
         {"reap.take_link": ("FOR UPDATE", "FOR NO KEY UPDATE")}),
    Rule("reap looks for edges in a statement after the link's lock", "commit_manifest x reap (that waits)",
         {"reap.take_link": ("AS leased\n", "AS leased, EXISTS (SELECT FROM edge WHERE edge.holder = link.holder"
                             " AND edge.digest = link.digest) AS referenced\n")},
         frozenset({"edges in a new statement"})),
    Rule("reap locks the blob before it looks for other links", "finish_upload x reap (other repository)",
         {"reap.take_blob": (" FOR UPDATE SKIP LOCKED", "")}),
    Rule("reap locks the blob before it looks for other links", "reap x reap (two holders)",
         {"reap.take_blob": (" FOR UPDATE SKIP LOCKED", "")}),
    Rule("finish_upload locks the blob it found", "finish_upload x reap (other repository)", {"blob.hold": (" FOR KEY SHARE", "")}),
    Rule("mount_blob locks the link it found", "mount_blob x reap", {"mount_blob.hold_source": (" FOR KEY SHARE", "")}),
    Rule("put_object_version locks the blob it found", "put_object_version x reap", {"blob.hold": (" FOR KEY SHARE", "")}),
    Rule("finish_upload holds the blob again after a lost insert", "finish_upload x reap (other repository)",
         {"blob.hold": (" FOR KEY SHARE", " AND false")}, frozenset({"hold after a lost insert"})),
    Rule("a blob's row is made once (ON CONFLICT)", "finish_upload x finish_upload (two repositories)",
         {"blob.create": ("ON CONFLICT (digest) DO NOTHING ", "")}),
    Rule("stat_blob answers from the renewal", "stat_blob with renewal x reap", without=frozenset({"answer from the renewal"})),
    Rule("tag preconditions are answered by the statement that writes", "commit_manifest x commit_manifest (tag absent)",
         without=frozenset({"preconditions from the write"})),
    Rule("tag preconditions are answered by the statement that writes", "commit_manifest x commit_manifest (tag equals)",
         without=frozenset({"preconditions from the write"})),
    Rule("tags are written in one order", "commit_manifest x commit_manifest (1,000 tags, at once)",
         {"commit_manifest.write_tags": (" ORDER BY name", "")}, expects_deadlock=True),
    Rule("an operation runs once for its id", "commit_manifest x its own retry", without=frozenset({"operation id"})),
    Rule("delete_manifest locks the manifest first", "delete_manifest x commit_manifest (same manifest)",
         {"delete_manifest.take": (" FOR UPDATE", "")}),
    Rule("delete_manifest leases the links whose edges go", "delete_manifest x reap", without=frozenset({"lease for lost edges"})),
    Rule("commit_manifest holds links FOR KEY SHARE (here: FOR SHARE)", "delete_manifest x commit_manifest (same manifest)",
         {"commit_manifest.hold_links": ("FOR KEY SHARE", "FOR SHARE")}, expects_deadlock=True),
    Rule("mount_blob holds its source FOR KEY SHARE (here: FOR SHARE)", "mount_blob x mount_blob (crosswise)",
         {"mount_blob.hold_source": ("FOR KEY SHARE", "FOR SHARE")}, expects_deadlock=True),
    Rule("the last link takes the blob with it", "unlink_blob x commit_manifest", without=frozenset({"doom with the last link"})),
    Rule("take_due locks what it takes", "take_due x take_due", {"take_due.take": (" FOR NO KEY UPDATE SKIP LOCKED", "")}),
    Rule("put_object_version locks its bucket", "put_object_version x delete_bucket",
         {"put_object_version.hold_bucket": (" FOR KEY SHARE", "")}),
    Rule("a version's number is above the last one's", "put_object_version x put_object_version (versioned)",
         {"put_object_version.advance_head": ("greatest(excluded.last_seq, object_head.last_seq + 1)", "excluded.last_seq")}),
    Rule("put_object_version locks the key before the links", "put_object_version x put_object_version (null version, blobs)",
         without=frozenset({"head before links"}), expects_deadlock=True),
]
