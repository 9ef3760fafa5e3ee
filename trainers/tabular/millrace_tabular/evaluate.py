"""The trainer's own figures on the test split. The platform measures again by itself; these are for comparison."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from .params import Params

PROBABILITY_MIN = 1e-15  # keeps log-loss finite


def metrics(params: Params, label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """`label` as in Split, `predicted` as from train.predict. A metric that the rows do not define is left out."""
    if len(label) == 0:
        return {}
    if params.task == "regression":
        return _regression(label, predicted[:, 0])
    chosen = predicted[np.arange(len(label)), label.astype(int)]
    figures = {
        "accuracy": float((predicted.argmax(axis=1) == label).mean()),
        "log-loss": float(-np.log(np.clip(chosen, PROBABILITY_MIN, 1.0)).mean()),
    }
    if params.task == "binary":
        figures["brier"] = float(((predicted[:, 1] - label) ** 2).mean())
        if 0 < label.sum() < len(label):
            figures["auc"] = _auc(label, predicted[:, 1])
    return figures


def _auc(label: np.ndarray, score: np.ndarray) -> float:
    """Mann-Whitney: the share of (positive, negative) pairs in the right order, ties count half."""
    positives = label.sum()
    rank_sum = rankdata(score)[label == 1].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * (len(label) - positives)))


def _regression(label: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    error = predicted - label
    figures = {"mae": float(np.abs(error).mean()), "rmse": float(np.sqrt((error**2).mean()))}
    spread = ((label - label.mean()) ** 2).sum()
    if spread > 0:
        figures["r2"] = float(1 - (error**2).sum() / spread)
    return figures
