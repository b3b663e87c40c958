"""Heads that train by steps on kept features: one piece of work of a strategy, its heads side by side or one by one.

    python benchmarks/heads.py --heads 64 --epochs 20 --rows 300 --json heads.json

The ImageNet checkpoint is found by AUTOFT_SHARED or in ../shared (1280 features a row); where it is absent the bundled
network takes its place. All that a search does around a trial is in it: orders become specs, a worker process is asked
through `Host` and `Shift`, events go through JSON to a `Crew`, every result is appended to `trials.jsonl` and every
model is kept or pruned. Ray alone is left out. Importing the framework and extracting the features are paid by a
trial that runs first, and shown apart.

* `cpu_s` is processor time of driver and worker, `wall_s` the wall time. `messages` counts what Ray would have carried.
* `alone` hands out `--alone` further heads one order at a time, so that each is a trial alone. `cpu_s_each` compares.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cache import networks
from msgspec.structs import replace

from autoft.api import Recipe
from autoft.data import store
from autoft.records import Caching, DataRef, Fold, Metric, Splits, TrialSpec, from_json, to_json
from autoft.run import RunWriter
from autoft.search.crew import Crew
from autoft.search.host import Host
from autoft.search.settings import Settings
from autoft.search.shift import Leg, Shift
from autoft.search.strategy import Closed, Order, Work
from autoft.testing import ToyTask, toys
from autoft.version import API_VERSION

METRIC = Metric(name="accuracy")


class Listed:
    """A strategy that hands out what it was given."""

    def __init__(self, works: Sequence[Work]) -> None:
        self.works = list(works)

    def next(self) -> Work | None:
        return self.works.pop(0) if self.works else None

    def over(self) -> str:
        return "" if self.works else "all is done"

    def reported(self, number: int, report: Any) -> None: ...

    def paused(self, number: int) -> None: ...

    def ended(self, result: Any) -> None: ...

    def closed(self) -> Sequence[Closed]:
        return ()


class Keeper:
    """Writes results as a search does."""

    def __init__(self, folder: Path) -> None:
        self.writer = RunWriter(folder, METRIC)
        self.reports = 0

    def started(self, spec: TrialSpec) -> None: ...

    def reported(self, number: int, report: Any) -> None:
        self.reports += 1

    def ended(self, result: Any) -> None:
        if result.status != "finished":
            raise RuntimeError(f"trial {result.number} failed: {result.reason}\n{result.traceback}")
        self.writer.add(result)


def data(folder: Path, rows: int, size: int) -> tuple[DataRef, Any]:
    """Small pictures, relabelled by chance to 10 classes: `rows` of them to train on, a fifth as many to validate."""
    dataset = toys.dataset(folder / "images", per_class=-(-rows * 6 // 20), size=size)
    labelled = [
        replace(sample, fields={**sample.fields, "label": f"class {number % 10}"})
        for number, sample in enumerate(dataset.samples)
    ]
    dataset = replace(dataset, samples=tuple(labelled))
    digests = [hashlib.sha256(Path(sample.fields["image"]).read_bytes()).hexdigest() for sample in labelled]
    made, _ = store.build(dataset, digests, *toys.pictures(size), folder / "store", workers=1)
    ids = [sample.id for sample in labelled]
    random.Random(0).shuffle(ids)
    fold = Fold(train=tuple(ids[:rows]), val=tuple(ids[rows : rows + rows // 5]))
    splits = Splits(seed=0, kind="given", sentence="", folds=(fold,), test=())
    (folder / "dataset.json").write_text(to_json(dataset))
    (folder / "splits.json").write_text(to_json(splits))
    names = {"dataset": str(folder / "dataset.json"), "splits": str(folder / "splits.json")}
    return DataRef(store=str(made.folder), fingerprint=made.fingerprint, **names), dataset


def drawn(number: int, epochs: int) -> dict[str, Any]:
    generator = random.Random(number)
    word = generator.choice(["adamw", "adamw", "adam", "sgd"])
    return {
        "optimizer": word,
        "lr": 10 ** generator.uniform(-4, -2) * (10 if word == "sgd" else 1),
        "weight_decay": 10 ** generator.uniform(-5, -1),
        "label_smoothing": generator.choice([0.0, 0.1]),
        "epochs": epochs,
        "patience": 0,
    }


def measure(folder: Path, make: Any, host: Host, works: Sequence[Work]) -> dict[str, float]:
    """Carry out pieces of work; processor time of this process and of the one that trains."""
    keeper = Keeper(folder)
    settings = Settings(metric=METRIC, folder=str(folder / "ray"))
    crew, messages = Crew(settings, Listed(works), make, keeper), 0
    began, before = time.perf_counter(), spent(host)
    while (config := crew.next()) is not None:
        shift = Shift(host, settings.target, from_json(config["trial"]["legs"], list[Leg]))
        while not shift.over:
            crew.told(config["trial"]["number"], {"events": to_json(shift.work())})
            messages += 1
        crew.completed(config["trial"]["number"], {})
    found = {"wall_s": time.perf_counter() - began, "cpu_s": spent(host) - before, "messages": messages}
    return {**found, "reports": keeper.reports, "trials": len(keeper.writer.results)}


def spent(host: Host) -> float:
    """Processor seconds of this process and of the host's."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ticks = 0
    for worker in host._workers.values():
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return own.ru_utime + own.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    name, card, size = list(networks())[-1]
    (folder / "run").mkdir()
    ref, dataset = data(folder, options.rows, size)
    task = ToyTask()
    schema = task.schema(dataset)

    def make(number: int, params: dict[str, Any]) -> TrialSpec:
        plain = {"model": card.name, "freeze": 1.0, "augment": "none", "batch_size": 32, "precision": "fp32"}
        return TrialSpec(
            api=API_VERSION,
            number=number,
            task=task.name,
            backend=card.backend,
            card=card,
            problem=task.formulations(schema)[0],
            schema=schema,
            recipe=Recipe.of({**plain, **params}),
            data=ref,
            metric=METRIC,
            seed=0,
            folder=str(folder / "run" / "trials" / f"t{number:04d}"),
            caching=Caching(freezes=(1.0,), max_bytes=10**9),
        )

    def orders(first: int, count: int) -> list[Order]:
        return [Order(first + n, drawn(n, options.epochs)) for n in range(count)]

    host, found = Host(), dict[str, Any]()
    try:
        found["first"] = measure(folder / "run", make, host, [Work((Order(0, {"epochs": 1}),))])
        found["together"] = measure(folder / "run", make, host, [Work(tuple(orders(1, options.heads)))])
        alone = [Work((order,)) for order in orders(1 + options.heads, options.alone)]
        found["alone"] = measure(folder / "run", make, host, alone)
    finally:
        host.close()
    each = {key: found[key]["cpu_s"] / found[key]["trials"] for key in ("together", "alone")}
    settings = {"network": name, "rows": options.rows, "heads": options.heads, "epochs": options.epochs}
    return {**settings, **found, "cpu_s_each": each, "times": each["alone"] / each["together"], "load": os.getloadavg()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--alone", type=int, default=8)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUTOFT_CACHE"] = str(Path(folder) / "cache")
        os.environ["AUTOFT_PLUGINS"] = "autoft.testing.plugin"  # for the task; the worker takes it over
        text = json.dumps(run(options, Path(folder)), indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
