"""What a whole search costs in units of one full fine-tuning run of the same network on the same data (S1).

    python -m benchmarks.one_run DATA... --models autoft/resnet-s CHECKPOINT --configs 64 --json one_run.json

The unit is `autoft train` with all weights trained for 20 epochs (freeze=0, patience=0), the search tries --configs
configurations of the head alone and four partly frozen depths (see `common/space.py`) on the same parts, image size,
precision and layout. `--strategy halving` tries a list that is drawn once, `asha` the same list under Ray Tune's
ASHA, and `auto` searches the same space by itself with as many trials, under autoft's own default patience. Both take
turns in one run and begin with an empty cache.

The search ends with its best trial: no last training on all samples (`--no-refit`), which the unit does not do either.
CPU seconds of all processes count, start to end: imports, Ray, decoding, extraction, failed trials, final evaluation.
`ratio` is the search's to those of the unit's worker process alone, which holds what a training loop cannot do without:
importing the framework, building the network, training and validating. `ratio_whole` is to the whole command of the
unit, whose start, final evaluation and report are the product's too and would flatter the search.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.common import space
from benchmarks.common.arms import Setting, search_words
from benchmarks.common.machine import machine, name_of
from benchmarks.common.parts import divide
from benchmarks.common.process import Done, python, run

Row = dict[str, Any]
WORKER = "autoft worker"


def measure(folder: Path, model: str, seed: int, options: argparse.Namespace, place: Path) -> Row:
    """The unit and the search, one after the other; the order changes by seed."""
    parts = divide(folder, seed, place / "data")
    whole = space.space(model, tuple(options.depths), parts.counts["train"])
    setting = Setting(
        data=parts.root,
        model=model,
        size=options.size,
        epochs=options.epochs,
        seed=seed,
        workers=options.workers,
        space=whole,
        wide=False,
        configs=space.draw(whole, options.configs, seed) if options.strategy != "auto" else [],
        trials=options.configs,
        time=0.0,
        augment="none",
        precision="fp32",
    )
    arms = ["unit", "search"] if seed % 2 == 0 else ["search", "unit"]
    found = {arm: unit(setting, place) if arm == "unit" else search(setting, place, options.strategy) for arm in arms}
    worker = found["unit"]["cpu_by"].get(WORKER, 0.0)
    cost = found["search"]["cpu_s"]
    ratios = {"ratio": round(cost / worker, 3), "ratio_whole": round(cost / found["unit"]["cpu_s"], 3)}
    return {"data": folder.name, "model": name_of(model), "seed": seed, **parts.counts, **ratios, **found}


def unit(setting: Setting, place: Path) -> Row:
    """One full fine-tune: all weights, the default recipe's learning rate for this network, no early stop."""
    batch = max(size for size in setting.space.batch_size if size <= 32)
    freeless = space.words(setting.space._replace(freeze=(0.0,), batch_size=(batch,)), setting.size, setting.epochs)
    fixed = [word for word in freeless if ".." not in word and "," not in word]
    words = ["--task", "image-cls", "--data", str(setting.data), "--models", setting.model]
    command = python("autoft", "train", *words, "--out", str(place / "unit"), "--seed", str(setting.seed), "--json")
    return outcome(run([*command, "-q", *fixed], cold(place, "unit"), place / "unit.txt"), place)


def search(setting: Setting, place: Path, strategy: str) -> Row:
    words = search_words(setting, place / "search", "autoft-asha" if strategy == "asha" else "autoft")
    if not setting.configs:  # it also stops a trial by its own default, where it has not become better for some epochs
        words = [word for word in words if word != "patience=0"]
        words += ["--trials", str(setting.trials), "--no-refit"]
    return outcome(run(python("autoft", *words, "--json", "-q"), cold(place, "search"), place / "search.txt"), place)


def cold(place: Path, name: str) -> dict[str, str]:
    return {"AUTOFT_CACHE": str(place / f"cache-{name}")}


def outcome(done: Done, place: Path) -> Row:
    if done.code:
        logs = [path.read_text(encoding="utf-8", errors="replace")[-2000:] for path in place.glob("*.txt")]
        raise SystemExit("\n".join([f"a command ended with {done.code}", *logs]))
    summary = json.loads(done.output)
    results = [json.loads(line) for line in (Path(summary["paths"]["run"]) / "trials.jsonl").open(encoding="utf-8")]
    return {
        "wall_s": done.wall,
        "cpu_s": done.cpu,
        "cpu_by": done.cpu_by,
        "trials": summary["trials"],
        "epochs": sum(result["epochs"] for result in results),
        "val": summary["best"]["score"],
        "test": summary["test"]["metrics"]["accuracy"],
        "seconds": {key: round(value, 2) for key, value in summary["seconds"].items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", default=["autoft/resnet-s"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--configs", type=int, default=64)
    parser.add_argument("--strategy", choices=("auto", "halving", "asha"), default="auto")
    parser.add_argument("--depths", nargs="+", type=float, default=list(space.DEPTHS))
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the numbers here too, after every pair")
    options = parser.parse_args()
    rows: list[Row] = []
    said = {key: getattr(options, key) for key in ("configs", "strategy", "depths", "size", "epochs", "workers")}
    found: Row = {"benchmark": "one_run", "options": said, "machine": machine(), "rows": rows}
    for folder in options.data:
        for model in options.models:
            for seed in options.seeds:
                with tempfile.TemporaryDirectory() as place:
                    rows.append(measure(folder, model, seed, options, Path(place)))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
                found["median"] = {key: statistics.median(row[key] for row in rows) for key in ("ratio", "ratio_whole")}
                if options.json:
                    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
