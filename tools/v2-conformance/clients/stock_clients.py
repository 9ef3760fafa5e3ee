"""Stock clients of Triton and KServe, with their default settings, against a V2 server that has the suite's models.

    npm run conformance -- --make-models models && npm run gateway -- --models models --repository-control
    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python stock_clients.py --url http://127.0.0.1:8080

Prints a line per check; exit code 0 when all passed, 1 otherwise. --counts writes the sums as JSON, for whoever started this.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import kserve_checks
import triton_checks

Check = tuple[str, Callable[[], None]]


def run(checks: list[Check]) -> int:
    failed = 0
    for name, work in checks:
        try:
            work()
            print(f"ok      {name}", flush=True)
        except Exception as error:  # every failure of a client is a result here
            failed += 1
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--only", choices=["tritonclient", "kserve"])
    parser.add_argument("--counts", type=Path)
    options = parser.parse_args()
    url = options.url.rstrip("/")
    checks: list[Check] = []
    if options.only != "kserve":
        checks += triton_checks.checks(urlsplit(url).netloc)
    if options.only != "tritonclient":
        checks += kserve_checks.checks(url)
    failed = run(checks)
    if options.counts is not None:
        options.counts.write_text(json.dumps({"passed": len(checks) - failed, "failed": failed, "skipped": 0}))
    print(f"\n{len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
