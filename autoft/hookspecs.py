"""Every hook of autoft on one page. Implement those you need in a module and name the module in the
entry-point group `autoft`; hooks yield records or observe, none registers by side effect.

    # my_package/plugin.py
    from autoft.api import Entry, hookimpl

    @hookimpl
    def autoft_tasks():
        yield Entry(name="counting", target="my_package._task:Counting", summary="Count things in images")

A plugin module is imported on every start: keep frameworks and numpy out of it. What `target` names is
imported when it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pluggy

from autoft.records import Entry, EpochReport, ModelCard, Param, Schema, TrialResult, TrialSpec

PROJECT = "autoft"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# ---- what a plugin offers -------------------------------------------------------------------------


@hookspec
def autoft_tasks() -> Iterable[Entry]:  # type: ignore[empty-body]
    """Tasks: targets are `contracts.Task` classes."""


@hookspec
def autoft_backends() -> Iterable[Entry]:  # type: ignore[empty-body]
    """Backends: targets are `contracts.Backend` classes."""


@hookspec
def autoft_readers() -> Iterable[Entry]:  # type: ignore[empty-body]
    """Data formats: targets are `contracts.Reader` classes."""


@hookspec
def autoft_models() -> Iterable[Entry]:  # type: ignore[empty-body]
    """Pretrained networks: targets are `contracts.ModelSource` classes."""


@hookspec
def autoft_searchers() -> Iterable[Entry]:  # type: ignore[empty-body]
    """Who proposes trials in flat searches: targets are `contracts.SearcherPlugin` classes."""


@hookspec
def autoft_strategies() -> Iterable[Entry]:  # type: ignore[empty-body]
    """Who says which trials get which epochs: targets are `search.strategy.StrategyPlugin` classes."""


@hookspec
def autoft_commands() -> Iterable[Entry]:  # type: ignore[empty-body]
    """Commands: targets give a `typer.Typer`; they appear as `autoft NAME`."""


# ---- what a plugin may change -----------------------------------------------------------------------


@hookspec
def autoft_edit_space(  # type: ignore[empty-body]
    space: Sequence[Param], schema: Schema, cards: Sequence[ModelCard], seconds: float
) -> Iterable[Param]:
    """Parameters to add to the default space, or to put in the place of those with the same key.

    `cards` are the networks of the search, under the names that `model` has. `seconds` are those of the search for each
    sample to learn from; infinite on a GPU. A plugin need not take them.

    The user's own `key=value` come later and win.
    """


# ---- what a plugin may watch --------------------------------------------------------------------------
# Called in the driver, one at a time. An observer that raises is reported once and then left out.


@hookspec
def autoft_search_started(folder: str, arguments: dict[str, Any]) -> None:
    """A search is about to run its first trial. `folder` is the run folder."""


@hookspec
def autoft_trial_started(spec: TrialSpec) -> None:
    """A trial has got its resources."""


@hookspec
def autoft_trial_reported(number: int, report: EpochReport) -> None:
    """A trial ended an epoch."""


@hookspec
def autoft_trial_finished(result: TrialResult) -> None:
    """A trial finished, was stopped or failed."""


@hookspec
def autoft_search_finished(folder: str, summary: dict[str, Any]) -> None:
    """The search is over and `metrics.json` is written; `summary` is its content."""
