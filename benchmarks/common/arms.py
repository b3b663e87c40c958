"""The arms of a comparison: each a command in a process of its own, with its own cache, on the same parts of data."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common import snapshots
from benchmarks.common.process import Done, python, run
from benchmarks.common.space import PLAIN, Config, Space, words

Row = dict[str, Any]
PEERS = {
    "ray-fair": "benchmarks.peers.ray_fair",
    "ray-naive": "benchmarks.peers.ray_naive",
    "optuna": "benchmarks.peers.optuna_hyperband",
}
OURS = ("autoft", "autoft-asha")
"""Of a list of configurations by autoft's own halving, and by Ray Tune's ASHA."""
ARMS = (*OURS, *PEERS)


class Setting(NamedTuple):
    """What all arms of one comparison share."""

    data: Path
    """Holds `train`, `test`, and `val` where it is given."""
    model: str
    size: int
    epochs: int
    seed: int
    workers: int
    space: Space
    wide: bool
    """autoft searches its own default space instead; the size of images and the epochs stay those of the setting."""
    configs: list[Config]
    """Configurations that all arms try; none lets each search by itself."""
    trials: int
    """Most trials of a peer that searches."""
    time: float
    """Seconds that each arm may take; 0 lets it come to its end."""
    augment: str
    precision: str


def compare(setting: Setting, name: str, place: Path, cache: str) -> Row:
    """Run one arm, then score what it had at each moment.

    Args:
        place: the arm's own folder; its cache stays there from run to run.
        cache: cold empties it beforehand.
    """
    if cache == "cold":
        shutil.rmtree(place / "cache", ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        arm = autoft if name in OURS else peer
        done, facts = arm(setting, name, place, Path(folder))
        trace = facts.pop("trace") if done.code == 0 else []
    row = {"arm": name, "cache": cache, "seed": setting.seed, "wall_s": done.wall, "cpu_s": done.cpu}
    return {**row, "cpu_by": done.cpu_by, "code": done.code, **facts, "trace": trace}


def autoft(setting: Setting, name: str, place: Path, folder: Path) -> tuple[Done, Row]:
    """`autoft search`: the strategy `auto`, or the listed configurations, with ASHA or halved."""
    command = python("autoft", *search_words(setting, folder, name), "--json", "-q")
    environment = {"AUTOFT_CACHE": str(place / "cache")}
    began = time.time()
    watch = snapshots.Watch(folder / "runs", folder / "snapshots", began)
    try:
        done = run(command, environment, place / "log.txt")
    finally:
        watch.stop()
    if done.code:
        return done, {}
    summary = json.loads(done.output)
    results = [json.loads(line) for line in (Path(summary["paths"]["run"]) / "trials.jsonl").open(encoding="utf-8")]
    facts = {
        "val": summary["best"]["score"],
        "test": round(summary["test"]["metrics"]["accuracy"], 4),
        "config": summary["best"]["recipe"],
        "trials": len(results),
        "epochs": sum(result["epochs"] for result in results),
        "failed": sum(result["status"] == "failed" for result in results),
        "cached": sum(shared(result) for result in results),
        "seconds": {key: round(value, 2) for key, value in summary["seconds"].items()},
        "ended": [round(result["ended"] - done.began, 2) for result in results],
    }
    score = python("benchmarks.common.snapshots", str(folder / "snapshots"), "--test", str(setting.data / "test"))
    return done, {**facts, "trace": scored(score, environment, place)}


def shared(result: Row) -> bool:
    """Whether a trial took its frozen blocks from the cache."""
    return any(words and not words.startswith("none") for words in (r.get("prefix", "") for r in result["history"]))


def search_words(setting: Setting, folder: Path, arm: str = "autoft") -> list[str]:
    """The words of the search; the budget of one that may come to its end is a day."""
    fixed = [f"image_size={setting.size}", f"epochs={setting.epochs}"]
    strategy = ["--strategy", "auto"]
    space = fixed if setting.wide else words(setting.space, setting.size, setting.epochs)
    if setting.configs:
        scheduler = "asha" if arm == "autoft-asha" else "halving"
        strategy = ["--configs", str(listed(setting.configs, folder)), "--scheduler", scheduler, "--no-refit"]
        space = [*fixed, *PLAIN]
    places = ["--data", str(setting.data), "--models", setting.model, "--out", str(folder / "runs")]
    limits = ["--time", f"{setting.time or 86400:g}s", "--concurrency", str(setting.workers)]
    return ["search", "--task", "image-cls", *places, *limits, "--seed", str(setting.seed), *strategy, *space]


def listed(configs: Sequence[Config], folder: Path) -> Path:
    """The file that holds the configurations."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "configs.json"
    path.write_text(json.dumps(configs), encoding="utf-8")
    return path


def peer(setting: Setting, name: str, place: Path, folder: Path) -> tuple[Done, Row]:
    """One of the scripts in `benchmarks/peers`."""
    shared = {
        "data": setting.data,
        "model": setting.model,
        "size": setting.size,
        "epochs": setting.epochs,
        "seed": setting.seed,
        "cache": place / "cache",
        "snapshots": folder / "snapshots",
        "augment": setting.augment,
        "precision": setting.precision,
        "workers": setting.workers,
    }
    flags = [word for key, value in shared.items() for word in (f"--{key}", str(value))]
    own = ["--space", json.dumps(setting.space._asdict()), "--trials", str(setting.trials), "--time", str(setting.time)]
    if setting.configs:
        own += ["--configs", str(listed(setting.configs, folder))]
    done = run(python(PEERS[name], *flags, *own), None, place / "log.txt")
    if done.code:
        return done, {}
    facts = json.loads(done.output.splitlines()[-1])
    return done, {**facts, "trace": scored(python("benchmarks.peers.loop", *flags), {}, place)}


def scored(command: list[str], environment: dict[str, str], place: Path) -> list[Row]:
    """The trace of an arm that is over, with the accuracy of each model on the test part."""
    done = run(command, environment, place / "log.txt")
    if done.code:
        raise SystemExit(f"the trace could not be scored: {(place / 'log.txt').read_text(encoding='utf-8')[-3000:]}")
    rows: list[Row] = json.loads(done.output)
    return rows
