"""Runs two operations in two sessions in every order of their statements that can make a difference.

A depth-first search over schedules, each run from the start on rows of its own. A statement that waits for the other
session's lock leaves only the other one to go on. Two neighbouring statements that lock rows of no common table do not
see each other (READ COMMITTED shows only what is committed), so only one order of them is run (sleep sets); a commit
commutes with nothing.
"""

import time
from dataclasses import dataclass, field

from libpq import SqlError

# Well over deadlock_timeout: by then a waiting session has made its only check for a deadlock, which fixes who is the victim.
BLOCKED_AFTER_SECONDS = 0.003
STUCK_AFTER_SECONDS = 10
RETRYABLE = ("40001", "40P01")
MOST_RETRIES = 5


class Stuck(Exception):
    """Neither session goes on."""


class Session:
    """One operation in one connection."""

    def __init__(self, connection, isolation):
        self._connection, self._isolation = connection, isolation
        self.retries = 0

    def begin(self, operation):
        self._operation, self.retries = operation, 0
        self.answer = self.pending = None
        self._restart()

    def _restart(self):
        self._connection.script(f"BEGIN ISOLATION LEVEL {self._isolation}")
        self._steps = self._operation()
        self.is_waiting, self.sent_at = False, None
        self._advance(None)

    def _advance(self, rows):
        try:
            self.pending = self._steps.send(rows)
        except StopIteration as end:
            self.pending, self.answer = None, end.value

    @property
    def is_ready(self):
        return self.pending is not None and not self.is_waiting

    def send(self):
        self._connection.send(self.pending.statement.sql, self.pending.values)
        self.is_waiting, self.sent_at = True, time.monotonic()

    def collect(self):
        """Takes the answer to the statement sent, if it is there; a retryable failure starts the operation again."""
        if not self._connection.is_answered(0.0005):
            return False
        self.is_waiting = False
        try:
            self._advance(self._connection.receive())
        except SqlError as error:
            if error.state not in RETRYABLE or self.retries == MOST_RETRIES:
                raise
            self.retries += 1
            self._connection.script("ROLLBACK")
            self._restart()
        return True

    def is_blocked(self, observer):
        if time.monotonic() - self.sent_at < BLOCKED_AFTER_SECONDS:
            return False
        rows = observer.query("SELECT cardinality(pg_blocking_pids($1::int)) > 0 AS blocked", (self._connection.pid,))
        return rows[0]["blocked"]

    def abandon(self):
        if self.is_waiting:
            try:
                self._connection.receive()
            except SqlError:
                pass
            self.is_waiting = False
        self._connection.script("ROLLBACK")


@dataclass
class Node:
    """A point of the search: which sessions may go on, and which were or need not be tried."""

    steps: dict
    asleep: set
    tried: list = field(default_factory=list)

    def untried(self):
        return [index for index in self.steps if index not in self.asleep and index not in self.tried]


def _commute(one, other, ignored):
    if one.ends_transaction or other.ends_transaction:
        return False
    return not (one.statement.locks & other.statement.locks) - ignored


@dataclass
class Run:
    """One complete schedule."""

    schedule: list
    answers: tuple = ()
    retries: int = 0
    waits: int = 0
    failure: str = None


class Explorer:
    def __init__(self, connections, observer, isolation="READ COMMITTED", every_order=False):
        self._every_order = every_order
        self._sessions = [Session(connection, isolation) for connection in connections]
        self._observer = observer

    def serial(self, operations, order):
        """Runs those of the operations that `order` names, one after the other."""
        answers = [None] * len(operations)
        for index in order:
            session = self._sessions[index]
            session.begin(operations[index])
            while session.is_ready:
                session.send()
                self._settle([session])
            answers[index] = session.answer
        return tuple(answers)

    def together(self, operations):
        """Lets both run as they like. Only so two statements that lock several rows each can meet half way."""
        run = Run([])
        for session, operation in zip(self._sessions, operations):
            session.begin(operation)
        while any(session.pending for session in self._sessions):
            for session in self._sessions:
                if session.is_ready:
                    session.send()
                if session.is_waiting:
                    session.collect()
        run.answers = tuple(session.answer for session in self._sessions)
        run.retries = sum(session.retries for session in self._sessions)
        return run

    def explore(self, prepare, ignored):
        """Yields every complete run; `prepare()` makes new rows and gives the two operations on them."""
        path = []
        while True:
            run = self._run(prepare(), path, ignored)
            if run:
                yield run
            while path and not path[-1].untried():
                path.pop()
            if not path:
                return

    def _run(self, operations, path, ignored):
        """Follows the path, ending in its first untried choice, and extends it. None: equivalent to an earlier run."""
        for session, operation in zip(self._sessions, operations):
            session.begin(operation)
        run, depth, asleep = Run([]), 0, set()
        while any(session.pending for session in self._sessions):
            steps = {i: session.pending for i, session in enumerate(self._sessions) if session.is_ready}
            if depth == len(path):
                path.append(Node(steps, asleep))
            node = path[depth]
            if set(node.steps) != set(steps):
                raise Stuck(f"the schedule is not repeatable after {run.schedule}")
            if depth == len(path) - 1:
                if not node.untried():
                    self._abandon()
                    return None
                node.tried.append(node.untried()[0])
            chosen = node.tried[-1]
            others = (node.asleep | set(node.tried)) - {chosen}
            asleep = {i for i in others if i in steps and not self._every_order and _commute(steps[i], steps[chosen], ignored)}
            run.schedule.append(f"{'AB'[chosen]}:{steps[chosen].name}")
            self._sessions[chosen].send()
            try:
                self._settle(self._sessions, run)
            except (SqlError, Stuck) as error:
                run.failure = str(error)
                self._abandon()
                return run
            depth += 1
        run.answers = tuple(session.answer for session in self._sessions)
        run.retries = sum(session.retries for session in self._sessions)
        return run

    def _settle(self, sessions, run=None):
        """Returns when every statement sent is answered or waits for a lock that only a further step can free."""
        started = time.monotonic()
        while waiting := [session for session in sessions if session.is_waiting]:
            if any([session.collect() for session in waiting]):
                continue
            if time.monotonic() - started > STUCK_AFTER_SECONDS:
                raise Stuck("both sessions wait")
            someone_ready = any(session.is_ready for session in sessions)
            if someone_ready and all(session.is_blocked(self._observer) for session in waiting):
                if run:
                    run.waits += 1
                return

    def _abandon(self):
        for session in sorted(self._sessions, key=lambda session: session.is_waiting):
            session.abandon()
