"""Pascal VOC's lists of images for each class: `ImageSets/Main/cat_train.txt`, an image and -1, 0 or 1 in each line."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from glob import escape, glob
from typing import Any, Final, NamedTuple

from autoft.data import advice, classnames
from autoft.data.labels import FIELD, SURE
from autoft.data.media import is_media, relative, split_word, walk
from autoft.data.merge import unique_ids
from autoft.errors import DataError
from autoft.records import Dataset, Issue, ReadOptions, Sample

DEPTH: Final = 3
"""Folders below the data in which the lists are looked for."""
MARKS: Final = frozenset({"-1", "0", "1"})
HEAD: Final = 20
WHOLE: Final = "trainval"


class _Set(NamedTuple):
    folder: str
    """`ImageSets/Main`."""
    lists: dict[str, dict[str, str]]
    """Part -> class -> path of the list."""


class VocSetsReader:
    """Classes of whole images, as the first task of Pascal VOC has them (Everingham et al., 2010)."""

    name = "voc-classes"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` has such lists, or an empty string."""
        found = _find(source, options)
        words = "lists of images for each class"
        return f"Pascal VOC's {words} ({' and '.join(relative(one.folder, source) for one in found)})" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image, with all classes that say 1, or with the only one.

        Raises:
            DataError: there are no such lists, or one class is needed and images have several.
        """
        found = _find(source, options)
        if not found:
            raise advice.unrecognised(source, options)
        samples: list[Sample] = []
        issues: list[Issue] = []
        difficult, classes = 0, set[str]()
        for one in found:
            images = _images(one.folder)
            for part, lists in one.lists.items():
                classes |= set(lists)
                for name, marks in _marks(lists).items():
                    difficult += "0" in marks.values()
                    labels = sorted(label for label, mark in marks.items() if mark == "1")
                    where = f"{relative(one.folder, source)}, {part}: {name}"
                    if name.lower() not in images:
                        issues.append(Issue(kind="missing", subject=where, detail="there is no such image"))
                        continue
                    path = images[name.lower()]
                    fields: dict[str, Any] = {"image": os.path.abspath(path), FIELD: labels}
                    samples.append(Sample(id=relative(path, source), fields=fields, split=part))
        if FIELD not in options.needs:
            samples = list(_single(samples, source, issues))
        words = f"{self.sniff(source, options)}: {len(classes)} classes, {len(samples)} images"
        words += f"; {difficult} have difficult classes (0), which count as absent" if difficult else ""
        root = os.path.abspath(source)
        return Dataset(unique_ids(samples), reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _single(samples: list[Sample], source: str, issues: list[Issue]) -> Iterator[Sample]:
    """Those with one class.

    Raises:
        DataError: too many have several.
    """
    several = [sample for sample in samples if len(sample.fields[FIELD]) > 1]
    if len(several) > (1 - SURE) * len(samples):
        shown = ", ".join(several[0].fields[FIELD])
        raise DataError(
            f"each image must have one class, but in the lists of '{source}' {len(several)} of {len(samples)} have "
            f"several, such as '{several[0].id}' ({shown}).",
            "Take the task for several labels: --task image-multilabel.",
        )
    for sample in samples:
        labels = sample.fields[FIELD]
        if len(labels) == 1:
            fields = {"image": sample.fields["image"], "label": labels[0]}
            yield Sample(id=sample.id, fields=fields, split=sample.split)
        else:
            detail = f"{len(labels)} classes say 1, one is needed"
            issues.append(Issue(kind="no_label", subject=sample.id, detail=detail))


def _find(source: str, options: ReadOptions) -> list[_Set]:
    fits = options.needs in (("image", "label"), ("image", FIELD)) and not options.columns and not options.group_col
    if not fits or options.optional or "\0" in source or not os.path.isdir(source):
        return []
    places = [escape(source) + "/*" * depth + "/ImageSets/Main" for depth in range(DEPTH)]
    sets = [_Set(folder, _lists(folder)) for place in places for folder in sorted(glob(place)) if os.path.isdir(folder)]
    return [one for one in sets if one.lists]


def _lists(folder: str) -> dict[str, dict[str, str]]:
    """Those of two classes or more. `trainval` trains where there is no list for training."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(glob(f"{escape(folder)}/*_*.txt")):
        label, part = os.path.splitext(os.path.basename(path))[0].rsplit("_", 1)
        if (part == WHOLE or split_word(part)) and _is_list(path):
            found[split_word(part) or WHOLE][label] = path
    whole = found.pop(WHOLE, {})
    if whole and "train" not in found:
        found["train"] = whole
        found.pop("val", None)
    return {part: lists for part, lists in found.items() if len(lists) > 1}


def _is_list(path: str) -> bool:
    head = [line.split() for line in classnames.head(path, HEAD)]
    return bool(head) and all(len(cells) == 2 and cells[1] in MARKS for cells in head)


def _marks(lists: dict[str, str]) -> dict[str, dict[str, str]]:
    """Image -> class -> mark."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for label, path in lists.items():
        for line in filter(None, classnames.lines(path)):
            name, *mark = line.split()
            found[name][label] = mark[0] if mark else ""
    return found


def _images(folder: str) -> dict[str, str]:
    """Name without suffix, in small letters -> image of the set: in `JPEGImages`, else anywhere in it."""
    base = os.path.dirname(os.path.dirname(folder))
    own = os.path.join(base, "JPEGImages")
    paths = (path for path in walk(own if os.path.isdir(own) else base) if is_media(path, "image"))
    return {os.path.splitext(os.path.basename(path))[0].lower(): path for path in paths}
