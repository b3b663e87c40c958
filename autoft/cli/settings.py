"""From the command line and a file to `SearchOptions`: the command line wins, then the file, then the defaults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer

from autoft.cli import configfile
from autoft.cli.command import given
from autoft.errors import UsageError
from autoft.options import SearchOptions, seconds
from autoft.records import Entry


def search_options(ctx: typer.Context, base: Mapping[str, Any] | None = None) -> SearchOptions:
    """The options of a verb whose parameters are named like the fields of `SearchOptions`.

    `base` lies below the file: options taken from another run.

    Raises:
        UsageError: a value of the wrong kind, an unknown key, no data.
    """
    typed = {k: ctx.params[k] for k in given(ctx) if k in configfile.KEYS}
    typed["overrides"] = assignments(ctx.params.get("words") or [])
    filed = configfile.read(ctx.params["config"]) if ctx.params.get("config") else {}
    layers = [dict(base or {}), filed, typed]
    merged = {k: v for layer in layers for k, v in layer.items()}
    merged["overrides"] = {k: v for layer in layers for k, v in _full_names(layer.get("overrides", {})).items()}
    options = _convert(merged, ctx.params.get("config", ""))
    if not options.data:
        raise UsageError("--data must name a folder, a table file or a dataset.", "For example: --data ./imgs")
    return options


def assignments(words: Iterable[str]) -> dict[str, str]:
    """Trailing `key=value` words.

    Raises:
        UsageError: a word is not of this form.
    """
    words = list(words)
    for word in words:
        if "=" not in word:
            hint = f"Data go after --data: --data {word}" if Path(word).exists() else "For example: lr=1e-4"
            raise UsageError(f"a trailing word must be key=value, but got '{word}'.", hint)
    if not words:
        return {}
    from autoft.search.overrides import parse_assignments

    return dict(parse_assignments(words))


def _full_names(words: Mapping[str, str]) -> dict[str, str]:
    """With short names written out, so that `batch=8` typed wins over `batch_size: 16` in the file."""
    if not words:
        return {}
    from autoft.search.overrides import ALIASES

    return {ALIASES.get(key, key): what for key, what in words.items()}


def _convert(merged: Mapping[str, Any], place: str) -> SearchOptions:
    values = {**merged}
    preset = values.setdefault("preset", SearchOptions().preset)
    values["time"] = seconds(values["time"]) if "time" in values else _preset_time(str(preset))
    if "max_bad" in values:
        values["max_bad"] = fraction(values["max_bad"])
    if "models" in values:
        values["models"] = names(values["models"])
    try:
        return msgspec.convert(values, SearchOptions)
    except msgspec.ValidationError as error:
        text, _, field = str(error).replace("`", "").partition(" - at $.")
        origin = f" (in {place})" if place else ""
        raise UsageError(f"{field or 'an option'}{origin} has a wrong value: {text[:1].lower()}{text[1:]}.") from error


def _preset_time(name: str) -> float:
    from autoft.search.presets import find_preset

    return find_preset(name).time


def fraction(written: str | float) -> float:
    """`5%` or `0.05`.

    Raises:
        UsageError: it is not a part of a whole.
    """
    match = re.fullmatch(r"\s*(\d*\.?\d+)\s*(%?)\s*", str(written))
    part = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= part <= 1:
        raise UsageError(f"--max-bad must be a percentage such as 5% (or 0.05), but got '{written}'.")
    return part


def names(written: str | Iterable[str]) -> tuple[str, ...]:
    """Comma-separated and repeated names in one tuple."""
    parts = [written] if isinstance(written, str) else list(written)
    return tuple(name.strip() for part in parts for name in str(part).split(",") if name.strip())


def with_task(options: SearchOptions) -> tuple[SearchOptions, str]:
    """The options with a task, and a sentence for the user if it was not given.

    Raises:
        UsageError: none was given and not exactly one is installed.
    """
    if options.task:
        return options, ""
    from autoft import registry

    task = only_task(registry.installed().entries("task"))
    return msgspec.structs.replace(options, task=task), f"task: {task} (the only one installed)"


def only_task(tasks: Sequence[Entry]) -> str:
    """The name of the one task there is.

    Raises:
        UsageError: there are none or several.
    """
    if not tasks:
        raise UsageError("no task is installed.", "For example: pip install 'autoft[classification]'")
    if len(tasks) > 1:
        listed = ", ".join(task.name for task in tasks)
        raise UsageError(f"--task must be one of {listed}.", f"For example: --task {tasks[0].name}")
    return tasks[0].name
