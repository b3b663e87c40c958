"""One fixed configuration, through the very code of a search that has a single trial."""

from __future__ import annotations

import msgspec

from autoft.errors import UsageError
from autoft.events import Finished, Listener
from autoft.options import SearchOptions
from autoft.pipeline.search import run_search


def run_train(options: SearchOptions, listener: Listener, began: float = 0.0, like: str = "") -> Finished:
    """Train one model with `options.overrides`; what they leave open has the value of a search's trial 0.

    Args:
        like: folder of the run whose data these should be; what differs is said.

    Raises:
        UsageError: more than one model, backend or value of a parameter is named.
        NoTrialSucceeded: the trial failed.
    """
    return run_search(single(options), listener, began, verb="train", like=like)


def single(options: SearchOptions) -> SearchOptions:
    """The search of one trial that trains this.

    Raises:
        UsageError: more than one model, backend or value of a parameter is named.
    """
    if len(options.models) > 1:
        raise UsageError(
            f"train takes one model, but got {len(options.models)}.", "To compare several, use `autoft search`."
        )
    if "," in options.backend:
        raise UsageError(
            f"train takes one backend, but got '{options.backend}'.", "To compare several, use `autoft search`."
        )
    for key, value in options.overrides.items():
        if _several(value):
            raise UsageError(
                f"train takes one value for each parameter, but got {key}={value}.", "To search, use `autoft search`."
            )
    return msgspec.structs.replace(
        options,
        trials=1,
        strategy="flat",
        scheduler="none",
        searcher="random",
        configs="",
        concurrency=1,
        refit=False,
    )


def _several(value: object) -> bool:
    """Whether it is a list or a range, as a search takes them."""
    if isinstance(value, list | tuple):
        return len(value) > 1
    return isinstance(value, str) and ("," in value or ".." in value)
