"""What a job asks for: params.json, parsed once and trusted afterwards. Every mistake is reported, not only the first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Mapping

CONTRACT_VERSION = 1
TASKS = ("binary", "multiclass", "regression")
FEATURE_TYPES = ("number", "category")
ALGORITHMS = {
    "binary": ("lightgbm", "logistic-regression"),
    "multiclass": ("lightgbm", "logistic-regression"),
    "regression": ("lightgbm", "linear"),
}
# The graph's own tensor names and the columns that every data file has.
RESERVED_NAMES = ("label", "probabilities", "prediction", "record_id", "event_time")

Task = Literal["binary", "multiclass", "regression"]


class UserError(Exception):
    """The job cannot succeed however often it is tried: its parameters or its data have to change (exit code 42)."""


@dataclass(frozen=True)
class Feature:
    name: str
    type: Literal["number", "category"]


@dataclass(frozen=True)
class Bound:
    """A hyperparameter: its default, its smallest and largest value; `kind` decides between whole and real numbers."""

    kind: type
    default: int | float
    low: float
    high: float = math.inf


_MAX_CATEGORIES = Bound(int, 128, 1, 10_000)  # one-hot columns per feature: the most frequent categories
HYPERPARAMETERS: Mapping[str, Mapping[str, Bound]] = {
    "lightgbm": {
        "num_iterations": Bound(int, 300, 1, 10_000),
        "early_stopping_rounds": Bound(int, 30, 0),  # 0 = off; without validation rows it is off as well
        "learning_rate": Bound(float, 0.05, 1e-6, 1.0),
        "num_leaves": Bound(int, 31, 2, 4096),
        "max_depth": Bound(int, -1, -1, 64),  # -1 = no limit
        "min_data_in_leaf": Bound(int, 50, 1),
        "min_gain_to_split": Bound(float, 0.0, 0.0),
        "feature_fraction": Bound(float, 0.8, 0.01, 1.0),
        "bagging_fraction": Bound(float, 0.8, 0.01, 1.0),
        "bagging_freq": Bound(int, 1, 0),
        "lambda_l1": Bound(float, 0.0, 0.0),
        "lambda_l2": Bound(float, 1.0, 0.0),
        "max_bin": Bound(int, 255, 2, 65_535),
        "num_threads": Bound(int, 1, 1, 256),  # part of the recipe: another number may give other bytes
        "max_categories": _MAX_CATEGORIES,
    },
    "logistic-regression": {
        "C": Bound(float, 1.0, 1e-9),
        "max_iter": Bound(int, 300, 1),
        "tol": Bound(float, 1e-4, 1e-12),
        "max_categories": _MAX_CATEGORIES,
    },
    "linear": {
        "alpha": Bound(float, 1.0, 0.0),
        "max_categories": _MAX_CATEGORIES,
    },
}


@dataclass(frozen=True)
class Params:
    task: Task
    algorithm: str
    features: tuple[Feature, ...]
    label: str
    classes: tuple[str, ...]  # in the order of the probability columns; empty for regression
    hyperparameters: Mapping[str, int | float]  # complete: defaults are filled in
    seed: int


def parse_params(document: object) -> Params:
    """Raises UserError with the list of all mistakes."""
    if not isinstance(document, dict):
        raise UserError("params.json must hold a JSON object")
    mistakes: list[str] = []
    known = {"contractVersion", "task", "algorithm", "features", "label", "hyperparameters", "seed"}
    mistakes += [f"unknown parameter {name!r}; known: {', '.join(sorted(known))}" for name in sorted(set(document) - known)]
    if document.get("contractVersion") != CONTRACT_VERSION:
        mistakes.append(f"contractVersion must be {CONTRACT_VERSION}, not {document.get('contractVersion')!r}")
    task = document.get("task")
    if task not in TASKS:
        raise UserError(_sentence([*mistakes, f"task must be one of {', '.join(TASKS)}, not {task!r}"]))
    algorithm = document.get("algorithm")
    if algorithm not in ALGORITHMS[task]:
        mistakes.append(f"algorithm for a {task} task must be {' or '.join(ALGORITHMS[task])}, not {algorithm!r}")
    features = _features(document.get("features"), mistakes)
    label, classes = _label(task, document.get("label"), mistakes)
    hyperparameters = _hyperparameters(str(algorithm), document.get("hyperparameters", {}), mistakes)
    seed = document.get("seed", 0)
    if not _is_int(seed) or not 0 <= seed < 2**31:
        mistakes.append(f"seed must be a whole number from 0 to 2147483647, not {seed!r}")
    if mistakes:
        raise UserError(_sentence(mistakes))
    return Params(task, str(algorithm), features, label, classes, hyperparameters, seed)


def _sentence(mistakes: list[str]) -> str:
    return f"params.json has {len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}: " + "; ".join(mistakes)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _features(document: object, mistakes: list[str]) -> tuple[Feature, ...]:
    if not isinstance(document, list) or not document:
        mistakes.append("features must be a list with at least one entry")
        return ()
    features: list[Feature] = []
    for index, entry in enumerate(document):
        name, kind = (entry.get("name"), entry.get("type")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or not name:
            mistakes.append(f"features[{index}].name must be a text")
        elif name in RESERVED_NAMES:
            mistakes.append(f"features[{index}].name {name!r} is reserved")
        elif any(feature.name == name for feature in features):
            mistakes.append(f"features[{index}].name {name!r} is named twice")
        elif kind not in FEATURE_TYPES:
            mistakes.append(f"features[{index}].type must be number or category, not {kind!r}")
        else:
            features.append(Feature(name, kind))
    return tuple(features)


def _label(task: str, document: object, mistakes: list[str]) -> tuple[str, tuple[str, ...]]:
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        mistakes.append("label must be an object with a name")
        return "", ()
    name = document["name"]
    if task == "regression":
        return name, ()
    if task == "binary":
        return name, _binary_classes(document.get("positive", True))
    classes = document.get("classes")
    valid = isinstance(classes, list) and len(classes) >= 2 and all(isinstance(entry, str) and entry for entry in classes)
    if not valid or len(set(classes)) != len(classes):
        mistakes.append("label.classes must list at least two different texts for a multiclass task")
        return name, ()
    return name, tuple(classes)


def _binary_classes(positive: object) -> tuple[str, str]:
    """Names of the two classes, the positive one last. The label column itself is 1 or true for the positive class."""
    if isinstance(positive, bool):
        return ("false", "true") if positive else ("true", "false")
    return (f"not {positive}", str(positive))


def _hyperparameters(algorithm: str, document: object, mistakes: list[str]) -> dict[str, int | float]:
    bounds = HYPERPARAMETERS.get(algorithm, {})
    if not isinstance(document, dict):
        mistakes.append("hyperparameters must be an object")
        return {}
    values = {name: bound.default for name, bound in bounds.items()}
    for name, value in document.items():
        if name not in bounds:
            if bounds:
                mistakes.append(f"unknown hyperparameter {name!r} of {algorithm}; known: {', '.join(sorted(bounds))}")
            continue
        problem = _problem(bounds[name], value)
        if problem is None:
            values[name] = bounds[name].kind(value)
        else:
            mistakes.append(f"hyperparameter {name} must be {problem}, not {value!r}")
    return values


def _problem(bound: Bound, value: Any) -> str | None:
    whole = _is_int(value) or (isinstance(value, float) and value.is_integer())
    real = _is_int(value) or (isinstance(value, float) and math.isfinite(value))
    kind = "a whole number" if bound.kind is int else "a number"
    if not (whole if bound.kind is int else real):
        return kind
    if not bound.low <= value <= bound.high:
        return f"{kind} from {bound.low:g} to {bound.high:g}" if bound.high != math.inf else f"{kind} of at least {bound.low:g}"
    return None
