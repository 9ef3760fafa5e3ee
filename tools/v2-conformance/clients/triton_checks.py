"""What users of tritonclient[http] do: sync, async_infer and aio; binary (the default) and JSON; compression; control."""

import asyncio
from collections.abc import Callable

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

counting = np.arange(1, 17, dtype=np.int32).reshape(1, 16)
ones = np.ones((1, 16), dtype=np.int32)

arrays = {
    "bool": np.array([[True, False, True]]),
    "uint8": np.array([[0, 255]], dtype=np.uint8),
    "uint16": np.array([[0, 65_535]], dtype=np.uint16),
    "uint32": np.array([[0, 4_294_967_295]], dtype=np.uint32),
    "uint64": np.array([[0, 2**53 + 1, 2**64 - 1]], dtype=np.uint64),
    "int8": np.array([[-128, 127]], dtype=np.int8),
    "int16": np.array([[-32_768, 32_767]], dtype=np.int16),
    "int32": np.array([[-(2**31), 2**31 - 1]], dtype=np.int32),
    "int64": np.array([[-(2**63), 2**53 + 1, 2**63 - 1]], dtype=np.int64),
    "fp16": np.array([[0.1, -65_504, 6e-8]], dtype=np.float16),
    "fp32": np.array([[0.1, -3.4e38, 1e-45]], dtype=np.float32),
    "fp64": np.array([[0.1, -1.7e308, 5e-324]], dtype=np.float64),
    "bytes": np.array([["plain", "", "Ω 猫 🐈"]], dtype=object),
}
not_finite = np.array([[np.nan, np.inf, -np.inf, -0.0, 1.5]], dtype=np.float32)


def expect(came: object, expected: object) -> None:
    if came != expected:
        raise AssertionError(f"expected {expected!r}, came {came!r}")


def expect_array(came: np.ndarray | None, expected: np.ndarray) -> None:
    if came is None:
        raise AssertionError("the output is missing")
    if expected.dtype == object:
        came = np.array([each.decode() if isinstance(each, bytes) else each for each in came.flatten()], dtype=object).reshape(came.shape)
    np.testing.assert_array_equal(came, expected)
    if expected.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(came), np.signbit(expected))


def tensor(module: object, name: str, array: np.ndarray, binary: bool | None = None) -> triton.InferInput:
    given = module.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    if binary is None:
        given.set_data_from_numpy(array)
    else:
        given.set_data_from_numpy(array, binary_data=binary)
    return given


def simple_inputs(module: object = triton, binary: bool | None = None) -> list[triton.InferInput]:
    return [tensor(module, "INPUT0", counting, binary), tensor(module, "INPUT1", ones, binary)]


def expect_simple(result: triton.InferResult) -> None:
    expect_array(result.as_numpy("OUTPUT0"), counting + ones)
    expect_array(result.as_numpy("OUTPUT1"), counting - ones)


def refused(work: Callable[[], object], beginning: str | None = None) -> None:
    try:
        work()
    except InferenceServerException as error:
        if beginning is not None and not error.message().startswith(beginning):
            raise AssertionError(f"the sentence begins otherwise: {error.message()}") from error
        if not error.message():
            raise AssertionError("the error has no sentence") from error
        return
    raise AssertionError("it was not refused")


def identity(client: triton.InferenceServerClient, model: str, array: np.ndarray, binary: bool) -> None:
    outputs = [triton.InferRequestedOutput("OUTPUT0", binary_data=binary)]
    result = client.infer(model, [tensor(triton, "INPUT0", array, binary)], outputs=outputs)
    expect_array(result.as_numpy("OUTPUT0"), array)


def infer_checks(client: triton.InferenceServerClient) -> list[tuple[str, Callable[[], None]]]:
    def default_settings() -> None:
        expect_simple(client.infer("simple", simple_inputs()))

    def in_json() -> None:
        outputs = [triton.InferRequestedOutput(name, binary_data=False) for name in ("OUTPUT0", "OUTPUT1")]
        expect_simple(client.infer("simple", simple_inputs(binary=False), outputs=outputs))

    def one_output() -> None:
        result = client.infer("simple", simple_inputs(), outputs=[triton.InferRequestedOutput("OUTPUT1")])
        expect_array(result.as_numpy("OUTPUT1"), counting - ones)
        expect(result.as_numpy("OUTPUT0"), None)

    def request_id() -> None:
        expect(client.infer("simple", simple_inputs(), request_id="Ω-7").get_response()["id"], "Ω-7")

    def parameters() -> None:
        expect_simple(client.infer("simple", simple_inputs(), priority=1, timeout=10_000_000, parameters={"note": "x"}))

    def asynchronous() -> None:
        pending = [client.async_infer("simple", simple_inputs()) for _ in range(16)]
        for request in pending:
            expect_simple(request.get_result())

    def compressed(request: str | None, response: str | None) -> Callable[[], None]:
        def work() -> None:
            large = np.arange(40_000, dtype=np.float32).reshape(1, -1)
            result = client.infer("identity_fp32", [tensor(triton, "INPUT0", large)], request_compression_algorithm=request, response_compression_algorithm=response)
            expect_array(result.as_numpy("OUTPUT0"), large)
            expect_simple(client.infer("simple", simple_inputs(binary=False), request_compression_algorithm=request, response_compression_algorithm=response))

        return work

    def version(number: str, more: float) -> None:
        given = np.array([[10.0], [20.0]], dtype=np.float32)
        result = client.infer("two_versions", [tensor(triton, "INPUT0", given)], model_version=number)
        expect_array(result.as_numpy("OUTPUT0"), given + np.float32(more))

    checks = [("infer with default settings", default_settings), ("infer in JSON", in_json), ("one output of two", one_output), ("a request id", request_id), ("priority, timeout and parameters", parameters), ("async_infer", asynchronous)]
    for request, response in (("gzip", None), ("deflate", None), (None, "gzip"), (None, "deflate"), ("gzip", "gzip"), ("deflate", "deflate")):
        checks.append((f"request {request}, answer {response}", compressed(request, response)))
    for number, more in (("1", 1), ("2", 2), ("", 2)):
        checks.append((f"version {number or 'that the server chooses'}", lambda number=number, more=more: version(number, more)))
    for name, array in arrays.items():
        checks.append((f"{name} in binary", lambda name=name, array=array: identity(client, f"identity_{name}", array, True)))
        if name != "fp16":  # the client sends it in binary only
            checks.append((f"{name} in JSON", lambda name=name, array=array: identity(client, f"identity_{name}", array, False)))
    checks.append(("NaN and infinities in binary", lambda: identity(client, "identity_fp32", not_finite, True)))
    checks.append(("NaN and infinities in JSON", lambda: identity(client, "identity_fp32", not_finite, False)))
    return checks


