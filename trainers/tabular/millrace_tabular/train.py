"""Fits one model. What it returns knows its raw scores, and holds all that the ONNX graph needs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from .features import Encoding, Split, design_matrix
from .params import Params
from .report import EventLog

REPORT_EVERY = 20  # boosting iterations
ABSENT_CLASS_SCORE = -30.0  # a class that the train set lacks: probability below 1e-12


@dataclass(frozen=True)
class TreeModel:
    trees: list[dict[str, Any]]  # LightGBM's dump; tree i adds to score i % scores
    scores: int
    raw: Callable[[Split], np.ndarray]  # float64 [n, scores]


@dataclass(frozen=True)
class LinearModel:
    mean: np.ndarray  # float32 [numbers]; also the value that replaces a missing one
    scale: np.ndarray  # float32 [numbers]; 1 / standard deviation
    weights: np.ndarray  # float32 [width, scores]
    bias: np.ndarray  # float32 [scores]
    raw: Callable[[Split], np.ndarray]


Model = TreeModel | LinearModel


def fit(params: Params, encoding: Encoding, train: Split, validation: Split, events: EventLog) -> Model:
    if params.algorithm == "lightgbm":
        return _fit_trees(params, encoding, train, validation, events)
    return _fit_linear(params, encoding, train, events)


def predict(params: Params, model: Model, split: Split) -> np.ndarray:
    """float64: probabilities [n, classes], or values [n, 1]."""
    raw = model.raw(split)
    if params.task == "regression":
        return raw
    if params.task == "multiclass":
        return softmax(raw, axis=1)
    positive = expit(raw)
    return np.hstack([1 - positive, positive])


def _score_count(params: Params) -> int:
    return len(params.classes) if params.task == "multiclass" else 1


def _fit_trees(params: Params, encoding: Encoding, train: Split, validation: Split, events: EventLog) -> TreeModel:
    settings = dict(params.hyperparameters)
    iterations, patience = int(settings.pop("num_iterations")), int(settings.pop("early_stopping_rounds"))
    settings.pop("max_categories")
    settings |= {
        "objective": {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}[params.task],
        "seed": params.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    if params.task == "multiclass":
        settings["num_class"] = len(params.classes)

    def matrix(split: Split) -> Any:
        return design_matrix(encoding, [split.numbers[name] for name in encoding.numbers], split)

    dataset = lgb.Dataset(matrix(train), train.label, params={"max_bin": settings["max_bin"], "verbosity": -1})
    watched = [lgb.Dataset(matrix(validation), validation.label, reference=dataset)] if validation.rows else []
    callbacks = [_progress(events)]
    if watched and patience:
        callbacks.append(lgb.early_stopping(patience, verbose=False))
    booster = lgb.train(settings, dataset, iterations, valid_sets=watched, valid_names=["validation"] * len(watched), callbacks=callbacks)
    kept = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
    scores = _score_count(params)
    events.log(f"lightgbm kept {kept} trees per score, of at most {iterations}")

    def raw(split: Split) -> np.ndarray:
        if split.rows == 0:
            return np.zeros((0, scores))
        return np.asarray(booster.predict(matrix(split), num_iteration=kept, raw_score=True)).reshape(split.rows, scores)

    dump = booster.dump_model(num_iteration=kept)
    return TreeModel([tree["tree_structure"] for tree in dump["tree_info"]], scores, raw)


def _progress(events: EventLog) -> Callable[[lgb.callback.CallbackEnv], None]:
    def callback(environment: lgb.callback.CallbackEnv) -> None:
        step = environment.iteration + 1
        if step % REPORT_EVERY == 0:
            for _, name, value, *_ in environment.evaluation_result_list or []:
                events.report(step, f"validation-{name}", float(value))

    return callback


def _fit_linear(params: Params, encoding: Encoding, train: Split, events: EventLog) -> LinearModel:
    mean, scale = _standardization(encoding, train)

    def matrix(split: Split) -> Any:
        columns = [(split.numbers[name] - mean[i]) * scale[i] for i, name in enumerate(encoding.numbers)]
        return design_matrix(encoding, [np.nan_to_num(column, nan=0.0) for column in columns], split)

    weights, bias = (_ridge if params.task == "regression" else _logistic)(params, matrix(train).astype(np.float64), train.label, events)
    # Rounded to what the graph holds, so that the trainer's own predictions are those of the model that is served.
    weights, bias = weights.astype(np.float32), bias.astype(np.float32)

    def raw(split: Split) -> np.ndarray:
        return matrix(split).astype(np.float64) @ weights.astype(np.float64) + bias

    return LinearModel(mean, scale, weights, bias, raw)


def _standardization(encoding: Encoding, train: Split) -> tuple[np.ndarray, np.ndarray]:
    mean = np.zeros(len(encoding.numbers), np.float32)
    scale = np.ones(len(encoding.numbers), np.float32)
    for i, name in enumerate(encoding.numbers):
        known = train.numbers[name][~np.isnan(train.numbers[name])].astype(np.float64)
        if len(known):
            mean[i] = known.mean()
            # A constant column carries nothing; rounding of its mean must not be blown up to a signal.
            scale[i] = 1 / known.std() if known.std() > 1e-6 * max(1.0, abs(known.mean())) else 0.0
    return mean, scale


def _logistic(params: Params, matrix: Any, label: np.ndarray, events: EventLog) -> tuple[np.ndarray, np.ndarray]:
    values = params.hyperparameters
    estimator = LogisticRegression(C=values["C"], max_iter=int(values["max_iter"]), tol=values["tol"], random_state=params.seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        estimator.fit(matrix, label.astype(np.int64))
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        events.log(f"logistic regression did not converge in max_iter = {int(values['max_iter'])} steps", level="warning")
    if params.task == "binary":
        return estimator.coef_.T, estimator.intercept_
    weights = np.zeros((matrix.shape[1], len(params.classes)))
    bias = np.full(len(params.classes), ABSENT_CLASS_SCORE)
    if len(estimator.classes_) == 2:  # two of the classes seen: scikit-learn gives one score, that of the second
        weights[:, estimator.classes_[1]], bias[estimator.classes_[1]] = estimator.coef_[0], estimator.intercept_[0]
        bias[estimator.classes_[0]] = 0.0
    else:
        weights[:, estimator.classes_], bias[estimator.classes_] = estimator.coef_.T, estimator.intercept_
    return weights, bias


def _ridge(params: Params, matrix: Any, label: np.ndarray, _events: EventLog) -> tuple[np.ndarray, np.ndarray]:
    # tol: the default of 1e-4 leaves visible error in the coefficients of correlated columns
    estimator = Ridge(alpha=params.hyperparameters["alpha"], tol=1e-8, random_state=params.seed)
    estimator.fit(matrix, label)
    return estimator.coef_.reshape(-1, 1), np.atleast_1d(estimator.intercept_)
