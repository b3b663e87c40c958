"""The same configuration on PyTorch and on Keras: how accurate, and how quick?

    python benchmarks/parity.py --parts speed accuracy --json parity.json

Both train the bundled network, with one thread each, each in a process of its own. They take turns job by job in one
run, so that whatever else the machine does falls on both.

* speed: training images per second on made images, by wall clock and by CPU time, the best and the median of the
  rounds; and `start`, the seconds of an epoch of one batch in a new learner beyond those of a usual step: what
  compiling costs. `ratio` is torch's CPU time over Keras': below 1, Keras is slower.
* accuracy: of a fixed recipe on the image folders of ../shared/data (or AUTOFT_SHARED) and on scikit-learn's digits,
  after the last epoch, for several seeds. A seed draws order, head and augmentation, and the split (one fifth for
  testing) where none is given. `noise` is twice the standard error of the paired differences.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoft.api import Job, ModelCard, Output, Problem, Recipe

Array = np.ndarray[Any, np.dtype[Any]]
Row = dict[str, Any]

BACKENDS = {
    "torch": ("autoft_torch.backend:TorchBackend", "autoft_torch.sources:AutoftSource"),
    "keras": ("autoft_keras.backend:KerasBackend", "autoft_keras.sources:AutoftSource"),
}
SHARED = Path(os.environ.get("AUTOFT_SHARED") or Path(__file__).parents[2] / "shared")
#: Folder -> its parts for training and testing (none: drawn by the seed), side in pixels, epochs.
FOLDERS: dict[str, tuple[tuple[str, str] | None, int, int]] = {
    "imgcls__hymenoptera": (("train", "val"), 64, 10),
    "imgcls__sign_language_digits": (None, 64, 8),
    "imgcls__cifar10_mini": (("train", "test"), 32, 6),
}
RECIPES: dict[str, Row] = {
    "all trained": {},
    "all trained, light": {"augment": "light"},
    "half frozen": {"freeze": 0.5},
    "head alone": {"freeze": 1.0},
}
#: Of the speed part: images in an epoch, and images in a step.
COUNT, BATCH = 320, 32


class Data(NamedTuple):
    """One division of a data set."""

    train: dict[str, Array]
    test: dict[str, Array]


class Feed:
    """Arrays in memory, as a `Feed`."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return len(self.arrays["label"])

    def batch(self, index: Array) -> dict[str, Array]:
        return {key: values[index] for key, values in self.arrays.items()}


# ---- one backend, in its own process ----------------------------------------------------------------


