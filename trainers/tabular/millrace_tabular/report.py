"""What a job leaves behind: events while it runs, files when it ends. Nothing appears under its final name half written."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from types import TracebackType

FAILURE_BYTES_MAX = 1024
HEARTBEAT_SECONDS = 2.0


def write_atomically(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def write_json(path: Path, document: object) -> None:
    write_atomically(path, (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def write_failure(job: Path, reason: str) -> None:
    """The reason for people: at most 1 KB, cut between characters."""
    text = reason.encode()[:FAILURE_BYTES_MAX].decode(errors="ignore")
    write_atomically(job / "output" / "failure", text.encode())


class EventLog:
    """output/events.jsonl, one JSON object a line, flushed at once, so that a reader may follow it."""

    def __init__(self, job: Path) -> None:
        path = job / "output" / "events.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        self._started = time.monotonic()
        self._lock = threading.RLock()  # re-entrant: a signal handler may log while the same thread writes
        self._stopped = threading.Event()

    def __enter__(self) -> EventLog:
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        with self._lock:
            self._file.close()

    def write(self, kind: str, **fields: object) -> None:
        line = json.dumps({"type": kind, "elapsedSeconds": round(time.monotonic() - self._started, 3), **fields}, ensure_ascii=False)
        with self._lock:
            if not self._file.closed:
                self._file.write(line + "\n")
                self._file.flush()

    def log(self, message: str, level: str = "info") -> None:
        self.write("log", level=level, message=message)

    def report(self, step: int, name: str, value: float) -> None:
        """A value on the way, for progress and pruning; `step` counts boosting iterations."""
        self.write("report", step=step, name=name, value=value)

    def metric(self, name: str, slice_: str, value: float, n: int) -> None:
        self.write("metric", name=name, slice=slice_, value=value, n=n)

    def _beat(self) -> None:
        self.write("heartbeat")
        while not self._stopped.wait(HEARTBEAT_SECONDS):
            self.write("heartbeat")


def exit_on_cancel(job: Path, code: int) -> None:
    """On SIGTERM: say so and leave at once. Final files are renamed into place, so that none is left half written."""

    def cancelled(_signal: int, _frame: object) -> None:
        write_failure(job, "cancelled: the trainer was asked to stop (SIGTERM)")
        os._exit(code)

    signal.signal(signal.SIGTERM, cancelled)
