"""One job from its folder's inputs to its outputs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .evaluate import metrics
from .export import export_onnx, signature
from .features import Split, check_trainable, fit_encoding, read_split
from .params import Params, UserError, parse_params
from .report import EventLog, write_atomically, write_json
from .train import fit, predict


def run_job(job: Path, events: EventLog) -> None:
    """Raises UserError for what the owner of the model has to change."""
    params = parse_params(_read_json(job / "input" / "config" / "params.json"))
    train, validation, test = (read_split(job, name, params) for name in ("train", "validation", "test"))
    check_trainable(train, params)
    events.log(f"read {train.rows} train, {validation.rows} validation and {test.rows} test rows")
    encoding = fit_encoding(train, params)
    model = fit(params, encoding, train, validation, events)
    predicted = predict(params, model, test)
    model_bytes = export_onnx(params, encoding, model)
    write_atomically(job / "model" / "model.onnx", model_bytes)
    write_json(job / "model" / "signature.json", signature(params))
    write_atomically(job / "model" / "predictions.parquet", _predictions(params, test, predicted))
    figures = metrics(params, test.label, predicted)
    for name, value in figures.items():
        events.metric(name, "overall", value, test.rows)
    write_json(job / "output" / "metrics.json", [{"name": name, "slice": "overall", "value": value, "n": test.rows} for name, value in figures.items()])
    events.log(f"wrote model.onnx of {len(model_bytes)} bytes with {encoding.width} columns")


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"the job folder has no {'/'.join(path.parts[-3:])}") from error
    except ValueError as error:
        raise UserError(f"{path.name} is no JSON: {error}") from error


def _predictions(params: Params, test: Split, predicted: np.ndarray) -> bytes:
    """Columns: record_id and probability | label and one column per class | prediction."""
    columns: dict[str, pa.Array | pa.ChunkedArray | np.ndarray] = {"record_id": test.record_ids}
    if params.task == "binary":
        columns["probability"] = predicted[:, 1]
    elif params.task == "multiclass":
        columns["label"] = pa.array(params.classes, pa.string()).take(pa.array(predicted.argmax(axis=1)))
        columns |= {f"probability_{name}": predicted[:, index] for index, name in enumerate(params.classes)}
    else:
        columns["prediction"] = predicted[:, 0]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="snappy")
    return sink.getvalue()
