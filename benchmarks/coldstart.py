"""How long until a search has something: from the command to the first epoch and to the first finished trial (S7).

    python -m benchmarks.coldstart FOLDER --models autoft/resnet-s CHECKPOINT --rounds 5 --json coldstart.json

`autoft search` as a user types it, several rounds in turn for each network, each in a process of its own. The system's
file cache is warm: one round that does not count goes before. `cold` rounds begin with an empty cache folder, `warm`
ones with that of the round before. Times come from autoft's own hooks and count from the start of the process:

* plugins: Python, the command line and the plugins are loaded
* data checked: files are found and hashed, networks chosen
* decoded, Ray started: both, side by side; on one machine without GPUs, trials need no Ray
* epoch: the first report of any trial; `build` is what its worker took for imports, data and network
* finished: the first trial that ended by itself. The first solved head counts, and it is a whole model
* scored: the end of the search; `exit` is that of the command

`parts` are the same steps alone, each in a process of its own: what importing takes, and what starting Ray takes.
Medians over the rounds, with all values beside them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import timeline
from benchmarks.common.machine import machine, name_of
from benchmarks.common.process import python, run

Row = dict[str, Any]
STEPS = ("plugins", "data checked", "decoded, Ray started", "trial started", "epoch", "finished", "scored")
PARTS = {
    "python": "pass",
    "autoft": "import autoft.cli.main, autoft.pipeline.search, autoft.registry; autoft.registry.installed()",
    "numpy and pillow": "import numpy, PIL.Image",
    "ray": "import autoft.search.ray",
    "ray, started and stopped": "from autoft.search import ray; ray.start(cpus=2); ray.stop()",
    "torch": "import torch",
    "timm": "import timm",
}


def once(folder: Path, model: str, options: argparse.Namespace, place: Path) -> Row:
    """One search, as seconds from its start to each step."""
    events = place / "timeline.jsonl"
    events.unlink(missing_ok=True)
    words = ["--data", str(folder), "--models", model, "--time", options.time, "--trials", str(options.trials)]
    words += ["--strategy", options.strategy, "--out", str(place / "runs"), "-q"]
    command = python("autoft", "search", "--task", "image-cls", *words)
    environment = {
        "AUTOFT_PLUGINS": timeline.__name__,
        timeline.TIMELINE: str(events),
        "AUTOFT_CACHE": str(place / "cache"),
    }
    done = run([*command, *options.words], environment, place / "log.txt")
    if done.code:
        raise SystemExit((place / "log.txt").read_text(encoding="utf-8")[-3000:])
    rows = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    found: Row = {step: first(rows, step, done.began) for step in STEPS}
    epoch = next(row for row in rows if row["event"] == "epoch")
    return {**found, "build": round(epoch["build"], 2), "exit": done.wall, "cpu_s": done.cpu, "cpu_by": done.cpu_by}


def first(rows: Sequence[Row], step: str, began: float) -> float | None:
    """Seconds to the first event of this step."""
    event, status = ("trial ended", "finished") if step == "finished" else (step, None)
    times = [r["time"] for r in rows if r["event"] == event and (status is None or r["status"] == status)]
    return round(times[0] - began, 2) if times else None


def rounds(folder: Path, options: argparse.Namespace, place: Path) -> list[Row]:
    """All networks in turn, round by round; the first round only warms the file cache."""
    seen: dict[tuple[str, str], list[Row]] = {}
    for turn in range(options.rounds + 1):
        for number, model in enumerate(options.models):
            own = place / str(number)
            own.mkdir(exist_ok=True)
            for state in options.cache:
                if state == "cold":
                    shutil.rmtree(own / "cache", ignore_errors=True)
                row = once(folder, model, options, own)
                print(json.dumps({"model": name_of(model), "cache": state, **row}), file=sys.stderr, flush=True)
                if turn:
                    seen.setdefault((model, state), []).append(row)
    return [{"model": name_of(model), "cache": state, **middle(rows)} for (model, state), rows in seen.items()]


def middle(rows: Sequence[Row]) -> Row:
    """Medians, and all rounds."""
    keys = [key for key in rows[0] if key != "cpu_by"]
    medians = {
        key: round(statistics.median([row[key] for row in rows if row[key] is not None] or [-1.0]), 2) for key in keys
    }
    return {**medians, "rounds": list(rows)}


def parts(count: int) -> Row:
    """Medians of wall and CPU seconds of each part alone."""
    seen = [{name: run([sys.executable, "-c", code]) for name, code in PARTS.items()} for _ in range(count)]
    return {
        name: {
            "wall_s": round(statistics.median(turn[name].wall for turn in seen), 2),
            "cpu_s": round(statistics.median(turn[name].cpu for turn in seen), 2),
        }
        for name in PARTS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="class folders, or parts that hold them")
    parser.add_argument("--models", nargs="+", default=["autoft/resnet-s"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", nargs="+", choices=("cold", "warm"), default=["cold", "warm"])
    parser.add_argument("--time", default="5m", help="budget of each search; what is measured comes long before")
    parser.add_argument("--trials", type=int, default=20, help="most trials of each search, so that it ends early")
    parser.add_argument("--strategy", default="auto")
    parser.add_argument("--words", nargs="*", default=[], help="more for the command, such as image_size=96")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        rows = rounds(options.folder, options, Path(place))
    found = {"benchmark": "coldstart", "data": options.folder.name, "machine": machine(), "rows": rows}
    text = json.dumps({**found, "parts": parts(options.rounds)}, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
