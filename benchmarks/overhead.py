"""What autoft adds to a trial: 100 trials that do nothing, by autoft on one machine, by autoft on Ray, and by bare Ray
Tune, in turn, in one process.

    python benchmarks/overhead.py --trials 100 --rounds 5 --json overhead.json

`local` is what a search on one machine does, without Ray. The other three run on the same Ray, with the same resources
per trial, concurrency, environment and number of reports, no scheduler, and an actor that is reused. `cluster` is what
autoft's own strategies do there, `scheduled` what a search under one of Ray's schedulers does; `ray`, bare Ray Tune, is
a class trainable with `reset_config`, its quickest form. autoft does all that a search does around a trial: it draws
from the default space, makes a `TrialSpec`, sends it as JSON, rebuilds it in the worker, and appends every result to
`trials.jsonl` (fsynced). Its trial does no work.

`ms` is wall time of a whole arm per trial, starting processes included; `steady_ms` is the time between the ends of
trials once a fifth of them are over, which leaves the start out. `report_ms` is what one further report of each trial
adds to `steady_ms`, from a second run of the arm with `--more` of them. Only numbers of one run of this file compare.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from autoft.contracts import Searcher
from autoft.options import seconds
from autoft.recipe import Recipe
from autoft.records import (
    DataRef,
    EpochReport,
    Metric,
    ModelCard,
    Output,
    Problem,
    Schema,
    TrialResult,
    TrialSpec,
)
from autoft.run import RunWriter
from autoft.search import pool
from autoft.search import ray as autoft_ray
from autoft.search.crew import Crew
from autoft.search.defaults import default_space
from autoft.search.searchers import Random
from autoft.search.settings import Settings
from autoft.search.unscheduled import Unscheduled
from autoft.version import API_VERSION

HERE = Path(__file__).resolve().parent
tune = autoft_ray.tune  # from there, so that both arms run in the environment that autoft sets for Ray
CARD = ModelCard(name="bench/none", backend="none", modality="image")
METRIC = Metric(name="accuracy")
PROBLEM = Problem(
    name="classification",
    inputs=("image",),
    outputs=(Output(name="class", head="pooled", size=10, loss="cross_entropy", post="softmax", target="class"),),
)
Specs = Callable[[int, dict[str, Any]], TrialSpec]


class Arm(NamedTuple):
    """One arm of one round."""

    seconds: float
    ends: list[float]
    """When each trial ended, in seconds since the arm began."""

    def ms(self) -> float:
        return 1000 * self.seconds / len(self.ends)

    def steady_ms(self) -> float:
        first = len(self.ends) // 5
        return 1000 * (self.ends[-1] - self.ends[first]) / (len(self.ends) - 1 - first)


# ---- autoft -------------------------------------------------------------------------------------------------


class Keeper:
    """Writes results as a search does, and notes when they came."""

    def __init__(self, folder: Path) -> None:
        self.writer = RunWriter(folder, METRIC)
        self.began = time.perf_counter()
        self.ends: list[float] = []

    def started(self, spec: TrialSpec) -> None: ...

    def reported(self, number: int, report: EpochReport) -> None: ...

    def ended(self, result: TrialResult) -> None:
        if result.status == "failed":
            raise RuntimeError(f"trial {result.number} failed: {result.reason}")
        self.writer.add(msgspec.structs.replace(result, folder=""))  # it has kept no model
        self.ends.append(time.perf_counter() - self.began)


def strategy_arm(run: Callable[[Settings, Crew], bool], trials: int, reports: int, workers: int, folder: Path) -> Arm:
    settings, searcher, spec_of = search(trials, reports, workers, folder)
    keeper = Keeper(folder)
    run(settings, Crew(settings, Unscheduled(searcher, trials), spec_of, keeper))
    return Arm(time.perf_counter() - keeper.began, keeper.ends)


def scheduled_arm(trials: int, reports: int, workers: int, folder: Path) -> Arm:
    settings, searcher, spec_of = search(trials, reports, workers, folder)
    keeper = Keeper(folder)
    autoft_ray.run(settings, searcher, spec_of, keeper)
    return Arm(time.perf_counter() - keeper.began, keeper.ends)


def search(trials: int, reports: int, workers: int, folder: Path) -> tuple[Settings, Searcher, Specs]:
    """What all arms of autoft work through."""
    space = default_space([CARD], {CARD.name: (128,)}, "balanced", 1000)
    searcher = Random().start(space, METRIC.mode, seed=0)

    def spec_of(number: int, params: dict[str, Any]) -> TrialSpec:
        return TrialSpec(
            api=API_VERSION,
            number=number,
            task="image-cls",
            backend=CARD.backend,
            card=CARD,
            problem=PROBLEM,
            schema=Schema(task="image-cls", classes=tuple(f"class {n}" for n in range(10))),
            recipe=Recipe.of({**params, "epochs": reports}),
            data=DataRef(store="", fingerprint="", dataset="", splits=""),
            metric=METRIC,
            seed=number,
            folder=str(folder / "trials" / f"t{number:04d}"),
        )

    settings = Settings(
        metric=METRIC,
        folder=str(folder / "ray"),
        trials=trials,
        concurrency=workers,
        scheduler="none",
        epochs=reports,
        space=space,
        deadline=time.time() + seconds("1h"),
        target="notrial:NoTrial",
    )
    return settings, searcher, spec_of


# ---- bare Ray Tune --------------------------------------------------------------------------------------------


class Bare(tune.Trainable):
    """The same nothing, in Ray's own words."""

    def setup(self, config: dict[str, Any]) -> None:
        self.config = config
        self.epoch = 0

    def step(self) -> dict[str, Any]:
        self.epoch += 1
        return {"score": 0.5, "done": self.epoch == self.config["epochs"]}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.config = new_config
        self.epoch = 0
        return True