class Worker:
    """Answers orders, one line of JSON each, on standard input."""

    def __init__(self, backend: str) -> None:
        self.backend, source = (imported(target)() for target in BACKENDS[backend])
        self.card: ModelCard = source.catalogue()[0]
        self.learners: dict[str, Any] = {}

    def job(self, classes: int, side: int, seed: int, recipe: Row) -> Job:
        output = Output(name="class", head="pooled", size=classes, loss="cross_entropy", post="softmax", target="label")
        plain = {"augment": "none", "batch_size": BATCH, "precision": "fp32"}
        return Job(
            card=self.card,
            problem=Problem(name="classification", inputs=("image",), outputs=(output,)),
            recipe=Recipe.of({**plain, **recipe}),
            image_size=side,
            seed=seed,
        )

    def speed(self, side: int, recipe: str) -> Row:
        """One epoch; the first call with these words builds a learner and warms it up."""
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (COUNT, side, side, 3), np.uint8)
        feed = Feed({"image": images, "label": rng.integers(0, 10, COUNT)})
        found: Row = {}
        key = f"{side} {recipe}"
        if key not in self.learners:
            learner = self.backend.build(self.job(10, side, 0, RECIPES[recipe]))
            one = Feed({name: values[:BATCH] for name, values in feed.arrays.items()})
            (_, first), (_, second) = (timed(lambda: learner.train_epoch(one, 1, lambda: False)) for _ in range(2))
            found["start"] = first - second
            self.learners[key] = learner
        learner = self.learners[key]
        wall, cpu = timed(lambda: learner.train_epoch(feed, 1, lambda: False))
        return {**found, "wall": wall, "cpu": cpu}

    def accuracy(self, name: str, seed: int) -> Row:
        data = load(name, seed)
        side, epochs = (FOLDERS[name][1:]) if name in FOLDERS else (32, 6)
        classes = int(data.train["label"].max()) + 1
        learner = self.backend.build(self.job(classes, side, seed, {"augment": "light", "epochs": epochs}))
        losses = [learner.train_epoch(Feed(data.train), n, lambda: False).loss for n in range(1, epochs + 1)]
        chosen = learner.predict(Feed(data.test))["class"].argmax(-1)
        return {"accuracy": float((chosen == data.test["label"]).mean()), "loss": losses[-1]}


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by the clock and of the CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def imported(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def serve(backend: str) -> None:
    worker = Worker(backend)
    for line in sys.stdin:
        order = json.loads(line)
        answer = getattr(worker, order.pop("part"))(**order)
        print("answer " + json.dumps(answer), flush=True)


# ---- data -------------------------------------------------------------------------------------------


def load(name: str, seed: int) -> Data:
    if name == "digits":
        from sklearn.datasets import load_digits

        scans = load_digits()
        images = np.rint(scans.images * (255 / 16)).astype(np.uint8)
        return divided(np.repeat(images[..., None], 3, -1), scans.target, seed)
    parts, side, _ = FOLDERS[name]
    folder = SHARED / "data" / name
    if parts is None:
        return divided(*pictures(folder, side), seed)
    found = [dict(zip(("image", "label"), pictures(folder / part, side), strict=True)) for part in parts]
    return Data(*found)


def divided(images: Array, labels: Array, seed: int) -> Data:
    """A fifth of each class for testing."""
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    test = np.concatenate([some[: len(some) // 5] for some in rows])
    train = np.concatenate([some[len(some) // 5 :] for some in rows])
    return Data(*({"image": images[part], "label": labels[part]} for part in (train, test)))


def pictures(folder: Path, side: int) -> tuple[Array, Array]:
    """The images of class folders, resized, and their classes."""
    from PIL import Image

    files = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    classes = {name: number for number, name in enumerate(sorted({path.parent.name for path in files}))}
    size = (side, side)
    images = [np.asarray(Image.open(path).convert("RGB").resize(size, Image.Resampling.BILINEAR)) for path in files]
    return np.stack(images), np.array([classes[path.parent.name] for path in files])


# ---- both side by side ------------------------------------------------------------------------------


class Pair:
    """The processes of both backends."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self.processes = {
            name: subprocess.Popen(
                [sys.executable, __file__, "--serve", name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for name in BACKENDS
        }

    def ask(self, part: str, **order: Any) -> dict[str, Row]:
        """The answers of both, one after the other."""
        return {name: self._one(name, {"part": part, **order}) for name in self.processes}

    def _one(self, name: str, order: Row) -> Row:
        process = self.processes[name]
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith("answer "):
                answer: Row = json.loads(line.removeprefix("answer "))
                return answer
        raise RuntimeError(f"the process of {name} ended: see its error above")

    def close(self) -> None:
        for process in self.processes.values():
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def measure_speed(pair: Pair, sides: list[int], rounds: int) -> list[Row]:
    rows = []
    for side in sides:
        for recipe in RECIPES:
            seen = [pair.ask("speed", side=side, recipe=recipe) for _ in range(rounds)]
            row: Row = {"side": side, "recipe": recipe}
            for name in BACKENDS:
                row[name] = {"start": round(seen[0][name]["start"], 2)}
                for clock in ("wall", "cpu"):
                    speeds = [COUNT / turn[name][clock] for turn in seen]
                    row[name][clock] = {"best": round(max(speeds)), "median": round(statistics.median(speeds))}
            row["ratio"] = round(row["keras"]["cpu"]["best"] / row["torch"]["cpu"]["best"], 2)
            print(json.dumps(row), file=sys.stderr, flush=True)
            rows.append(row)
    return rows


def measure_accuracy(pair: Pair, names: list[str], seeds: int) -> list[Row]:
    rows = []
    for name in names:
        seen = [pair.ask("accuracy", name=name, seed=seed) for seed in range(seeds)]
        row: Row = {"data": name}
        for backend in BACKENDS:
            values = [turn[backend]["accuracy"] for turn in seen]
            row[backend] = {"mean": round(statistics.mean(values), 4), "values": [round(v, 4) for v in values]}
        gaps = [turn["keras"]["accuracy"] - turn["torch"]["accuracy"] for turn in seen]
        row["keras - torch"] = round(statistics.mean(gaps), 4)
        if seeds > 1:
            row["noise"] = round(2 * statistics.stdev(gaps) / seeds**0.5, 4)
            row["within noise"] = abs(row["keras - torch"]) <= row["noise"]
        print(json.dumps(row), file=sys.stderr, flush=True)
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=("speed", "accuracy"), default=["speed", "accuracy"])
    parser.add_argument("--sides", nargs="+", type=int, default=[64, 96], help="pixels, of the speed part")
    parser.add_argument("--rounds", type=int, default=5, help="turns of the speed part")
    parser.add_argument("--seeds", type=int, default=5, help="of the accuracy part")
    parser.add_argument("--data", nargs="+", default=["digits", *FOLDERS], help="of the accuracy part")
    parser.add_argument("--json", type=Path, help="file to write; the default is standard output")
    parser.add_argument("--serve", choices=tuple(BACKENDS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
    found: Row = {"benchmark": "parity", "machine": machine}
    pair = Pair()
    try:
        if "speed" in options.parts:
            found["speed"] = measure_speed(pair, options.sides, options.rounds)
        if "accuracy" in options.parts:
            here = [name for name in options.data if name == "digits" or (SHARED / "data" / name).is_dir()]
            found["accuracy"] = measure_accuracy(pair, here, options.seeds)
    finally:
        pair.close()
    text = json.dumps(found, indent=2)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
