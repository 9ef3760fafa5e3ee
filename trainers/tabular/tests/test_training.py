"""Goal: every task and algorithm learns, and the ONNX file gives the trainer's own predictions in the serving runtime.
Method: data with a known rule; the peer that judges the graph is onnxruntime; closed forms where there are any.
"""

from __future__ import annotations

import unittest

import numpy as np
import onnx
import pyarrow as pa
from scipy.special import expit

from jobs import ALGORITHMS, Job, JobCase, Result, params, rows, standard_job, trained

PARITY_MAX = 1e-5


def answers(result: Result, table: pa.Table) -> np.ndarray:
    """The ONNX answers in the layout of predictions.parquet's numeric columns."""
    outputs = result.score(table)
    if result.signature["task"] == "regression":
        return outputs["prediction"]
    return outputs["probabilities"][:, 1:] if result.signature["task"] == "binary" else outputs["probabilities"]


def written(result: Result) -> np.ndarray:
    columns = [name for name in result.predictions().column_names if name not in ("record_id", "label")]
    return np.column_stack([result.predictions()[name].to_numpy() for name in columns])


class EveryTaskAndAlgorithm(JobCase):
    def test_onnx_agrees_with_the_trainer_on_every_row(self) -> None:
        for task, algorithm in ALGORITHMS:
            with self.subTest(task=task, algorithm=algorithm):
                job, result = trained(task, algorithm)
                self.assertEqual(result.predictions()["record_id"].to_pylist(), job.data["test"]["record_id"].to_pylist())
                # Probabilities are at most 1; a float32 sum of values has an error in proportion to them.
                scale = max(1.0, np.abs(written(result)).max())
                self.assertLessEqual(np.abs(answers(result, job.data["test"]) - written(result)).max(), PARITY_MAX * scale)

    def test_what_is_learnt_is_the_rule(self) -> None:
        # Noise of 0.5 on a score with a standard deviation of about 2.3: these bounds are far from chance.
        for task, algorithm in ALGORITHMS:
            with self.subTest(task=task, algorithm=algorithm):
                metrics = trained(task, algorithm)[1].metrics
                if task == "regression":
                    self.assertGreater(metrics["r2"], 0.75)
                else:
                    self.assertGreater(metrics["accuracy"], 0.8 if task == "binary" else 0.7)
                if task == "binary":
                    self.assertGreater(metrics["auc"], 0.9)

    def test_metrics_follow_their_definitions(self) -> None:
        job, result = trained("binary", "lightgbm")
        probability, label = result.predictions()["probability"].to_numpy(), job.data["test"]["label"].to_numpy(zero_copy_only=False)
        pairs = probability[label][:, None] - probability[~label][None, :]
        self.assertAlmostEqual(result.metrics["auc"], float(((pairs > 0) + 0.5 * (pairs == 0)).mean()), places=12)
        self.assertAlmostEqual(result.metrics["brier"], float(((probability - label) ** 2).mean()), places=12)
        self.assertAlmostEqual(result.metrics["log-loss"], float(-np.log(np.where(label, probability, 1 - probability)).mean()), places=9)

    def test_shapes_and_names_are_those_of_the_signature(self) -> None:
        expected = {
            "binary": (["false", "true"], 1, {"label": ("INT64", [-1]), "probabilities": ("FP32", [-1, 2])}),
            "multiclass": (["low", "middle", "high"], None, {"label": ("BYTES", [-1]), "probabilities": ("FP32", [-1, 3])}),
            "regression": ([], None, {"prediction": ("FP32", [-1, 1])}),
        }
        for task, algorithm in ALGORITHMS:
            with self.subTest(task=task, algorithm=algorithm):
                job, result = trained(task, algorithm)
                classes, positive, outputs = expected[task]
                self.assertEqual(result.signature["classes"], classes)
                self.assertEqual(result.signature["positiveIndex"], positive)
                self.assertEqual({entry["name"]: (entry["datatype"], entry["shape"]) for entry in result.signature["outputs"]}, outputs)
                self.assertEqual([(entry["name"], entry["datatype"]) for entry in result.signature["inputs"]], [("heat", "FP32"), ("load", "FP32"), ("site", "BYTES")])
                scored = result.score(job.data["test"])
                self.assertEqual({name: value.ndim for name, value in scored.items()}, {name: len(shape) for name, (_, shape) in outputs.items()})
                if task == "multiclass":
                    self.assertEqual(scored["label"].tolist(), result.predictions()["label"].to_pylist())
                if task == "binary":
                    self.assertEqual(scored["label"].tolist(), (scored["probabilities"][:, 1] > 0.5).astype(int).tolist())

    def test_one_row_and_no_validation_and_no_test(self) -> None:
        for task, algorithm in ALGORITHMS:
            with self.subTest(task=task, algorithm=algorithm):
                result = self.train(Job(params(task, algorithm), {"train": rows(300, task, 1)}))
                self.assertEqual(result.predictions().num_rows, 0)
                self.assertEqual(result.metrics, {})
                self.assertEqual(answers(result, rows(1, task, 9)).shape[0], 1)