class Clock(tune.Callback):
    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.ends: list[float] = []

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.ends.append(time.perf_counter() - self.began)


def bare_arm(trials: int, reports: int, workers: int, folder: Path) -> Arm:
    clock = Clock()
    tune.Tuner(
        tune.with_resources(Bare, {"cpu": 1.0, "gpu": 0.0}),
        param_space={
            "epochs": reports,
            "optimizer": tune.choice(["adamw", "adam", "sgd"]),
            "lr": tune.loguniform(1e-4, 1e-2),
            "weight_decay": tune.loguniform(1e-5, 5e-2),
            "freeze": tune.choice([0.0, 0.25, 0.5, 0.75, 1.0]),
            "batch_size": tune.choice([16, 32, 64]),
            "dropout": tune.choice([0.0, 0.1, 0.2]),
            "augment": tune.choice(["none", "light", "trivial", "strong"]),
        },
        tune_config=tune.TuneConfig(
            metric="score", mode="max", num_samples=trials, max_concurrent_trials=workers, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(folder / "ray"),
            verbose=0,
            callbacks=[clock],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    ).fit()
    return Arm(time.perf_counter() - clock.began, clock.ends)


# ---- side by side -----------------------------------------------------------------------------------------------

ARMS: dict[str, Callable[[int, int, int, Path], Arm]] = {
    "local": partial(strategy_arm, pool.run),
    "cluster": partial(strategy_arm, autoft_ray.run_strategy),
    "scheduled": scheduled_arm,
    "ray": bare_arm,
}


class Round(NamedTuple):
    """One arm of one round, and once more with further reports."""

    arm: Arm
    report_ms: float


def measure(trials: int, reports: int, more: int, workers: int, rounds: int) -> dict[str, Any]:
    """All arms in turn, the order reversed every round, after one short warm-up of each."""
    found: dict[str, list[Round]] = {name: [] for name in ARMS}
    for turn in range(rounds + 1):
        for name in list(ARMS) if turn % 2 else list(reversed(ARMS)):
            if not turn:
                once(name, 4, reports, workers)
                continue
            arm = once(name, trials, reports, workers)
            longer = once(name, trials, reports + more, workers)
            found[name].append(Round(arm, (longer.steady_ms() - arm.steady_ms()) / more))
            print(
                f"round {turn} {name}: {arm.ms():.1f} ms, steady {arm.steady_ms():.1f} ms, "
                f"a report {found[name][-1].report_ms:.2f} ms",
                file=sys.stderr,
            )
    return summary(found, trials=trials, reports=reports, more=more, workers=workers)


def once(name: str, trials: int, reports: int, workers: int) -> Arm:
    with tempfile.TemporaryDirectory() as folder:
        arm = ARMS[name](trials, reports, workers, Path(folder))
    if len(arm.ends) != trials:
        raise RuntimeError(f"{name} ended {len(arm.ends)} of {trials} trials")
    return arm


def summary(found: dict[str, list[Round]], **settings: int) -> dict[str, Any]:
    """Medians over the rounds; a ratio to bare Ray Tune is the median of the ratios within a round."""
    arms = {name: facts(rounds) for name, rounds in found.items()}
    for name, rounds in found.items():
        pairs = list(zip(rounds, found["ray"], strict=True))
        arms[name]["ratio"] = statistics.median(ours.arm.ms() / bare.arm.ms() for ours, bare in pairs)
        arms[name]["steady_ratio"] = statistics.median(
            ours.arm.steady_ms() / bare.arm.steady_ms() for ours, bare in pairs
        )
    return {
        **settings,
        **arms,
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "versions": {name: version(name) for name in ("autoft", "ray", "msgspec")},
        "python": sys.version.split()[0],
    }


def facts(rounds: list[Round]) -> dict[str, Any]:
    return {
        "ms": statistics.median(one.arm.ms() for one in rounds),
        "ms_rounds": [round(one.arm.ms(), 2) for one in rounds],
        "steady_ms": statistics.median(one.arm.steady_ms() for one in rounds),
        "steady_ms_rounds": [round(one.arm.steady_ms(), 2) for one in rounds],
        "report_ms": statistics.median(one.report_ms for one in rounds),
        "report_ms_rounds": [round(one.report_ms, 2) for one in rounds],
        "first_s_rounds": [round(one.arm.ends[0], 2) for one in rounds],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--reports", type=int, default=1, help="reports per trial")
    parser.add_argument("--more", type=int, default=10, help="further reports per trial, to tell what one costs")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="trials at a time")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    options = parser.parse_args()
    sys.path.append(str(HERE))  # that of processes below this one
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")]))
    autoft_ray.start(cpus=options.workers)
    try:
        numbers = measure(options.trials, options.reports, options.more, options.workers, options.rounds)
    finally:
        autoft_ray.stop()
    text = json.dumps(numbers, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
