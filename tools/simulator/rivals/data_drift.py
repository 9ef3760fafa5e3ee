"""What other tools answer to the questions of the study `data-drift`: clean columns and known changes, one column, one window.

Run by hand, each tool in an environment of its own:
  pip install "evidently==0.7.23" "scipy==1.17.1" "pandas<3"   && python data_drift.py evidently scipy
  pip install "nannyml==0.13.1" statsmodels "pandas<3"      && python data_drift.py nannyml
Tools run with their defaults, except that plain scipy alarms at p <= 0.001 like Millrace: ks_2samp for numbers and
chi2_contingency for categories, nulls left out. Prints one line of JSON per tool and cell; seeds are fixed.
"""
import json, os, sys, warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # NannyML reports its use over the network otherwise
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
ALPHA = 0.001


def zipf(k):
    w = 1 / np.arange(1, k + 1)
    return w / w.sum()


def categories(weights):
    names = np.array(["c%d" % i for i in range(len(weights))], dtype=object)
    return lambda rng, n: rng.choice(names, size=n, p=weights)


SHAPES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
    "heavy-tail": lambda rng, n: rng.standard_t(2, size=n),
    "discrete": lambda rng, n: rng.poisson(3, size=n).astype(float),
    "zero-inflated": lambda rng, n: np.where(rng.random(n) < 0.6, 0, rng.exponential(size=n)),
    "3-categories": categories(np.array([0.5, 0.3, 0.2])),
    "20-categories": categories(zipf(20)),
    "100-categories": categories(zipf(100)),
}


def changed(values, rng, shift=0.0, nulls=0.0, new=0.0, moved=0.0):
    numeric = values.dtype != object
    out = values + shift if numeric else values.copy()
    if new:
        out[rng.random(len(out)) < new] = "brand-new"
    if moved:
        out[rng.random(len(out)) < moved] = "c2"
    if nulls:
        out = out.astype(float) if numeric else out
        out[rng.random(len(out)) < nulls] = np.nan if numeric else None
    return out


def scipy_alarms(reference, current):
    from scipy import stats

    a, b = pd.Series(reference).dropna(), pd.Series(current).dropna()
    if a.dtype != object:
        return stats.ks_2samp(a, b).pvalue <= ALPHA
    table = pd.concat([a.value_counts(), b.value_counts()], axis=1).fillna(0).to_numpy().T
    return table.shape[1] > 1 and stats.chi2_contingency(table, correction=False).pvalue <= ALPHA


def evidently_alarms(reference, current):
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    a, b = pd.Series(reference).dropna(), pd.Series(current).dropna()
    kind = ColumnType.Categorical if a.dtype == object else ColumnType.Numerical
    test = get_stattest(a, b, kind, None)
    return bool(test(a, b, kind, test.default_threshold).drifted)


def nannyml_alarms(reference, current):
    import nannyml

    frame = lambda values: pd.DataFrame({"x": values})
    kind = {"treat_as_categorical": ["x"]} if pd.Series(reference).dtype == object else {"treat_as_numerical": ["x"]}
    # Chunks of the window's size, as its users are told to choose them, or the ten of its default where fewer would fit.
    calculator = nannyml.UnivariateDriftCalculator(column_names=["x"], chunk_size=max(1, min(len(current), len(reference) // 10)), **kind)
    calculator.fit(frame(reference))
    calculator.chunker = nannyml.chunk.CountBasedChunker(1)
    result = calculator.calculate(frame(current)).filter(period="analysis").to_df(multilevel=False)
    return bool(result[[c for c in result.columns if c.endswith("_alert")]].to_numpy().any())


TOOLS = {"scipy": scipy_alarms, "evidently": evidently_alarms, "nannyml": nannyml_alarms}

POWER = [
    ("shift-0.5/10000/250", "normal", 10_000, 250, dict(shift=0.5)),
    ("shift-0.2/10000/2000", "normal", 10_000, 2_000, dict(shift=0.2)),
    ("shift-0.05/100000/40000", "normal", 100_000, 40_000, dict(shift=0.05)),
    ("new-category/10000/2000", "3-categories", 10_000, 2_000, dict(new=0.005)),
    ("new-category-in-tail/10000/2000", "100-categories", 10_000, 2_000, dict(new=0.005)),
    ("mix/10000/2000", "3-categories", 10_000, 2_000, dict(moved=0.08)),
    ("nulls-appear/10000/2000", "normal", 10_000, 2_000, dict(nulls=0.005)),
]


def rate(alarms, shape, n, m, change, trials, seed):
    hits = 0
    for trial in range(trials):
        rng = np.random.default_rng([seed, trial])
        if trial % 20 == 0:
            reference = SHAPES[shape](np.random.default_rng([seed, trial, 1]), n)
        hits += alarms(reference, changed(SHAPES[shape](rng, m), rng, **change))
    return hits / trials


def main(tools):
    for tool in tools:
        alarms, scale = TOOLS[tool], 0.1 if tool == "nannyml" else 1
        for name, shape, n, m, change in POWER:
            trials = int((40 if n > 10_000 else 400) * scale)
            print(json.dumps(dict(tool=tool, cell="power/" + name, trials=trials, foundRate=rate(alarms, shape, n, m, change, trials, 1))), flush=True)
        total = {}
        for n in (1_000, 10_000):
            for m in (50, 250, 1_000, 5_000):
                trials = int((2_000 if tool == "scipy" else 400) * scale)
                rates = {shape: rate(alarms, shape, n, m, {}, trials, 2) for shape in SHAPES}
                total.update({(n, m, shape): value for shape, value in rates.items()})
                print(json.dumps(dict(tool=tool, cell="clean/%d/%d" % (n, m), trials=trials, rates=rates, falseAlarmRate=float(np.mean(list(rates.values()))))), flush=True)
        print(json.dumps(dict(tool=tool, cell="clean/all", falseAlarmRate=float(np.mean(list(total.values()))), worst=max(total.values()))), flush=True)


main(sys.argv[1:] or list(TOOLS))
