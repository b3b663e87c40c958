"""COCO JSON whose annotations have a `segmentation`: polygons, or run lengths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autoft.api import DataError, Dataset, Issue, Mask, ReadOptions, Sample, Shape, is_media, split_word, to_plain, walk
from autoft_segmentation._folder import wanted
from autoft_segmentation._runs import counts

PEEK = 1 << 16
BACKGROUND = "background"


class CocoMaskReader:
    """One file, or a folder with one or several; the images may lie anywhere below the folder."""

    name = "coco-masks"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is COCO JSON with shapes, or an empty string. Looks at both ends of the JSON files."""
        if not wanted(source, options):
            return ""
        found = next(_files(source), None)
        return f"COCO JSON with shapes ({found.name})" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each entry of `images` whose file is there. What no shape covers is background.

        Raises:
            DataError: no file can be read as COCO JSON.
        """
        files = list(_files(source)) if wanted(source, options) else []
        issues: list[Issue] = []
        loaded = [(file, content) for file in files if (content := _load(file, issues)) is not None]
        if not loaded:
            raise DataError(f"'{source}' must hold COCO JSON with shapes, but it does not.")
        path = Path(source).absolute()
        root = path if path.is_dir() else path.parent
        if path.is_file() and root.name.lower() == "annotations":
            root = root.parent
        pictures = _pictures(root)
        samples = [s for file, content in loaded for s in _samples(file, content, root, pictures, issues)]
        shapes = sum(len(sample.fields["mask"]["shapes"]) for sample in samples)
        names = ", ".join(file.name for file, _ in loaded[:3])
        words = f"COCO JSON ({names}): {len(samples)} images, {shapes} shapes; what none covers is background"
        return Dataset(
            samples=tuple(sorted(samples, key=lambda sample: sample.id)),
            reader=self.name,
            root=str(root),
            recognised=words,
            issues=tuple(issues),
        )


def _files(source: str) -> Iterator[Path]:
    found = [source] if Path(source).is_file() else walk(source)
    yield from (Path(file) for file in found if file.lower().endswith(".json") and _claims(Path(file)))


def _claims(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            head = opened.read(PEEK)
            opened.seek(max(0, file.stat().st_size - PEEK))
            ends = head + opened.read(PEEK)
    except OSError:  # it cannot be read, so it cannot be recognised
        return False
    keys = sum(key in ends for key in (b'"images"', b'"annotations"', b'"categories"'))
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and keys >= 2 and b'"segmentation"' in ends


def _load(file: Path, issues: list[Issue]) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_bytes())
        for key in ("images", "annotations", "categories"):
            if not all(isinstance(entry, dict) for entry in content[key]):
                raise ValueError(f"'{key}' must be a list of objects")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        issues.append(Issue(kind="unreadable", subject=file.name, detail=str(error)[:200], drops=False))
        return None
    return dict(content)


def _pictures(root: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in walk(str(root)):
        if is_media(path, "image"):
            found.setdefault(Path(path).name, []).append(Path(path))
    return found


def _samples(
    file: Path, content: dict[str, Any], root: Path, pictures: dict[str, list[Path]], issues: list[Issue]
) -> Iterator[Sample]:
    split = _split(file, root)
    names = {entry.get("id"): str(entry.get("name") or entry.get("id")) for entry in content["categories"]}
    shapes: dict[Any, list[Shape]] = {}
    for entry in content["annotations"]:
        shape = _shape(entry, names)
        if shape is None:
            subject = f"annotation {entry.get('id')} of {file.name}"
            issues.append(Issue(kind="shape_unreadable", subject=subject, drops=False))
        else:
            shapes.setdefault(entry.get("image_id"), []).append(shape)
    for entry in content["images"]:
        named = Path(str(entry.get("file_name", "")).replace("\\", "/"))
        picture = _best(pictures.get(named.name, []), named, file)
        if picture is None:
            issues.append(Issue(kind="missing", subject=str(named), detail="there is no such image below the folder"))
            continue
        own = tuple(shapes.get(entry.get("id"), ()))
        yield Sample(
            id=picture.relative_to(root).as_posix(),
            fields={"image": str(picture), "mask": to_plain(Mask(background=BACKGROUND, shapes=own))},
            split=split or _split(picture, root),
        )


def _best(found: list[Path], named: Path, file: Path) -> Path | None:
    """Of several files of that name the one in the folders that the name tells, then the one nearest to the JSON."""
    told = len(named.parts)
    return max(found, key=lambda path: (path.parts[-told:] == named.parts, _shared(path, file)), default=None)


def _shared(one: Path, other: Path) -> int:
    return sum(1 for a, b in zip(one.parts, other.absolute().parts, strict=False) if a == b)


def _split(path: Path, root: Path) -> str:
    path = path.absolute()
    folders = path.parent.relative_to(root).parts if path.is_relative_to(root) else ()
    words = [re.sub(r"\d+$", "", word) for part in (*folders, path.stem) for word in re.split(r"[^A-Za-z0-9]+", part)]
    if is_media(str(path), "image"):
        words = list(folders)
    return next((split_word(word) for word in reversed(words) if split_word(word)), "")


def _shape(entry: dict[str, Any], names: dict[Any, str]) -> Shape | None:
    """A shape, or None if it is none; crowds are left out of learning."""
    name = names.get(entry.get("category_id"))
    drawn = entry.get("segmentation")
    if name is None or not drawn:
        return None
    if entry.get("iscrowd"):
        name = ""
    try:
        if isinstance(drawn, dict):
            return Shape(name=name, runs=counts(drawn["counts"]))
        rings = tuple(tuple(float(value) for value in ring) for ring in drawn)
    except (KeyError, TypeError, ValueError):
        return None
    return Shape(name=name, polygons=rings) if all(len(ring) % 2 == 0 for ring in rings) else None
