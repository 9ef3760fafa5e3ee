"""Goal: a job that cannot succeed says why and ends with the exit code of trainer contract v1; a running one can be followed and stopped.
Method: the trainer as a process, as an orchestrator starts it; the texts are those that an operator would have to read.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import unittest
from collections.abc import Callable

import pyarrow as pa

from jobs import Job, JobCase, command, params, process_environment, rows, standard_job, start

USER_ERROR, TRANSIENT, CANCELLED = 42, 75, 143


class WrongParameters(JobCase):
    def refused(self, document: object, *fragments: str) -> None:
        reason = self.refusal(Job(document, {"train": rows(50, "binary", 1)}))
        for fragment in fragments:
            self.assertIn(fragment, reason)

    def test_every_mistake_is_listed(self) -> None:
        document = params("binary", "forest", seed=-1, hyperparameters={}, extra=1, contractVersion=2,
                          features=[{"name": "heat", "type": "text"}, {"name": "site", "type": "category"}, {"name": "site", "type": "category"}])
        self.refused(document, "params.json has 6 mistakes", "contractVersion must be 1, not 2", "unknown parameter 'extra'",
                     "lightgbm or logistic-regression, not 'forest'", "features[0].type must be number or category, not 'text'",
                     "'site' is named twice", "seed must be a whole number")

    def test_an_unknown_hyperparameter_names_the_known_ones(self) -> None:
        self.refused(params("binary", "lightgbm", hyperparameters={"n_estimators": 10}), "unknown hyperparameter 'n_estimators' of lightgbm", "learning_rate", "num_iterations")

    def test_hyperparameters_have_types_and_bounds(self) -> None:
        cases = {"num_leaves": (1, "a whole number from 2 to 4096, not 1"), "learning_rate": ("fast", "must be a number, not 'fast'"),
                 "num_iterations": (2.5, "must be a whole number, not 2.5"), "lambda_l2": (-1, "a number of at least 0, not -1"),
                 "max_bin": (True, "must be a whole number, not True")}
        for name, (value, message) in cases.items():
            with self.subTest(name=name):
                self.refused(params("binary", "lightgbm", hyperparameters={name: value}), f"hyperparameter {name} must be", message)

    def test_algorithms_fit_their_task(self) -> None:
        self.refused(params("regression", "logistic-regression"), "lightgbm or linear")
        self.refused(params("binary", "linear"), "lightgbm or logistic-regression")
        self.refused({"task": "ranking"}, "task must be one of binary, multiclass, regression")

    def test_no_json_and_no_object(self) -> None:
        self.refused("{", "params.json is no JSON")
        self.refused("[]", "params.json must hold a JSON object")

    def test_a_name_that_the_graph_needs_is_refused(self) -> None:
        self.refused(params("binary", "lightgbm", features=[{"name": "probabilities", "type": "number"}]), "'probabilities' is reserved")

    def test_multiclass_needs_its_classes(self) -> None:
        self.refused(params("multiclass", "lightgbm", label={"name": "grade"}), "label.classes must list at least two different texts")


class WrongData(JobCase):
    def refused(self, table: pa.Table, *fragments: str, task: str = "binary", split: str = "train") -> None:
        job = Job(params(task, "lightgbm"), {"train": rows(200, task, 1)} | {split: table})
        reason = self.refusal(job)
        for fragment in fragments:
            self.assertIn(fragment, reason)

    def change(self, column: str, values: pa.Array) -> pa.Table:
        table = rows(len(values), "binary", 1)
        return table.set_column(table.column_names.index(column), column, values)

    def test_an_unknown_feature_column(self) -> None:
        self.refused(rows(50, "binary", 1).drop_columns(["heat", "site"]), "train/part-00000.parquet lacks the columns heat, site", "it has record_id")

    def test_no_rows(self) -> None:
        self.refused(rows(50, "binary", 1).slice(0, 0), "the train set is empty")

    def test_one_class_only(self) -> None:
        self.refused(self.change("label", pa.array([False] * 60)), "the label late has only one class in the 60 rows of the train set: false")

    def test_a_null_label(self) -> None:
        self.refused(self.change("label", pa.array([True, None, False])), "the label late is null in 1 of 3 rows of test", split="test")

    def test_labels_of_another_kind(self) -> None:
        self.refused(self.change("label", pa.array([0, 1, 2])), "must be 0 or 1, or false or true")
        self.refused(self.change("label", pa.array(["yes", "no"])), "must be a number column, not string")
        self.refused(self.change("label", pa.array(["low", "great"])), "label.classes does not list: great", task="multiclass")
        self.refused(self.change("label", pa.array([1.0, float("nan")])), "must be finite", task="regression")
        self.refused(self.change("label", pa.array([4.0, 4.0])), "only one value in the train set: 4", task="regression")

    def test_features_of_another_kind(self) -> None:
        self.refused(self.change("heat", pa.array(["warm", "cold"])), "feature heat is declared a number, but its column in train holds string")
        self.refused(self.change("site", pa.array([1.5, 2.5])), "feature site is declared a category, but its column in train holds double")
        self.refused(self.change("load", pa.array([1.0, float("inf")])), "feature load holds 1 infinite value in train")

    def test_a_file_that_is_no_parquet(self) -> None:
        folder = Job(params("binary", "lightgbm"), {"train": rows(50, "binary", 1)}).write(self.folder())
        (folder / "input" / "data" / "train" / "part-00001.parquet").write_bytes(b"not parquet at all")
        result = start(folder)
        self.assertEqual(result.code, USER_ERROR)
        self.assertIn("train/part-00001.parquet is no readable Parquet file", result.failure)

    def test_no_parameters_at_all(self) -> None:
        folder = Job("{}", {}).write(self.folder())
        shutil.rmtree(folder / "input")
        result = start(folder)
        self.assertEqual((result.code, result.failure), (USER_ERROR, "the job folder has no input/config/params.json"))

    def test_a_failure_is_at_most_one_kilobyte_of_whole_characters(self) -> None:
        names = [f"größe-{i:04d}" for i in range(400)]
        job = Job(params("binary", "lightgbm", features=[{"name": name, "type": "number"} for name in names]), {"train": rows(50, "binary", 1)})
        result = self.start(job)
        self.assertEqual(result.code, USER_ERROR)
        self.assertTrue(1000 < len((result.folder / "output" / "failure").read_bytes()) <= 1024)
        self.assertIn("größe-0000", result.failure)


class Ends(JobCase):
    def test_a_refused_job_ends_with_42_and_leaves_the_reason_and_no_model(self) -> None:
        result = self.start(Job(params("binary", "lightgbm", hyperparameters={"trees": 9}), {"train": rows(50, "binary", 1)}))
        self.assertEqual(result.code, USER_ERROR)
        self.assertIn("unknown hyperparameter 'trees' of lightgbm", result.failure)
        self.assertIn(result.failure, result.stderr)
        self.assertIn(result.failure, [event.get("message") for event in result.events])
        self.assertFalse((result.folder / "model").exists())

    def test_a_folder_that_cannot_be_written_may_be_tried_again(self) -> None:
        folder = standard_job("binary", "lightgbm").write(self.folder())
        (folder / "model").write_text("a file where a folder is needed")
        result = start(folder)
        self.assertEqual(result.code, TRANSIENT, result.stderr)
        self.assertIn("the job folder cannot be read or written", result.failure)

    def test_a_missing_job_folder(self) -> None:
        result = start(self.folder())
        self.assertEqual(result.code, USER_ERROR)
        self.assertIn("does not exist; set MILLRACE_JOB_DIR", result.stderr)


class Progress(JobCase):
    def test_a_run_reports_heartbeats_steps_and_metrics(self) -> None:
        result = self.start(standard_job("binary", "lightgbm"))
        self.assertEqual(result.code, 0, result.stderr)
        kinds = [event["type"] for event in result.events]
        self.assertEqual(kinds[0], "heartbeat")
        self.assertIn("report", kinds)
        reported = {event["name"]: event["value"] for event in result.events if event["type"] == "metric"}
        self.assertEqual(reported, result.metrics)
        self.assertFalse([path for path in result.folder.rglob("*.tmp")])

    def test_sigterm_while_training_ends_with_143_and_leaves_no_model(self) -> None:
        self.cancel_when(lambda line: '"report"' in line)

    def test_sigterm_while_starting_ends_with_143(self) -> None:
        self.cancel_when(lambda line: '"heartbeat"' in line)

    def cancel_when(self, seen: Callable[[str], bool]) -> None:
        hyperparameters = {"num_iterations": 10_000, "early_stopping_rounds": 0, "num_leaves": 255, "min_data_in_leaf": 1}
        folder = standard_job("multiclass", "lightgbm", hyperparameters=hyperparameters).write(self.folder())
        (folder / "output").mkdir()
        events = folder / "output" / "events.jsonl"
        events.touch()
        process = subprocess.Popen(command(), env=process_environment(folder), stderr=subprocess.PIPE, text=True)
        try:
            with events.open() as file:  # wait for a state: the event, or the end of the process
                while process.poll() is None and not seen(file.readline()):
                    pass
            process.send_signal(signal.SIGTERM)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        self.assertEqual(process.returncode, CANCELLED, stderr)
        self.assertIn("cancelled", (folder / "output" / "failure").read_text())
        self.assertFalse((folder / "model" / "model.onnx").exists())


if __name__ == "__main__":
    unittest.main()
