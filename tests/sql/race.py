#!/usr/bin/env python3
"""Races the SQL of the metadata operations against each other on a PostgreSQL of its own.

Exit code 0: every schedule of every pair ended as some serial order would have ended, with every invariant and promise
kept, and every rule left out was caught.
"""

import argparse
import itertools
import signal
import sys
import time
from pathlib import Path

import state
from cluster import Cluster
from explorer import Explorer
from libpq import Connection
from operations import Operations
from rules import RULES
from scenarios import SCENARIOS, Rows
from statements import load

HERE = Path(__file__).parent


class Arena:
    """Three sessions on one server: two that race and one that looks on."""

    def __init__(self, options, every_order):
        self._every_order = every_order
        self._connections = [Connection(options) for _ in range(2)]
        self._observer = Connection(options)
        self._observer.script((HERE / "schema.sql").read_text(encoding="utf-8"))
        self._statements = load(HERE)
        self._runs = itertools.count(1)

    def close(self):
        for connection in [*self._connections, self._observer]:
            connection.close()

    def race(self, scenario, rule=None):
        """Runs every schedule; gives their number, and the first that went wrong."""
        isolation = rule.isolation if rule else "READ COMMITTED"
        explorer = Explorer(self._connections, self._observer, isolation, self._every_order)
        expected = self._serial_results(scenario)
        ignored = frozenset() if scenario.same_operation else frozenset({"operation"})
        statements = self._statements.edited(scenario.edits)
        operations = Operations(statements.edited(rule.edits), rule.without) if rule else Operations(statements)
        prepare = lambda: self._prepare(scenario, operations)  # noqa: E731
        at_once = (explorer.together(prepare()) for _ in range(scenario.together))
        result = Result(scenario.name)
        for run in at_once if scenario.together else explorer.explore(prepare, ignored):
            result.add(run, self._judge(scenario, run, expected))
            if rule and (result.problem or (rule.expects_deadlock and result.deadlocks)):
                break
        return result

    def wrong_listings(self):
        """The repositories that the races left, page by page, against what is in the table: 0 when they are the same."""
        stored = self._observer.query("SELECT DISTINCT repository FROM manifest ORDER BY repository")
        listed, after = [], b""
        while page := self._observer.query(*_as_query(self._statements.list_repositories.list(after=after, count=100))):
            listed += page
            after = page[-1]["repository"]
        print(f"\nlist_repositories: {len(listed)} of {len(stored)} repositories listed")
        return int(listed != stored or not stored)

    def _prepare(self, scenario, operations):
        rows = Rows(self._observer, f"{next(self._runs)}/".encode())
        self._rows = rows
        steps = scenario.prepare(rows)
        ids = [rows.name("operation"), rows.name("operation" if scenario.same_operation else "operation of B")]
        return [lambda i=i: operations.transaction(ids[i], steps[i]) for i in range(2)]

    def _serial_results(self, scenario):
        """What the two orders of the unchanged operations give, and what one gives when the other declines."""
        explorer, operations = Explorer(self._connections, self._observer), Operations(self._statements)
        results = set()
        for order in [(0, 1), (1, 0), *((1 - index,) for index in scenario.may_decline)]:
            answers = explorer.serial(self._prepare(scenario, operations), order)
            results.add(self._comparable(answers))
        return results

    def _comparable(self, answers):
        return state.comparable(self._shorten(answers), state.read(self._observer, self._rows.prefix))

    def _shorten(self, answers):
        """Without the run's number; who declined is as good as absent."""
        prefix = self._rows.prefix.decode()
        strip = lambda value: (  # noqa: E731
            value.replace(prefix, "") if isinstance(value, str)
            else [strip(each) for each in value] if isinstance(value, (list, tuple)) else value)
        declined = (("Later",), ("Taken", []))
        return tuple(None if answer is None or answer in declined else tuple(strip(answer)) for answer in answers)

    def _judge(self, scenario, run, expected):
        if run.failure:
            return run.failure
        found = state.read(self._observer, self._rows.prefix)
        answers = self._shorten(run.answers)
        broken = state.broken_invariants(found)
        if all(answers):
            broken += scenario.promises(("one", "two"), answers, found)
        if not broken and state.comparable(answers, found) not in expected:
            broken = ["no serial order gives this result"]
        return f"{'; '.join(broken)} (answers {answers[0]} and {answers[1]})" if broken else None


def _as_query(call):
    return call.statement.sql, call.values


class Result:
    def __init__(self, name):
        self.name, self.schedules, self.waits, self.deadlocks, self.problem, self.schedule = name, 0, 0, 0, None, []

    def add(self, run, problem):
        self.schedules += 1
        self.waits += run.waits
        self.deadlocks += run.retries
        if problem and not self.problem:
            self.problem, self.schedule = problem, run.schedule


def race_scenarios(arena, only):
    failed = 0
    print(f"{'pair':<66} {'schedules':>9} {'waits':>6} {'deadlocks':>9}")
    for scenario in SCENARIOS:
        if only not in scenario.name:
            continue
        result = arena.race(scenario)
        print(f"{result.name:<66} {result.schedules:>9} {result.waits:>6} {result.deadlocks:>9}", flush=True)
        if result.problem:
            failed += 1
            print(f"  FAILED: {result.problem}\n  {' '.join(result.schedule)}")
    return failed


def leave_rules_out(arena, verbose):
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    failed = 0
    print("\nrule left out -> what was found")
    for rule in RULES:
        result = arena.race(by_name[rule.scenario], rule)
        found = result.problem or (rule.expects_deadlock and result.deadlocks and "deadlock, ended by a retry")
        failed += not found
        print(f"{rule.name}\n  {rule.scenario}: {found or 'NOT CAUGHT'} (schedule {result.schedules})", flush=True)
        if verbose and result.schedule:
            print(f"  {' '.join(result.schedule)}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--verbose", action="store_true", help="show the schedule that caught each rule left out")
    parser.add_argument("--every-order", action="store_true", help="also run orders that differ only in statements that commute")
    parser.add_argument("--only", default="", metavar="TEXT", help="only pairs whose name contains this; no rule is left out then")
    arguments = parser.parse_args()
    # Ends the server, too, when a time limit ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    with Cluster() as options:
        arena = Arena(options, arguments.every_order)
        try:
            failed = race_scenarios(arena, arguments.only)
            if not arguments.only:
                failed += leave_rules_out(arena, arguments.verbose) + arena.wrong_listings()
        finally:
            arena.close()
    print(f"\n{failed} failed, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
