"""Trains a model on flipped labels, with the stock trainer: the candidate that the story registers by hand.

    python sabotage.py --events flights.ndjson --job /tmp/job --until 2013-03-01
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def rows(path: pathlib.Path, until: str, features: list[dict]) -> list[dict]:
    """Departures before `until` with their label turned round."""
    departures: dict[str, dict] = {}
    flipped: list[dict] = []
    with path.open() as lines:
        for line in lines:
            event = json.loads(line)
            if event["t"] >= until:
                break
            value = event["value"]
            if event["kind"] == "departure":
                departures[value["flight_id"]] = value
                continue
            departure = departures.pop(value["flight_id"], None)
            if departure is None:
                continue
            row = {feature["name"]: departure.get(feature["name"]) for feature in features}
            flipped.append({**row, "record_id": value["flight_id"], "event_time": departure["event_time"], "label": int(not value["late"])})
    return flipped


def table(data: list[dict], features: list[dict]) -> pa.Table:
    types = {feature["name"]: pa.float64() if feature["type"] == "number" else pa.string() for feature in features}
    types |= {"record_id": pa.string(), "event_time": pa.string(), "label": pa.int64()}
    return pa.table({name: pa.array([row[name] for row in data], type=kind) for name, kind in types.items()})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=pathlib.Path, required=True)
    parser.add_argument("--job", type=pathlib.Path, required=True)
    parser.add_argument("--until", required=True)
    parser.add_argument("--params", type=pathlib.Path, required=True, help="params.json of the trainer contract")
    parser.add_argument("--trainer", type=pathlib.Path, required=True, help="folder of the stock trainer")
    options = parser.parse_args()
    params = json.loads(options.params.read_text())
    data = rows(options.events, options.until, params["features"])
    cut = len(data) * 9 // 10
    for name, part in (("train", data[:cut]), ("test", data[cut:])):
        folder = options.job / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table(part, params["features"]), folder / "part-0.parquet")
    config = options.job / "input" / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "params.json").write_text(json.dumps(params))
    (config / "dataset.json").write_text(json.dumps({"datasetVersion": "flipped by hand"}))
    environment = {**os.environ, "MILLRACE_JOB_DIR": str(options.job), "PYTHONPATH": str(options.trainer), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", "millrace_tabular"], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