class LinearModels(JobCase):
    def test_an_exact_line_is_found(self) -> None:
        x = np.linspace(-4, 4, 200)
        site = np.array(["north", "south"] * 100)
        table = pa.table({"record_id": [str(i) for i in range(200)], "heat": x, "site": site, "label": 3 * x - 2 + np.where(site == "north", 5.0, 0.0)})
        features = [{"name": "heat", "type": "number"}, {"name": "site", "type": "category"}]
        result = self.train(Job(params("regression", "linear", features=features, hyperparameters={"alpha": 1e-6}), {"train": table, "test": table}))
        self.assertLess(np.abs(answers(result, table)[:, 0] - table["label"].to_numpy()).max(), 1e-3)

    def test_without_a_useful_feature_the_base_rate_is_predicted(self) -> None:
        # Maximum likelihood with a constant column: p = share of positives, 0.25.
        table = pa.table({"record_id": [str(i) for i in range(400)], "heat": pa.array([7.0] * 400), "label": [i % 4 == 0 for i in range(400)]})
        result = self.train(Job(params("binary", "logistic-regression", features=[{"name": "heat", "type": "number"}]), {"train": table, "test": table}))
        self.assertLess(np.abs(answers(result, table) - 0.25).max(), 1e-3)

    def test_a_missing_number_counts_as_the_mean(self) -> None:
        table = rows(500, "regression", 1, nulls=False)
        result = self.train(Job(params("regression", "linear"), {"train": table, "test": table}))
        mean = float(np.mean(table["heat"].to_numpy()))
        pair = pa.table({"heat": pa.array([None, mean], pa.float64()), "load": [1.0, 1.0], "site": ["east", "east"]})
        missing, average = answers(result, pair)[:, 0]
        self.assertAlmostEqual(float(missing), float(average), places=4)


