"""Search strategies on real fine-tuning curves: how much accuracy each gives away for how little training.

    python -m benchmarks.curves --curves quicktune_extended.jsonl.gz --draws 20 --json curves.json

Nothing is trained on images: the file holds whole learning curves of many configurations on several data sets
(Quick-Tune, Arango et al., ICLR 2024), and a strategy is shown an epoch of a curve when it pays for it. A draw is a
random choice of 64 configurations of one data set. Regret is the best accuracy of all 64 run to their end, less the
best that the strategy has seen, in points. One run-equivalent is the mean length of the draw's 64 runs, in epochs
(or in seconds, for the time-weighted figures). The learned strategy is trained without the data set it is judged on;
with --shipped it is the one that the package brings, and data sets that it has seen are left out.

Two readings of "8 run-equivalents" differ where runs were cut short by their time limit: `own` stops each draw at 8 of
its own mean runs; `same` stops all draws after the same number of epochs, 8 run-equivalents in the mean over draws,
which is how the mean cost of a strategy with a fixed plan (halving) adds up. `end` is the strategy left to itself.

Configurations are drawn without replacement from about 120 per data set, so draws overlap: the spread that counts is
that over data sets.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoft_graybox.curve import Array
from autoft_graybox.surrogate import Surrogate, load, save, shipped
from autoft_graybox.table import Table, read
from autoft_graybox.training import learn
from benchmarks import curve_dyhpo
from benchmarks.curve_strategies import Draw, Strategy, Trace, asha, graybox, halving, run_all

BUDGETS = (2.0, 3.0, 5.0, 8.0, 12.0)


class Path_(NamedTuple):
    """What one strategy did on one draw: after each epoch, the cost so far and the regret."""

    spent: Array
    regret: Array
    unit: float


def follow(draw: Draw, trace: Trace, cost: str) -> Path_:
    scores, seconds = draw.table.scores[draw.chosen], draw.table.seconds[draw.chosen]
    used = np.zeros(len(draw.chosen), int)
    paid, seen = [0.0], [0.0]
    for place in trace:
        paid.append(1.0 if cost == "epochs" else float(seconds[place, used[place]]))
        seen.append(float(scores[place, used[place]]))
        used[place] += 1
    unit = float(draw.length.mean() if cost == "epochs" else seconds.sum(1).mean())
    return Path_(np.cumsum(paid), 100 * (scores.max() - np.maximum.accumulate(seen)), unit)


def regret_at(path: Path_, spent: float) -> float:
    return float(path.regret[np.searchsorted(path.spent, spent + 1e-9, side="right") - 1])


def same_budget(paths: Sequence[Path_], runs: float) -> float:
    """The spending, alike for all draws, that is `runs` run-equivalents in the mean."""
    low, high = 0.0, max(float(path.spent[-1]) for path in paths)
    for _ in range(60):
        middle = (low + high) / 2
        mean = np.mean([min(middle, float(path.spent[-1])) / path.unit for path in paths])
        low, high = (middle, high) if mean < runs else (low, middle)
    return high


def summary(values: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Mean over data sets of the means over draws, with its standard error over data sets."""
    means = {name: float(np.mean(draws)) for name, draws in values.items()}
    whole = np.array(list(means.values()))
    everything = np.concatenate([np.asarray(draws) for draws in values.values()])
    return {
        "mean": round(float(whole.mean()), 3),
        "standard_error": round(float(whole.std(ddof=1) / np.sqrt(len(whole))), 3) if len(whole) > 1 else None,
        "median_draw": round(float(np.median(everything)), 3),
        "ninth_decile_draw": round(float(np.quantile(everything, 0.9)), 3),
        "by_data_set": {name: round(mean, 3) for name, mean in means.items()},
    }


def report(paths: Mapping[str, list[Path_]], cost: str) -> dict[str, Any]:
    flat = [path for some in paths.values() for path in some]
    rows: dict[str, Any] = {
        "own": {
            f"{runs:g}": summary({name: [regret_at(p, runs * p.unit) for p in some] for name, some in paths.items()})
            for runs in BUDGETS
        },
        "end": {
            "runs": summary({name: [float(p.spent[-1]) / p.unit for p in some] for name, some in paths.items()}),
            "regret": summary({name: [float(p.regret[-1]) for p in some] for name, some in paths.items()}),
        },
    }
    if cost == "epochs":
        rows["same"] = {
            f"{runs:g}": summary(
                {name: [regret_at(p, same_budget(flat, runs)) for p in some] for name, some in paths.items()}
            )
            for runs in BUDGETS
        }
    return rows


