"""From Parquet to the design matrix: numbers as float32 with NaN for null, categories one-hot.

The matrix holds only values that float32 represents, as the ONNX graph sees them: a threshold learnt in between two float64
values that fall together in float32 would send a row left here and right there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix

from .params import Params, UserError


@dataclass(frozen=True)
class Split:
    """One of train, validation and test: rows in file order."""

    name: str
    record_ids: pa.ChunkedArray
    numbers: dict[str, np.ndarray]  # float32 [n], NaN = missing
    categories: dict[str, pa.Array]  # string [n], "" = missing
    label: np.ndarray  # float64 [n]: 0/1, class index, or the value

    @property
    def rows(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class Encoding:
    """Columns of the design matrix: all numbers first, then one block per category feature."""

    numbers: tuple[str, ...]
    categories: tuple[tuple[str, tuple[str, ...]], ...]  # (feature, its categories in column order)

    @property
    def width(self) -> int:
        return len(self.numbers) + sum(len(values) for _, values in self.categories)


def read_split(job: Path, name: str, params: Params) -> Split:
    """Files part-*.parquet in name order. A missing folder is an empty split. Raises UserError."""
    files = sorted((job / "input" / "data" / name).glob("part-*.parquet"))
    columns = ["record_id", "label", *(feature.name for feature in params.features)]
    tables = [_read(file, columns) for file in files]
    if not tables:
        tables = [pa.table({column: pa.array([], pa.null()) for column in columns})]
    table = pa.concat_tables(tables, promote_options="permissive")
    return Split(
        name,
        table["record_id"].cast(pa.string()),
        {feature.name: _numbers(table[feature.name], feature.name, name) for feature in params.features if feature.type == "number"},
        {feature.name: _texts(table[feature.name], feature.name, name) for feature in params.features if feature.type == "category"},
        _labels(table["label"], params, name),
    )


def _read(file: Path, columns: list[str]) -> pa.Table:
    try:
        present = pq.read_schema(file).names
        missing = [column for column in columns if column not in present]
        if missing:
            raise UserError(f"{file.parent.name}/{file.name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; it has {', '.join(present)}")
        return pq.ParquetFile(file).read(columns=columns)
    except pa.ArrowInvalid as error:
        raise UserError(f"{file.parent.name}/{file.name} is no readable Parquet file: {error}") from error


def _numbers(column: pa.ChunkedArray, feature: str, split: str) -> np.ndarray:
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise UserError(f"feature {feature} is declared a number, but its column in {split} holds {kind}")
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    values = column.cast(pa.float64(), safe=False).to_numpy()
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise UserError(f"feature {feature} holds {infinite} infinite value{'s' if infinite > 1 else ''} in {split}, or larger ones than float32 can; send null for an unknown value")
    return values


def _texts(column: pa.ChunkedArray, feature: str, split: str) -> pa.Array:
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_nested(kind) or pa.types.is_temporal(kind):
        raise UserError(f"feature {feature} is declared a category, but its column in {split} holds {kind}")
    return pc.fill_null(column.cast(pa.string()), "").combine_chunks()


def _labels(column: pa.ChunkedArray, params: Params, split: str) -> np.ndarray:
    if column.null_count and len(column):
        raise UserError(f"the label {params.label} is null in {column.null_count} of {len(column)} rows of {split}")
    if params.task == "multiclass":
        texts = column.cast(pa.string())
        index = pc.index_in(texts, value_set=pa.array(params.classes, pa.string()))
        if index.null_count:
            unknown = sorted(set(texts.filter(pc.is_null(index)).to_pylist()))[:5]
            raise UserError(f"the label {params.label} has values in {split} that label.classes does not list: {', '.join(unknown)}")
        return index.cast(pa.float64()).to_numpy()
    kind = column.type
    if not (pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
        raise UserError(f"the label {params.label} of a {params.task} task must be a number column, not {kind} (in {split})")
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    values = column.cast(pa.float64(), safe=False).to_numpy()
    if params.task == "binary" and not np.isin(values, (0.0, 1.0)).all():
        raise UserError(f"the label {params.label} of a binary task must be 0 or 1, or false or true (in {split})")
    if not np.isfinite(values).all():
        raise UserError(f"the label {params.label} must be finite (in {split})")
    return values


def check_trainable(train: Split, params: Params) -> None:
    """Raises UserError when no model can be learnt from these rows."""
    if train.rows == 0:
        raise UserError("the train set is empty: input/data/train holds no rows")
    if params.task == "regression":
        if np.ptp(train.label) == 0:
            raise UserError(f"the label {params.label} has only one value in the train set: {train.label[0]:g}")
        return
    present = np.unique(train.label).astype(int)
    if len(present) == 1:
        raise UserError(f"the label {params.label} has only one class in the {train.rows} rows of the train set: {params.classes[present[0]]}")


def fit_encoding(train: Split, params: Params) -> Encoding:
    """The most frequent categories of the train set, ties in text order; columns in text order."""
    limit = int(params.hyperparameters["max_categories"])
    blocks: list[tuple[str, tuple[str, ...]]] = []
    for name, values in train.categories.items():
        counts = [(-entry["counts"].as_py(), entry["values"].as_py()) for entry in pc.value_counts(values)]
        blocks.append((name, tuple(sorted(text for _, text in sorted(counts)[:limit]))))
    return Encoding(tuple(train.numbers), tuple(blocks))


def design_matrix(encoding: Encoding, numbers: Sequence[np.ndarray], split: Split) -> csr_matrix:
    """float32 [n, width], sparse. `numbers` are the number columns, scaled or not. An unknown category leaves its block at zero."""
    per_row = len(numbers) + len(encoding.categories)
    values = np.zeros((split.rows, per_row), np.float32)
    columns = np.zeros((split.rows, per_row), np.int32)
    for position, column in enumerate(numbers):
        values[:, position] = column
        columns[:, position] = position
    offset = len(numbers)
    for position, (name, categories) in enumerate(encoding.categories, start=len(numbers)):
        index = pc.index_in(split.categories[name], value_set=pa.array(categories, pa.string()))
        values[:, position] = pc.is_valid(index).cast(pa.float32()).to_numpy()
        columns[:, position] = offset + pc.fill_null(index, 0).to_numpy()
        offset += len(categories)
    pointers = np.arange(split.rows + 1, dtype=np.int32) * per_row
    return csr_matrix((values.ravel(), columns.ravel(), pointers), shape=(split.rows, encoding.width))
