"""What a careful team writes itself: FastAPI, orjson, onnxruntime; the V2 JSON form, one session per worker."""

import os

import numpy
import onnxruntime
import orjson
from fastapi import FastAPI, Request, Response

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL_PATH"], options, providers=["CPUExecutionProvider"])
app = FastAPI()


@app.get("/ready")
async def ready() -> dict:
    return {"ready": True}


@app.post("/v2/models/trees/infer")
async def infer(request: Request) -> Response:
    asked = orjson.loads(await request.body())
    tensor = asked["inputs"][0]
    rows = numpy.asarray(tensor["data"], dtype=numpy.float32).reshape(tensor["shape"])
    (scores,) = session.run(["y"], {"x": rows})
    output = {"name": "y", "datatype": "FP32", "shape": list(scores.shape), "data": scores.ravel().tolist()}
    answer = {"model_name": "trees", "model_version": "1", "id": asked.get("id", ""), "outputs": [output]}
    return Response(orjson.dumps(answer), media_type="application/json")
