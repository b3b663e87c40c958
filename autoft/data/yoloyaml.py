"""data.yaml of YOLO: names of the classes, and where the parts are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from autoft.data.media import part_word
from autoft.datarecords import Issue
from autoft.errors import DataError

SPLITS = ("train", "val", "valid", "test")
DEPTH = 2
"""Folders below the source in which a data.yaml is looked for."""


class Parts(NamedTuple):
    """What a data.yaml says."""

    root: Path
    """The folder that all parts lie in."""
    names: dict[int, str]
    places: tuple[tuple[str, Path], ...]
    """(split, folder or list of images), those that exist."""
    keypoints: bool = False
    """Points of a skeleton follow each box (`kpt_shape`)."""


def find_yaml(source: str) -> Path | None:
    """The data.yaml that `source` is or holds: a file with the key `names` and one for a part."""
    path = Path(source)
    if path.is_file():
        return path if path.suffix.lower() in (".yaml", ".yml") and _load(path) else None
    return next((file for file in _files(path) if _load(file)), None)


def names_alone(source: str) -> dict[int, str]:
    """Class number -> name from a YAML file that has `names` and no parts; empty if there is none."""
    found = (_named(content) for file in _files(Path(source)) if (content := _content(file)) and "nc" in content)
    return next(filter(None, found), {})


def _files(folder: Path) -> Iterator[Path]:
    for depth in range(DEPTH + 1):
        yield from (f for f in sorted(folder.glob("*/" * depth + "*.y*ml")) if f.suffix.lower() in (".yaml", ".yml"))


def description(source: str, issues: list[Issue]) -> Parts | None:
    """What the data.yaml of `source` says, or None if there is none.

    Paths are relative to `path`, which is relative to the file's own folder. Where they lead nowhere from there,
    leading `../` are taken off, which some exporters write too many of, and then leading folders, which are those of
    another machine. Parts that are not there are issues; there may be none left.

    Raises:
        DataError: the parts have no folder in common.
    """
    file = find_yaml(source)
    if file is None:
        return None
    content = _load(file) or {}
    folder = file.absolute().parent
    base = _existing(folder, str(content.get("path") or "")) or folder
    bases = dict.fromkeys((base, folder, Path(source).absolute() if Path(source).is_dir() else folder))
    places: list[tuple[str, Path]] = []
    for key in SPLITS:
        for text in _texts(content.get(key)):
            place = next(filter(None, (_existing(each, text) for each in bases)), None)
            if place is None:
                detail = f"{file.name} says {key}: {text}, which is not there"
                issues.append(Issue(kind="missing_part", subject=text, detail=detail, drops=False))
            else:
                places.append(("val" if key == "valid" else key, place))
    root = _around(file, base, [place for _, place in places]) if places else list(bases)[-1]
    return Parts(root, _named(content), tuple(places), bool(content.get("kpt_shape")))


def _load(file: Path) -> dict[str, Any] | None:
    content = _content(file) or {}
    return content if _named(content) and any(content.get(key) for key in SPLITS) else None


def _content(file: Path) -> dict[str, Any] | None:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None  # whatever it is, it is no data.yaml
    return content if isinstance(content, dict) else None


def _named(content: dict[str, Any]) -> dict[int, str]:
    names = content.get("names")
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(names)}
    if isinstance(names, dict):
        return {int(number): str(name) for number, name in names.items() if str(number).isdigit()}
    return {}


def _texts(value: Any) -> Iterator[str]:
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and text.strip() and "\0" not in text:
            yield text.strip()


def _existing(base: Path, text: str) -> Path | None:
    text = text.replace("\\", "/")
    shorter = text
    while shorter.startswith("../"):
        shorter = shorter[3:]
    for candidate in dict.fromkeys((text, shorter, *_endings(shorter))):
        path = (base / candidate).resolve()
        if path.exists():
            return path
    return None


def _endings(text: str) -> Iterator[str]:
    """A path without its first folder, without its first two, ...; a folder called after a part stays in it, for
    `images` alone would be those of all parts."""
    parts = [part for part in text.split("/") if part not in ("", ".", "..")]
    named = next(
        (place for place, part in reversed(list(enumerate(parts))) if part_word(Path(part).stem)), len(parts) - 1
    )
    yield from ("/".join(parts[place:]) for place in range(0 if text.startswith("/") else 1, named + 1))


def _around(file: Path, base: Path, places: list[Path]) -> Path:
    """The folder that holds all parts: that of data.yaml, that of its `path`, or the nearest above all of them."""
    folder = file.absolute().parent
    for candidate in (folder.resolve(), base.resolve()):
        if all(place.is_relative_to(candidate) for place in places):
            return candidate
    shared = places[0]
    while not all(place.is_relative_to(shared) for place in places):
        shared = shared.parent
    if shared.parent == shared:
        raise DataError(f"the parts that '{file}' names must lie in one folder, but they have none in common.")
    return shared
