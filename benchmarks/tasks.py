"""Whole searches on recordings, texts and numbers, as a user runs them offline: one `autoft search` for each data set.

Every row has the score on the locked test part, that of trial 0, and, for texts, that of a linear model on TF-IDF.

    python -m benchmarks.tasks --shared ../shared --time 5m
    python -m benchmarks.tasks --only asr__yesno text__sst2 --time 2m

Prints one JSON document; the searches' own words go to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

DATASETS: dict[str, tuple[str, ...]] = {
    "audcls__fsdd": ("audio-cls",),
    "audcls__emodb": ("audio-cls", "--group-col", "speaker"),
    "asr__yesno": ("asr",),
    "asr__english_lj32": ("asr", "--metric", "cer"),
    "asr__german_kerstin": ("asr", "--metric", "cer"),
    "text__sst2": ("text-cls",),
    "text__tweet_emotion": ("text-cls",),
    "text__zh_hotel_reviews": ("text-cls",),
    "textreg__emobank": ("text-reg", "--target", "valence"),
    "imgreg__nuclei_count": ("image-reg",),
}
"""Folder below `data` -> task, and what else a user would say."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("AUTOFT_SHARED", "../shared")))
    parser.add_argument("--time", default="5m", help="budget of each search (default: 5m)")
    parser.add_argument("--only", nargs="+", choices=sorted(DATASETS), default=list(DATASETS))
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        rows = [measure(name, options, Path(out)) for name in options.only]
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    print(json.dumps({"benchmark": "tasks", "machine": machine, "time": options.time, "rows": rows}, indent=2))


def measure(name: str, options: argparse.Namespace, out: Path) -> dict[str, Any]:
    """One search and what it says of itself."""
    task, *more = DATASETS[name]
    words = ["search", "--task", task, "--data", str(options.shared / "data" / name), *more]
    words += ["--time", options.time, "--seed", str(options.seed), "--backend", options.backend, "--offline"]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "autoft", *words, "--out", str(out), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    wall = round(time.monotonic() - began, 1)
    if done.returncode:
        return {"data": name, "task": task, "exit": done.returncode, "wall_s": wall}
    summary = json.loads(done.stdout)
    test, metric = summary["test"], summary["metric"]
    row = {
        "data": name,
        "task": task,
        "metric": metric,
        "test": test["metrics"],
        "interval": test["interval"],
        "samples": test["samples"],
        "trial_0": (test["baseline"] or {}).get(metric),
        "best": summary["best"]["trial"],
        "trials": summary["trials"],
        "wall_s": wall,
    }
    plain = (test.get("plain") or {}).get("metrics")
    return {**row, "without_a_network": plain[metric]} if plain else row


if __name__ == "__main__":
    main()
