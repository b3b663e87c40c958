"""Whole searches on image folders, as a user runs them: does the time hold, is the number honest, is there a gain?

For each folder one `autoft search`, then `autoft predict` on the files of the locked test part in a new process, whose
accuracy must be the one that the search reported. With `--models`, every network is also trained from random weights
(`NAME@scratch`) in a search of the same length, to show what the pretrained weights are worth.

    python benchmarks/images.py ../shared/data/imgcls__* --time 3m
    python benchmarks/images.py FOLDER --models ./checkpoint --scratch

Prints one JSON document; everything else goes to standard error.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--time", default="3m", help="budget of each search (default: 3m)")
    parser.add_argument("--models", default="", help="networks to search, as for autoft search")
    parser.add_argument("--scratch", action="store_true", help="also search the same networks from random weights")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as out:
        for folder in options.folders:
            rows.append(measure(folder, options.models, options, Path(out)))
            if options.scratch and options.models:
                names = ",".join(f"{name}@scratch" for name in options.models.split(","))
                rows.append(measure(folder, names, options, Path(out)))
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    print(json.dumps({"benchmark": "images", "machine": machine, "time": options.time, "rows": rows}, indent=2))


def measure(folder: Path, models: str, options: argparse.Namespace, out: Path) -> Row:
    """One search and what can be said of it."""
    words = [
        "search",
        "--task",
        "image-cls",
        "--data",
        str(folder),
        "--time",
        options.time,
        "--seed",
        str(options.seed),
    ]
    began = time.monotonic()
    summary = autoft(*words, *(["--models", models] if models else []), "--out", str(out), "--json")
    wall = time.monotonic() - began
    budget = seconds(options.time)
    test, best = summary["test"], summary["best"]
    again = predicted_accuracy(Path(summary["paths"]["run"]), out)
    return {
        "data": folder.name,
        "models": models or "default",
        "budget_s": budget,
        "wall_s": round(wall, 1),
        "wall_to_budget": round(wall / budget, 3),
        "trials": summary["trials"],
        "best": best["trial"],
        "val": best["score"],
        "test_samples": test["samples"],
        "test": test["metrics"]["accuracy"],
        "test_interval": test["interval"],
        "baseline_test": (test["baseline"] or {}).get("accuracy"),
        "verdict": test["verdict"],
        "predicted_again": again,
        "same": abs(again - test["metrics"]["accuracy"]) < 1e-9,
    }


def predicted_accuracy(run: Path, out: Path) -> float:
    """Accuracy of `autoft predict` on the files of the test part, in a process of its own."""
    dataset = json.loads((run / "dataset.json").read_text(encoding="utf-8"))
    test = set(json.loads((run / "splits.json").read_text(encoding="utf-8"))["test"])
    truth = {s["fields"]["image"]: s["fields"]["label"] for s in dataset["samples"] if s["id"] in test}
    table = out / f"{run.name}.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["path"], *([path] for path in truth)])
    rows = autoft("predict", str(run), "--source", str(table), "--image-col", "path", "--json")
    if len(rows) != len(truth):
        raise SystemExit(f"predict gave {len(rows)} rows for {len(truth)} files")
    hits = [row["prediction"] == label for row, label in zip(rows, truth.values(), strict=True)]
    return sum(hits) / len(hits)


def autoft(*words: str) -> Any:
    """The JSON that a command prints."""
    done = subprocess.run([sys.executable, "-m", "autoft", *words], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f"autoft {' '.join(words)} ended with {done.returncode}: {done.stdout.decode()}")
    return json.loads(done.stdout)


def seconds(text: str) -> float:
    from autoft.options import seconds as parsed

    return parsed(text)


if __name__ == "__main__":
    main()
