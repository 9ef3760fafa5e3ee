"""river's drift detectors at their defaults on Bernoulli errors: run by hand, its figures go into
src/studies/concept-drift.study.ts. Needs river 0.26.1 and numpy.

    python river_detectors.py [runs, default 500] [clean rows per error rate, default 1000000]

A run is 5,000 clean rows and at most 3,000 after the change; the delay is that of the first alarm after the change, a run
without one is missed. False alarms are counted in one long clean stream. Only alarms, not warnings, count."""
import json
import sys

import numpy as np
from river import drift

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 500
CLEAN = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
DETECTORS = {
    "ADWIN": drift.ADWIN, "Page-Hinkley": drift.PageHinkley, "DDM": drift.binary.DDM, "EDDM": drift.binary.EDDM,
    "HDDM_A": drift.binary.HDDMA, "HDDM_W": drift.binary.HDDMW,
}


def delays(make, before, after, rng):
    found = []
    for _ in range(RUNS):
        detector = make()
        bits = np.concatenate([rng.random(5_000) < before, rng.random(3_000) < after]).astype(int).tolist()
        for row, x in enumerate(bits, 1):
            detector.update(x)
            if row > 5_000 and detector.drift_detected:
                found.append(row - 5_000)
                break
    return {
        "meanDelay": round(float(np.mean(found)), 1) if found else None,
        "delayP95": float(np.quantile(found, 0.95, method="inverted_cdf")) if found else None,
        "missed": round(1 - len(found) / RUNS, 4),
    }


def false_alarms(make, rate, rng):
    detector = make()
    alarms = 0
    for x in (rng.random(CLEAN) < rate).astype(int).tolist():
        detector.update(x)
        alarms += bool(detector.drift_detected)
    return alarms


for name, make in DETECTORS.items():
    rng = np.random.default_rng(1)
    for before, after in [(0.1, 0.2), (0.2, 0.5)]:
        clean = false_alarms(make, before, rng)
        print(json.dumps({"tool": name, "change": f"{before} -> {after}", **delays(make, before, after, rng), "falseAlarms": clean, "cleanRows": CLEAN}), flush=True)
