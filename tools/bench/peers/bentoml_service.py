"""The ensemble under BentoML 1.4: one service, one API that takes the V2 body as it is."""

import os
from typing import Any

import bentoml
import numpy
import onnxruntime


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Trees:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["MODEL_PATH"], options, providers=["CPUExecutionProvider"])

    @bentoml.api
    async def infer(self, id: str, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        tensor = inputs[0]
        rows = numpy.asarray(tensor["data"], dtype=numpy.float32).reshape(tensor["shape"])
        (scores,) = self._session.run(["y"], {"x": rows})
        output = {"name": "y", "datatype": "FP32", "shape": list(scores.shape), "data": scores.ravel().tolist()}
        return {"model_name": "trees", "model_version": "1", "id": id, "outputs": [output]}
