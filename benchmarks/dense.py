"""Whole searches for boxes and masks, as a user runs them: what is reached, from where, on which backend.

For each folder one `autoft search` per arm; an arm is `BACKEND` (the network that autoft brings along) or
`BACKEND=NETWORK` (a checkpoint). The task is the part of a folder's name before `__` (objdet, semseg).

    python -m benchmarks.dense ../shared/data/objdet__* ../shared/data/semseg__* --arms torch keras \
        torch=../shared/weights/mobilenet_v2_1.0_imagenet/timm --time 10m

A row tells the score on the locked test part with its interval, and beside it what trial 0 had on validation after its
first epoch and at its best: the gain of training, and that of the search. Prints a table, or one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.images import autoft

TASKS = {"objdet": "object-det", "semseg": "image-seg"}
COLUMNS = ("data", "backend", "network", "trials", "metric", "first_epoch", "trial_0", "best", "test", "interval")

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--arms", nargs="+", default=["torch", "keras"], help="BACKEND or BACKEND=NETWORK")
    parser.add_argument("--time", default="10m", help="budget of each search (default: 10m)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the table")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as out:
        for folder in options.folders:
            for arm in options.arms:
                rows.append(measure(folder, arm, options, Path(out)))
                print(f"{rows[-1]['data']} {arm}: {rows[-1]['test']}", file=sys.stderr)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    if options.json:
        print(json.dumps({"benchmark": "dense", "machine": machine, "time": options.time, "rows": rows}, indent=2))
    else:
        show(rows)


def measure(folder: Path, arm: str, options: argparse.Namespace, out: Path) -> Row:
    """One search and what it reached."""
    backend, _, network = arm.partition("=")
    words = ["search", "--task", TASKS[folder.name.partition("__")[0]], "--data", str(folder), "--time", options.time]
    words += ["--backend", backend, *(["--models", network] if network else ["--offline"])]
    summary = autoft(*words, "--seed", str(options.seed), "--out", str(out), "--json")
    metric, test = summary["metric"], summary["test"]
    name = metric if isinstance(metric, str) else metric["name"]
    first = trial(Path(summary["paths"]["run"]), 0)
    return {
        "data": folder.name,
        "backend": backend,
        "network": summary["best"]["model"] if not network else Path(network).parent.name,
        "trials": sum(summary["trials"].values()),
        "metric": name,
        "first_epoch": first["history"][0]["score"] if first.get("history") else None,
        "trial_0": first.get("score"),
        "best": summary["best"]["score"],
        "test": test["metrics"][name],
        "interval": test["interval"],
    }


def trial(run: Path, number: int) -> Row:
    """What `trials.jsonl` says of a trial, empty where it did not end."""
    lines = (run / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    return next((row for line in lines if (row := json.loads(line))["number"] == number), {})


def show(rows: list[Row]) -> None:
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS))
    for row in rows:
        print("| " + " | ".join(cell(row[key]) for key in COLUMNS) + " |")


def cell(value: object) -> str:
    if isinstance(value, list):
        return " to ".join(cell(part) for part in value)
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
