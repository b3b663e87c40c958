"""CelebA (Liu et al., 2015): `list_attr_celeba.txt` with -1 and 1 for each attribute, and `list_eval_partition.txt`;
also as CSV, in which they are handed on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from glob import escape, glob
from typing import Final

from autoft.data import advice, classnames
from autoft.data.columns import several
from autoft.data.labels import FIELD
from autoft.data.media import relative
from autoft.data.named import Files
from autoft.data.tablefiles import tables_in
from autoft.errors import DataError
from autoft.records import Dataset, Issue, ReadOptions, Sample

ATTRIBUTES: Final = "list_attr_celeba"
PARTS: Final = "list_eval_partition"
SUFFIXES: Final = (".txt", ".csv")
NUMBERS: Final = {"0": "train", "1": "val", "2": "test"}
MARKS: Final = frozenset({"-1", "0", "1"})


class CelebaReader:
    """Each attribute is a label; `--target` names some of them."""

    name = "celeba"

    def sniff(self, source: str, options: ReadOptions) -> str:
        """One sentence why `source` holds these lists, in it or in a folder of it, or an empty string."""
        found = _list(ATTRIBUTES, source) if _fits(source, options) else ""
        if found.endswith(".csv") and tables_in(source):
            return ""  # it lies alone, and is a table like others
        return f"CelebA's attributes ({relative(found, source)})" if found else ""

    def read(self, source: str, options: ReadOptions) -> Dataset:
        """One sample for each image of the list that is there, with the attributes that it has.

        Raises:
            DataError: there are no such lists, or one class is asked for.
            UsageError: there is no attribute that `--target` names.
        """
        words = self.sniff(source, options)
        if not words:
            raise advice.unrecognised(source, options)
        path = _list(ATTRIBUTES, source)
        header, *rows = _rows(path)
        names = header if header and len(header) == len(rows[0]) - 1 else header[1:]
        target = options.columns.get(FIELD) or options.remembered.get(FIELD, "")
        if FIELD not in options.needs:
            raise DataError(
                f"each image must have one class, but '{path}' tells {len(names)} attributes of it.",
                f"Take the task for several labels: --task image-multilabel (--target {names[-1]} names one of them).",
            )
        chosen = several(target, names, "--target", path) if target else tuple(names)
        parts = {name: NUMBERS.get(part, "") for name, part in map(_pair, _rows(_list(PARTS, source)))}
        files = Files(path, source, "image")
        samples: list[Sample] = []
        issues: list[Issue] = []
        for name, *marks in rows:
            told = files.find(name)
            where = f"{os.path.basename(path)}: {name}"
            if not told.path:
                issues.append(Issue(kind="missing", subject=where, detail=told.reason))
                continue
            if len(marks) != len(names) or not MARKS.issuperset(marks):
                detail = f"it must have -1 or 1 for each of {len(names)} attributes"
                issues.append(Issue(kind="no_flag", subject=where, detail=detail))
                continue
            labels = [label for label, mark in zip(names, marks, strict=True) if mark == "1" and label in chosen]
            fields = {"image": os.path.abspath(told.path), FIELD: labels}
            samples.append(Sample(id=relative(told.path, source), fields=fields, split=parts.get(name, "")))
        words += f": {len(chosen)} {'label' if len(chosen) == 1 else 'labels'}, {len(samples)} images"
        words += f"; parts as {relative(_list(PARTS, source), source)} says" if parts else ""
        root = os.path.abspath(source)
        return Dataset(tuple(samples), reader=self.name, root=root, recognised=words, issues=tuple(issues))


def _fits(source: str, options: ReadOptions) -> bool:
    field = FIELD if FIELD in options.needs else "label"
    fits = options.needs == ("image", field) and not options.optional and not options.group_col
    return fits and not options.columns.keys() - {field} and "\0" not in source and os.path.isdir(source)


def _list(stem: str, source: str) -> str:
    """The list in the folder, or in one of it (`Anno/`, `Eval/`); empty where there is none."""
    places = [f"{escape(source)}{between}{stem}{suffix}" for between in ("/", "/*/", "/*/*/") for suffix in SUFFIXES]
    return next((path for place in places for path in sorted(glob(place)) if os.path.isfile(path)), "")


def _rows(path: str) -> Iterator[list[str]]:
    """The cells of each line. The number of lines, which some begin with, is left out."""
    for number, line in enumerate(classnames.lines(path) if path else ()):
        cells = [cell for cell in re.split(r"[\s,]+", line) if cell]
        if cells and not (number == 0 and len(cells) == 1 and cells[0].isdigit()):
            yield cells


def _pair(cells: list[str]) -> tuple[str, str]:
    return cells[0], cells[-1]
