"""The Python side of the command line: the same options, the same results."""

from __future__ import annotations

import sys
import time as clock
from collections.abc import Callable
from typing import Any

from autoft.errors import UsageError
from autoft.events import Event, Finished, Listener, Note
from autoft.options import SearchOptions, seconds
from autoft.run import Run
from autoft.vocab import did_you_mean


def search(
    data: str, *, task: str, time: str | float | None = None, listener: Listener | None = None, **options: Any
) -> Run:
    """Search for the best fine-tuned model and return its run.

    Args:
        data: folder, table or dataset id.
        time: budget of the whole call, such as `"10m"` or seconds; by default the preset's.
        listener: told of every event; by default warnings go to standard error.
        options: any other field of `SearchOptions`; `overrides={"lr": "1e-4..1e-2:log"}` shapes the space.

    Raises:
        UsageError, DataError, NoTrialSucceeded, BudgetEnded: with words for the user.
    """
    from autoft.pipeline.search import run_search
    from autoft.search.presets import find_preset

    if time is None:
        time = find_preset(options.get("preset", SearchOptions().preset)).time
    return _run(run_search, data, task, time, listener, options)


def train(
    data: str, *, task: str, model: str, time: str | float = "1d", listener: Listener | None = None, **options: Any
) -> Run:
    """Train one configuration; `overrides` holds its values. Otherwise as `search`."""
    from autoft.pipeline.train import run_train

    return _run(run_train, data, task, time, listener, {**options, "models": (model,)})


def _run(
    function: Callable[[SearchOptions, Listener, float], Finished],
    data: str,
    task: str,
    time: str | float,
    listener: Listener | None,
    options: dict[str, Any],
) -> Run:
    began = clock.time()
    for name in options:
        if name not in SearchOptions.__struct_fields__:
            known = SearchOptions.__struct_fields__
            raise UsageError(f"there is no option '{name}'.{did_you_mean(name, known)}")
    if "models" in options:
        options["models"] = (options["models"],) if isinstance(options["models"], str) else tuple(options["models"])
    settings = SearchOptions(data=str(data), task=task, time=seconds(time), **options)
    return Run(function(settings, listener or _warn, began).folder)


def _warn(event: Event) -> None:
    if isinstance(event, Note) and event.level == "warning":
        sys.stderr.write(f"warning: {event.text}\n")
