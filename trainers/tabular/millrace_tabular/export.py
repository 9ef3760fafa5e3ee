"""The model file: one ONNX graph from the raw features to the answer, and its signature.

Written with onnx.helper rather than by a converter: thresholds are rounded towards minus infinity, so that `x <= threshold`
decides the same for every float32 x as in LightGBM, and missing values take LightGBM's branch. The names are fixed, so that
equal models are equal bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from .features import Encoding
from .params import Params
from .train import LinearModel, Model, TreeModel

OPSET, ML_OPSET, IR_VERSION = 17, 3, 8
ML = "ai.onnx.ml"
INTERNAL = "millrace/"  # keeps the graph's own tensor names apart from feature names


def export_onnx(params: Params, encoding: Encoding, model: Model) -> bytes:
    """Inputs: one per feature, [n,1]. Outputs: `label` and `probabilities` [n,k], or `prediction` [n,1]."""
    graph = _Graph()
    features = _encode(graph, encoding, model)
    scores = _trees(graph, features, model) if isinstance(model, TreeModel) else _linear(graph, features, model)
    outputs = _head(graph, params, scores)
    inputs = [
        helper.make_tensor_value_info(feature.name, TensorProto.FLOAT if feature.type == "number" else TensorProto.STRING, [None, 1])
        for feature in params.features
    ]
    document = helper.make_model(
        helper.make_graph(graph.nodes, "millrace-tabular", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)],
        ir_version=IR_VERSION,
        producer_name="millrace-tabular",
    )
    checker.check_model(document)
    return _bytes(document)


def signature(params: Params) -> dict[str, Any]:
    def tensor(name: str, datatype: str, *shape: int) -> dict[str, Any]:
        return {"name": name, "datatype": datatype, "shape": list(shape)}

    outputs = [tensor("prediction", "FP32", -1, 1)]
    if params.task != "regression":
        label = tensor("label", "INT64" if params.task == "binary" else "BYTES", -1)
        outputs = [label, tensor("probabilities", "FP32", -1, len(params.classes))]
    return {
        "inputs": [tensor(feature.name, "FP32" if feature.type == "number" else "BYTES", -1, 1) for feature in params.features],
        "outputs": outputs,
        "task": params.task,
        "classes": list(params.classes),
        "positiveIndex": 1 if params.task == "binary" else None,
    }


def _bytes(document: ModelProto) -> bytes:
    return document.SerializeToString(deterministic=True)


class _Graph:
    """Nodes and constants in the order in which they were added; each node has one output, named after its purpose."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), INTERNAL + name))
        return INTERNAL + name

    def node(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        name = output if output in ("label", "probabilities", "prediction") else INTERNAL + output
        self.nodes.append(helper.make_node(operator, inputs, [name], name=f"{INTERNAL}{output}:{operator}", domain=domain, **attributes))
        return name


def _encode(graph: _Graph, encoding: Encoding, model: Model) -> str:
    parts: list[str] = []
    if encoding.numbers:
        numbers = graph.node("Concat", list(encoding.numbers), "numbers", axis=1)
        parts.append(_standardize(graph, numbers, model) if isinstance(model, LinearModel) else numbers)
    one = graph.constant("axis-1", np.array([1], np.int64)) if encoding.categories else ""
    for name, categories in encoding.categories:
        block = graph.node("OneHotEncoder", [name], f"one-hot/{name}", ML, cats_strings=list(categories), zeros=1)  # [n,1,k]
        parts.append(graph.node("Squeeze", [block, one], f"columns/{name}"))
    return graph.node("Concat", parts, "features", axis=1)


def _standardize(graph: _Graph, numbers: str, model: LinearModel) -> str:
    """A missing number becomes the mean of the train set, which is zero after scaling."""
    centred = graph.node("Sub", [numbers, graph.constant("mean", model.mean.reshape(1, -1))], "centred")
    scaled = graph.node("Mul", [centred, graph.constant("scale", model.scale.reshape(1, -1))], "scaled")
    missing = graph.node("IsNaN", [numbers], "missing")
    return graph.node("Where", [missing, graph.constant("zero", np.zeros((1, 1), np.float32)), scaled], "imputed")


def _linear(graph: _Graph, features: str, model: LinearModel) -> str:
    weights, bias = graph.constant("weights", model.weights), graph.constant("bias", model.bias)
    return graph.node("Gemm", [features, weights, bias], "scores")


def _trees(graph: _Graph, features: str, model: TreeModel) -> str:
    ensemble = _Ensemble()
    for index, root in enumerate(model.trees):
        ensemble.add_tree(index, index % model.scores, root)
    return graph.node("TreeEnsembleRegressor", [features], "scores", ML, n_targets=model.scores, aggregate_function="SUM", **ensemble.attributes)


class _Ensemble:
    """The parallel lists of TreeEnsembleRegressor, nodes numbered in pre-order."""

    def __init__(self) -> None:
        node_lists = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "missing_value_tracks_true", "hitrates")
        self.attributes: dict[str, list[Any]] = {f"nodes_{name}": [] for name in node_lists}
        self.attributes |= {f"target_{name}": [] for name in ("treeids", "nodeids", "ids", "weights")}

    def add_tree(self, tree: int, target: int, root: dict[str, Any]) -> None:
        first = len(self.attributes["nodes_nodeids"])
        pending: list[tuple[dict[str, Any], int | None, str]] = [(root, None, "")]
        while pending:  # a stack, because LightGBM grows leaf by leaf and a tree may be as deep as it has leaves
            node, parent, side = pending.pop()
            identifier = len(self.attributes["nodes_nodeids"]) - first
            if parent is not None:
                self.attributes[f"nodes_{side}nodeids"][first + parent] = identifier
            if "left_child" in node:
                self._node(tree, identifier, "BRANCH_LEQ", int(node["split_feature"]), _threshold(node), _missing_goes_left(node), int(node["internal_count"]))
                pending += [(node["right_child"], identifier, "false"), (node["left_child"], identifier, "true")]
            else:
                self._node(tree, identifier, "LEAF", 0, 0.0, False, int(node.get("leaf_count", 0)))  # a tree of one leaf has no count
                self._leaf(tree, identifier, target, float(node["leaf_value"]))

    def _node(self, tree: int, identifier: int, mode: str, feature: int, threshold: float, missing_goes_left: bool, rows: int) -> None:
        """`rows` of the train set went through the node: what explanations weigh its branches by."""
        entry = {"treeids": tree, "nodeids": identifier, "featureids": feature, "modes": mode, "values": threshold,
                 "truenodeids": 0, "falsenodeids": 0, "missing_value_tracks_true": int(missing_goes_left), "hitrates": float(rows)}
        for name, value in entry.items():
            self.attributes[f"nodes_{name}"].append(value)

    def _leaf(self, tree: int, identifier: int, target: int, weight: float) -> None:
        for name, value in {"treeids": tree, "nodeids": identifier, "ids": target, "weights": weight}.items():
            self.attributes[f"target_{name}"].append(value)


