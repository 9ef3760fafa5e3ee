"""Runs the unittest files of a folder: a line per file, failures in full, counts as JSON.

    python python_tests.py <tests folder> <counts file>

A file that cannot be imported counts as failed (unittest turns it into a failing test).
"""

from __future__ import annotations

import json
import sys
import time
import unittest
from pathlib import Path


def run_file(folder: Path, file: Path) -> unittest.TestResult:
    suite = unittest.TestLoader().discover(str(folder), pattern=file.name, top_level_dir=str(folder))
    result = unittest.TestResult()
    result.buffer = True
    suite.run(result)
    return result


def main(folder: Path, counts_file: Path) -> int:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    files = sorted(folder.glob("test*.py"))
    for number, file in enumerate(files, start=1):
        began = time.monotonic()
        result = run_file(folder, file)
        troubles = [*result.failures, *result.errors]
        failed = len(troubles) + len(result.unexpectedSuccesses)
        skipped = len(result.skipped)
        # Subtests that fail are listed one by one, an erroring class set-up without having run: never below zero.
        passed = max(0, result.testsRun - failed - skipped)
        print(f"[{number}/{len(files)}] {'FAIL' if failed else 'ok'} {file.name}: {passed} passed, {failed} failed, {skipped} skipped {time.monotonic() - began:.1f} s", flush=True)
        for test, text in troubles:
            print(f"  {test}\n{text}", flush=True)
        counts["passed"] += passed
        counts["failed"] += failed
        counts["skipped"] += skipped
    counts_file.write_text(json.dumps(counts))
    return 0 if counts["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
