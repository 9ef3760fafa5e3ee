"""Builds job folders, runs them, and asks onnxruntime, the runtime that serves, for the model's answers."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq

TRAINER = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TRAINER))

from millrace_tabular.job import run_job  # noqa: E402
from millrace_tabular.params import UserError  # noqa: E402
from millrace_tabular.report import EventLog  # noqa: E402

FEATURES = [{"name": "heat", "type": "number"}, {"name": "load", "type": "number"}, {"name": "site", "type": "category"}]
LABELS: dict[str, dict[str, Any]] = {
    "binary": {"name": "late", "positive": True},
    "multiclass": {"name": "grade", "classes": ["low", "middle", "high"]},
    "regression": {"name": "minutes"},
}
ALGORITHMS = [(task, algorithm) for task in LABELS for algorithm in ("lightgbm", "linear" if task == "regression" else "logistic-regression")]


def rows(count: int, task: str, seed: int, *, nulls: bool = True) -> pa.Table:
    """score = 2 heat - load + effect of the site; the label follows it with noise. Some values are null."""
    chance = np.random.default_rng(seed)
    heat, load = chance.normal(20, 5, count), chance.exponential(3, count)
    site = chance.choice(["north", "south", "east"], count)
    score = 2 * (heat - 20) / 5 - (load - 3) / 3 + np.where(site == "north", 1.0, 0.0) + chance.normal(0, 0.5, count)
    label: dict[str, Any] = {
        "binary": pa.array(score > 0.3),
        "multiclass": pa.array(np.array(["low", "middle", "high"])[np.digitize(score, [-1.0, 1.0])]),
        "regression": pa.array(score * 10),
    }
    hidden = chance.random((3, count)) < (0.1 if nulls else 0.0)
    return pa.table({
        "record_id": [f"r{seed}-{i}" for i in range(count)],
        "event_time": pa.array(np.arange(count)),
        "heat": pa.array(heat, mask=hidden[0]),
        "load": pa.array(load, mask=hidden[1]),
        "site": pa.array(site, pa.string(), mask=hidden[2]),
        "label": label[task],
    })


def params(task: str, algorithm: str, **changes: Any) -> dict[str, Any]:
    document = {"contractVersion": 1, "task": task, "algorithm": algorithm, "features": FEATURES, "label": LABELS[task], "hyperparameters": {}, "seed": 42}
    return document | changes


@dataclass
class Result:
    code: int
    stderr: str
    folder: Path

    @property
    def failure(self) -> str:
        return (self.folder / "output" / "failure").read_text(encoding="utf-8")

    @property
    def metrics(self) -> dict[str, float]:
        return {entry["name"]: entry["value"] for entry in json.loads((self.folder / "output" / "metrics.json").read_text())}

    @property
    def signature(self) -> dict[str, Any]:
        return json.loads((self.folder / "model" / "signature.json").read_text())

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "output" / "events.jsonl").read_text().splitlines()]

    def predictions(self) -> pa.Table:
        return pq.read_table(self.folder / "model" / "predictions.parquet")

    def score(self, table: pa.Table) -> dict[str, np.ndarray]:
        """The ONNX model's outputs by name, fed as the platform feeds it: NaN for a null number, "" for a null category."""
        session = onnxruntime.InferenceSession(str(self.folder / "model" / "model.onnx"), providers=["CPUExecutionProvider"])
        feed: dict[str, np.ndarray] = {}
        for tensor in self.signature["inputs"]:
            column = table[tensor["name"]]
            if tensor["datatype"] == "BYTES":
                values = np.array(column.fill_null("").to_pylist(), dtype=object)
            else:
                values = column.cast(pa.float64()).to_numpy().astype(np.float32)
            feed[tensor["name"]] = values.reshape(-1, 1)
        return dict(zip([output.name for output in session.get_outputs()], session.run(None, feed), strict=True))


@dataclass
class Job:
    """A job folder before it runs."""

    params: Any
    data: dict[str, pa.Table] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        config = folder / "input" / "config"
        config.mkdir(parents=True)
        (config / "params.json").write_text(self.params if isinstance(self.params, str) else json.dumps(self.params))
        (config / "dataset.json").write_text("{}")
        for split, table in self.data.items():
            target = folder / "input" / "data" / split
            target.mkdir(parents=True)
            half = len(table) // 2  # two files, so that their order matters
            pq.write_table(table.slice(0, half), target / "part-00000.parquet")
            pq.write_table(table.slice(half), target / "part-00001.parquet")
        return folder


class JobCase(unittest.TestCase):
    """Folders under one temporary folder per test, removed afterwards."""

    def setUp(self) -> None:
        self._temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self._temporary.cleanup)

    def folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._temporary.name)) / "job"

    def start(self, job: Job, environment: dict[str, str] | None = None) -> Result:
        """As an orchestrator does it: a process of its own."""
        return start(job.write(self.folder()), environment)

    def train(self, job: Job) -> Result:
        """In this process, which saves a second of imports per job."""
        return train(job, self.folder())

    def refusal(self, job: Job) -> str:
        """The reason for which the job is refused."""
        with self.assertRaises(UserError) as caught:
            self.train(job)
        return str(caught.exception)


def standard_job(task: str, algorithm: str, **changes: Any) -> Job:
    """The test rows also hold a category that training never saw, and a row in which everything is null."""
    test = rows(400, task, 3)
    strange = pa.table({
        "record_id": ["new-site", "all-null"], "event_time": [0, 0], "heat": pa.array([21.5, None], pa.float64()),
        "load": pa.array([2.0, None], pa.float64()), "site": pa.array(["moon", None], pa.string()), "label": test["label"][:2],
    })
    data = {"train": rows(1200, task, 1), "validation": rows(300, task, 2), "test": pa.concat_tables([test, strange])}
    return Job(params(task, algorithm, **changes), data)


_trained_folders = tempfile.TemporaryDirectory()  # for the results that several tests read; removed at exit


@functools.cache
def trained(task: str, algorithm: str) -> tuple[Job, Result]:
    job = standard_job(task, algorithm)
    return job, train(job, Path(_trained_folders.name) / f"{task}-{algorithm}")


def train(job: Job, folder: Path) -> Result:
    job.write(folder)
    with EventLog(folder) as events:
        run_job(folder, events)
    return Result(0, "", folder)


def start(folder: Path, environment: dict[str, str] | None = None) -> Result:
    done = subprocess.run(command(), env=process_environment(folder) | (environment or {}), capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stderr, folder)


def command() -> list[str]:
    return [sys.executable, "-m", "millrace_tabular"]


def process_environment(folder: Path) -> dict[str, str]:
    return os.environ | {"MILLRACE_JOB_DIR": str(folder), "PYTHONPATH": str(TRAINER)}
