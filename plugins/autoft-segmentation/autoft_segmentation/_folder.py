"""Images with mask files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoft.api import DataError, Dataset, Issue, Mask, ReadOptions, Sample, to_plain
from autoft_segmentation import _cityscapes, _names, _pairs, _pascal, _values


class MaskFolderReader:
    """A folder at any depth of which lie images and their masks; a class list may lie beside them."""

    name = "masks"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """Why `source` is images with masks, or an empty string. Looks at names alone."""
        if not wanted(source, options) or not Path(source).is_dir():
            return ""
        found = _pairs.find(Path(source).absolute())
        return f"images with masks of the same name ({_where(found.folders)})" if found.pairs else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image with a mask.

        Raises:
            DataError: there are none, or it cannot be told what the masks mean.
        """
        found = _pairs.find(Path(source).absolute()) if wanted(source, options) and Path(source).is_dir() else None
        if not found or not found.pairs:
            raise DataError(
                f"'{source}' must hold images with masks of the same name, but it does not.",
                "Put the images into images/ and the masks into masks/, or end the masks' names with _mask.",
            )
        root = Path(source).absolute()
        paths = [path for pair in found.pairs for path in (pair.mask, *pair.further)]
        listed = _names.find(_folders(root, found.folders)) or _cityscapes.by_name(paths) or _pascal.by_place(paths)
        known = None if "mask" in options.optional else options.meaning
        means = _values.meaning(paths, listed, source, known)
        found = _labelled(found, means)
        layered = bool(found.layers.groups)
        if found.layers.doubt:
            raise _doubt(found.layers.doubt, source)
        several = sum(bool(pair.further) for pair in found.pairs)
        background = _background(found, means, source) if several or layered else ""
        samples = tuple(_sample(pair, means, background) for pair in found.pairs)
        if "mask" in options.optional:  # what is only looked at needs no mask
            alone = (Sample(id=name, fields={"image": path}, split=part) for name, path, part in found.lonely)
            found = found._replace(issues=tuple(issue for issue in found.issues if not issue.drops))
            samples = tuple(sorted((*samples, *alone), key=lambda sample: sample.id))
        words = f"{len(found.pairs)} images with masks ({_where(found.folders)}): {means.words}"
        if layered:
            number = sum(1 + len(pair.further) for pair in found.pairs)
            shown = ", ".join(found.layers.classes[:5]) + (", ..." if len(found.layers.classes) > 5 else "")
            words += (
                f"; {number} masks of one class each are united, the classes are taken from {found.layers.by}: "
                f"{shown}; where they overlap the smaller lies on top, what none covers is {background}"
            )
        elif several:
            number = sum(1 + len(pair.further) for pair in found.pairs if pair.further)
            words += f"; {number} masks of {several} pictures are united, each is taken for one thing in its picture"
        return Dataset(
            samples=samples,
            reader=self.name,
            root=str(root),
            recognised=words,
            issues=found.issues,
            meaning=means.mask,
        )


def _labelled(found: _pairs.Found, means: _values.Meaning) -> _pairs.Found:
    """Without a test or validation part of which no pixel is scored: contests keep the true masks to themselves."""
    if all(means.values.values()) or means.others:
        return found
    scored = {value for value, name in means.values.items() if name}
    for split in sorted({pair.split for pair in found.pairs} & {"val", "test"}):
        if not _values.occur([pair.mask for pair in found.pairs if pair.split == split], scored):
            detail = "none of its masks has a class that is scored"
            bare = Issue(kind="unlabelled_part", subject=split, detail=detail, drops=False)
            pairs = tuple(pair for pair in found.pairs if pair.split != split)
            found = found._replace(pairs=pairs, issues=(*found.issues, bare))
    return found


def _sample(pair: _pairs.Pair, means: _values.Meaning, background: str) -> Sample:
    mask = Mask(
        path=pair.mask,
        further=pair.further,
        values=means.values,
        nearest=means.nearest,
        others=means.others,
        background=background if pair.further or pair.layers else "",
        layers=tuple(map(_names.plain, pair.layers)),
        alpha=means.alpha,
    )
    return Sample(id=pair.id, fields={"image": pair.image, "mask": to_plain(mask)}, split=pair.split)


def _background(found: _pairs.Found, means: _values.Meaning, source: str) -> str:
    """The class of what no mask of a picture marks.

    Raises:
        DataError: the masks of a picture do not all say the same two things.
    """
    classes = [name for name in (*means.values.values(), means.others) if name]
    wrong = f"they have {len(classes)} classes" if len(classes) != 2 else ""
    if found.kinds and not found.layers.groups:
        wrong = f"they are called {', '.join(found.kinds[:3])}, as if each were a class"
    if wrong:
        raise DataError(
            f"several masks of one picture must each show one thing in black and white, but in '{source}' {wrong}.",
            "Give one mask for each picture, with a number for each class.",
        )
    return means.values.get("0") or means.values.get("#000000") or classes[0]


def _doubt(words: str, source: str) -> DataError:
    return DataError(
        f"several masks of one picture must be of classes or of things by their names, but in '{source}' {words}.",
        "Call the folders after the classes, or give one mask for each picture, with a number for each class.",
    )


def wanted(source: str, options: ReadOptions) -> bool:
    """Whether the task asks for masks and the source is something on this disk."""
    needs: Any = set(options.needs)
    if not source or "\0" in source or not {"image", "mask"} <= needs:
        return False
    try:
        return Path(source).exists()
    except OSError:  # a name too long for a file is the name of none
        return False


def _folders(root: Path, below: Sequence[str]) -> list[Path]:
    """Where a class list may lie: the root first, then what is between it and the masks."""
    places = [root]
    for name in below:
        path = root / name
        places += [path, *(parent for parent in path.parents if parent.is_relative_to(root))]
    return list(dict.fromkeys(place for place in places if place.is_dir()))


def _where(folders: Sequence[str]) -> str:
    shown = [f"{name}/" if name != "." else "beside the images" for name in folders[:3]]
    return ", ".join(shown) + (" and more" if len(folders) > 3 else "")
