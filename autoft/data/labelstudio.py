"""Label Studio's exports, the long JSON, the short one and CSV: rectangles, ellipses, polygons, brushes, in percent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from autoft.data import brush, lstasks
from autoft.data.coco import coco_root
from autoft.data.drawn import UNREADABLE, Drawings, DrawnImage, DrawnShape, Ring, ellipse, polygon, unannotated
from autoft.data.jsonfile import content, ends, side
from autoft.data.media import SUFFIXES, part_word, walk
from autoft.data.pictures import Pictures, missing_picture, plain_path
from autoft.data.tabular import read_table
from autoft.datarecords import Issue
from autoft.errors import AutoftError, DataError, UsageError
from autoft.vocab import did_you_mean

KINDS: Final = ("rectanglelabels", "polygonlabels", "ellipselabels", "brushlabels")
CSV: Final = ".csv"
NAMES: Final = (*KINDS, "labels")
"""Keys of the classes of a region."""


def sign(source: str) -> str:
    """Looks at both ends of the JSON files."""
    found = next(_files(source), None)
    return f"Label Studio ({found.name} lists regions)" if found else ""


def read(source: str, target: str, issues: list[Issue]) -> Drawings:
    """One entry for each task that someone annotated and whose picture is there, found by its name; an upload may have
    lost the eight digits that Label Studio put before it.

    Args:
        target: the control whose regions are read; empty for all of them.

    Raises:
        DataError: no file is such an export.
        UsageError: there is no such control.
    """
    files = [file.absolute() for file in _files(source)]
    tasks = [(file, task) for file in files for task in _tasks(file, issues)]
    if not tasks:
        said = f" ({issues[0].subject}: {issues[0].detail})" if issues else ""
        raise DataError(f"'{source}' must hold a JSON export of Label Studio, but it does not{said}.")
    controls = dict.fromkeys(str(result.get("from_name")) for _, task in tasks for result in _results(task) or ())
    if target and target not in controls:
        raise UsageError(
            f"--target must name a control in '{source}', but got '{target}'.{did_you_mean(target, list(controls))}",
            f"It has: {', '.join(controls) or 'none'}",
        )
    pictures, found = Pictures(coco_root(source)), dict[str, DrawnImage]()
    for file, task in tasks:
        results, name = _results(task), _picture(task)
        if results is None:
            continue  # it counts among those without an annotation
        part = part_word(file.stem) or pictures.split(str(file))
        path = pictures.named(name, file.parent, part) if name else ""
        if not path:
            issues.append(missing_picture(name or f"task {task.get('id')} of {file.name}"))
        elif path in found:
            detail = "annotated more than once; the first counts"
            issues.append(Issue(kind="annotated_twice", subject=pictures.id(path), detail=detail, drops=False))
        else:
            kept = [result for result in results if target in ("", str(result.get("from_name")))]
            size = next((size for result in kept if (size := _size(result))[0]), (0, 0))
            part = part or pictures.split(path)
            found[path] = DrawnImage(pictures.id(path), path, part, size, tuple(_shapes(kept)))
    images = tuple(found.values())
    unannotated(pictures, images, issues)
    said = lstasks.several([task for _, task in tasks])
    words = f"Label Studio ({', '.join(file.name for file in files)}{'; ' + said if said else ''})"
    return Drawings(pictures.root, words, images)


def _files(source: str) -> Iterator[Path]:
    for path in [source] if Path(source).is_file() else walk(source):
        if path.lower().endswith((".json", CSV)) and _claims(Path(path)):
            yield Path(path)


def _claims(file: Path) -> bool:
    """CSV doubles its quotes, so these are left out."""
    found = ends(file, b"" if file.suffix.lower() == CSV else b"[")
    return any(kind.encode() in found for kind in KINDS) and b"original_width" in found


def _tasks(file: Path, issues: list[Issue]) -> list[dict[str, Any]]:
    if file.suffix.lower() == CSV:
        return _rows(file, issues)
    found = content(file, issues, drops=False)
    return [task for task in found if isinstance(task, dict)] if isinstance(found, list) else []


def _rows(file: Path, issues: list[Issue]) -> list[dict[str, Any]]:
    """The CSV is the short export, its regions written as JSON into cells."""
    try:
        table = read_table(str(file), named=True)
    except AutoftError as error:
        issues.append(Issue(kind="unreadable", subject=file.name, detail=str(error)[:200], drops=False))
        return []
    issues += table.issues
    return [{name: _cell(cell) for name, cell in zip(table.columns, row, strict=True)} for row in table.rows]


def _cell(text: str) -> Any:
    """The list of regions that a cell is, else its words."""
    if not text.startswith("[{"):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _results(task: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The regions of a task; None where nobody annotated it. In the short export they lie in the task itself."""
    if lstasks.is_task(task):
        return lstasks.annotation(task)
    lists = {key: value for key, value in task.items() if isinstance(value, list)}
    return [
        {**region, "from_name": key, "value": region, "id": f"{key} {place}"}
        for key, regions in lists.items()
        for place, region in enumerate(regions)
        if isinstance(region, dict) and "original_width" in region
    ]


