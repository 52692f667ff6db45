#!/usr/bin/env python3
"""Prints line coverage by part of the server from a JSON report of cargo-tarpaulin."""

import collections
import json
import os
import sys

PARTS = {
    "server/crates/core/": "core",
    "server/crates/config/": "config",
    "server/crates/metadata/": "metadata",
    "server/crates/blobs/": "blobs",
    "server/crates/s3/": "s3",
    "server/src/services/": "services",
    "server/src/api/": "api",
    "server/src/app/": "app",
    "server/src/cli/": "cli",
    "server/src/extensions/": "extensions",
}


def part_of(path):
    return next((part for prefix, part in PARTS.items() if path.startswith(prefix)), None)


def is_test(path):
    name = os.path.basename(path)
    return "/tests/" in path or "/contract/" in path or "/examples/" in path or name in ("tests.rs",) or name.endswith("_tests.rs")


def main():
    with open(sys.argv[1], encoding="utf-8") as report:
        files = json.load(report)["files"]
    covered, coverable = collections.Counter(), collections.Counter()
    for file in files:
        path = os.path.relpath(os.path.join(*file["path"]))
        part = part_of(path)
        if part and not is_test(path):
            covered[part] += file["covered"]
            coverable[part] += file["coverable"]
    for part in PARTS.values():
        if coverable[part]:
            share = 100 * covered[part] / coverable[part]
            print(f"{part:12} {share:5.1f} %  {covered[part]:5} of {coverable[part]:5} lines")


if __name__ == "__main__":
    main()
