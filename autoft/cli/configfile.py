"""Reads `-c config.yaml`: the options of a search by name, and a `space:` mapping."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoft.errors import UsageError
from autoft.options import SearchOptions
from autoft.vocab import did_you_mean

KEYS = SearchOptions.__struct_fields__
PATHS = ("data", "val", "test", "configs")
TOLD = ("space", "command", "folder", "threads_per_trial")
"""What `args.yaml` of a run tells beside the options: the whole space in words, the command, the folder in which it was
given, and what followed from the machine."""


def read(path: str) -> dict[str, Any]:
    """The options in a file, by field name; its `space` under `overrides`, as words of the command line.

    A relative path of data is looked for beside the file first, then in the current folder.

    Raises:
        UsageError: the file cannot be read, is not a YAML mapping, or has an unknown key.
    """
    place = Path(path)
    options = {_key(str(k), place): v for k, v in _of_user(_load(place)).items() if v is not None}
    space = options.pop("overrides", {})
    if not isinstance(space, Mapping):
        raise UsageError(f"'space' in {place} must be a mapping of parameters, but got {space!r}.")
    options["overrides"] = {str(key): _word(str(key), what, place) for key, what in space.items()}
    if isinstance(options.get("metric"), Mapping):  # as `args.yaml` of a run has it
        options["metric"] = options["metric"].get("name", "")
    return {k: _beside(place, v) if k in PATHS else v for k, v in options.items()}


def _load(place: Path) -> Mapping[Any, Any]:
    import yaml

    try:
        loaded = yaml.safe_load(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the configuration '{place}' cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"the configuration '{place}' is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(loaded or {}, Mapping):
        raise UsageError(
            f"the configuration '{place}' must be a mapping of options, but got a {type(loaded).__name__}."
        )
    return loaded or {}


def _of_user(loaded: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Without what `args.yaml` of a run tells beside the options."""
    if "overrides" not in loaded:
        return loaded
    return {key: what for key, what in loaded.items() if key not in TOLD}


def _key(written: str, place: Path) -> str:
    name = written.replace("-", "_")
    if name == "space":
        return "overrides"
    if name not in KEYS:
        known = [*KEYS, "space"]
        raise UsageError(
            f"there is no option '{written}' (in {place}).{did_you_mean(name, known)}",
            f"Options: {', '.join(k for k in known if k != 'overrides')}. Parameters such as lr go under 'space:'.",
        )
    return name


def _word(key: str, what: Any, place: Path) -> str:
    """A value of the space as it would stand after `key=` on the command line."""
    if isinstance(what, list | tuple):
        return ",".join(_word(key, part, place) for part in what)
    if isinstance(what, Mapping):
        raise UsageError(
            f"'{key}' in {place} must be a value, a list or a range, but got a mapping.",
            "Write a range as a text, for example lr: 1e-5..1e-2:log",
        )
    return str(what).lower() if isinstance(what, bool) else str(what)


def _beside(place: Path, source: Any) -> Any:
    beside = place.parent / str(source)
    return str(beside) if source and beside.exists() else source