def _picture(task: Mapping[str, Any]) -> str:
    """What the task calls its picture."""
    data = task["data"] if lstasks.is_task(task) else task
    texts = [value for value in data.values() if isinstance(value, str)]
    return next((text for text in texts if plain_path(text).suffix.lower() in SUFFIXES["image"]), "")


def _size(result: Mapping[str, Any]) -> tuple[int, int]:
    return side(result.get("original_width")), side(result.get("original_height"))


def _shapes(results: list[dict[str, Any]]) -> Iterator[DrawnShape]:
    """A region may stand in several results of one id: its form in one, its class in another."""
    regions: dict[str, list[dict[str, Any]]] = {}
    for place, result in enumerate(results):
        if isinstance(result.get("value"), dict):
            regions.setdefault(str(result.get("id") or place), []).append(result)
    for parts in regions.values():
        drawn = next((part for part in parts if _is_drawn(part["value"])), None)
        if drawn is None:
            continue  # it says something of the whole picture
        lists = [value for part in parts for key in NAMES if isinstance(value := part["value"].get(key), list)]
        names = list(dict.fromkeys(str(name) for names in lists for name in names))
        called = " and ".join(names)
        yield _shape(drawn, called if len(names) == 1 else "", called or "nothing")


def _is_drawn(value: Mapping[str, Any]) -> bool:
    return "points" in value or "rle" in value or "x" in value


def _shape(result: Mapping[str, Any], name: str, called: str) -> DrawnShape:
    value, size = result["value"], _size(result)
    try:
        if min(size) <= 0 or result.get("image_rotation"):  # then percents are those of the turned picture
            raise ValueError("its picture has no size, or was turned")
        if "rle" in value:
            ring, runs = brush.read(value["rle"], size)
            return DrawnShape(name, ring, runs=runs, called=called)
        return DrawnShape(name, _ring(value, size), called=called)
    except (KeyError, TypeError, ValueError, OverflowError):
        return DrawnShape(name, UNREADABLE, called=called)


def _ring(value: Mapping[str, Any], size: tuple[int, int]) -> Ring:
    """In pixels. Rectangles are turned around their first corner, ellipses around their middle, in degrees."""
    wide, high = size[0] / 100, size[1] / 100
    if "points" in value:
        return polygon([(float(x) * wide, float(y) * high) for x, y in value["points"]])
    x, y, turn = float(value["x"]) * wide, float(value["y"]) * high, math.radians(float(value.get("rotation") or 0))
    if "radiusX" in value:
        return ellipse(x, y, float(value["radiusX"]) * wide, float(value["radiusY"]) * high, turn)
    if "width" not in value or "height" not in value:
        return ()  # a point
    across, down = float(value["width"]) * wide, float(value["height"]) * high
    cosine, sine = math.cos(turn), math.sin(turn)
    corners = ((0.0, 0.0), (across, 0.0), (across, down), (0.0, down))
    return tuple(place for a, b in corners for place in (x + a * cosine - b * sine, y + a * sine + b * cosine))
