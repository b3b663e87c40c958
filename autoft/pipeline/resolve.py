"""What a user's options mean: names instead of aliases, and the parts of a strategy that were left open."""

from __future__ import annotations

import msgspec

from autoft.contracts import Task
from autoft.errors import UsageError
from autoft.options import SearchOptions
from autoft.registry import Registry
from autoft.search.presets import find_preset
from autoft.search.settings import FLAT, HALVING, check_scheduler, check_strategy


def resolved(registry: Registry, options: SearchOptions) -> tuple[SearchOptions, Task]:
    """The options with aliases and paths resolved, and the task.

    Raises:
        UsageError: an unknown name.
    """
    if not options.task:
        raise UsageError("a search needs a task.", "Name one: --task; `autoft ls tasks` lists them.")
    if not options.data:
        raise UsageError("a search needs data.", "Name a folder, a table or a dataset: --data PATH")
    if options.repeat < 0 or (options.repeat and options.trials != 1):
        raise UsageError(
            f"repeat must be 0 or above, and is for a single configuration, but got {options.repeat}.",
            "To train one: autoft train --repeat N",
        )
    task: Task = registry.get("task", options.task)
    options = _strategy(registry, options)
    if options.strategy == FLAT:
        if not options.configs:
            registry.entry("searcher", options.searcher)
        check_scheduler(options.scheduler)
    preset = find_preset(options.preset)
    return msgspec.structs.replace(options, task=task.name, preset=preset.name), task


def _strategy(registry: Registry, options: SearchOptions) -> SearchOptions:
    """With the strategy and, if it is flat, its two parts filled in."""
    named = [f"--{k} {getattr(options, k)}" for k in ("searcher", "scheduler", "configs") if getattr(options, k)]
    strategy = check_strategy(options.strategy or (FLAT if named else "auto"), registry.entries("strategy"))
    if options.configs and options.searcher:
        raise UsageError(f"--configs says what is tried, but --searcher {options.searcher} was given too.")
    if strategy == FLAT:
        usual = HALVING if options.configs else "asha"
        proposing = "" if options.configs else options.searcher or "random"
        parts = {"searcher": proposing, "scheduler": options.scheduler or usual}
        return msgspec.structs.replace(options, strategy=strategy, **parts)
    if named:
        raise UsageError(
            f"--strategy {strategy} proposes and stops trials itself, but {' and '.join(named)} was given too.",
            "Leave one of them out, or use --strategy flat.",
        )
    return msgspec.structs.replace(options, strategy=strategy)
