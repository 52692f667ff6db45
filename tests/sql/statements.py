"""The named statements of the .sql files beside this one."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

_HEADER = re.compile(r"^-- name: (\w+)\(([\w, ]*)\)$")
_TABLES = re.compile(
    r"\b(operation|upload|location|blob|link|edge|manifest|tag|referrer|bucket|object_head|object_version)\b"
)
_LOCKING = re.compile(r"\b(INSERT|UPDATE|DELETE|FOR)\b")


@dataclass(frozen=True)
class Statement:
    name: str
    parameters: tuple
    sql: str
    # Tables in which it may lock a row; a plain read locks none and sees only what is committed.
    locks: frozenset = field(default=frozenset())

    @staticmethod
    def of(name, parameters, sql):
        locks = frozenset(_TABLES.findall(sql)) if _LOCKING.search(sql) else frozenset()
        return Statement(name, parameters, sql, locks)

    def edited(self, old, new):
        """The statement with a part of its text replaced; the part must be there."""
        if old not in self.sql:
            raise ValueError(f"{self.name} does not contain {old!r}")
        return Statement.of(self.name, self.parameters, self.sql.replace(old, new))


@dataclass(frozen=True)
class Call:
    """A statement with its values: one step of an operation."""

    statement: Statement
    values: tuple = ()

    @property
    def name(self):
        return self.statement.name

    @property
    def ends_transaction(self):
        return self.statement in (COMMIT, ROLLBACK)


COMMIT = Statement("COMMIT", (), "COMMIT")
ROLLBACK = Statement("ROLLBACK", (), "ROLLBACK")


class Statements:
    """`statements.file.name(parameter=value)` makes a call."""

    def __init__(self, by_name):
        self._by_name = by_name

    def edited(self, edits):
        """With `{name: (old text, new text)}` applied."""
        changed = {name: self._by_name[name].edited(*edit) for name, edit in edits.items()}
        return Statements(self._by_name | changed)

    def __getattr__(self, file):
        return _File(self._by_name, file)


class _File:
    def __init__(self, by_name, file):
        self._by_name, self._file = by_name, file

    def __getattr__(self, name):
        statement = self._by_name[f"{self._file}.{name}"]
        return lambda **values: Call(statement, tuple(values.pop(parameter) for parameter in statement.parameters))


def load(directory):
    by_name = {}
    for path in sorted(Path(directory).glob("*.sql")):
        name = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if header := _HEADER.match(line):
                name = f"{path.stem}.{header[1]}"
                parameters = tuple(part.strip() for part in header[2].split(",") if part.strip())
                by_name[name] = Statement.of(name, parameters, "")
            elif name and not line.startswith("--"):
                by_name[name] = replace(by_name[name], sql=by_name[name].sql + line + "\n")
    return Statements({name: Statement.of(name, each.parameters, each.sql.strip()) for name, each in by_name.items()})
