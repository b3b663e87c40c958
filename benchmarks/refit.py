"""What the last training of a search is worth: the trial's own model and the final one, on the same locked test part.

    python -m benchmarks.refit ../shared/data/imgcls__hymenoptera --task image-cls --time 90s --seeds 0 1 2

One `autoft search` for each folder and seed. The final model is scored by the search itself; the trial's own, which has
learned from the training part alone, is scored here afterwards. `--more`, last of all, is what else a user would say.
Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from autoft import artifact, evaluate, registry
from autoft.records import DataRef, Splits, from_json
from benchmarks.images import autoft

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--task", required=True)
    parser.add_argument("--time", default="90s", help="budget of each search (default: 90s)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--more", nargs=argparse.REMAINDER, default=[], help="what else a user would say, last of all")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as out:
        for folder in options.folders:
            for seed in options.seeds:
                rows.append(measure(folder, seed, options, Path(out)))
                print(json.dumps(rows[-1]), file=sys.stderr)
    gains = [row["final"] - row["trial"] for row in rows if row["final"] is not None]
    mean = statistics.mean(gains) if gains else None
    print(json.dumps({"benchmark": "refit", "cores": os.cpu_count(), "rows": rows, "mean_gain": mean}, indent=2))


def measure(folder: Path, seed: int, options: argparse.Namespace, out: Path) -> Row:
    """One search, and both of its models."""
    words = ["search", "--task", options.task, "--data", str(folder), "--time", options.time, "--seed", str(seed)]
    os.environ["AUTOFT_CACHE"] = tempfile.mkdtemp(dir=out)  # which then holds one store
    summary = autoft(*words, "--offline", "--out", str(out), "--json", *options.more)
    run, best, metric = Path(summary["paths"]["run"]), summary["best"], summary["metric"]
    done = "samples" in summary["refit"]
    return {
        "data": folder.name,
        "seed": seed,
        "metric": metric,
        "best": best["trial"],
        "model": best["model"],
        "freeze": best["recipe"]["freeze"],
        "seconds": best["seconds"],
        "refit": summary["refit"],
        "trial": scored(run, run / "trials" / best["trial"])[metric],
        "final": summary["test"]["metrics"][metric] if done else None,
        "plain": (summary["test"].get("plain") or {}).get("metrics", {}).get(metric),
        "wall": summary["seconds"]["total"],
    }


def scored(run: Path, model: Path) -> dict[str, float | None]:
    """All metrics of a model of this run on its test part."""
    samples, splits = run / "dataset.json", run / "splits.json"
    config = artifact.read(model)
    task = registry.installed().get("task", config.task)
    ids = from_json(splits.read_bytes(), Splits).test
    (store,) = (Path(os.environ["AUTOFT_CACHE"]) / "stores").glob("[0-9a-f]*")
    ref = DataRef(store=str(store), fingerprint="", dataset=str(samples), splits=str(splits))
    decoded, targets = evaluate.predict_test(str(model), ref, ids, 1)
    return evaluate.all_metrics(task, decoded, targets, config.schema)


if __name__ == "__main__":
    main()
