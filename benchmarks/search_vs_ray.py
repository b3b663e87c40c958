"""Whole searches beside what users write by hand: Ray Tune with ASHA, fair and naive, and Optuna with Hyperband.

    python -m benchmarks.search_vs_ray DATA... --models autoft/resnet-s CHECKPOINT --seeds 0 1 2 --json out.json
    python -m benchmarks.search_vs_ray DATA... --configs 64            # all arms try the same configurations (S2)
    python -m benchmarks.search_vs_ray DATA... --configs 64 --space head
    python -m benchmarks.search_vs_ray DATA... --time 10m --trials 0   # accuracy at equal wall time (S8)

DATA is a folder of class folders, or of parts that hold them (see `common/parts.py`; `melfolders.py` makes one of
sounds). Each arm is a command in a process of its own, with two workers of one thread, on the same training, validation
and test files, the same image size, weights, mean and deviation, and at most the same epochs. What is measured is the
command from start to end, the last scoring on the test part included; wall and CPU time of all its processes (see
`common/process.py`). With a cold cache each arm begins with an empty folder; with a warm one it runs once more with
what it left there itself (a peer keeps decoded images, autoft those and activations). The system's file cache is warm
for all. Arms take turns within one run, the order rotating by seed; compare ratios, not seconds.

Without --configs autoft runs `--strategy auto` and each peer searches the five parameters of `common/space.py` by
itself: as many trials as --trials says, within --time. autoft searches the same (`--space same`), or its own default
space with augmentation (`--space full`); the peers then mirror images at random (--augment flip).

With --configs N all arms try the same N configurations, drawn once from the seed (the head alone and four partly
frozen depths): autoft with `--configs`, by its own halving without Ray, heads side by side; the fair peer under ASHA
with its first rung at 2 epochs and a reduction of 3; the naive one with Ray's defaults. The arm `autoft-asha` is
autoft under the fair peer's ASHA. autoft never stops its first trial, which costs it up to one full run. Heads start
from other draws and samples come in another order than with the peers, so single trials differ.

Nor does it train once more on all samples then, as it does by default (`--no-refit`): the peers do not either.

`trace` is what each arm could have given at each moment: seconds since its start, validation score of its best model by
then, and that model's accuracy on the test part, scored afterwards. In `summary`, per data set and network:
`wall_ratio`, a peer's wall time by autoft's (S2), `test_gap`, autoft's accuracy minus the peer's in points, `at`, test
accuracy of what each arm had at 30 s, 2 min and 10 min, as far as the run goes (S8), and `reached`, the time at which
autoft had a model as good on the test part as the peer's final one, as a part of the peer's wall time (S9; None is
never).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autoft.options import seconds
from benchmarks.common import space
from benchmarks.common.arms import ARMS, OURS, Setting, compare
from benchmarks.common.machine import machine, name_of
from benchmarks.common.parts import divide

Row = dict[str, Any]
SAME = ("data", "model", "cache")
POINTS = (30.0, 120.0, 600.0)
"""Seconds at which accuracies are compared."""


def measure(options: argparse.Namespace, out: Path) -> Iterator[Row]:
    """One row per data set, network, seed, cache and arm."""
    for folder in options.data:
        for model in options.models:
            for turn, seed in enumerate(options.seeds):
                place = out / f"{folder.name}-{turn}-{options.models.index(model)}"
                setting = prepare(options, folder, model, seed, place / "data")
                order = options.arms[turn % len(options.arms) :] + options.arms[: turn % len(options.arms)]
                for cache in options.cache:
                    for arm in order:
                        row = {"data": folder.name, "model": name_of(model)}
                        row |= compare(setting, arm, place / arm, cache)
                        if row["code"]:
                            log = (place / arm / "log.txt").read_text(encoding="utf-8", errors="replace")
                            print(log[-3000:], file=sys.stderr)
                        yield row


def prepare(options: argparse.Namespace, folder: Path, model: str, seed: int, place: Path) -> Setting:
    """The setting of one seed, with its data laid out."""
    parts = divide(folder, seed, place, val=options.val == "given")
    depths = (1.0,) if options.space == "head" else space.DEPTHS if options.configs else space.FREE
    whole = space.space(model, tuple(options.depths or depths), parts.counts["train"])
    return Setting(
        data=parts.root,
        model=model if model.startswith("autoft/") else str(Path(model).resolve()),
        size=options.size,
        epochs=options.epochs,
        seed=seed,
        workers=options.workers,
        space=whole,
        wide=options.space == "full" and not options.configs,
        configs=space.draw(whole, options.configs, seed),
        trials=options.trials,
        time=seconds(options.time) if options.time else 0.0,
        augment=options.augment,
        precision=options.precision,
    )


def summary(rows: Sequence[Row]) -> list[Row]:
    """autoft against each peer, over the seeds of one data set, network and state of the cache."""
    good = [row for row in rows if not row["code"]]
    pairs: dict[tuple[str, ...], list[tuple[Row, Row]]] = {}
    for ours in good:
        for theirs in good:
            alike = all(ours[key] == theirs[key] for key in (*SAME, "seed"))
            if alike and ours["arm"] in OURS and theirs["arm"] not in OURS:
                key = (*(ours[key] for key in SAME), ours["arm"], theirs["arm"])
                pairs.setdefault(key, []).append((ours, theirs))
    return [{**dict(zip((*SAME, "arm", "peer"), key, strict=True)), **against(some)} for key, some in pairs.items()]


def against(pairs: Sequence[tuple[Row, Row]]) -> Row:
    """Of runs of autoft and of one peer with the same seeds."""
    gaps = [100 * (ours["test"] - theirs["test"]) for ours, theirs in pairs]
    at = {}
    for point in POINTS:
        both = [(had(ours, point), had(theirs, point)) for ours, theirs in pairs]
        if all(theirs["wall_s"] >= point or ours["wall_s"] >= point for ours, theirs in pairs):
            at[f"{point:g} s"] = {"autoft": mean([a for a, _ in both]), "peer": mean([b for _, b in both])}
    reached = [reach(ours, theirs["test"]) for ours, theirs in pairs]
    return {
        "seeds": len(pairs),
        "wall_ratio": round(statistics.median(theirs["wall_s"] / ours["wall_s"] for ours, theirs in pairs), 2),
        "cpu_ratio": round(statistics.median(theirs["cpu_s"] / ours["cpu_s"] for ours, theirs in pairs), 2),
        "test": {"autoft": mean([ours["test"] for ours, _ in pairs]), "peer": mean([p["test"] for _, p in pairs])},
        "test_gap": round(statistics.mean(gaps), 2),
        "test_gap_error": round(statistics.stdev(gaps) / len(gaps) ** 0.5, 2) if len(gaps) > 1 else None,
        "at": at,
        "reached_s": reached,
        "reached": [
            round(moment / theirs["wall_s"], 4) if moment is not None else None
            for moment, (_, theirs) in zip(reached, pairs, strict=True)
        ],
    }


def had(row: Row, moment: float) -> float:
    """Accuracy on the test part of the best model by validation at this moment; 0 where there was none yet."""
    return max((float(r["t"]), float(r["test"])) for r in [{"t": 0, "test": 0}, *row["trace"]] if r["t"] <= moment)[1]


def reach(row: Row, goal: float) -> float | None:
    """Seconds until the best model by validation was as good as `goal` on the test part."""
    return next((float(r["t"]) for r in row["trace"] if r["test"] >= goal - 1e-9), None)


def mean(values: Sequence[float]) -> float:
    return round(statistics.mean(values), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", default=["autoft/resnet-s"], help="bundled, or a folder saved by timm")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=["autoft", "ray-fair"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--cache", nargs="+", choices=("cold", "warm"), default=["cold"], help="warm needs cold before")
    parser.add_argument("--configs", type=int, default=0, help="all arms try so many configurations")
    parser.add_argument("--space", choices=("same", "full", "head"), default="same")
    parser.add_argument("--depths", nargs="+", type=float, help="freeze depths in place of the usual ones")
    parser.add_argument("--trials", type=int, default=64, help="of a peer that searches by itself; 0 fills the time")
    parser.add_argument("--time", default="", help="budget of each arm, such as 10m; a peer without one ends by itself")
    parser.add_argument("--size", type=int, default=96, help="side of the images in pixels")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--augment", choices=("none", "flip"), default="none", help="of the peers")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of the peers")
    parser.add_argument("--val", choices=("given", "own"), default="given", help="own: autoft draws validation itself")
    parser.add_argument("--json", type=Path, help="write the numbers here too, after every arm")
    options = parser.parse_args()
    if "autoft-asha" in options.arms and not options.configs:
        parser.error("autoft-asha needs a list of configurations: --configs N")
    if options.val == "own" and options.arms != ["autoft"]:
        parser.error("peers need validation files: --val own goes with --arms autoft alone")
    found: Row = {"benchmark": "search_vs_ray", "options": said(options), "machine": machine(), "rows": []}
    with tempfile.TemporaryDirectory() as out:
        for row in measure(options, Path(out)):
            found["rows"].append(row)
            found["summary"] = summary(found["rows"])
            print(json.dumps({key: row.get(key) for key in BRIEF}), file=sys.stderr, flush=True)
            if options.json:
                options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


BRIEF = ("data", "model", "arm", "cache", "seed", "wall_s", "cpu_s", "trials", "epochs", "val", "test", "code")


def said(options: argparse.Namespace) -> Row:
    """The options, without places on this machine."""
    values = {key: value for key, value in vars(options).items() if key != "json"}
    return {**values, "data": [p.name for p in options.data], "models": [name_of(m) for m in options.models]}


if __name__ == "__main__":
    main()