def strategies(cost: str) -> dict[str, Strategy]:
    return {
        "random, all to the end": run_all,
        "Ray ASHA default (4, grace 1)": asha(4, 1),
        "Ray ASHA (3, grace 2)": asha(3, 2),
        "synchronous halving (3, first rung 2)": halving(3, 2),
        "DyHPO-like, nothing of past runs": curve_dyhpo.run,
        "graybox without its prior": graybox(cost, prior=False),
        "graybox": graybox(cost),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=20, help="per data set")
    parser.add_argument("--configurations", type=int, default=64)
    parser.add_argument("--workers", type=int, default=4, help="of the asynchronous strategies")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--costs", default="epochs,seconds")
    parser.add_argument("--only", default="", help="strategies whose name contains this")
    parser.add_argument("--surrogates", type=Path, help="folder where those that are learned are kept for the next run")
    parser.add_argument("--shipped", action="store_true", help="judge the surrogate of the package on unseen data sets")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    tables = read(asked.curves)
    began = time.process_time()
    surrogates = _shipped(tables) if asked.shipped else _left_out(tables, asked.seed, asked.surrogates)
    tables = {name: tables[name] for name in surrogates}
    out: dict[str, Any] = {
        "curves": asked.curves.name,
        "data_sets": {name: len(table.length) for name, table in tables.items()},
        "draws": asked.draws,
        "configurations": asked.configurations,
        "workers": asked.workers,
        "seed": asked.seed,
        "training_cpu_seconds": round(time.process_time() - began, 1),
        "regret": {},
    }
    drawn = {name: draws(table, surrogates[name], asked) for name, table in tables.items()}
    traces: dict[Strategy, dict[str, list[Trace]]] = {}  # most strategies do not look at costs: they run once
    for cost in asked.costs.split(","):
        for name, strategy in strategies(cost).items():
            if asked.only not in name:
                continue
            if strategy not in traces:
                traces[strategy] = {d: [strategy(draw, asked.workers) for draw in some] for d, some in drawn.items()}
            done = traces[strategy]
            paths = {d: [follow(*pair, cost) for pair in zip(some, done[d], strict=True)] for d, some in drawn.items()}
            rows = out["regret"].setdefault(cost, {})[name] = report(paths, cost)
            show(cost, name, rows)
            if asked.json:
                asked.json.write_text(json.dumps(out, indent=1) + "\n")
    return 0


def _left_out(tables: Mapping[str, Table], seed: int, folder: Path | None) -> dict[str, Surrogate]:
    """For each data set a surrogate that was learned from all others: prior, networks and normalisation."""
    found = {}
    for name in tables:
        others = {other: table for other, table in tables.items() if other != name}
        file = folder / f"without-{name}-{seed}.safetensors" if folder else None
        if file and file.exists():
            found[name] = load(file)
        else:
            found[name] = learn(others, seed)
            if file:
                save(found[name], file, {"seed": str(seed)})
        assert found[name].data_sets == tuple(others), f"{file} was learned from other data sets"
    return found


def _shipped(tables: Mapping[str, Table]) -> dict[str, Surrogate]:
    """The surrogate of the package, for each data set that it has not seen."""
    unseen = [name for name in tables if name not in shipped().data_sets]
    if not unseen:
        raise SystemExit("the shipped surrogate must not be judged on what it was learned from, but has seen all.")
    return dict.fromkeys(unseen, shipped())


def draws(table: Table, surrogate: Surrogate, asked: argparse.Namespace) -> list[Draw]:
    generator = np.random.default_rng(asked.seed)
    size = min(asked.configurations, len(table.length))
    return [
        Draw(table, generator.choice(len(table.length), size, replace=False), asked.seed + n, surrogate)
        for n in range(asked.draws)
    ]


def show(cost: str, name: str, rows: Mapping[str, Any]) -> None:
    for way in ("own", "same"):
        if way in rows:
            cells = "  ".join(f"{b}: {r['mean']:.2f}±{r['standard_error'] or 0:.2f}" for b, r in rows[way].items())
            end = (
                f"  end {rows['end']['regret']['mean']:.2f} @ {rows['end']['runs']['mean']:.1f}" if way == "own" else ""
            )
            print(f"{cost:7} {name:38} {way:4} {cells}{end}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