class Trees(JobCase):
    def test_neighbouring_float32_values_fall_on_the_right_side(self) -> None:
        # The label changes between a float32 value and its successor; the float64 threshold lies between the two.
        low = np.float32(0.1)
        high = np.nextafter(low, np.float32(1))
        values = np.array([low, high] * 200, np.float64)
        table = pa.table({"record_id": [str(i) for i in range(400)], "heat": values, "label": values > float(low)})
        changes = {"features": [{"name": "heat", "type": "number"}], "hyperparameters": {"min_data_in_leaf": 5}}
        result = self.train(Job(params("binary", "lightgbm", **changes), {"train": table, "test": table}))
        self.assertLessEqual(np.abs(answers(result, table) - written(result)).max(), PARITY_MAX)
        self.assertEqual(result.score(table)["label"].tolist(), (values > float(low)).astype(int).tolist())

    def test_a_number_first_missing_after_training_is_scored_as_lightgbm_does(self) -> None:
        # LightGBM then treats it as zero (missing type None), on either side of thresholds of either sign.
        train, test = rows(1500, "binary", 1, nulls=False), rows(500, "binary", 2)
        train = train.set_column(2, "heat", pa.array(train["heat"].to_numpy() - 20))
        test = test.set_column(2, "heat", pa.array([None if value is None else value - 20 for value in test["heat"].to_pylist()], pa.float64()))
        result = self.train(Job(params("binary", "lightgbm"), {"train": train, "test": test}))
        self.assertGreater(test["heat"].null_count, 0)
        self.assertLessEqual(np.abs(answers(result, test) - written(result)).max(), PARITY_MAX)

    def test_nodes_carry_the_training_rows_that_went_through_them(self) -> None:
        # Explanations weigh branches by them. Known without LightGBM: all rows at each root, and what one split sends each way.
        values = np.array([1.0] * 300 + [2.0] * 100)
        table = pa.table({"record_id": [str(i) for i in range(400)], "heat": values, "label": values > 1.5})
        changes = {"features": [{"name": "heat", "type": "number"}], "hyperparameters": {"num_iterations": 1, "num_leaves": 2, "bagging_fraction": 1.0}}
        result = self.train(Job(params("binary", "lightgbm", **changes), {"train": table}))
        graph = onnx.load(str(result.folder / "model" / "model.onnx")).graph
        lists = {attribute.name: attribute for node in graph.node if node.op_type == "TreeEnsembleRegressor" for attribute in node.attribute}
        self.assertEqual(list(lists["nodes_hitrates"].floats), [400, 300, 100])
        self.assertEqual([mode.decode() for mode in lists["nodes_modes"].strings], ["BRANCH_LEQ", "LEAF", "LEAF"])

    def test_validation_rows_stop_the_training_early(self) -> None:
        hyperparameters = {"num_iterations": 2000, "learning_rate": 0.3, "early_stopping_rounds": 5}
        stopped = self.train(standard_job("binary", "lightgbm", hyperparameters=hyperparameters))
        job = standard_job("binary", "lightgbm", hyperparameters=hyperparameters | {"num_iterations": 300})
        del job.data["validation"]
        unstopped = self.train(job)
        sizes = [(result.folder / "model" / "model.onnx").stat().st_size for result in (stopped, unstopped)]
        self.assertLess(sizes[0] * 3, sizes[1])

    def test_rare_categories_beyond_the_limit_are_treated_as_unknown(self) -> None:
        site = ["often"] * 500 + ["sometimes"] * 300 + ["rare"] * 20
        table = pa.table({"record_id": [str(i) for i in range(820)], "site": site, "label": [i % 3 == 0 for i in range(500)] + [i % 2 == 0 for i in range(320)]})
        changes = {"features": [{"name": "site", "type": "category"}], "hyperparameters": {"max_categories": 2}}
        result = self.train(Job(params("binary", "logistic-regression", **changes), {"train": table, "test": table}))
        often, rare, unknown = answers(result, pa.table({"site": ["often", "rare", "unheard-of"]}))[:, 0]
        self.assertEqual(rare, unknown)
        self.assertNotEqual(often, rare)


class Determinism(JobCase):
    def test_two_processes_write_the_same_bytes(self) -> None:
        for task, algorithm in ALGORITHMS:
            with self.subTest(task=task, algorithm=algorithm):
                job = standard_job(task, algorithm)
                # Another hash seed and thread count in the environment must not matter.
                first = self.start(job, {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"})
                second = self.start(job, {"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2"})
                self.assertEqual((first.code, second.code), (0, 0), first.stderr + second.stderr)
                for file in ("model/model.onnx", "model/signature.json", "model/predictions.parquet", "output/metrics.json"):
                    self.assertEqual((first.folder / file).read_bytes(), (second.folder / file).read_bytes(), file)

    def test_another_seed_gives_another_model(self) -> None:
        models = [(self.train(standard_job("binary", "lightgbm", seed=seed)).folder / "model" / "model.onnx").read_bytes() for seed in (1, 2)]
        self.assertNotEqual(*models)


class PredictionScale(JobCase):
    def test_probabilities_match_the_rate_they_claim(self) -> None:
        # Labels drawn with probability expit(x): the mean absolute error to the truth stays small.
        chance = np.random.default_rng(5)
        x = chance.normal(0, 1.5, 6000)
        table = pa.table({"record_id": [str(i) for i in range(6000)], "heat": x, "label": chance.random(6000) < expit(x)})
        for algorithm, bound in (("logistic-regression", 0.02), ("lightgbm", 0.05)):
            with self.subTest(algorithm=algorithm):
                data = {"train": table.slice(0, 4000), "validation": table.slice(4000, 1000), "test": table.slice(5000)}
                result = self.train(Job(params("binary", algorithm, features=[{"name": "heat", "type": "number"}]), data))
                self.assertLess(np.abs(answers(result, data["test"])[:, 0] - expit(data["test"]["heat"].to_numpy())).mean(), bound)


if __name__ == "__main__":
    unittest.main()
