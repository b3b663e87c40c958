"""COCO JSON (Lin et al., 2014): files with the lists `images`, `annotations` and `categories`, for boxes or shapes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from autoft.data.jsonfile import ends, load, side
from autoft.data.media import split_word, walk
from autoft.data.pictures import Pictures, missing_picture
from autoft.datarecords import Issue

KEYS: Final = ("images", "annotations", "categories")
LACKING: Final = f"one of the lists {KEYS[0]}, {KEYS[1]} and {KEYS[2]} is missing"
IDS: Final = ("id", "image_id", "category_id")
CROWD: Final = "iscrowd"
NOT: Final = ("", "0", "0.0", "-1", "false", "f", "no", "n", "none", "null", "nan")
"""Words by which programs say that it is none."""
ASIDE: Final = ("annotations", "annotation", "labels")
"""Folders of JSON files beside those of the images."""


class CocoImage(NamedTuple):
    """An entry of `images` whose file is there."""

    id: str
    """The path below the data folder."""
    path: str
    split: str
    """train, val, test, or empty where neither the JSON file nor a folder is called so."""
    size: tuple[int, int]
    """Width and height that the entry states; zeros where it does not."""
    annotations: tuple[dict[str, Any], ...]


class CocoFile(NamedTuple):
    """One file, read."""

    file: Path
    names: dict[Any, str]
    """Category id -> name."""
    images: tuple[CocoImage, ...]


def coco_files(source: str, key: str = "") -> Iterator[Path]:
    """The JSON files at `source` (one, or a folder at any depth) that look like COCO; each is looked at at its ends.

    Args:
        key: of annotations, one that must be seen there as well.
    """
    found = [source] if Path(source).is_file() else walk(source)
    yield from (Path(file) for file in found if file.lower().endswith(".json") and _claims(Path(file), key))


def read_coco(source: str, files: Sequence[Path], issues: list[Issue]) -> list[CocoFile]:
    """The content of those files that are COCO JSON. What cannot be used is added to `issues`.

    The split is the word in a file's name or in that of a folder around it (`instances_val2017.json`,
    `valid/_annotations.coco.json`), else that of the folder of the image. Where files are called `instances...`, only
    those are read. The images may lie anywhere below the folder (`coco_root`).
    """
    named = [file for file in files if file.name.startswith("instances")]
    loaded = [
        (file, content)
        for file in named or files
        if (content := load(file, KEYS, LACKING, issues, drops=False)) is not None
    ]
    if not loaded:
        return []
    pictures = Pictures(coco_root(source))
    read = [_file(file, content, pictures, issues) for file, content in loaded]
    # A file of all images often lies beside those of the parts: train.json, val.json and all.json.
    placed = {image.path for each in read for image in each.images if image.split}
    return [each._replace(images=tuple(i for i in each.images if i.split or i.path not in placed)) for each in read]


def coco_root(source: str) -> Path:
    """The folder that holds the images: for `data/annotations/train.json` it is `data`."""
    path = Path(source).absolute()
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name.lower() in ASIDE else path.parent


def _claims(file: Path, key: str) -> bool:
    """Whether the ends of a file name at least two of the three lists: the third may stand in between."""
    found = ends(file)
    seen = [word for word in (*KEYS, key) if f'"{word}"'.encode() in found]
    return len([word for word in seen if word in KEYS]) >= 2 and (not key or key in seen)


def _file(file: Path, content: dict[str, Any], pictures: Pictures, issues: list[Issue]) -> CocoFile:
    split = _split(file, pictures)
    categories = (_numbered(entry) for entry in content["categories"] if isinstance(entry, dict) and _plain(entry))
    names = {entry.get("id"): str(entry.get("name") or entry.get("id")) for entry in categories}
    images: dict[Any, CocoImage] = {}
    absent: set[Any] = set()
    for entry in _dicts(content["images"], file, "image", issues):
        name = str(entry.get("file_name") or "")
        path = pictures.named(name, file.parent, split)
        if not path:
            absent.add(entry.get("id"))
            issues.append(missing_picture(name or f"image {entry.get('id')} of {file.name}"))
            continue
        size = (side(entry.get("width")), side(entry.get("height")))
        part = split or pictures.split(path)
        images[entry.get("id")] = CocoImage(pictures.id(path), path, part, size, ())
    own: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for entry in _dicts(content["annotations"], file, "annotation", issues):
        image = entry.get("image_id")
        if image in images:
            own[image].append(entry)
        elif image not in absent:
            said = f"annotation {entry.get('id')} of {file.name}"
            issues.append(Issue(kind="orphan_label", subject=said, detail=f"there is no image {image}", drops=False))
    found = tuple(image._replace(annotations=tuple(own[number])) for number, image in images.items())
    return CocoFile(file, names, found)


def _split(file: Path, pictures: Pictures) -> str:
    words = [split_word(re.sub(r"\d+$", "", part)) for part in re.split(r"[^A-Za-z0-9]+", file.stem)]
    return next((word for word in reversed(words) if word), "") or pictures.split(str(file))


def _dicts(entries: Sequence[Any], file: Path, what: str, issues: list[Issue]) -> Iterator[dict[str, Any]]:
    for number, entry in enumerate(entries):
        if isinstance(entry, dict) and _plain(entry):
            yield _numbered(entry)
        else:
            subject = f"{what} {number} of {file.name}"
            issues.append(Issue(kind="unreadable", subject=subject, detail="no usable entry", drops=False))


def _numbered(entry: dict[str, Any]) -> dict[str, Any]:
    """With ids that are numbers as numbers: some programs write 7 in one list and "7" or 7.0 in another; and the flag
    of crowds as 0 where it is a word for it."""
    found = dict(entry)
    if CROWD in found:
        found[CROWD] = int(flagged(found[CROWD]))
    for key in IDS:
        value = entry.get(key)
        if isinstance(value, str | float) and re.fullmatch(r"\d+(\.0)?", str(value).strip()):
            found[key] = int(float(value))
    return found


def flagged(value: Any) -> bool:
    """Whether a flag is set, also where it is a word for it: "0" and "False" are not."""
    return value is not None and str(value).strip().lower() not in NOT


def _plain(entry: dict[str, Any]) -> bool:
    """Whether its ids can be looked up."""
    ids = (entry.get(key) for key in IDS)
    return not any(isinstance(value, dict | list) for value in ids)