def _threshold(node: dict[str, Any]) -> float:
    """The largest float32 not above LightGBM's float64 threshold: for float32 x, x <= t exactly when x <= floor32(t)."""
    if node["decision_type"] != "<=":
        raise ValueError(f"unexpected split {node['decision_type']!r}: categories are one-hot, every split is numeric")
    threshold = float(node["threshold"])
    with np.errstate(over="ignore"):
        rounded = np.float32(threshold)
    return float(rounded if float(rounded) <= threshold else np.nextafter(rounded, np.float32(-np.inf)))


def _missing_goes_left(node: dict[str, Any]) -> bool:
    """LightGBM: with missing type NaN the default direction decides; with None, a NaN counts as zero."""
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    if node["missing_type"] == "None":
        return 0.0 <= float(node["threshold"])
    raise ValueError(f"unexpected missing type {node['missing_type']!r}: zero_as_missing is off")


def _head(graph: _Graph, params: Params, scores: str) -> list[Any]:
    if params.task == "regression":
        graph.node("Identity", [scores], "prediction")
        return [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None, 1])]
    if params.task == "binary":
        positive = graph.node("Sigmoid", [scores], "positive")
        negative = graph.node("Sub", [graph.constant("one", np.ones((1, 1), np.float32)), positive], "negative")
        probabilities = graph.node("Concat", [negative, positive], "probabilities", axis=1)
        graph.node("ArgMax", [probabilities], "label", axis=1, keepdims=0)
        label_type = TensorProto.INT64
    else:
        probabilities = graph.node("Softmax", [scores], "probabilities", axis=1)
        index = graph.node("ArgMax", [probabilities], "class-index", axis=1, keepdims=0)
        numbers = list(range(len(params.classes)))
        graph.node("LabelEncoder", [index], "label", ML, keys_int64s=numbers, values_strings=list(params.classes), default_string="")
        label_type = TensorProto.STRING
    return [
        helper.make_tensor_value_info("label", label_type, [None]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, len(params.classes)]),
    ]
