"""What users of KServe's InferenceRESTClient do with protocol v2: health, infer in binary (the default) and in JSON, errors."""

import asyncio
from collections.abc import Callable, Coroutine

import httpx
import numpy as np
from kserve import InferInput, InferRequest, InferResponse
from kserve.inference_client import InferenceRESTClient, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

counting = np.arange(1, 17, dtype=np.int32).reshape(1, 16)
ones = np.ones((1, 16), dtype=np.int32)
texts = np.array([["plain", "", "Ω 猫 🐈"]], dtype=object)

Work = Callable[[InferenceRESTClient, str], Coroutine[None, None, None]]


def expect(came: object, expected: object) -> None:
    if came != expected:
        raise AssertionError(f"expected {expected!r}, came {came!r}")


def tensor(name: str, array: np.ndarray, datatype: str, binary: bool | None) -> InferInput:
    given = InferInput(name, list(array.shape), datatype)
    if binary is None:
        given.set_data_from_numpy(array)
    else:
        given.set_data_from_numpy(array, binary_data=binary)
    return given


def simple(binary: bool | None = None, **more: object) -> InferRequest:
    inputs = [tensor("INPUT0", counting, "INT32", binary), tensor("INPUT1", ones, "INT32", binary)]
    return InferRequest("simple", inputs, request_id="7", **more)


def output(response: InferResponse, name: str) -> np.ndarray:
    return next(each for each in response.outputs if each.name == name).as_numpy()


def expect_simple(response: InferResponse) -> None:
    expect([response.model_name, response.id], ["simple", "7"])
    np.testing.assert_array_equal(output(response, "OUTPUT0"), counting + ones)
    np.testing.assert_array_equal(output(response, "OUTPUT1"), counting - ones)


async def health(client: InferenceRESTClient, url: str) -> None:
    expect([await client.is_server_live(url), await client.is_server_ready(url), await client.is_model_ready(url, "simple")], [True] * 3)
    expect(await client.is_model_ready(url, "no_such_model"), False)


async def default_settings(client: InferenceRESTClient, url: str) -> None:
    expect_simple(await client.infer(url, simple(), model_name="simple"))


async def in_json(client: InferenceRESTClient, url: str) -> None:
    expect_simple(await client.infer(url, simple(binary=False), model_name="simple"))


async def binary_outputs(client: InferenceRESTClient, url: str) -> None:
    expect_simple(await client.infer(url, simple(parameters={"binary_data_output": True}), model_name="simple"))


async def one_output(client: InferenceRESTClient, url: str) -> None:
    request = simple(request_outputs=[RequestedOutput("OUTPUT1", parameters={"binary_data": True})])
    response = await client.infer(url, request, model_name="simple")
    expect([each.name for each in response.outputs], ["OUTPUT1"])
    np.testing.assert_array_equal(output(response, "OUTPUT1"), counting - ones)


async def plain_message(client: InferenceRESTClient, url: str) -> None:
    message = {"id": "7", "inputs": [{"name": name, "shape": [1, 16], "datatype": "INT32", "data": array.tolist()} for name, array in (("INPUT0", counting), ("INPUT1", ones))]}
    expect_simple(await client.infer(url, message, model_name="simple"))


async def text_tensors(client: InferenceRESTClient, url: str) -> None:
    for binary in (True, False):
        request = InferRequest("identity_bytes", [tensor("INPUT0", texts, "BYTES", binary)])
        response = await client.infer(url, request, model_name="identity_bytes")
        came = [each.decode() if isinstance(each, bytes) else each for each in output(response, "OUTPUT0").flatten()]
        expect(came, texts.flatten().tolist())


async def many_at_once(client: InferenceRESTClient, url: str) -> None:
    for response in await asyncio.gather(*(client.infer(url, simple(), model_name="simple") for _ in range(32))):
        expect_simple(response)


async def errors(client: InferenceRESTClient, url: str) -> None:
    bad = InferRequest("simple", simple().inputs[:1])
    for model, request, status in (("no_such_model", simple(), 404), ("simple", bad, 400)):
        try:
            await client.infer(url, request, model_name=model)
        except httpx.HTTPStatusError as error:
            expect(error.response.status_code, status)
            expect(error.response.headers["content-type"], "application/json")
            expect(list(error.response.json()), ["error"])
            if error.response.json()["error"] not in str(error):
                raise AssertionError(f"the client does not show the server's sentence: {error}") from error
        else:
            raise AssertionError(f"{model} was not refused")


async def on_own_client(work: Work, url: str) -> None:
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        await work(client, url)


def checks(url: str) -> list[tuple[str, Callable[[], None]]]:
    listed: list[tuple[str, Work]] = [
        ("health", health), ("infer with default settings", default_settings), ("infer in JSON", in_json), ("all outputs in binary", binary_outputs),
        ("one output of two", one_output), ("a plain message", plain_message), ("texts", text_tensors), ("32 requests at once", many_at_once), ("errors", errors),
    ]
    return [(f"kserve: {name}", lambda work=work: asyncio.run(on_own_client(work, url))) for name, work in listed]
