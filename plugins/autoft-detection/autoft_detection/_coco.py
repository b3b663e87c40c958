"""COCO JSON (Lin et al., 2014): `images`, `annotations` with `bbox` as x, y, width, height, and `categories`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autoft.api import Dataset, Issue, ReadOptions, split_word, walk
from autoft_detection._drafts import Draft
from autoft_detection._pictures import Pictures, missing
from autoft_detection._reading import dataset, refuse, wanted

Corners = tuple[float, float, float, float]

PEEK = 1 << 16
"""Bytes at each end of a file in which its keys are looked for."""
KEYS = (b'"images"', b'"annotations"', b'"categories"')


class CocoReader:
    """One file, or a folder with one or several at any depth; the images may lie anywhere below the folder."""

    name = "coco-boxes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is COCO JSON, or an empty string. Looks at both ends of the JSON files."""
        if not wanted(source, options):
            return ""
        found = next(_files(source), None)
        return f"COCO JSON ({found.name} lists images, annotations and categories)" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each entry of `images`.

        The split is the word in a file's name or in that of a folder around it (`instances_val2017.json`,
        `valid/_annotations.coco.json`). Where files are called `instances...`, only those are read.

        Raises:
            DataError: no file can be read as COCO JSON.
        """
        files = list(_files(source)) if wanted(source, options) else []
        named = [file for file in files if file.name.startswith("instances")]
        issues: list[Issue] = []
        loaded = [(file, content) for file in named or files if (content := _load(file, issues)) is not None]
        if not loaded:
            said = f" ({issues[0].subject}: {issues[0].detail})" if issues else ""
            raise refuse(source, f"COCO JSON with the lists images, annotations and categories{said}")
        root = _root(source)
        pictures = Pictures(root)
        drafts = [draft for file, content in loaded for draft in _drafts(file, content, pictures, issues)]
        words = f"COCO JSON ({', '.join(file.name for file, _ in loaded)})"
        return dataset(self.name, root, words, drafts, issues)


def _files(source: str) -> Iterator[Path]:
    path = Path(source)
    found = [source] if path.is_file() else walk(source)
    yield from (Path(file) for file in found if file.lower().endswith(".json") and _claims(Path(file)))


def _claims(file: Path) -> bool:
    """Whether the ends of a file name at least two of the three lists: the third may stand in between."""
    try:
        with file.open("rb") as opened:
            head = opened.read(PEEK)
            opened.seek(max(0, file.stat().st_size - PEEK))
            ends = head + opened.read(PEEK)
    except OSError:  # it cannot be read, so it cannot be recognised
        return False
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and sum(key in ends for key in KEYS) >= 2


def _load(file: Path, issues: list[Issue]) -> dict[str, Any] | None:
    """The content of a file if it is COCO JSON with boxes; else None and an issue."""
    try:
        content = json.loads(file.read_bytes())  # the standard library, because it reads NaN, which people write
    except (OSError, ValueError, RecursionError) as error:
        issues.append(Issue(kind="unreadable", subject=file.name, detail=str(error)[:200], drops=False))
        return None
    lists = isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ("images", "annotations", "categories")
    )
    if not lists:
        detail = "one of the lists images, annotations and categories is missing"
        issues.append(Issue(kind="unreadable", subject=file.name, detail=detail, drops=False))
        return None
    return dict(content)


def _root(source: str) -> Path:
    """The folder that holds the images: for `data/annotations/train.json` it is `data`."""
    path = Path(source).absolute()
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name.lower() in ("annotations", "annotation", "labels") else path.parent


def _split(file: Path, pictures: Pictures) -> str:
    words = [split_word(re.sub(r"\d+$", "", part)) for part in re.split(r"[^A-Za-z0-9]+", file.stem)]
    return next((word for word in reversed(words) if word), "") or pictures.split(str(file))


def _drafts(file: Path, content: dict[str, Any], pictures: Pictures, issues: list[Issue]) -> list[Draft]:
    split = _split(file, pictures)
    drafts: dict[Any, Draft] = {}
    absent: set[Any] = set()
    for entry in _dicts(content["images"], file, "image", issues):
        name = str(entry.get("file_name") or "")
        path = pictures.named(name, file.parent, split)
        if not path:
            absent.add(entry.get("id"))
            issues.append(missing(name or f"image {entry.get('id')} of {file.name}"))
            continue
        size = (_whole(entry.get("width")), _whole(entry.get("height")))
        part = split or pictures.split(path)
        drafts[entry.get("id")] = Draft(id=pictures.id(path), path=path, split=part, size=size)
    names = {entry.get("id"): str(entry.get("name") or entry.get("id")) for entry in _categories(content)}
    for entry in _dicts(content["annotations"], file, "annotation", issues):
        draft = drafts.get(entry.get("image_id"))
        if draft is None:
            if entry.get("image_id") not in absent:
                said = f"annotation {entry.get('id')} of {file.name}"
                detail = f"there is no image {entry.get('image_id')}"
                issues.append(Issue(kind="orphan_label", subject=said, detail=detail, drops=False))
            continue
        called = entry.get("category_id")
        draft.add(_corners(entry.get("bbox")), names.get(called, ""), "crowd" * bool(entry.get("iscrowd")), str(called))
    return list(drafts.values())


def _categories(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in content["categories"] if isinstance(entry, dict)]


def _dicts(entries: Sequence[Any], file: Path, what: str, issues: list[Issue]) -> Iterator[dict[str, Any]]:
    for number, entry in enumerate(entries):
        if isinstance(entry, dict) and _hashable(entry):
            yield entry
        else:
            subject = f"{what} {number} of {file.name}"
            issues.append(Issue(kind="unreadable", subject=subject, detail="no usable entry", drops=False))


def _hashable(entry: dict[str, Any]) -> bool:
    ids = (entry.get(key) for key in ("id", "image_id", "category_id"))
    return not any(isinstance(value, dict | list) for value in ids)


def _corners(box: Any) -> Corners:
    """x, y, width, height as corners; not finite where the entry is no box."""
    try:
        x, y, width, height = (float(side) for side in box)
    except (TypeError, ValueError):
        return (float("nan"),) * 4
    return x, y, x + width, y + height


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 < value < 1e9 else 0