def information_checks(client: triton.InferenceServerClient) -> list[tuple[str, Callable[[], None]]]:
    def health() -> None:
        expect([client.is_server_live(), client.is_server_ready(), client.is_model_ready("simple"), client.is_model_ready("two_versions", "1")], [True] * 4)
        expect([client.is_model_ready("no_such_model"), client.is_model_ready("simple", "99")], [False] * 2)

    def metadata() -> None:
        server = client.get_server_metadata()
        expect({"name", "version", "extensions"} <= set(server), True)
        model = client.get_model_metadata("simple")
        expect([model["name"], [each["name"] for each in model["inputs"]], model["inputs"][0]["shape"]], ["simple", ["INPUT0", "INPUT1"], [1, 16]])
        expect(sorted(client.get_model_metadata("two_versions")["versions"]), ["1", "2"])

    def config() -> None:
        expect([client.get_model_config("simple")["name"], client.get_model_config("two_versions", "1")["input"][0]["data_type"]], ["simple", "TYPE_FP32"])

    def statistics() -> None:
        before = client.get_inference_statistics("simple")["model_stats"][0]["inference_stats"]["success"]["count"]
        client.infer("simple", simple_inputs())
        after = client.get_inference_statistics("simple")["model_stats"][0]["inference_stats"]["success"]["count"]
        expect(after - before, 1)
        expect(len(client.get_inference_statistics("two_versions")["model_stats"]), 2)
        expect(len(client.get_inference_statistics()["model_stats"]) > 2, True)

    def repository() -> None:
        index = client.get_model_repository_index()
        expect(any(each["name"] == "row_max" and each["state"] == "READY" for each in index), True)
        client.unload_model("row_max")
        try:
            expect(client.is_model_ready("row_max"), False)
        finally:
            client.load_model("row_max")
        expect(client.is_model_ready("row_max"), True)

    def errors() -> None:
        refused(lambda: client.infer("no_such_model", simple_inputs()), "Request for unknown model")
        refused(lambda: client.infer("simple", simple_inputs()[:1]))
        refused(lambda: client.infer("simple", simple_inputs(), model_version="99"), "Request for unknown model")
        refused(lambda: client.infer("simple", simple_inputs(), outputs=[triton.InferRequestedOutput("OUTPUT9")]))
        refused(lambda: client.infer("simple", [tensor(triton, "INPUT0", counting.astype(np.int64)), tensor(triton, "INPUT1", ones)]))
        refused(lambda: client.infer("simple", simple_inputs()[:1], response_compression_algorithm="gzip"))
        refused(lambda: client.load_model("no_such_model"))
        refused(lambda: client.get_model_metadata("no_such_model"))
        refused(lambda: client.get_inference_statistics("no_such_model"))

    return [("health", health), ("metadata", metadata), ("configuration", config), ("statistics", statistics), ("index, unload, load", repository), ("errors", errors)]


async def aio(url: str) -> None:
    client = triton_aio.InferenceServerClient(url=url)
    try:
        expect([await client.is_server_live(), await client.is_server_ready(), await client.is_model_ready("simple")], [True] * 3)
        for result in await asyncio.gather(*(client.infer("simple", simple_inputs(triton_aio)) for _ in range(16))):
            expect_simple(result)
        expect_simple(await client.infer("simple", simple_inputs(triton_aio), request_compression_algorithm="gzip", response_compression_algorithm="gzip"))
        expect((await client.get_model_metadata("simple"))["name"], "simple")
        try:
            await client.infer("no_such_model", simple_inputs(triton_aio))
        except InferenceServerException as error:
            expect(error.message().startswith("Request for unknown model"), True)
        else:
            raise AssertionError("an unknown model was not refused")
    finally:
        await client.close()


def checks(url: str) -> list[tuple[str, Callable[[], None]]]:
    client = triton.InferenceServerClient(url=url, concurrency=16)
    listed = [*infer_checks(client), *information_checks(client), ("aio", lambda: asyncio.run(aio(url)))]
    return [(f"tritonclient: {name}", work) for name, work in listed]
