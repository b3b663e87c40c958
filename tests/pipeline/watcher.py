"""Plugins for the tests of the pipeline: one that watches and adds a parameter, and backends that fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from autoft.api import Entry, Job, ModelCard, Param, Schema, TrialFailed, hookimpl
from autoft.records import EpochReport, TrialResult, TrialSpec
from autoft.testing.numpy_backend import CARD, NumpyBackend

CALLS: list[tuple[Any, ...]] = []
"""What was watched in this process: hook, then what it was told."""


@hookimpl
def autoft_backends() -> Iterable[Entry]:
    yield Entry(name="barren", target=f"{__name__}:Barren", summary="Builds nothing")
    yield Entry(name="sealed", target=f"{__name__}:Sealed", summary="Trains, but its models cannot be opened")


@hookimpl
def autoft_models() -> Iterable[Entry]:
    yield Entry(name="failing", target=f"{__name__}:Failing", summary="A network for each failing backend")


@hookimpl
def autoft_edit_space(space: Sequence[Param], schema: Schema) -> Iterable[Param]:
    yield Param(key="flavour", choices=("sweet", "sour"), default="sweet")


@hookimpl
def autoft_search_started(folder: str, arguments: dict[str, Any]) -> None:
    CALLS.append(("search started", folder, arguments["task"]))


@hookimpl
def autoft_trial_started(spec: TrialSpec) -> None:
    CALLS.append(("trial started", spec.number))


@hookimpl
def autoft_trial_reported(number: int, report: EpochReport) -> None:
    CALLS.append(("trial reported", number, report.epoch))


@hookimpl
def autoft_trial_finished(result: TrialResult) -> None:
    CALLS.append(("trial finished", result.number, result.status))


@hookimpl
def autoft_search_finished(folder: str, summary: dict[str, Any]) -> None:
    CALLS.append(("search finished", folder, summary["status"]))


class Failing:
    """`barren/mlp` and `sealed/mlp`: the fakes' network, by backends that fail."""

    prefix = "failing"

    def catalogue(self) -> Sequence[ModelCard]:
        return [msgspec.structs.replace(CARD, name=f"{name}/mlp", backend=name) for name in ("barren", "sealed")]

    def resolve(self, name: str) -> ModelCard | None:
        return next((card for card in self.catalogue() if card.name == name), None)

    def reachable(self) -> str:
        return ""

    def fetch(self, card: ModelCard) -> ModelCard:
        return card


class Barren(NumpyBackend):
    name = "barren"

    def build(self, job: Job) -> Any:
        raise TrialFailed("barren builds no network.", "Take another backend.")


class Sealed(NumpyBackend):
    name = "sealed"

    def load(self, job: Job, folder: Path) -> Any:
        raise RuntimeError("the weights are sealed")
