"""Numbered images whose paths, classes and parts stand in files of their own, as CUB-200 and NABirds have them."""

from __future__ import annotations

import os
from typing import Final

from autoft.data import advice, classnames
from autoft.data.media import entries, relative
from autoft.data.merge import unique_ids
from autoft.data.named import Files
from autoft.records import Dataset, Issue, ReadOptions, Sample

PATHS: Final = "images.txt"
CLASSES: Final = "image_class_labels.txt"
PARTS: Final = "train_test_split.txt"
NAMES: Final = "classes.txt"


class NumberedReader:
    """`images.txt` (number path), `image_class_labels.txt` (number class), `train_test_split.txt` (1 trains)."""

    name = "numbered"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` is in this form, or an empty string."""
        folder = _folder(source, options)
        return f"numbered images ({PATHS} and {CLASSES})" if folder else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample per image that has a class.

        Raises:
            DataError: the files are not there.
        """
        folder = _folder(source, options)
        if not folder:
            raise advice.unrecognised(source, options)
        classes, parts, names = (_pairs(os.path.join(folder, name)) for name in (CLASSES, PARTS, NAMES))
        files = Files(os.path.join(folder, PATHS), folder, "image")
        samples: list[Sample] = []
        issues: list[Issue] = []
        for number, path in _pairs(os.path.join(folder, PATHS)).items():
            inside = os.path.join(folder, "images", path)
            found = inside if os.path.isfile(inside) else files.find(path).path
            label = classes.get(number, "")
            where = f"{PATHS} {number}: {path}"
            if not found or not label:
                issues.append(Issue(kind="missing" if not found else "no_label", subject=where))
                continue
            split = ("train" if parts[number] == "1" else "test") if parts.get(number) in ("0", "1") else ""
            fields = {"image": os.path.abspath(found), "label": names.get(label, label)}
            samples.append(Sample(id=relative(found, source), fields=fields, split=split))
        labels = {str(sample.fields["label"]) for sample in samples}
        words = f"{self.sniff(source, options)}: {len(labels)} classes, {len(samples)} images"
        words += f"; {NAMES} names the classes" if names else ""
        words += f"; parts as {PARTS} says, 1 is training and 0 test" if parts else ""
        root = os.path.abspath(source)
        return Dataset(unique_ids(samples), reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _folder(source: str, options: ReadOptions) -> str:
    """Where the files lie: in the folder, or in the only one in it that has them."""
    fits = (
        options.needs == ("image", "label") and not options.optional and not options.columns and not options.group_col
    )
    if not fits or "\0" in source or not os.path.isdir(source):
        return ""
    folders = [source, *(entry.path for entry in entries(source) if entry.is_dir())]
    found = [f for f in folders if all(os.path.isfile(os.path.join(f, name)) for name in (PATHS, CLASSES))]
    return found[0] if found and (found[0] == source or len(found) == 1) else ""


def _pairs(path: str) -> dict[str, str]:
    """Number -> what stands behind it; empty where there is no such file."""
    if not os.path.isfile(path):
        return {}
    cells = (line.split(maxsplit=1) for line in classnames.lines(path) if line)
    return {number: rest[0] for number, *rest in cells if rest}
