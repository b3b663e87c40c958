"""VGG Image Annotator (Dutta and Zisserman, 2019), versions 1 and 2: its JSON and CSV exports, its project files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from autoft.data.coco import coco_root
from autoft.data.columns import USUAL
from autoft.data.drawn import (
    ONLY,
    UNREADABLE,
    Drawings,
    DrawnImage,
    DrawnShape,
    Ring,
    ellipse,
    polygon,
    rectangle,
    unannotated,
)
from autoft.data.jsonfile import ends, load
from autoft.data.media import part_word, walk
from autoft.data.pictures import Pictures, missing_picture
from autoft.data.tabular import read_table
from autoft.datarecords import Issue
from autoft.errors import AutoftError, DataError, UsageError
from autoft.vocab import did_you_mean

PROJECT: Final = "_via_img_metadata"
COLUMNS: Final = ("filename", "region_shape_attributes", "region_attributes")
HEAD: Final = 1 << 10


class _Region(NamedTuple):
    shape: Mapping[str, Any]
    attributes: Mapping[str, Any]


class _Entry(NamedTuple):
    """What a file says of one picture."""

    file: Path
    name: str
    regions: list[_Region]


def sign(source: str) -> str:
    """Looks at both ends of JSON files, and at the first line of CSV."""
    found = next(_files(source), None)
    return f"VGG Image Annotator ({found.name} lists regions)" if found else ""


def read(source: str, target: str, issues: list[Issue]) -> Drawings:
    """One entry for each picture that is listed and there. One without regions is listed with none.

    Args:
        target: the region attribute that names the classes; else the only one that has values, or that of several which
            has a usual name. Without attributes all regions are one class.

    Raises:
        DataError: several attributes could name the classes, or two files differ in what they say of a picture.
        UsageError: no region has the attribute `target`.
    """
    files = [file.absolute() for file in _files(source)]
    entries = [entry for file in files for entry in _entries(file, issues)]
    if not entries:
        said = f" ({issues[0].subject}: {issues[0].detail})" if issues else ""
        raise DataError(f"'{source}' must hold an export of the VGG Image Annotator, but it does not{said}.")
    attribute = _attribute(entries, target, source)
    pictures = Pictures(coco_root(source))
    found: dict[str, tuple[_Entry, DrawnImage]] = {}
    for entry in entries:
        part = part_word(entry.file.stem) or pictures.split(str(entry.file))
        path = pictures.named(entry.name, entry.file.parent, part)
        if not path:
            issues.append(missing_picture(entry.name or f"a picture without a name in {entry.file.name}"))
            continue
        shapes = tuple(_shape(region, attribute) for region in entry.regions)
        image = DrawnImage(pictures.id(path), path, part or pictures.split(path), (0, 0), shapes)
        other, before = found.setdefault(path, (entry, image))
        if before.shapes != image.shapes:
            raise DataError(
                f"each picture must be annotated once, but '{other.file}' and '{entry.file}' say different things of "
                f"'{image.id}'.",
                "Move one of them to another place, or give the other as the data.",
            )
    images = tuple(image for _, image in found.values())
    unannotated(pictures, images, issues, "not listed; not used")
    names = ", ".join(pictures.id(str(file)) for file in files[:3]) + (", ..." if len(files) > 3 else "")
    how = f"classes by the attribute '{attribute}'" if attribute else f"no attributes, all are '{ONLY}'"
    return Drawings(pictures.root, f"VGG Image Annotator ({names}; {how})", images)


def _files(source: str) -> Iterator[Path]:
    for path in [source] if Path(source).is_file() else walk(source):
        lower = path.lower()
        if (lower.endswith(".json") and _is_json(Path(path))) or (lower.endswith(".csv") and _is_csv(Path(path))):
            yield Path(path)


def _is_json(file: Path) -> bool:
    found = ends(file)
    return f'"{PROJECT}"'.encode() in found or all(
        f'"{word}"'.encode() in found for word in ("filename", "regions", "file_attributes")
    )


def _is_csv(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            first = opened.read(HEAD).split(b"\n")[0]
    except OSError:  # it cannot be read, so it cannot be recognised
        return False
    return all(word.encode() in first for word in COLUMNS)


def _entries(file: Path, issues: list[Issue]) -> Iterator[_Entry]:
    if file.suffix.lower() == ".csv":
        yield from _rows(file, issues)
        return
    content = load(file, (), "there are no pictures", issues, drops=False) or {}
    listed = content.get(PROJECT, content)
    for value in listed.values() if isinstance(listed, dict) else ():
        if isinstance(value, dict) and "filename" in value:
            regions = value.get("regions") or ()
            regions = regions.values() if isinstance(regions, dict) else regions
            kept = [region for region in regions if isinstance(region, dict)] if isinstance(regions, Iterable) else []
            pairs = [(region.get("shape_attributes"), region.get("region_attributes")) for region in kept]
            yield _Entry(file, str(value["filename"]), [_Region(_object(a), _object(b)) for a, b in pairs])


def _rows(file: Path, issues: list[Issue]) -> Iterator[_Entry]:
    try:
        table = read_table(str(file), named=True)
    except AutoftError as error:
        issues.append(Issue(kind="unreadable", subject=file.name, detail=str(error)[:200], drops=False))
        return
    issues += table.issues
    names = [name.lstrip("#") for name in table.columns]
    image, shape, attributes = (names.index(name) for name in COLUMNS)
    found: dict[str, list[_Region]] = {}
    for cells in table.rows:
        regions = found.setdefault(cells[image], [])
        drawn = _parsed(cells[shape])
        if drawn or drawn is None:
            regions.append(_Region(drawn or {"name": ""}, _parsed(cells[attributes]) or {}))
    for name, regions in found.items():
        yield _Entry(file, name, regions)


def _parsed(cell: str) -> dict[str, Any] | None:
    """The object in a cell, None where it is damaged."""
    try:
        found = msgspec.json.decode(cell or "{}")
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _attribute(entries: Sequence[_Entry], target: str, source: str) -> str:
    """The one that names the classes; empty where regions have none."""
    regions = [region for entry in entries for region in entry.regions]
    told = Counter(key for region in regions for key in region.attributes if _values(region, key))
    if target:
        if target in told:
            return target
        near = did_you_mean(target, list(told))
        raise UsageError(
            f"--target must name an attribute of regions in '{source}', but got '{target}'.{near}",
            f"They have: {', '.join(told) or 'none'}",
        )
    usual = [name for name in told if name.lower() in USUAL["label"]]
    if len(told) < 2 or len(usual) == 1:
        return (usual or [*told, ""])[0]
    shown = ", ".join(f"{name} (of {times})" for name, times in told.most_common())
    raise DataError(
        f"one attribute of the regions in '{source}' must name the classes, but several could: {shown} regions.",
        "Name it: --target ATTRIBUTE",
    )


def _values(region: _Region, attribute: str) -> list[str]:
    """A text, or the boxes that are ticked."""
    value = region.attributes.get(attribute)
    if isinstance(value, dict):
        return [str(key) for key, ticked in value.items() if ticked]
    return [str(value).strip()] if value is not None and str(value).strip() else []


def _shape(region: _Region, attribute: str) -> DrawnShape:
    values = _values(region, attribute) if attribute else [ONLY]
    called = " and ".join(values)
    return DrawnShape(called if len(values) == 1 else "", _ring(region.shape), called=called or "nothing")


def _ring(shape: Mapping[str, Any]) -> Ring:
    try:
        match shape.get("name"):
            case "rect":
                x, y, width, height = (float(shape[key]) for key in ("x", "y", "width", "height"))
                return rectangle(x, y, x + width, y + height)
            case "circle":
                x, y, radius = (float(shape[key]) for key in ("cx", "cy", "r"))
                return ellipse(x, y, radius, radius)
            case "ellipse":
                x, y, across, down = (float(shape[key]) for key in ("cx", "cy", "rx", "ry"))
                return ellipse(x, y, across, down, float(shape.get("theta") or 0))
            case "polygon":
                pairs = zip(shape["all_points_x"], shape["all_points_y"], strict=True)
                return polygon([(float(x), float(y)) for x, y in pairs])
            case "point" | "polyline" | "line":
                return ()
    except (KeyError, TypeError, ValueError, OverflowError):
        return UNREADABLE
    return UNREADABLE
