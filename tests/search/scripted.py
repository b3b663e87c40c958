"""Trials that do as their parameters say, so that Ray can be watched at work: see `do` in `Scripted.step`."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoft.api import EpochReport, ModelCard, Output, Problem, Recipe, TrialFailed
from autoft.gpus import VISIBLE
from autoft.records import Caching, DataRef, Metric, Schema, TrialResult, TrialSpec
from autoft.version import API_VERSION

TARGET = f"{__name__}:Scripted"
KEPT: list[bytes] = []
CARD = ModelCard(name="scripted", backend="none", modality="image")
OUTPUT = Output(name="label", head="pooled", size=2, loss="cross_entropy", post="softmax", target="label")


def tell(place: str) -> None:
    """Write what an environment variable says."""
    Path(place).write_text(os.environ.get("AUTOFT_TOLD", ""))


def tell_set_aside(place: str) -> None:
    """Objects in which Python looks for no cycles, and those in which it does."""
    Path(place).write_text(f"{gc.get_freeze_count()} {len(gc.get_objects())}", encoding="utf-8")


def tell_gpus(place: str) -> None:
    """Write which GPUs this process sees."""
    Path(place).write_text(str(os.environ.get(VISIBLE)))


class Scripted:
    """Its score rises by lr with each epoch. What it does is noted in the file that its spec calls the store."""

    def __init__(self, spec: TrialSpec) -> None:
        self.spec = spec
        self.epoch = 0
        self.skill = 0.0
        self.note("begun")

    def step(self) -> EpochReport:
        recipe, self.epoch = self.spec.recipe, self.epoch + 1
        extra = recipe.extra
        time.sleep(float(extra.get("pause", 0.0)))
        if self.epoch == int(extra.get("at", 1)):
            self.act(str(extra.get("do", "")), extra)
        self.skill += recipe.lr
        self.note("stepped")
        done = "all epochs done" if self.epoch >= recipe.epochs else ""
        return EpochReport(
            epoch=self.epoch,
            score=self.skill,
            metrics={"accuracy": self.skill},
            train_loss=1.0,
            seconds=float(self.epoch),
            done=done,
        )

    def act(self, what: str, extra: dict[str, Any]) -> None:
        print(extra.get("say", ""), file=sys.stderr, flush=True)
        match what:
            case "raise":
                raise ZeroDivisionError("a bug in a backend")
            case "fail":
                raise TrialFailed("the training loss must be finite, but it is nan.", "Try a lower lr.")
            case "die":
                os._exit(7)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "die once" if self.note("died") == 1:
                os._exit(7)
            case "gather":
                until = time.time() + 100
                while len({row["number"] for row in noted(Path(self.spec.data.store))}) < int(extra["of"]):
                    assert time.time() < until, "the others never began"
                    time.sleep(0.05)
            case "grow":
                KEPT.append(b"x" * int(extra.get("bytes", 3_200_000_000)))

    def note(self, what: str) -> int:
        """Add a line to the log; returns how many of this trial say the same."""
        path = Path(self.spec.data.store)
        line = {"number": self.spec.number, "what": what, "pid": os.getpid(), "epoch": self.epoch, "at": time.time()}
        line["gpus"] = os.environ.get(VISIBLE)
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return sum(row["what"] == what and row["number"] == self.spec.number for row in noted(path))

    def save_state(self, folder: Path) -> None:
        (folder / "state.json").write_text(json.dumps([self.epoch, self.skill]))

    def load_state(self, folder: Path) -> None:
        self.epoch, self.skill = json.loads((folder / "state.json").read_text())
        self.note("resumed")


class Torn(Scripted):
    """Loses its process in the middle of its second save."""

    def save_state(self, folder: Path) -> None:
        if self.note("saving") == 2:
            (folder / "state.json").write_text("[2, ")
            os._exit(7)
        super().save_state(folder)


class Sided(Scripted):
    """Can train beside others. In the recipe of the first one, warmup 0.1 to 0.4 says what goes wrong: see `Side`."""

    def together(self, specs: Sequence[TrialSpec]) -> Side | str:
        return "not today" if self.spec.recipe.warmup == REFUSES else Side([Scripted(spec) for spec in specs])


REFUSES, DIES, BREAKS, FAILS = 0.1, 0.2, 0.3, 0.4


class Side:
    """Tells of each epoch at once. In its second one it may lose its process, break, or lose its first trial."""

    def __init__(self, trials: list[Scripted]) -> None:
        self.trials = trials
        self.way = trials[0].spec.recipe.warmup

    def step(self) -> list[tuple[int, EpochReport | TrialFailed]]:
        if self.trials[0].epoch == 1 and self.way == DIES:
            os._exit(7)
        if self.trials[0].epoch == 1 and self.way == BREAKS:
            raise ZeroDivisionError("a bug in the bank")
        news: list[tuple[int, EpochReport | TrialFailed]] = []
        if self.trials[0].epoch == 1 and self.way == FAILS:
            news.append((self.trials.pop(0).spec.number, TrialFailed("its loss is nan.")))
            self.way = 0.0
        news += [(trial.spec.number, trial.step()) for trial in self.trials]
        self.trials = [trial for trial in self.trials if trial.epoch < trial.spec.recipe.epochs]
        return news


def noted(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Listed:
    """A searcher that proposes a list, once."""

    def __init__(self, proposals: list[dict[str, Any]]) -> None:
        self.proposals = proposals
        self.told: dict[int, tuple[float | None, list[float]]] = {}

    def ask(self, number: int) -> dict[str, Any] | None:
        return self.proposals[number] if number < len(self.proposals) else None

    def tell(self, number: int, score: float | None, history: Any) -> None:
        assert number not in self.told, "each trial is told of once"
        self.told[number] = (score, list(history))


class Seen:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.started_: list[int] = []
        self.reports: list[tuple[int, EpochReport]] = []
        self.results: list[TrialResult] = []

    def started(self, spec: TrialSpec) -> None:
        self.started_.append(spec.number)

    def reported(self, number: int, report: EpochReport) -> None:
        self.reports.append((number, report))

    def ended(self, result: TrialResult) -> None:
        self.results.append(result)

    def __getitem__(self, number: int) -> TrialResult:
        return next(result for result in self.results if result.number == number)


def spec_in(folder: Path, number: int, params: dict[str, Any], metric: Metric) -> TrialSpec:
    """A spec whose trial logs to `folder/log` and keeps its model in `folder/trials`."""
    place = DataRef(store=str(folder / "log"), fingerprint="", dataset="", splits="")
    return TrialSpec(
        api=API_VERSION,
        number=number,
        task="none",
        backend="none",
        card=CARD,
        problem=Problem(name="none", inputs=("image",), outputs=(OUTPUT,)),
        schema=Schema(task="none"),
        recipe=Recipe.of({"model": "scripted", **params}),
        data=place,
        metric=metric,
        seed=0,
        folder=str(folder / "trials" / f"t{number:04d}"),
        caching=Caching(freezes=(1.0,), max_bytes=10**9),
    )


def add(one: int, other: int) -> int:
    """For `ray.call`."""
    time.sleep(0.05 * one)  # the first of several ends last
    return one + other


def process_id() -> int:
    return os.getpid()


def refuse(text: str) -> None:
    raise TrialFailed(text, "a hint")


def divide(one: int, other: int) -> float:
    return one / other


def linger(seconds: float) -> None:
    time.sleep(seconds)


def die() -> None:
    os._exit(7)
