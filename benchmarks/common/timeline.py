"""A plugin that notes when a search comes to each of its steps, by autoft's own hooks.

AUTOFT_PLUGINS=benchmarks.common.timeline BENCH_TIMELINE=timeline.jsonl autoft search ...
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autoft.api import EpochReport, Param, Schema, TrialResult, TrialSpec, hookimpl

TIMELINE = "BENCH_TIMELINE"
DRIVER = "BENCH_DRIVER"


def note(event: str, **facts: Any) -> None:
    with Path(os.environ[TIMELINE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": event, "time": time.time(), **facts}) + "\n")


# Workers import plugins too, and the benchmark imports this module for its name.
if TIMELINE in os.environ and os.environ.setdefault(DRIVER, str(os.getpid())) == str(os.getpid()):
    note("plugins")


@hookimpl
def autoft_edit_space(space: Sequence[Param], schema: Schema) -> Iterable[Param]:
    note("data checked")
    return ()


@hookimpl
def autoft_search_started(folder: str, arguments: dict[str, Any]) -> None:
    note("decoded, Ray started")


@hookimpl
def autoft_trial_started(spec: TrialSpec) -> None:
    note("trial started", number=spec.number)


@hookimpl
def autoft_trial_reported(number: int, report: EpochReport) -> None:
    note("epoch", number=number, seconds=report.seconds, build=report.build_seconds, prefix=report.prefix)


@hookimpl
def autoft_trial_finished(result: TrialResult) -> None:
    note("trial ended", number=result.number, status=result.status)


@hookimpl
def autoft_search_finished(folder: str, summary: dict[str, Any]) -> None:
    note("scored")
