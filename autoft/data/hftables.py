"""The rows of a data set of the library `datasets` as a table of words, with media unpacked into the cache."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from autoft.data import columns, jsonlines, unpack
from autoft.data.labels import FIELD as LABELS
from autoft.data.media import media_field
from autoft.data.tabular import Table
from autoft.errors import DataError
from autoft.records import ReadOptions

FEATURES: Final = {"image": "Image", "audio": "Audio"}
LISTS: Final = ("List", "LargeList", "Sequence")


def table(library: Any, part: Any, path: str, needs: Sequence[str]) -> Table:
    """All columns of words, numbers, classes and lists of these, and those of the medium that is asked for.

    Args:
        needs: fields that are asked for. Where `value` is among them, numbers of classes stay numbers.

    Raises:
        UsageError: the cache cannot be written.
    """
    cells: dict[str, Sequence[str]] = {}
    media = []
    medium = media_field(tuple(needs))
    for name, feature in part.features.items():
        kind = type(feature).__name__
        if medium and kind == FEATURES[medium]:
            cells[name] = _unpacked(part.cast_column(name, getattr(library, kind)(decode=False)), medium, name)
            media.append(name)
        elif kind in ("Value", "ClassLabel") or _of_words(feature):
            names = None if "value" in needs else getattr(getattr(feature, "feature", feature), "names", None)
            cells[name] = [jsonlines.word(_told(value, names)) for value in part[name]]
    rows = tuple(zip(*cells.values(), strict=True))
    return Table(path, tuple(cells), rows, tuple(range(1, len(rows) + 1)), "Arrow", (), tuple(media))


def choosing(options: ReadOptions, features: Mapping[str, Any], source: str) -> ReadOptions:
    """The options with the columns that the types of the features tell, where the user names no others.

    Raises:
        DataError: no column holds the medium that is asked for, or the one that is named does not.
    """
    kinds = {name: type(feature).__name__ for name, feature in features.items()}
    found = dict(options.columns)
    medium = media_field(options.needs)
    if medium:
        typed = [name for name, kind in kinds.items() if kind == FEATURES[medium]]
        named = columns.named(found[medium], list(kinds), f"--{medium}-col", source) if medium in found else ""
        if named and named not in typed:
            raise DataError(f"column '{named}' must hold {medium} data, but it holds {kinds[named]}.")
        if not named and len(typed) != 1:
            raise DataError(
                f"one column of '{source}' must hold {medium} data, but {len(typed)} do. Its columns are: "
                + ", ".join(f"{name} ({kind})" for name, kind in kinds.items()),
                f"Name it: --{medium}-col COLUMN",
            )
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    if "label" in options.needs and len(classes) == 1 and "label" not in options.guessed:
        found.setdefault("label", classes[0])
    lists = [name for name, feature in features.items() if _of_words(feature)]
    if LABELS in options.needs and len(lists) == 1 and LABELS not in options.guessed:
        found.setdefault(LABELS, lists[0])
    return msgspec.structs.replace(options, columns=found)


def _of_words(feature: Any) -> bool:
    """Whether a column holds lists of words or classes."""
    return type(feature).__name__ in LISTS and type(feature.feature).__name__ in ("Value", "ClassLabel")


def _told(value: Any, names: Sequence[str] | None) -> Any:
    """Names in place of numbers of classes, each once in lists; those below 0 are hidden."""
    if isinstance(value, list):
        told = [_told(each, names) for each in value]
        return list(dict.fromkeys(each for each in told if each not in (None, "")))
    if names is None or not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None


def _unpacked(part: Any, medium: str, column: str) -> list[str]:
    key = unpack.key(part._fingerprint, column, str(len(part)))
    return unpack.files(key, medium, (row[column] for row in part.select_columns([column])))


def where(source: str, split: str) -> str:
    """What a part is called in messages."""
    return os.path.join(source, split) if split else source
